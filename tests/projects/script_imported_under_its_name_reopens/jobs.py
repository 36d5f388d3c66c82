import recorder


def work(what):
    recorder.note("recorded a %s" % what)
