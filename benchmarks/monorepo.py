"""A synthetic repository of many packages, written to a directory.

Each package is a project of its own with a hundred modules that import each other. One module in
two hundred starts a process, with a target that another module defines.
"""

from __future__ import annotations

import os

__all__ = ["LARGEST", "write"]

_MODULES = 100
# A module of each package that starts a process, and imports what it runs.
LARGEST = os.path.join("package0", "package0", "module0.py")

_PLAIN = '''\
"""Module {n} of package {p}."""

from . import module{other}


class Record{n}:
    def __init__(self, name, amount={n}):
        self.name = name
        self.amount = amount

    def total(self, others):
        return sum(other.amount for other in others) + self.amount


def load{n}(path):
    with open(path, encoding="utf-8") as file:
        return [Record{n}(line.strip()) for line in file]


def other{n}():
    return module{other}.Record{other}
'''
_STARTS = '''\
"""Module {n} of package {p}: it starts a process."""

from multiprocessing import Process

from .module{other} import load{other}


def work(log, path):
    for record in load{other}(path):
        log.write(record.name)
    log.close()


def run(path):
    with open("log.txt", "w") as log:
        process = Process(target=work, args=(log, path))
        process.start()
        process.join()
'''


def write(folder: str, files: int) -> None:
    """Write a repository of about so many files below `folder`."""
    for package in range(max(files // (_MODULES + 1), 1)):
        root = os.path.join(folder, f"package{package}")
        inside = os.path.join(root, f"package{package}")
        os.makedirs(inside)
        _written(os.path.join(root, "pyproject.toml"), f'[project]\nname = "package{package}"\n')
        _written(os.path.join(inside, "__init__.py"), "")
        for number in range(_MODULES):
            template = _STARTS if number == 0 and package % 2 == 0 else _PLAIN
            text = template.format(n=number, p=package, other=(number + 1) % _MODULES)
            _written(os.path.join(inside, f"module{number}.py"), text)


def _written(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
