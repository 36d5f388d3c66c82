from multiprocessing import Process

import tracing
from factory import assemble


def main():
    tracing.setup("trace.txt")
    p = Process(target=assemble, args=("bicycle",))
    p.start()
    p.join()
    tracing.trace("end")
    tracing.teardown()


if __name__ == "__main__":
    main()
