# oracle: start-methods = fork, spawn, forkserver
import multiprocessing

from convert import batch

if __name__ == "__main__":
    for name in ("a", "b"):
        p = multiprocessing.Process(target=batch.run, args=(name,))
        p.start()
        p.join()
