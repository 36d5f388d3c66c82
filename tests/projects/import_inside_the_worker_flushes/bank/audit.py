trail = open("trail.txt", "a")


def note(text):
    trail.write(text + "\n")
    trail.flush()
