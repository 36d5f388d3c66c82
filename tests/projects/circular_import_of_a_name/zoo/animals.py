from zoo import DIARY


def feed(name):
    DIARY.write("fed the " + name + "\n")  # FLU103
    return len(name)
