"""jobs has its own name for what config.LOG was at the time."""
import multiprocessing

import config
import jobs


def main():
    config.LOG = open("main.log", "w")
    p = multiprocessing.Process(target=jobs.work, args=("sweep",))
    p.start()
    p.join()
    config.LOG.write("done\n")


if __name__ == "__main__":
    main()
