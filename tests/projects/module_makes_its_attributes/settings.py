"""What is asked for is made when it is first asked for."""


def __getattr__(name):
    if name == "log":
        made = open("settings.log", "w")
        globals()["log"] = made
        return made
    raise AttributeError(name)
