"""What is left out of a module changes neither the findings nor the place of anything."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import pytest

from flushlint import engine, slicing
from flushlint.engine import check_text
from flushlint.machine import interpreter
from flushlint.model import AnalysisOptions
from flushlint.slicing import LEFT_OUT, sliced
from flushlint.source import Source
from flushlint.unit import ModuleFile, Unit
from tests.oracle.fixture import load_fixtures

if TYPE_CHECKING:
    from flushlint.model import Diagnostic
    from tests.oracle.fixture import Fixture

# Enough that matters to nothing.
IDLE = "".join(
    f'''
def idle_{number}(first, second=None):
    """Add up."""
    total = first + (second or 0)
    while total > {number}:
        total -= 1  # down
    return total
'''
    for number in range(40)
)
LOSES = """
import os

def work():
    out = open("a", "w")
    if os.fork() == 0:
        out.write("x")
        os._exit(0)
    os.wait()
"""


def codes(text: str) -> list[tuple[int, str]]:
    analysis = check_text(text, "a.py", AnalysisOptions())
    assert analysis.error is None
    return [(found.span.start.line, found.code) for found in analysis.diagnostics]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return what of each text its slice was enough for."""
    answers: list[bool] = []
    known = engine._known_by_slice

    def told(source: Source, unit: Unit, options: AnalysisOptions) -> tuple[Diagnostic, ...] | None:
        found = known(source, unit, options)
        answers.append(found is not None)
        return found

    monkeypatch.setattr(engine, "_known_by_slice", told)
    return answers


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slice whatever can be sliced, however little that saves."""
    monkeypatch.setattr(slicing, "_SHORTEST", 0)
    monkeypatch.setattr(slicing, "_LEAST_GAIN", 1e-9)


def test_functions_that_nothing_that_matters_mentions_are_left_out() -> None:
    text = sliced(IDLE + LOSES)
    assert text is not None
    assert text.count(LEFT_OUT) == 40
    assert text.endswith(LOSES)


def test_everything_stays_in_its_place() -> None:
    whole = (
        IDLE + "class A:\n    x = 1\n\n    @property\n    def idle(self):\n        pass\n" + LOSES
    )
    text = sliced(whole)
    assert text is not None
    assert text.count("\n") == whole.count("\n")
    for left, line in zip(text.split("\n"), whole.split("\n"), strict=True):
        assert left.removesuffix(f" {LEFT_OUT}") in (line, "")


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_stay(end: str) -> None:
    text = sliced((IDLE + LOSES).replace("\n", end))
    assert text is not None
    assert re.findall(r"[\r\n]+", text) != []
    assert text.count(end) == (IDLE + LOSES).count("\n")


@pytest.mark.parametrize(
    "caller",
    [
        "idle_3(1)",
        "class A:\n    x = idle_3",
        "@idle_3\ndef other(): pass",
        "def other(x=idle_3): pass",
        "getattr(module, 'idle_3')",
        "def other():\n    idle_3(1)\n    os.fork()",
        "fork = os.fork\ndef other():\n    fork()\n    idle_3()",
        "def one(): other()\ndef other():\n    os.fork()\n    two()\ndef two(): idle_3()",
    ],
)
def test_what_may_be_called_stays(caller: str) -> None:
    text = sliced(f"{IDLE}\nimport os\n{caller}\n{LOSES}")
    assert text is not None
    assert re.search(rf"def idle_3\(.*{LEFT_OUT}", text) is None
    assert re.search(rf"def idle_4\(.*{LEFT_OUT}", text) is not None


def test_little_is_not_worth_it() -> None:
    assert sliced(LOSES) is None
    assert sliced(LOSES * 100) is None


def test_a_clean_module_is_seen_to_be_so_by_its_slice(runs: list[bool]) -> None:
    assert codes(IDLE + LOSES.replace("os._exit", "out.close()\n        os._exit")) == []
    assert runs == [True]


def test_findings_are_those_of_the_whole_module(runs: list[bool]) -> None:
    found = codes(IDLE + LOSES)
    assert runs == [False]
    assert found == [(IDLE.count("\n") + line, code) for line, code in codes(LOSES)] != []


def test_what_is_not_analysed_stands_where_the_whole_module_has_it(
    runs: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreter, "STEPS_PER_ENTRY", 90)
    monkeypatch.setattr(interpreter, "STEPS_PER_SCOPE", 0)
    closed = LOSES.replace("os._exit", "out.close()\n        os._exit")
    text = IDLE + closed + "    print()\n" * 100
    here = check_text(text, "a.py", AnalysisOptions())
    assert runs == [True]
    monkeypatch.setattr(engine, "_known_by_slice", lambda *_: None)
    assert check_text(text, "a.py", AnalysisOptions()) == here
    (only,) = here.diagnostics
    assert (only.code, text.splitlines()[only.span.start.line - 1]) == ("FLU901", "def work():")


def test_a_function_called_by_a_name_made_at_run_time_is_run(runs: list[bool]) -> None:
    text = IDLE + textwrap.dedent("""
        import os

        class Jobs:
            def do_write(self):
                self.out.write("x")

        def work():
            jobs = Jobs()
            jobs.out = open("a", "w")
            if os.fork() == 0:
                getattr(jobs, "do_" + "write")()
                os._exit(0)
            os.wait()
        """)
    left = sliced(text)
    assert left is not None
    assert re.search(rf"def do_write\(.*{LEFT_OUT}", left) is not None
    assert [code for _, code in codes(text)] == ["FLU104"]
    assert runs == [False]


def test_a_mistake_in_what_is_left_out_is_an_error() -> None:
    text = (IDLE + LOSES).replace("total -= 1  # down", "total -= = 1", 1)
    assert sliced(text) is not None
    error = check_text(text, "a.py", AnalysisOptions()).error
    assert error is not None
    assert error.line == text[: text.index("= =")].count("\n") + 1


LOSING = [fixture for fixture in load_fixtures() if any(fixture.markers.values())]


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("fixture", LOSING[::7], ids=lambda fixture: fixture.name)
def test_no_slice_of_a_program_with_findings_is_clean(fixture: Fixture) -> None:
    source = Source("a.py", fixture.path.read_text(encoding="utf-8"))
    for method, markers in fixture.markers.items():
        options = AnalysisOptions(start_method=method)
        unit = Unit(ModuleFile("a.py", source.text.encode()))
        assert not markers or engine._known_by_slice(source, unit, options) is None
