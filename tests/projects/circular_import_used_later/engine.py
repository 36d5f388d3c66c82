"""Imports parts, which imports this module back before BLACKBOX is there."""
from multiprocessing import Process

import parts

BLACKBOX = open("blackbox.txt", "w")


def start():
    for p in [Process(target=parts.spin, args=(rpm,)) for rpm in (900, 2500)]:
        p.start()
        p.join()
