class Store:
    def __init__(self, path):
        self.file = open(path, "w")

    def add(self, item):
        self.file.write(item + "\n")

    def close(self):
        self.file.close()
