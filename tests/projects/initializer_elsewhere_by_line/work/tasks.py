import work.setup


def cube(n):
    work.setup.output.write("%d\n" % n ** 3)
    return n
