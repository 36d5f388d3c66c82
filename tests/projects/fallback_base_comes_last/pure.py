class Writer:
    def __init__(self, path):
        self.file = open(path, "w")

    def put(self, text):
        self.file.write(text + "\n")

    def end(self):
        self.put("-- end --")
