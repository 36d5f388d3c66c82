# oracle: run = -m tools.convert
# oracle: start-methods = fork, spawn
"""Run with -m, so that relative imports work and children find it by its name."""
from multiprocessing import Process

from .paths import output_of


def convert(name):
    with open(output_of(name), "w") as out:
        out.write(name.upper())


def main():
    for name in ("one", "two"):
        p = Process(target=convert, args=(name,))
        p.start()
        p.join()


if __name__ == "__main__":
    main()
