from shared.history import HISTORY


def rotate(name):
    HISTORY.write("rotated %s\n" % name)  # FLU102
