output = None


def open_output(path):
    global output
    output = open(path, "w", buffering=1)
