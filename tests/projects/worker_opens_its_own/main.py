# oracle: start-methods = fork, spawn, forkserver
import multiprocessing

import config
import jobs

if __name__ == "__main__":
    config.LOG = open("main.log", "w")
    for name in ("sweep", "mop"):
        p = multiprocessing.Process(target=jobs.work, args=(name,))
        p.start()
        p.join()
    config.LOG.write("all done\n")
    config.LOG.close()
