from multiprocessing import Process

from lab import Protocol


def experiment(n):
    with Protocol("run-%d" % n) as protocol:
        protocol.note("started")
        protocol.note("%d squared is %d" % (n, n * n))


if __name__ == "__main__":
    run = Process(target=experiment, args=(7,))
    run.start()
    run.join()
