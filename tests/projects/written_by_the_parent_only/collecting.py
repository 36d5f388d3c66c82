class Collector:
    def __init__(self, path):
        self.file = open(path, "w")

    def add(self, word, length):
        self.file.write("%s %d\n" % (word, length))
        self.file.flush()

    def close(self):
        self.file.close()
