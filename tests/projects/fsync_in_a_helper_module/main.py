from multiprocessing import Process

from durable import sync
from ledger import book


def enter(amount):
    book.write("%d\n" % amount)  # FLU102
    sync(book)


if __name__ == "__main__":
    p = Process(target=enter, args=(300,))
    p.start()
    p.join()
