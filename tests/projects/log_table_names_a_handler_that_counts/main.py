import logging.config
from multiprocessing import Process

from bakery import bake
from settings import LOGGING

if __name__ == "__main__":
    logging.config.dictConfig(LOGGING)
    for bread in ("rye", "spelt"):
        p = Process(target=bake, args=(bread,))
        p.start()
        p.join()
