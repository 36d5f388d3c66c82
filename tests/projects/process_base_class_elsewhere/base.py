import abc
from multiprocessing import Process


class Export(Process, abc.ABC):
    """Template: a subclass says what the lines are."""

    def __init__(self, path):
        super().__init__()
        self.out = open(path, "w")

    def run(self):
        for line in self.lines():
            self.out.write(line + "\n")  # FLU102

    @abc.abstractmethod
    def lines(self):
        ...
