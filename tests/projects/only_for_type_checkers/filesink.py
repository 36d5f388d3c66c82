import registry


class FileSink:
    def __init__(self, path):
        self.file = open(path, "w")

    def write(self, text):
        self.file.write(text)


registry.current = FileSink("items.txt")
