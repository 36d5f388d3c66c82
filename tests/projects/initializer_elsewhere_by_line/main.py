# oracle: start-methods = fork, spawn, forkserver
from concurrent.futures import ProcessPoolExecutor

from work.setup import open_output
from work.tasks import cube

if __name__ == "__main__":
    with ProcessPoolExecutor(1, initializer=open_output, initargs=("cubes.txt",)) as executor:
        print(list(executor.map(cube, range(3))))
