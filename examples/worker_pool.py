# squares.csv is empty: the lock keeps the workers apart, but nobody empties their buffers.
from multiprocessing import Lock, Process


class Worker:
    def __init__(self, out, lock):
        self.out = out
        self.lock = lock

    def run(self, numbers):
        for number in numbers:
            with self.lock:
                self.out.write(f"{number},{number * number}\n")


if __name__ == "__main__":
    out = open("squares.csv", "w")
    worker = Worker(out, Lock())
    pool = [Process(target=worker.run, args=(range(i, 100, 4),)) for i in range(4)]
    for p in pool:
        p.start()
    for p in pool:
        p.join()
    out.close()
