from multiprocessing import Process

from output import write


def work(n):
    write("step %d" % n)
    print("worked on", n)


if __name__ == "__main__":
    p = Process(target=work, args=(3,))
    p.start()
    p.join()
