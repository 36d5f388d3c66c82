"""Everybody's log."""
_file = open("tasks.log", "a")


def info(text):
    _file.write("INFO " + text + "\n")  # FLU103[fork,forkserver]
