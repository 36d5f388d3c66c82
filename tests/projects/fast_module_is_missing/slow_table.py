_out = None


def begin(path):
    global _out
    _out = open(path, "w")


def add(row):
    _out.write(",".join(map(str, row)) + "\n")  # FLU102
