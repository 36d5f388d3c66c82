# right1.log holds the line: the child empties its buffer before it ends. Nothing to find here.
from multiprocessing import Process

log = open("right1.log", "w")


def put(fd):
    fd.write("hello, func put write\n")
    fd.flush()


if __name__ == "__main__":
    p = Process(target=put, args=(log,))
    p.start()
    p.join()
