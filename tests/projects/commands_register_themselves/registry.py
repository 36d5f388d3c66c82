COMMANDS = {}


def command(name):
    def decorate(function):
        COMMANDS[name] = function
        return function

    return decorate


def dispatch(name, rest):
    COMMANDS[name](rest)


import commands  # noqa: E402, F401 - they are known when it is imported
