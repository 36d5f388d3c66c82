# oracle: start-methods = fork, forkserver
import multiprocessing

from work import setup, tasks


def main():
    pool = multiprocessing.Pool(1, setup.open_output, ("cubes.txt",))
    print(pool.map(tasks.cube, range(3)))
    pool.close()
    pool.join()


if __name__ == "__main__":
    main()
