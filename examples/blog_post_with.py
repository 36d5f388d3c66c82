# error5.log is empty: `with` closes the parent's file. The child's copy was thrown away before.
from multiprocessing import Process


def put(fd):
    fd.write("hello, func put write\n")


if __name__ == "__main__":
    with open("error5.log", "w") as log:
        p = Process(target=put, args=(log,))
        p.start()
        p.join()
        log.flush()
