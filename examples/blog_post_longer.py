# On Python 2 these 4,097 characters overflow the buffer of 4,096 bytes, and 4,096 of them arrive.
# On Python 3 the buffer holds 8,192 bytes or more, and error2.log is empty.
from multiprocessing import Process

log = open("error2.log", "w")


def put(fd):
    fd.write("hello, func put write\n")
    fd.write("x" * 4075)


if __name__ == "__main__":
    p = Process(target=put, args=(log,))
    p.start()
    p.join()
