from .protocol import note


def mash(degrees):
    note("mash at %d degrees" % degrees)
    return degrees


def boil(minutes):
    note("boil for %d minutes" % minutes)
