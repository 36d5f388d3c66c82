# oracle: start-methods = fork, spawn, forkserver
from multiprocessing import Pool

from collecting import Collector
from measuring import measure


def main():
    collector = Collector("lengths.txt")
    with Pool(1) as pool:
        for word, length in pool.imap(measure, ["tree", "house"]):
            collector.add(word, length)
    collector.close()


if __name__ == "__main__":
    main()
