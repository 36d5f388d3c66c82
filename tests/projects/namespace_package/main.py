# No folder of farm/ has an __init__.py.
from multiprocessing import Process

from farm.fields.plough import plough

if __name__ == "__main__":
    for field in ("north", "south"):
        p = Process(target=plough, args=(field,))
        p.start()
        p.join()
