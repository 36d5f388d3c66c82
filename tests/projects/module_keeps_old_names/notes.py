_RENAMED = {"writeNote": "write_note"}


def write_note(text):
    with open("notes.txt", "a") as file:
        file.write(text + "\n")


def __getattr__(name):
    if name in _RENAMED:
        return globals()[_RENAMED[name]]
    raise AttributeError(name)
