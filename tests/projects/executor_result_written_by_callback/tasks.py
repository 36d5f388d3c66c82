defects = open("defects.txt", "w")


def inspect_part(name):
    return "%s is %d mm" % (name, len(name))


def record(future):
    defects.write(future.result() + "\n")
