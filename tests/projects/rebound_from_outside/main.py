# oracle: start-methods = fork, spawn, forkserver
import multiprocessing

import config
import jobs


def main():
    config.LOG = open("jobs.log", "w")
    config.LOG.write("%d jobs\n" % len(jobs.NAMES))
    config.LOG.flush()
    for name in jobs.NAMES:
        p = multiprocessing.Process(target=jobs.work, args=(name,))
        p.start()
        p.join()
    config.LOG.close()


if __name__ == "__main__":
    main()
