import log


def work(n):
    log.log("working on %d" % n)
