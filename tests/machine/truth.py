"""What a child body does, twice: by running it as plain Python, and by the machine.

The truth formula is CPython itself. A body is executed as an ordinary function, against a file that
only knows whether something is in its buffer, once for every vector of decisions; it loses its
write if some vector leaves something in the buffer. The machine gets the same body as the target of
a process.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import sys
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import libcst as cst

from flushlint.machine.modules import Module, Program
from flushlint.machine.program import run_program
from flushlint.model import AnalysisOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

__all__ = ["Case", "Vector", "is_lost", "is_lost_under", "loses", "vectors"]

_PROGRAM: Final = """\
import contextlib
import os
import sys
from multiprocessing import Process

{case}

flags = [letter == "1" for letter in sys.argv[4]]
child = Process(target=body, args=(open("o", "w"), {arguments}))
child.start()
child.join()
"""
_UNKNOWN: Final = 'sys.argv[1] == "1", sys.argv[2] == "1", sys.argv[3], flags'

_BITS: Final = (False, True)
_ROUNDS: Final = 3
_ENDLESS: Final = 1_000


class Case(NamedTuple):
    """A child body, and what stands in front of it at module level.

    The body has `f`, the file; `a` and `b`, each a bit; `mode`, a text; and `flags`, any number of
    bits.
    """

    body: str
    before: str = ""

    def __str__(self) -> str:
        lines = "".join(f"    {line}\n" for line in self.body.splitlines())
        return f"{self.before}\ndef body(f, a, b, mode, flags):\n{lines}"


class Vector(NamedTuple):
    """One decision for everything that a body does not know."""

    a: bool
    b: bool
    mode: str
    flags: tuple[bool, ...]


class _ExitError(BaseException):
    """The process has ended in `os._exit`."""


class _File:
    """A file with a buffer that never fills up. After `os._exit` nothing changes it any more."""

    def __init__(self) -> None:
        self.is_pending = False
        self.is_closed = False
        self.is_over = False
        self._operations = 0

    def _operate(self, *, pending: bool) -> None:
        self._operations += 1
        assert self._operations < _ENDLESS, "the body does not end"
        assert not self.is_closed, "the body uses a closed file"
        if not self.is_over:
            self.is_pending = pending

    def write(self, text: str) -> int:
        self._operate(pending=True)
        return len(text)

    def flush(self) -> None:
        self._operate(pending=False)

    def close(self) -> None:
        if not self.is_closed:
            self._operate(pending=False)
        self.is_closed = not self.is_over

    def __enter__(self) -> _File:  # noqa: PYI034  # nothing is derived from it
        return self

    def __exit__(self, *details: object) -> None:
        self.close()


class _System:
    """Stands for the module `os`, whose `_exit` would end the test run."""

    def __init__(self, file: _File) -> None:
        self._file = file

    def _exit(self, status: int) -> None:  # noqa: ARG002  # as the real one
        self._file.is_over = True
        raise _ExitError


def vectors(case: Case) -> Iterator[Vector]:
    """Yield all vectors of decisions that make a difference to a body."""
    bits = [_BITS if _uses(case, name) else (False,) for name in "ab"]
    modes = "01234" if _uses(case, "mode") else "0"
    flags: list[tuple[bool, ...]] = [()]
    if _uses(case, "flags"):
        flags = [f for count in range(_ROUNDS + 1) for f in itertools.product(_BITS, repeat=count)]
    return itertools.starmap(Vector, itertools.product(*bits, modes, flags))


def _uses(case: Case, name: str) -> bool:
    return re.search(rf"\b{name}\b", case.body) is not None


def loses(case: Case, vector: Vector | None = None) -> bool:
    """Say whether a run leaves something in the buffer: the one with these decisions, or any."""
    code = _compiled(str(case))
    return any(_run(code, v) for v in (vectors(case) if vector is None else (vector,)))


@lru_cache(maxsize=1)
def _compiled(text: str) -> CodeType:
    with warnings.catch_warnings():
        # From 3.14 on a jump out of `finally` is warned of.
        warnings.simplefilter("ignore", SyntaxWarning)
        return compile(text, "case", "exec")


def _run(code: CodeType, vector: Vector) -> bool:
    file = _File()
    scope = {"contextlib": contextlib, "os": _System(file), "sys": sys}
    exec(code, scope)  # noqa: S102  # the bodies are written in these tests
    body = scope["body"]
    assert callable(body)
    with contextlib.suppress(ValueError, KeyError, SystemExit, _ExitError):
        body(file, vector.a, vector.b, vector.mode, list(vector.flags))
    return file.is_pending


def is_lost(case: Case) -> bool:
    """Say whether the machine sees a write lost on some path, all decisions being unknown to it."""
    return _is_lost(case, _UNKNOWN)


def is_lost_under(case: Case, vector: Vector) -> bool:
    """Say whether the machine sees a write lost when it knows all the decisions."""
    return _is_lost(case, f"{vector.a}, {vector.b}, {vector.mode!r}, {list(vector.flags)}")


def _is_lost(case: Case, arguments: str) -> bool:
    module = cst.parse_module(_PROGRAM.format(case=case, arguments=arguments))
    log = run_program(Program(Module(module)), AnalysisOptions(start_method="fork"))
    assert not log.limits, log.limits
    assert len(log.processes) == 2, log.processes
    return any(not loss.std for loss in log.losses)
