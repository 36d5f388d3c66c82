from importlib import import_module
from multiprocessing import Process

PLUGINS = [import_module("plugins." + name) for name in ("as_json", "as_text")]


def export(record):
    for plugin in PLUGINS:
        plugin.export(record)


if __name__ == "__main__":
    p = Process(target=export, args=({"title": "Blackbird", "year": 1968},))
    p.start()
    p.join()
