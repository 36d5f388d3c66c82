_file = open("journal.txt", "w")


def note(text):
    _file.write(text + "\n")
