"""`log` is not among the names that the star brings."""
import io
from multiprocessing import Process

log = io.StringIO()
from painting import *


def mix(colours):
    log.write("mixing\n")
    print(blend(colours), log.getvalue(), end="")


if __name__ == "__main__":
    painter = Process(target=mix, args=(["red", "blue"],))
    painter.start()
    painter.join()
