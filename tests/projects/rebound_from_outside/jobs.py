import config

NAMES = ["sweep", "mop"]


def work(name):
    config.LOG.write(name + " is done\n")  # FLU102[fork] FLU304[spawn,forkserver]
