from multiprocessing import Process


class Export(Process):
    def __init__(self, path):
        super().__init__()
        self.path = path
        self.out = None

    def run(self):
        self.out = open(self.path, "w")
        try:
            self.write()
        finally:
            self.out.close()

    def write(self):
        raise NotImplementedError
