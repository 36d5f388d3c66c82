from multiprocessing import Pool

from zoo import animals


def feed_all(names):
    pool = Pool(1)
    print(pool.map(animals.feed, names))
    pool.close()
    pool.join()
