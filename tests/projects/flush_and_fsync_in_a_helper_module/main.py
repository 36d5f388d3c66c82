from multiprocessing import Process

import durable as disk
from ledger import book


def enter(amount):
    book.write("%d\n" % amount)
    disk.sync(book)


if __name__ == "__main__":
    p = Process(target=enter, args=(300,))
    p.start()
    p.join()
