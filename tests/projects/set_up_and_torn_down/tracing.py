_stream = None


def setup(path):
    global _stream
    _stream = open(path, "a")


def teardown():
    global _stream
    _stream.close()
    _stream = None


def trace(text):
    if _stream is not None:
        _stream.write(text + "\n")
