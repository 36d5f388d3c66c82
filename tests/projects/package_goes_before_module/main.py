# journal/ and journal.py: a package goes before a module.
from multiprocessing import Process

from journal import enter

if __name__ == "__main__":
    p = Process(target=enter, args=("rain",))
    p.start()
    p.join()
