from multiprocessing import Process

from press import *


def produce(title):
    writer.sheet.write(title.upper() + "\n")  # FLU102


if __name__ == "__main__":
    p = Process(target=produce, args=(reader.headline(),))
    p.start()
    p.join()
