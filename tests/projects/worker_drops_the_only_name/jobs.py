import config


def work(name):
    config.LOG.write(name + " is done\n")
    config.LOG = None
