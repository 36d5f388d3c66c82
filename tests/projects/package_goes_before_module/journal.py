_file = open("journal.txt", "w")


def enter(text):
    _file.write(text + "\n")
