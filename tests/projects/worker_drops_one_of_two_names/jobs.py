import config
from config import LOG


def work(name):
    LOG.write(name + " is done\n")  # FLU102
    config.LOG = None
