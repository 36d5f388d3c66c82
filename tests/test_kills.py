"""Which kills count: for certain, where the code is selected, or not at all."""

from __future__ import annotations

import pytest

from flushlint.engine import check_source
from flushlint.model import AnalysisOptions

CHILD = """\
import os, signal, sys, time
from multiprocessing import Process, active_children

def child():
    log = open("o", "w")
    log.write("x")
    time.sleep(9)
    log.close()

p = Process(target=child)
p.start()
"""

CERTAIN = [
    "p.terminate()",
    "p.kill()",
    "os.kill(p.pid, signal.SIGTERM)",
    "os.kill(p.pid, 9)",
    "Process.terminate(p)",
    "try:\n    print()\nfinally:\n    p.terminate()",
    "for one in active_children():\n    one.kill()",
    "if p.is_alive():\n    print()\np.terminate()",
    "if sys.argv:\n    p.terminate()\nelse:\n    p.kill()",
]
CONDITIONAL = [
    "if p.is_alive():\n    p.terminate()",
    "p.is_alive() and p.terminate()",
    "p.join(1)\np.terminate()",
    "p.join(timeout=1)\nif p.exitcode is None:\n    p.kill()",
    "if len(sys.argv) > 1:\n    p.terminate()\np.join()",
    "try:\n    work()\nexcept Exception:\n    p.kill()\np.join()",
    "try:\n    raise ValueError\nexcept ValueError:\n    p.kill()",
    "try:\n    work()\n    p.join()\nexcept OSError:\n    p.terminate()\n    raise",
]
HARMLESS = [
    "p.join()",
    "p.join()\np.terminate()",
    "while p.is_alive():\n    time.sleep(1)\np.terminate()",
    "os.kill(p.pid, signal.SIGINT)",
    "os.kill(p.pid, 0)",
    "p.close()\np.kill()",
    "",
]


def found(end: str) -> list[bool]:
    """Return of each FLU105 whether it is opt-in."""
    analysis = check_source((CHILD + end).encode(), "program.py", AnalysisOptions())
    return [one.opt_in for one in analysis.diagnostics if one.code == "FLU105"]


@pytest.mark.parametrize("end", CERTAIN)
def test_a_kill_that_comes_on_every_path(end: str) -> None:
    assert found(end) == [False]


@pytest.mark.parametrize("end", CONDITIONAL)
def test_a_kill_that_is_a_fallback_is_opt_in(end: str) -> None:
    assert found(end) == [True]


@pytest.mark.parametrize("end", HARMLESS)
def test_no_kill(end: str) -> None:
    assert found(end) == []


@pytest.mark.parametrize(
    ("daemon", "expected"),
    [("p.daemon = True", [False]), ("p.daemon = False", []), ("print()", [])],
)
def test_a_daemon_is_killed_when_its_parent_ends(daemon: str, expected: list[bool]) -> None:
    source = CHILD.replace("p.start()", f"{daemon}\np.start()")
    analysis = check_source(source.encode(), "program.py", AnalysisOptions())
    assert [one.opt_in for one in analysis.diagnostics] == expected


def test_the_message_names_the_statement_that_kills() -> None:
    analysis = check_source((CHILD + "p.kill()").encode(), "program.py", AnalysisOptions())
    (one,) = analysis.diagnostics
    assert "p.kill() kills the child `child`" in one.message
    assert one.message.endswith(
        "; call `log.flush()` before the child `child` waits, or tell the child to end and join "
        "it first"
    )
    assert [step.kind for step in one.witness] == [
        "handed-over", "opened", "written", "written", "ended",
    ]  # fmt: skip
