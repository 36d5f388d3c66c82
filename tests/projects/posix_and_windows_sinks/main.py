import os
from multiprocessing import Process

from sinks import sink


def report(events):
    for event in events:
        sink.write(event + os.linesep)  # FLU102


if __name__ == "__main__":
    p = Process(target=report, args=(["login", "logout"],))
    p.start()
    p.join()
