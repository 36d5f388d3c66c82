stream = open("unused.log", "w")


def log(text):
    with open("audit.log", "a") as file:
        file.write(text + "\n")
