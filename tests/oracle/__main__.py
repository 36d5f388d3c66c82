"""Run fixtures and projects by hand: `python -m tests.oracle [-p PYTHON] [-s METHOD] PATH...`."""

# ruff: noqa: T201 - it prints what somebody at a terminal asked for

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.oracle.fixture import Fixture, Marker, load_fixture
from tests.oracle.interpreters import Interpreter, ask
from tests.oracle.linter import findings, findings_of_project
from tests.oracle.project import Project, load_project
from tests.oracle.verdict import Comparison, expected_verdict, judge, shown_verdict

if TYPE_CHECKING:
    from flushlint.model import StartMethod


def main() -> int:
    """Show for each program both runs, the verdict, markers and findings; 1 if they disagree."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle")
    parser.add_argument("-p", "--python", default=sys.executable, help="interpreter to run with")
    parser.add_argument("-s", "--start-method", choices=("fork", "spawn", "forkserver"))
    parser.add_argument("paths", metavar="PATH", nargs="+", type=Path)
    options = parser.parse_args()
    interpreter = ask(Path(shutil.which(options.python) or options.python))
    if interpreter is None:
        parser.error(f"not a CPython: {options.python}")
    agree = True
    for path in options.paths:
        load = load_project if path.is_dir() else load_fixture
        fixture = load(path.resolve())
        for method in fixture.start_methods:
            if options.start_method in (None, method):
                agree = _show(fixture, method, interpreter) and agree
    return 0 if agree else 1


def _show(fixture: Fixture, method: StartMethod, interpreter: Interpreter) -> bool:
    print(f"{fixture.path} ({method}, {interpreter})")
    results: list[Comparison] = []
    for job in fixture.jobs(method, interpreter.path):
        result = judge(job)
        results.append(result)
        print(f"  run {list(job.arguments)}: {', '.join(sorted(result.verdict)) or 'harmless'}")
        for title, text in (("missing", result.missing), ("extra", result.extra)):
            if text:
                print(f"    {title}: {text!r:.300}")
        for line in result.exceptions:
            print(f"    exception: {line}")
    if isinstance(fixture, Project):
        found = findings_of_project(fixture, method)
    else:
        found = findings(fixture, method)
    announced = fixture.markers[method]
    print(f"  markers:  {_list(announced)}")
    print(f"  findings: {_list(found)}")
    expected = expected_verdict(fixture, method, interpreter.minor)
    runs_agree = expected in (None, shown_verdict(fixture, method, results))
    print(f"  run and markers {'agree' if runs_agree else 'DISAGREE'}")
    return runs_agree and found == announced


def _list(markers: frozenset[Marker]) -> str:
    ordered = sorted(markers, key=lambda one: (one.path, one.line, one.code))
    return ", ".join(f"{one.path}:{one.line}: {one.code}".lstrip(":") for one in ordered) or "none"


if __name__ == "__main__":
    sys.exit(main())
