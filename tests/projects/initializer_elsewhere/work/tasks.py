from . import setup


def cube(n):
    setup.output.write("%d\n" % n ** 3)  # FLU103
    return n
