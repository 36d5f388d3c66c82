"""A spawned child leaves like any program: its files are written out."""
from compat import Process

OUT = open("out.txt", "a")


def work(n):
    OUT.write("%d\n" % n)


if __name__ == "__main__":
    p = Process(target=work, args=(1,))
    p.start()
    p.join()
