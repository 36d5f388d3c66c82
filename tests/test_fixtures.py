"""Every fixture three ways: what its run does, what its markers say, what flushlint finds.

tests/fixtures/README.md describes fixtures and markers.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flushlint.engine import check_source
from flushlint.model import AnalysisOptions, StartMethod
from tests.oracle import (
    Comparison,
    Fixture,
    Interpreter,
    chosen_interpreters,
    classes_of,
    expected_verdict,
    findings,
    found_interpreters,
    judge,
    load_fixtures,
    shown_verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.mark import ParameterSet

FIXTURES = load_fixtures()
ORDINARY_BLOCK = 4096
"""Bytes. The size of `open`'s buffer follows the file system's block size up to Python 3.13."""


def runs() -> Iterator[ParameterSet]:
    """Each fixture with its start methods and the interpreters it is meant for."""
    chosen = chosen_interpreters()
    for fixture in FIXTURES:
        for method in fixture.start_methods:
            for interpreter in found_interpreters():
                if fixture.runs_on(interpreter.minor):
                    marks = () if interpreter in chosen else (pytest.mark.matrix,)
                    name = f"{fixture.name}-{method}-{interpreter}"
                    yield pytest.param(fixture, method, interpreter, id=name, marks=marks)


def analyses() -> Iterator[ParameterSet]:
    for fixture in FIXTURES:
        for method in fixture.start_methods:
            yield pytest.param(fixture, method, id=f"{fixture.name}-{method}")


@pytest.mark.parametrize(("fixture", "method", "interpreter"), list(runs()))
def test_run_shows_what_the_markers_say(
    fixture: Fixture, method: StartMethod, interpreter: Interpreter
) -> None:
    results = [judge(job) for job in fixture.jobs(method, interpreter.path)]
    expected = expected_verdict(fixture, method, interpreter.minor)
    if fixture.overflow is not None and block_size() != ORDINARY_BLOCK:
        pytest.skip("what an overflowing buffer keeps is recorded for blocks of 4096 bytes")
    if expected is not None:
        assert shown_verdict(fixture, method, results) == expected, explain(results)
    unexpected = [line for result in results for line in result.exceptions]
    # A child that waits for what could not be pickled ends in an EOFError of its own.
    if not fixture.crash and "crash" not in classes_of(fixture.codes(method)):
        assert not unexpected, "a traceback that nothing announces"


@functools.cache
def block_size() -> int:
    return Path(tempfile.gettempdir()).stat().st_blksize


def explain(results: list[Comparison]) -> str:
    return "\n".join(
        f"missing {result.missing!r:.200}, extra {result.extra!r:.200}" for result in results
    )


@pytest.mark.parametrize(("fixture", "method"), list(analyses()))
def test_findings_are_the_markers(fixture: Fixture, method: StartMethod) -> None:
    assert findings(fixture, method) == fixture.markers[method]


@pytest.mark.parametrize(
    "fixture",
    [
        pytest.param(fixture, id=fixture.name)
        for fixture in FIXTURES
        if "fork" in fixture.start_methods
    ],
)
def test_unset_start_method_finds_what_fork_finds(fixture: Fixture) -> None:
    assert findings(fixture, None) == findings(fixture, "fork")


def test_there_are_many_and_at_least_half_are_look_alikes() -> None:
    assert len(FIXTURES) >= 120
    assert 2 * sum(fixture.is_look_alike for fixture in FIXTURES) >= len(FIXTURES)


def test_every_code_of_the_release_is_announced_somewhere() -> None:
    announced = {
        code for one in FIXTURES for method in one.start_methods for code in one.codes(method)
    }
    assert announced >= {
        "FLU101",
        "FLU102",
        "FLU103",
        "FLU104",
        "FLU201",
        "FLU202",
        "FLU203",
        "FLU301",
        "FLU302",
        "FLU303",
        "FLU304",
        "FLU401",
        "FLU402",
        "FLU403",
        "FLU404",
        "FLU405",
    }


PYTHON_2_ORIGINAL = b"""\
# coding: utf-8
from multiprocessing import Process

def put(fd):
    print "PUT"
    fd.write("hello, func put write\\n")

if __name__ == "__main__":
    log = open("error1.log", "w")
    process = Process(target=put, args=(log,))
    process.start()
    process.join()
"""


def test_python_2_original_is_an_error_with_its_line() -> None:
    """The blog post's program as it was written; it has no run."""
    analysis = check_source(PYTHON_2_ORIGINAL, "original.py", AnalysisOptions())
    assert not analysis.diagnostics
    assert analysis.error is not None
    assert analysis.error.line == 5
    assert "Python 2" in analysis.error.cause
