import io
from multiprocessing import Process

_log = io.StringIO()
from streams import *


def mix(colours):
    _log.write(" and ".join(colours))
    show(_log.getvalue())


if __name__ == "__main__":
    painter = Process(target=mix, args=(["red", "blue"],))
    painter.start()
    painter.join()
