from multiprocessing import Process

from parts import spin

BLACKBOX = open("blackbox.txt", "a")


def start():
    for p in [Process(target=spin, args=(rpm,)) for rpm in (900, 2500)]:
        p.start()
        p.join()
