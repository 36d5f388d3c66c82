from multiprocessing import Pool

import tasks

if __name__ == "__main__":
    pool = Pool(1)
    print(pool.map(tasks.square, [1, 2, 3]))
    pool.close()
    pool.join()
