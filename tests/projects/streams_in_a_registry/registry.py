STREAMS = {}


def register(name, path):
    STREAMS[name] = open(path, "w")
