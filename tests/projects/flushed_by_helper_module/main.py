# oracle: start-methods = fork, spawn, forkserver
"""As usual: a file, a worker, a process. The helper that writes also flushes."""
from multiprocessing import Process

from counting import count

if __name__ == "__main__":
    for word in ("tree", "house"):
        p = Process(target=count, args=(word,))
        p.start()
        p.join()
