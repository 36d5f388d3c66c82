from multiprocessing import Process

import farm.fields.plough

if __name__ == "__main__":
    for field in ("north", "south"):
        p = Process(target=farm.fields.plough.plough, args=(field,))
        p.start()
        p.join()
