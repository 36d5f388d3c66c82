from multiprocessing import Process

from streams import *


def mix(colours):
    palette.write(" and ".join(colours) + "\n")  # FLU102
    notes.write("mixed\n")
    notes.flush()


if __name__ == "__main__":
    painter = Process(target=mix, args=(["red", "blue"],))
    painter.start()
    painter.join()
