import multiprocessing

from save import saving

_lock = multiprocessing.Lock()
_bells = open("bells.txt", "a")


def strike(number):
    with _lock, saving(_bells) as bells:
        bells.write("clock %d\n" % number)
