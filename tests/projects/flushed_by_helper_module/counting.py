from journal import JOURNAL
from saving import put


def count(word):
    put(JOURNAL, "%s: %d letters" % (word, len(word)))
