_file = open("access.log", "a")


def log(request):
    _file.write(request + "\n")


def shut():
    _file.close()
