STREAMS = {}


def register(name, path):
    STREAMS[name] = open(path, "a")


def close_all():
    for stream in STREAMS.values():
        stream.close()
