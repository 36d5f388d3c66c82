import gzip


class Archive:
    def __init__(self, path):
        self._stream = gzip.open(path, "wt")

    def add(self, name):
        self._stream.write(name + "\n")  # FLU405

    def sync(self):
        self._stream.flush()

    def close(self):
        self._stream.close()
