class Redis:
    def __init__(self, path):
        self._commands = open(path, "a")

    def incr(self, key):
        self._commands.write("INCR %s\n" % key)  # FLU102


client = Redis("appendonly.aof")
