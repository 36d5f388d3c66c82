from registry import STREAMS


def work(name):
    STREAMS[name].write("working\n")  # FLU102
