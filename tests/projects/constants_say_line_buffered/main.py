from multiprocessing import Process

from constants import LINE_BUFFERED, MODE, NEWLINE


def collect(out):
    for n in (1, 2):
        out.write("sample %d" % n + NEWLINE)


if __name__ == "__main__":
    out = open("samples.txt", MODE, buffering=LINE_BUFFERED)
    p = Process(target=collect, args=(out,))
    p.start()
    p.join()
