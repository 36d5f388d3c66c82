# error1.log is empty: the text stays in the child's buffer, and the child throws it away.
from multiprocessing import Process
log = open("error1.log", "w")


def put(fd):
    fd.write("hello, func put write\n")


if __name__ == "__main__":
    p = Process(target=put, args=(log,))
    p.start()
    p.join()
