"""The parent's copy of what is pending goes with it; the child writes its own."""
import os


def daemonize():
    if os.fork() > 0:
        os._exit(0)
    os.setsid()
