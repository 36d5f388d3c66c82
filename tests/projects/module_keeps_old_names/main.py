import multiprocessing

import notes


def work(n):
    notes.writeNote("working on %d" % n)


if __name__ == "__main__":
    p = multiprocessing.Process(target=work, args=(4,))
    p.start()
    p.join()
