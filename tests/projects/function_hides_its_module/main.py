"""`audit.log` is a function: the package's own import hides the module of that name."""
from multiprocessing import Process

from audit import log


def transfer(amount):
    log("transferred %d" % amount)


if __name__ == "__main__":
    for amount in (10, 20):
        p = Process(target=transfer, args=(amount,))
        p.start()
        p.join()
