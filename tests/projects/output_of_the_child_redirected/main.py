# oracle: start-methods = fork, spawn
"""multiprocessing flushes what sys.stdout is at the end of a child."""
from multiprocessing import Process

from redirect import to_file
from shout import shout


def work(word):
    to_file("shouts.txt")
    shout(word)


if __name__ == "__main__":
    p = Process(target=work, args=("hey",))
    p.start()
    p.join()
