class Model:
    trace = open("trace.txt", "a")

    def step(self, hour):
        self.trace.write("hour %d\n" % hour)
