"""Plugins are found by listing their package, and register themselves."""
from multiprocessing import Process

from plugins import discover, registry


def feed(name, lines):
    for line in lines:
        registry[name](line)


if __name__ == "__main__":
    discover()
    for name in sorted(registry):
        p = Process(target=feed, args=(name, ["login", "logout"]))
        p.start()
        p.join()
