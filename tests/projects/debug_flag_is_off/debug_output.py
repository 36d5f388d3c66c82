_file = open("debug.txt", "w")


def write(text):
    _file.write(text + "\n")
