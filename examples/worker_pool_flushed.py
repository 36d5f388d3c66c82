# cubes.csv holds 100 lines: each worker flushes before it releases the lock. Nothing to find here.
from multiprocessing import Lock, Process


class Worker:
    def __init__(self, out, lock):
        self.out = out
        self.lock = lock

    def run(self, numbers):
        for number in numbers:
            with self.lock:
                self.out.write(f"{number},{number**3}\n")
                self.out.flush()


if __name__ == "__main__":
    out = open("cubes.csv", "w")
    worker = Worker(out, Lock())
    pool = [Process(target=worker.run, args=(range(i, 100, 4),)) for i in range(4)]
    for p in pool:
        p.start()
    for p in pool:
        p.join()
    out.close()
