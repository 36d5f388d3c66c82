import log


def square(n):
    log.info("square of %d" % n)
    return n * n
