_stream = None


def setup(path):
    global _stream
    _stream = open(path, "w")


def sync():
    _stream.flush()


def trace(text):
    _stream.write(text + "\n")  # FLU102[fork] FLU304[spawn]
