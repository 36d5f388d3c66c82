def simulate(config):
    out = config.open()
    number = 2
    for step in range(config.steps):
        number *= 2
        out.write("step %d: %d %s\n" % (step, number, config.name))
