import multiprocessing

from station import listen
from supervisor import stop


def main():
    ready = multiprocessing.Event()
    p = multiprocessing.Process(target=listen, args=(ready,))
    p.start()
    ready.wait()
    stop(p)


if __name__ == "__main__":
    main()
