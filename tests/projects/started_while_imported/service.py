"""Starts its worker as soon as it is imported, in children as well."""
import multiprocessing

from task import remember

_worker = multiprocessing.Process(target=remember, args=("milk",))
_worker.start()  # FLU303[spawn]


def join():
    _worker.join()
