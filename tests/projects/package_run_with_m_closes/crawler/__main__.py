# oracle: run = -m crawler --verbose
# oracle: start-methods = fork, spawn, forkserver
import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
