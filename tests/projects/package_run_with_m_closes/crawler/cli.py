import argparse
from multiprocessing import Process

from .fetch import visit as fetch_page
from .sink import Sink


def main(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args(argv)
    jobs = [
        Process(target=fetch_page, args=(page, Sink(page, options.verbose)))
        for page in ("index", "about")
    ]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    return 0
