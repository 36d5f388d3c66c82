# oracle: start-methods = fork, spawn, forkserver
"""Opened in one module, written in a second, started in a third."""
from multiprocessing import Process

from counting import count


def main():
    counters = [Process(target=count, args=(word,)) for word in ("tree", "house")]
    for counter in counters:
        counter.start()
        counter.join()


if __name__ == "__main__":
    main()
