import journal


def setup_words():
    return "the quick brown fox".split()


def test_length():
    words = setup_words()
    journal.note("%d words" % len(words))
    assert len(words) == 4


def test_order():
    words = setup_words()
    assert sorted(words) == words


def check_journal():
    journal.note("never said")
