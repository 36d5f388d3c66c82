import time

_file = open("access.log", "a")
_started = time.time()


def log(request):
    _file.write(request + "\n")
