import contextlib


def note(text):
    with contextlib.closing(open("protocol.txt", "a")) as file:
        file.write(text + "\n")
