import sys


def to_file(path):
    sys.stdout = open(path, "w")
