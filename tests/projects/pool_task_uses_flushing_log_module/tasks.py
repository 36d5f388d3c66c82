from log import info as note


def square(n):
    note("square of %d" % n)
    return n * n
