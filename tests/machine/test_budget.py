"""Bounds are counted in steps: what hits one is named, the rest is analysed, always the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from flushlint.engine import check_source
from flushlint.model import AnalysisOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flushlint.model import Diagnostic

_HEAD = """\
import os
from multiprocessing import Process

log = open("o", "w")


def put(f):
    f.write("x")

"""
_EARLY = """
def early():
    child = Process(target=put, args=(log,))
    child.start()

"""
_LATE = """
def late():
    child = Process(target=put, args=[log])
    child.start()

"""


def explosion(functions: int) -> str:
    """Return functions each of which calls all others with ever new arguments.

    Only `burst`, which nothing calls, calls the first of them.
    """
    lines = []
    for number in range(functions):
        others = [other for other in range(functions) if other != number]
        calls = "; ".join(f"f{other}(f{(number + other) % functions}, *a)" for other in others)
        lines += [
            f"def f{number}(*a):",
            "    if a[0]: log.write('x')",
            "    for g in a:",
            "        try:",
            f"            {calls}",
            "        except OSError: log.flush()",
        ]
    lines += ["", "def burst(a):", "    f0(f1, a)", "    put(log)", "    os._exit(2)", ""]
    return "\n".join(lines)


def found(text: str) -> list[tuple[str, str]]:
    """Return the codes and subjects of the findings, in source order."""
    analysis = check_source(text.encode(), "a.py", AnalysisOptions(start_method="fork"))
    assert analysis.error is None
    return [(d.code, d.subject) for d in analysis.diagnostics]


def test_explosion_is_named_and_the_other_entries_are_analysed() -> None:
    assert found(_HEAD + _EARLY + explosion(8) + _LATE) == [
        ("FLU101", "log"),
        ("FLU901", "`burst`"),
        ("FLU101", "log"),
    ]


def test_no_fix_is_looked_for_of_what_was_not_analysed() -> None:
    """A search runs the whole module again, and a bound is all that it would meet."""
    asked: list[str] = []

    def wanted(found: Sequence[Diagnostic]) -> Sequence[Diagnostic]:
        asked.extend(one.code for one in found)
        return []

    options = AnalysisOptions(start_method="fork")
    check_source((_HEAD + explosion(8)).encode(), "a.py", options, wanted=wanted)
    assert asked == []
    check_source((_HEAD + _EARLY + explosion(8)).encode(), "a.py", options, wanted=wanted)
    assert asked == ["FLU101"]


def test_entries_alone_hit_no_bound() -> None:
    assert found(_HEAD + _EARLY + _LATE) == [("FLU101", "log"), ("FLU101", "log")]


def test_recursion_that_does_not_explode_hits_no_bound() -> None:
    text = _HEAD + (
        "def even(n):\n"
        "    log.write('x')\n"
        "    return True if n == 0 else odd(n - 1)\n\n"
        "def odd(n):\n"
        "    return False if n == 0 else even(n - 1)\n\n"
        "def start(n):\n"
        "    even(n)\n"
        "    os._exit(0)\n"
    )
    assert found(text) == [("FLU104", "log")]


def test_body_that_explodes_costs_what_depends_on_it() -> None:
    """The bound is never silence: even where there is nothing else to say."""
    text = _HEAD + explosion(8) + "f0(f1, log)\n"
    assert ("FLU901", "the module's body") in found(text)


@pytest.mark.parametrize("text", [_HEAD + _EARLY + explosion(8) + _LATE, _HEAD + _EARLY + _LATE])
def test_two_runs_say_the_same(text: str) -> None:
    options = AnalysisOptions()
    first = check_source(text.encode(), "a.py", options)
    assert first.diagnostics
    assert check_source(text.encode(), "a.py", options) == first


_RUN = """\
import json, sys
from flushlint.engine import check_source
from flushlint.model import AnalysisOptions
analysis = check_source(sys.stdin.buffer.read(), "a.py", AnalysisOptions())
print(json.dumps([repr(diagnostic) for diagnostic in analysis.diagnostics]))
"""


def test_order_of_hashes_does_not_matter() -> None:
    text = _HEAD + _EARLY + explosion(6) + _LATE
    said = set()
    for seed in ("0", "1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", _RUN],
            input=text,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(run.stdout)
        said.add(run.stdout)
    assert len(said) == 1
