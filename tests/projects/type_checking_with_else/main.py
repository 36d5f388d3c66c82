import typing
from multiprocessing import Process

if typing.TYPE_CHECKING:
    from sinks.abstract import sink
else:
    from sinks.concrete import sink


def work(item):
    sink.write(item + "\n")  # FLU102


if __name__ == "__main__":
    p = Process(target=work, args=("brick",))
    p.start()
    p.join()
