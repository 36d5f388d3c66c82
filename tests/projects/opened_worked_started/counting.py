from journal import JOURNAL


def count(word):
    JOURNAL.write("%s: %d letters\n" % (word, len(word)))  # FLU102[fork,forkserver]
