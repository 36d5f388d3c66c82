# oracle: run = hourly.py
from multiprocessing import Process

from shared.rotate import rotate

if __name__ == "__main__":
    p = Process(target=rotate, args=("hourly",))
    p.start()
    p.join()
