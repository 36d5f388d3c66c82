class Model:
    trace = open("trace.txt", "w")

    def step(self, hour):
        raise NotImplementedError
