import multiprocessing

_lock = multiprocessing.Lock()
bells = open("bells.txt", "a")


def strike(number):
    with _lock:
        bells.write("clock %d\n" % number)  # FLU202
