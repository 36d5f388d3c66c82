import os


def sync(file):
    os.fsync(file.fileno())  # FLU403
