from importlib import import_module
from multiprocessing import Process

NAMES = ("birds", "fish")
PLUGINS = [import_module("plugins." + name) for name in NAMES]


def count(place):
    for plugin in PLUGINS:
        plugin.count(place)


if __name__ == "__main__":
    p = Process(target=count, args=("pond",))
    p.start()
    p.join()
