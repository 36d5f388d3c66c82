"""Both packages have a util with an `out`; only one of them is a file."""
from multiprocessing import Process

from screen.util import out
from disk import util


def work(n):
    out.append("step %d" % n)
    util.save(out)


if __name__ == "__main__":
    p = Process(target=work, args=(1,))
    p.start()
    p.join()
