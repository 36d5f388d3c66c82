"""Library code: functions and classes that nothing in their module calls are analysed too.

There is no run to compare with, since somebody else would call them; what the findings say is
held by programs that call them in the fixtures.
"""

from __future__ import annotations

import pytest

from flushlint.engine import check_source
from flushlint.model import AnalysisOptions

HEAD = """\
import os
from multiprocessing import Process


def work(f):
    f.write("text")


def work_well(f):
    f.write("text")
    f.close()


"""


def found(body: str) -> list[str]:
    """Return the codes of the findings in a module with this body, in source order."""
    analysis = check_source((HEAD + body).encode(), "library.py", AnalysisOptions())
    assert analysis.error is None
    return [one.code for one in analysis.diagnostics]


LOSING = {
    "function": """
def run(path):
    f = open(path, "w")
    p = Process(target=work, args=(f,))
    p.start()
""",
    "method, with what __init__ opened": """
class Runner:
    def __init__(self, path):
        self.out = open(path, "w")

    def child(self):
        self.out.write("a")

    def launch(self):
        Process(target=self.child).start()
""",
    "a process that is returned may be started": """
def make(path):
    return Process(target=work, args=(open(path, "w"),))
""",
    "a process class that somebody else starts": """
class Worker(Process):
    def __init__(self, path):
        super().__init__()
        self.path = path

    def run(self):
        self.f = open(self.path, "w")
        self.f.write("x")
""",
    "an inner function that is returned": """
def factory(path):
    f = open(path, "w")

    def go():
        Process(target=work, args=(f,)).start()

    return go
""",
    "a hard exit": """
def leave(path):
    f = open(path, "w")
    f.write("x")
    os._exit(0)
""",
    "under a decorator that nobody knows": """
import anything

@anything.command()
def run(path):
    f = open(path, "w")
    p = Process(target=work, args=(f,))
    p.start()
""",
}
CLEAN = {
    "function": """
def run(path):
    f = open(path, "w")
    p = Process(target=work_well, args=(f,))
    p.start()
""",
    "a stream whose opening is not seen": """
def run(f):
    Process(target=work, args=(f,)).start()
""",
    "an attribute that only another method sets": """
class Runner:
    def open(self, path):
        self.out = open(path, "w")

    def child(self):
        self.out.write("a")

    def launch(self):
        Process(target=self.child).start()
""",
    "a process that is never started": """
def never(path):
    Process(target=work, args=(open(path, "w"),))
""",
    "a process class that closes": """
class Worker(Process):
    def __init__(self, path):
        super().__init__()
        self.path = path

    def run(self):
        with open(self.path, "w") as self.f:
            self.f.write("x")
""",
    "unknown code may have flushed": """
import anything

def leave(path):
    f = open(path, "w")
    f.write("x")
    anything.finish(f)
    os._exit(0)
""",
    "unknown code that was given it before": """
import anything

def leave(path):
    f = open(path, "w")
    keeper = anything.Keeper(f)
    f.write("x")
    keeper.done()
    os._exit(0)
""",
    "unknown mode": """
def run(path, mode):
    f = open(path, mode)
    Process(target=work, args=(f,)).start()
""",
    "unknown buffering": """
def run(path, size):
    f = open(path, "w", size)
    Process(target=work, args=(f,)).start()
""",
    "a stream of the module that another function flushes": """
log = open("log", "w")
log.write("header")

def finish():
    log.flush()

def leave():
    os._exit(0)
""",
    "the same unknown test twice": """
def leave(path, verbose):
    f = open(path, "w")
    if verbose:
        f.write("x")
    if verbose:
        f.flush()
    os._exit(0)
""",
}


@pytest.mark.parametrize("body", LOSING.values(), ids=LOSING)
def test_losses_are_found(body: str) -> None:
    assert len(found(body)) == 1


@pytest.mark.parametrize("body", CLEAN.values(), ids=CLEAN)
def test_what_cannot_be_shown_is_silent(body: str) -> None:
    assert found(body) == []


def test_unknown_code_that_cannot_reach_the_stream_changes_nothing() -> None:
    body = """
import anything

def leave(path):
    f = open(path, "w")
    f.write("x")
    anything.finish()
    os._exit(0)
"""
    assert found(body) == ["FLU104"]


def test_another_unknown_test_is_another_path() -> None:
    body = """
def leave(path, verbose, quiet):
    f = open(path, "w")
    if verbose:
        f.write("x")
    if not quiet:
        f.flush()
    os._exit(0)
"""
    assert found(body) == ["FLU104"]
