# oracle: start-methods = fork, forkserver
from multiprocessing import Process

from model import Model


class Forecast(Model):
    def step(self, hour):
        super().step(hour)
        self.trace.close()


if __name__ == "__main__":
    p = Process(target=Forecast().step, args=(6,))
    p.start()
    p.join()
