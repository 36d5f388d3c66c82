_log = open("streams.log", "w")


def show(text):
    print(text)
    _log.truncate()
