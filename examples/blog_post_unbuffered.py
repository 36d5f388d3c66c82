# right2.log holds the line: a binary file may have no buffer. Nothing to find here.
from multiprocessing import Process

log = open("right2.log", "wb", buffering=0)


def put(fd):
    fd.write(b"hello, func put write\n")


if __name__ == "__main__":
    p = Process(target=put, args=(log,))
    p.start()
    p.join()
