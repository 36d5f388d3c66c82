import zoo


def feed(name):
    zoo.enter("fed the " + name)
    return len(name)
