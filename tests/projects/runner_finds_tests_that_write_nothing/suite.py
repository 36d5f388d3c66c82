import journal


def setup_words():
    return "the quick brown fox".split()


def test_length():
    assert len(setup_words()) == 4


def test_order():
    words = setup_words()
    assert sorted(words) == words


def check_journal():
    journal.note("said by hand only")
