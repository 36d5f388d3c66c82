from multiprocessing import Process

from model import Model


class Forecast(Model):
    def step(self, hour):
        self.trace.write("hour %d\n" % hour)  # FLU102


if __name__ == "__main__":
    p = Process(target=Forecast().step, args=(6,))
    p.start()
    p.join()
