import gzip


class Archive:
    def __init__(self, path):
        self._path = path
        self._stream = None

    def __enter__(self):
        self._stream = gzip.open(self._path, "wt")

    def add(self, name):
        self._stream.write(name + "\n")

    def __exit__(self, *exc):
        self._stream.close()
