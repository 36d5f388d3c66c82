class Writer:
    """Closed with the last reference to it, at the end of the function that asked for it."""

    def __init__(self, file):
        self.file = file

    def line(self, text):
        self.file.write(text + "\n")


def writer_for(name):
    return Writer(open(name + ".txt", "w"))
