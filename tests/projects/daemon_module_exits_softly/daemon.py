import os
import sys


def daemonize():
    if os.fork() > 0:
        sys.exit(0)
    os.setsid()
