# oracle: start-methods = fork, spawn, forkserver
from multiprocessing import Pool

import tasks

if __name__ == "__main__":
    with Pool(1) as pool:
        print(pool.map(tasks.square, [1, 2, 3]))
        pool.close()
        pool.join()
