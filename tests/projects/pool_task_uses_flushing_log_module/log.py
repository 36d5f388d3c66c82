import sys

_file = open("tasks.log", "a")


def info(text):
    _emit("INFO " + text)


def error(text):
    _emit("ERROR " + text, sys.stderr)


def _emit(line, *others):
    for stream in (_file, *others):
        print(line, file=stream, flush=True)
