_file = open("run.log", "w")  # FLU203[spawn,forkserver]


def log(text):
    _file.write(text + "\n")
    _file.flush()
