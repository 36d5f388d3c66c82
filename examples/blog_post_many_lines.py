# error3.log looks right until somebody counts: the last lines of 3,000 are missing.
from multiprocessing import Process

log = open("error3.log", "w")


def put(fd):
    for number in range(3000):
        fd.write(f"line {number}\n")


if __name__ == "__main__":
    p = Process(target=put, args=(log,))
    p.start()
    p.join()
