# oracle: run = -m acme.cli
# oracle: roots = src
# oracle: start-methods = fork, forkserver
import multiprocessing

from acme import rockets
from acme.report import REPORT


def main():
    for name in ("one", "two"):
        launch = multiprocessing.Process(target=rockets.launch, args=(name,))
        launch.start()
        launch.join()
    REPORT.close()


if __name__ == "__main__":
    main()
