# error4.log is empty: the program ends with "ValueError: can't have unbuffered text I/O".
from multiprocessing import Process

log = open("error4.log", "w", buffering=0)


def put(fd):
    fd.write("hello, func put write\n")


if __name__ == "__main__":
    p = Process(target=put, args=(log,))
    p.start()
    p.join()
