# oracle: start-methods = fork, forkserver
"""redis is a module of this folder: it keeps everything in a file."""
from multiprocessing import Process

import redis


def visit(page):
    redis.client.incr(page)


if __name__ == "__main__":
    for page in ("home", "shop", "home"):
        p = Process(target=visit, args=(page,))
        p.start()
        p.join()
