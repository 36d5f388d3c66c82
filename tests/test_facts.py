"""Every fact of tests/fixtures/FACTS.md has programs whose runs show it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast, get_args

import pytest

from flushlint.model import StartMethod
from tests.oracle import Fixture, Verdict, classes_of, load_fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator

FACTS = Path(__file__).parent / "fixtures" / "FACTS.md"
TABLES = [
    "At a process's end",
    "More of it",
    "What empties a buffer",
    "At the fork itself",
    "Not processes",
]
FIXTURES = {fixture.name: fixture for fixture in load_fixtures()}
_SHOWING = re.compile(r"(?P<name>[\w/]+)(?:\[(?P<method>\w+)\])?$")


class Fact(NamedTuple):
    """A row: the table it stands in, what it says, what its fixtures show, and their names."""

    table: str
    title: str
    shown: str
    fixtures: tuple[str, ...]


def facts() -> Iterator[Fact]:
    table = ""
    for line in FACTS.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            table = line.removeprefix("## ")
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if table and line.startswith("|") and set(line) - set("|-") and cells[-1] != "fixtures":
            names = tuple(name.strip() for name in cells[-1].split(",") if name.strip())
            yield Fact(table, ", ".join(cells[:-2]), cells[-2], names)


def showing(text: str) -> tuple[Fixture, StartMethod]:
    """Return the fixture that a row names, and the start method under which it shows the fact."""
    found = _SHOWING.match(text)
    assert found is not None, f"not the name of a fixture: {text}"
    assert found["name"] in FIXTURES, f"no such fixture: {text}"
    method = found["method"] or "fork"
    assert method in get_args(StartMethod)
    fixture = FIXTURES[found["name"]]
    if found["method"] is None and "fork" not in fixture.start_methods:
        return fixture, fixture.start_methods[0]
    assert method in fixture.start_methods, f"the fixture does not run under it: {text}"
    return fixture, cast("StartMethod", method)


ALL = list(facts())


def test_every_table_has_rows() -> None:
    assert list(dict.fromkeys(fact.table for fact in ALL)) == TABLES
    assert all(sum(fact.table == table for fact in ALL) >= 6 for table in TABLES)


def test_no_fact_stands_there_twice() -> None:
    titles = [(fact.title, fact.shown) for fact in ALL]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("fact", ALL, ids=lambda fact: f"{fact.title}-{fact.shown}")
def test_a_fact_is_shown(fact: Fact) -> None:
    """The markers say what the row says; that the runs agree with them is tested elsewhere."""
    assert fact.fixtures
    assert fact.shown in {"kept", *get_args(Verdict)}
    for name in fact.fixtures:
        fixture, method = showing(name)
        assert "FLU901" not in fixture.codes(method)
        classes = classes_of(fixture.codes(method))
        if fact.shown == "kept":
            assert not classes, name
        else:
            assert fact.shown in classes, name
