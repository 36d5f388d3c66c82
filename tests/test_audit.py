"""`--start-method all`: what would happen under every start method, in one run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, get_args

import pytest

from flushlint.engine import check_source
from flushlint.model import AnalysisOptions, Diagnostic, StartMethod
from flushlint.report.json import JsonReporter
from tests.oracle.fixture import load_fixtures

if TYPE_CHECKING:
    from flushlint.model import StartMethodOption
    from tests.oracle import Fixture

METHODS: tuple[StartMethod, ...] = get_args(StartMethod)
EVERYWHERE = [f for f in load_fixtures() if set(f.start_methods) == set(METHODS)]

PROGRAM = """\
import multiprocessing
{first}
def put(fd):
    fd.write("x")
if __name__ == "__main__":
    log = open("o", "w")
    p = multiprocessing.Process(target=put, args=(log,))
    p.start()
    p.join()
"""


def findings(source: bytes, method: StartMethodOption) -> list[Diagnostic]:
    options = AnalysisOptions(start_method=method)
    return list(check_source(source, "program.py", options).diagnostics)


@pytest.mark.parametrize("fixture", EVERYWHERE, ids=lambda fixture: fixture.name)
def test_it_finds_what_each_start_method_finds(fixture: Fixture) -> None:
    source = fixture.path.read_bytes()
    apart = {(one.span, one.code, method) for method in METHODS for one in findings(source, method)}
    together = {
        (one.span, one.code, method)
        for one in findings(source, "all")
        for method in one.start_methods
    }
    assert together == apart


def test_each_finding_says_under_which_it_holds() -> None:
    found = findings(PROGRAM.format(first="").encode(), "all")
    assert [(one.code, one.start_methods) for one in found] == [
        ("FLU101", ("fork",)),
        ("FLU301", ("spawn", "forkserver")),
    ]
    assert [one.message.rpartition(" (")[2] for one in found] == [
        "under fork)",
        "under spawn and forkserver)",
    ]


def test_what_holds_under_all_is_said_once_and_without_their_names() -> None:
    (found,) = findings(PROGRAM.format(first="multiprocessing.set_start_method('fork')").encode(),
                        "all")  # fmt: skip
    assert found.start_methods == METHODS
    assert "under" not in found.message


def test_one_start_method_is_not_spoken_of() -> None:
    (found,) = findings(PROGRAM.format(first="").encode(), "spawn")
    assert found.start_methods == ()


def test_json_lists_them() -> None:
    reporter = JsonReporter()
    reporter.add(findings(PROGRAM.format(first="").encode(), "all"), str)
    listed = [one["start_methods"] for one in json.loads(reporter.finish())]
    assert listed == [["fork"], ["spawn", "forkserver"]]
