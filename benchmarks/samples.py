"""Generated programs: one that the gate drops, ones of a given length or number of processes."""

from __future__ import annotations

__all__ = ["SMALL", "long_program", "program_with_processes"]

SMALL = '''\
"""Nothing that flushlint would look at twice."""

import json


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)
'''

_PART = '''\


class Store{n}:
    """Keeps what comes in and writes it down."""

    def __init__(self, path, limit={n}):
        self.path = path
        self.limit = limit
        self.items = []

    def add(self, item, *, force=False):
        if force or len(self.items) < self.limit:
            self.items.append(item)
            return True
        elif item is None:
            raise ValueError("nothing to add")
        return False

    def dump(self):
        with open(self.path, "w") as out:
            for number, item in enumerate(self.items):
                try:
                    out.write(f"{{number}} {{item!r}}\\n")
                except (TypeError, ValueError) as error:
                    out.write("# {{}}\\n".format(error))
                finally:
                    out.flush()
        self.items = [item for item in self.items if item is not None]


def run{n}(name):
    store = Store{n}(name)
    for line in ("a", "b", "c"):
        store.add(line)
    store.dump()
'''

_PROCESS = """\


log{n} = open("log{n}.txt", "w")


def put{n}(out, items):
    for item in items:
        if item:
            out.write(str(item))
        else:
            break
    log{n}.write("done")


process{n} = Process(target=put{n}, args=(log{n}, [1, 2, 3]))
process{n}.start()
process{n}.join()
"""

_HEAD = "from multiprocessing import Process\n"


def long_program(parts: int) -> str:
    """Return a program of `parts` times 37 lines that starts one process."""
    return _HEAD + "".join(_PART.format(n=n) for n in range(parts)) + _PROCESS.format(n=0)


def program_with_processes(processes: int) -> str:
    """Return a program that starts so many processes, each with a target and a file of its own."""
    return _HEAD + "".join(_PROCESS.format(n=n) for n in range(processes))
