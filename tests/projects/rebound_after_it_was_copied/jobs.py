from config import LOG


def work(name):
    LOG.write(name + " is done\n")
    print(LOG.getvalue().strip())
