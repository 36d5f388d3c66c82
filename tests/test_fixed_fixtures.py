"""What --fix makes of the fixtures: it is as kept, and its runs lose nothing and double nothing."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

import pytest

from flushlint.engine import check_source
from flushlint.rules.registry import RULES
from tests.oracle import (
    Comparison,
    Fixture,
    Interpreter,
    classes_of,
    findings,
    found_interpreters,
    judge_fixed,
    load_fixtures,
)
from tests.oracle.fixed import fix, has_findings, kept, stale_files
from tests.oracle.linter import options_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.mark import ParameterSet

    from flushlint.model import StartMethod

FIXABLE = [
    (fixture, method)
    for fixture in load_fixtures()
    for method in fixture.start_methods
    if has_findings(fixture, method)
]


def is_fixed(fixture: Fixture, method: StartMethod) -> bool:
    return kept(fixture, method) != fixture.path.read_bytes()


def analyses() -> list[ParameterSet]:
    return [pytest.param(f, method, id=f"{f.name}-{method}") for f, method in FIXABLE]


def runs() -> Iterator[ParameterSet]:
    for fixture, method in FIXABLE:
        if is_fixed(fixture, method):
            for interpreter in found_interpreters():
                if fixture.runs_on(interpreter.minor):
                    in_use = interpreter.minor == sys.version_info[:2]
                    marks = () if in_use else (pytest.mark.matrix,)
                    name = f"{fixture.name}-{method}-{interpreter}"
                    yield pytest.param(fixture, method, interpreter, id=name, marks=marks)


@pytest.mark.parametrize(("fixture", "method", "interpreter"), list(runs()))
def test_runs_of_what_is_fixed_leave_what_was_meant(
    fixture: Fixture, method: StartMethod, interpreter: Interpreter
) -> None:
    fixed = kept(fixture, method)
    results = [judge_fixed(job, fixed) for job in fixture.jobs(method, interpreter.path)]
    shown = {one for result in results for one in result.verdict}
    assert shown - ({"crash"} if fixture.crash else set()) <= left(fixture, method), explain(
        results
    )


def left(fixture: Fixture, method: StartMethod) -> frozenset[str]:
    """Return what runs may still show, as nothing can be done about it."""
    options = options_for(fixture, method)
    analysis = check_source(kept(fixture, method), fixture.path.name, options)
    codes = [d.code for d in analysis.diagnostics if not d.opt_in or d.code in fixture.selected]
    return frozenset(classes_of(codes))


def explain(results: list[Comparison]) -> str:
    return "\n".join(f"missing: {r.missing!r}\nextra: {r.extra!r}" for r in results)


@pytest.mark.parametrize(("fixture", "method"), analyses())
def test_what_comes_of_it_is_kept_beside_it(fixture: Fixture, method: StartMethod) -> None:
    """`python -m tests.oracle.fixed` writes the files; read what has changed as a reviewer."""
    fixed = fix(fixture, method)
    assert not fixed.trouble
    assert fixed.data == kept(fixture, method)
    assert bool(fixed.applied) == is_fixed(fixture, method)


@pytest.mark.parametrize(("fixture", "method"), analyses())
def test_fixing_again_changes_nothing(fixture: Fixture, method: StartMethod) -> None:
    before = kept(fixture, method)
    again = fix(fixture, method, before)
    assert again.data == before
    assert not again.applied


@pytest.mark.parametrize(
    ("fixture", "method"),
    [p for p in analyses() if is_fixed(p.values[0], p.values[1])],  # type: ignore[arg-type]
)
def test_nothing_is_taken_away(fixture: Fixture, method: StartMethod) -> None:
    """Safe fixes insert: comments, blanks and newlines stay. What they make is Python."""
    before, after = fixture.path.read_bytes(), kept(fixture, method)
    rest = iter(after)
    assert all(byte in rest for byte in before)
    if fixture.min_python <= sys.version_info[:2]:
        ast.parse(after)


def test_no_fixed_fixture_is_left_over() -> None:
    assert stale_files() == []


def test_rules_say_whether_they_can_be_fixed() -> None:
    """What is declared of a rule is what is seen of it in all fixtures."""
    fixed: set[str] = set()
    for fixture, method in FIXABLE:
        if is_fixed(fixture, method):
            codes = {marker.code for marker in findings(fixture, method)}
            remaining = check_source(
                kept(fixture, method), fixture.path.name, options_for(fixture, method)
            )
            fixed |= codes - {one.code for one in remaining.diagnostics}
    assert fixed == {code for code, rule in RULES.items() if rule.fixable}


def test_nearly_all_that_is_lost_or_doubled_can_be_fixed() -> None:
    """Killed workers, reference cycles and what each child empties anew are counted as well."""
    losing = [
        (fixture, method)
        for fixture, method in FIXABLE
        if not classes_of(fixture.codes(method)).isdisjoint({"lost", "doubled", "torn"})
        and "FLU203" not in fixture.codes(method)
    ]
    unfixed = [
        f"{fixture.name}-{method}"
        for fixture, method in losing
        if not left(fixture, method).isdisjoint({"lost", "doubled", "torn"})
    ]
    assert len(unfixed) <= 0.03 * len(losing), unfixed
