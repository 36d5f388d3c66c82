import multiprocessing

from station import listen
from supervisor import stop


def main():
    ready, end = multiprocessing.Event(), multiprocessing.Event()
    p = multiprocessing.Process(target=listen, args=(ready, end))
    p.start()
    ready.wait()
    stop(p, end)


if __name__ == "__main__":
    main()
