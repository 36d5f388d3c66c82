from .shelf import *
from . import shelf

__all__ = ["fire"]


def fire(pot):
    shelf.put(pot)
    book.write("fired a %s\n" % pot)  # FLU102
