# oracle: start-methods = fork, spawn
from multiprocessing import Process, Queue

from pipeline import produce
from writer import write_all

if __name__ == "__main__":
    lines = Queue()
    writer = Process(target=write_all, args=("lines.txt", lines))
    writer.start()
    producers = [Process(target=produce, args=(n, lines)) for n in (1, 2)]
    for p in producers:
        p.start()
    for p in producers:
        p.join()
    lines.put(None)
    writer.join()
