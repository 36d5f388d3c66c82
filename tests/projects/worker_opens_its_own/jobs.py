import config


def work(name):
    with open(name + ".log", "w") as config.LOG:
        step(name)


def step(name):
    config.LOG.write(name + " is done\n")
