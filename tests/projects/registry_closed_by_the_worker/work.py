import registry
from registry import STREAMS


def work(name):
    STREAMS[name].write("working\n")
    registry.close_all()
