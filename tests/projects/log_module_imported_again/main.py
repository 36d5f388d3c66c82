# oracle: start-methods = fork, spawn, forkserver
"""A spawned child imports the log as well, and empties what the parent has written."""
import multiprocessing

import log
from work import work

if __name__ == "__main__":
    log.log("parent begins")
    p = multiprocessing.Process(target=work, args=(5,))
    p.start()
    p.join()
    log.log("parent ends")
