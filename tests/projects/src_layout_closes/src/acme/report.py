import contextlib


@contextlib.contextmanager
def report(name):
    file = open(name + ".txt", "w")
    try:
        yield file
    finally:
        file.close()
