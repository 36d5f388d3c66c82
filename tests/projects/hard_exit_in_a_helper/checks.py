import os
import sys


def die(message, status=0):
    sys.stderr.write(message + "\n")
    sys.stderr.flush()
    os._exit(status)  # FLU104


def check(condition, message):
    if not condition:
        die(message)
