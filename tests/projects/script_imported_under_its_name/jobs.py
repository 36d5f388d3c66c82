import recorder


def work(what):
    recorder.LOG.write("recorded a %s\n" % what)  # FLU102
