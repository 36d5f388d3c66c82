from .shelf import *


def fire(pot):
    book.write("fired a %s\n" % pot)
    save()
