import msvcrt

_sink = open("events.log", "a")


def emit(event):
    msvcrt.locking(_sink.fileno(), msvcrt.LK_LOCK, 1)
    _sink.write(event + "\r\n")
    _sink.flush()
