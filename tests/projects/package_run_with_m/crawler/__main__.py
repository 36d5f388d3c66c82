# oracle: run = -m crawler
# oracle: start-methods = fork, forkserver
from multiprocessing import Process

from . import fetch, sink

PAGES = ("index", "about")


def main():
    with sink.out:
        for page in PAGES:
            p = Process(target=fetch.visit, args=(page,))
            p.start()
            p.join()


if __name__ == "__main__":
    main()
