_writers = {}


class Writer:
    def __init__(self, file):
        self.file = file

    def line(self, text):
        self.file.write(text + "\n")  # FLU102[fork,forkserver]


def writer_for(name):
    if name not in _writers:
        _writers[name] = Writer(open(name + ".txt", "w"))
    return _writers[name]
