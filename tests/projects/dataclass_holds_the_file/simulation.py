from config import Config


def simulate(config: Config):
    number = 2
    for step in range(config.steps):
        number *= 2
        config.out.write("step %d: %d %s\n" % (step, number, config.name))
