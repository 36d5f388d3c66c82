"""One place that says what we run in parallel with."""
from multiprocessing.dummy import Process
from multiprocessing.pool import ThreadPool as Pool

__all__ = ["Pool", "Process"]
