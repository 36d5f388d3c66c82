# oracle: start-methods = fork, spawn
from multiprocessing import Process

import tracing
from factory import assemble


def main():
    tracing.setup("trace.txt")
    tracing.trace("begin")
    tracing.sync()
    p = Process(target=assemble, args=("bicycle",))
    p.start()
    p.join()
    tracing.trace("end")


if __name__ == "__main__":
    main()
