import sys
from multiprocessing import Process

if sys.platform.startswith("win"):
    from win_sink import emit
else:
    from posix_sink import emit


def report(events):
    for event in events:
        emit(event)


if __name__ == "__main__":
    p = Process(target=report, args=(["login", "logout"],))
    p.start()
    p.join()
