import contextlib


@contextlib.contextmanager
def saving(stream):
    yield stream
    stream.flush()
