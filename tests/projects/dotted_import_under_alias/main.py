# oracle: start-methods = fork, spawn
import multiprocessing

import shop.stock.ledger as ledger
from shop.till import sell


def open_shop():
    goods = [("apples", 3), ("pears", 4)]
    seller = multiprocessing.Process(
        target=sell,
        args=(goods, ledger.BOOK),  # FLU101[fork] FLU301[spawn]
    )
    seller.start()
    seller.join()


if __name__ == "__main__":
    open_shop()
