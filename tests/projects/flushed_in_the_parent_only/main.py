import multiprocessing

import output
from crawl import crawl

if __name__ == "__main__":
    workers = [multiprocessing.Process(target=crawl, args=(site,)) for site in ("a.org", "b.org")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    output.close()
