_file = open("run.log", "w")


def log(text):
    _file.write(text + "\n")
    _file.flush()
