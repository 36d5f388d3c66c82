import multiprocessing

import config
import jobs

if __name__ == "__main__":
    config.LOG = open("jobs.log", "a")
    p = multiprocessing.Process(target=jobs.work, args=("sweep",))
    p.start()
    p.join()
