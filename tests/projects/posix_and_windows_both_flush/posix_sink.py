_sink = open("events.log", "a")


def emit(event):
    print(event, file=_sink, flush=True)
