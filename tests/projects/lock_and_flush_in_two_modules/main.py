# oracle: ordered
"""Two clocks strike in turn. The lock is around the write, the flush comes when a clock stops."""
import multiprocessing

from clock import run


def main():
    gates = [multiprocessing.Event() for _ in range(3)]
    homes = [multiprocessing.Event() for _ in range(2)]
    clocks = [
        multiprocessing.Process(target=run, args=(n, gates[n], gates[n + 1], homes[n]))
        for n in range(2)
    ]
    for clock in clocks:
        clock.start()
    gates[0].set()
    gates[2].wait()
    for home, clock in zip(reversed(homes), reversed(clocks)):
        home.set()
        clock.join()


if __name__ == "__main__":
    main()
