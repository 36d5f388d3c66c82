import multiprocessing

from task import remember

_workers = []


def start():
    worker = multiprocessing.Process(target=remember, args=("milk",))
    worker.start()
    _workers.append(worker)


def join():
    while _workers:
        _workers.pop().join()


if __name__ == "__main__":
    start()
    join()
