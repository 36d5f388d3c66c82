# oracle: run = scripts/launch_all.py one two
# oracle: roots = src
import multiprocessing
import sys

from acme import rockets

if __name__ == "__main__":
    launches = [multiprocessing.Process(target=rockets.launch, args=(n,)) for n in sys.argv[1:]]
    for launch in launches:
        launch.start()
    for launch in launches:
        launch.join()
