from os import fsync


def sync(file):
    file.flush()
    fsync(file.fileno())
