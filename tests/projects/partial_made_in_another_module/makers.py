import functools


def _record(path, text):
    with open(path, "w") as file:
        file.write(text)


def make_recorder(path):
    return functools.partial(_record, path)
