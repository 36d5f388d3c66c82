# oracle: start-methods = fork, spawn
import multiprocessing

import service

if __name__ == "__main__":
    service.start()
    service.join()
