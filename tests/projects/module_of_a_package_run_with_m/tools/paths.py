def output_of(name):
    return name + ".out"
