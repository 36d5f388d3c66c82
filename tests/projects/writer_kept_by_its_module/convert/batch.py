from .writers import writer_for


def run(name):
    writer = writer_for(name)
    for n in range(3):
        writer.line("%s%d" % (name, n))
