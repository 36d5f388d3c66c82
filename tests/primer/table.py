"""The table of findings: read, compared with what a run has found, and written again.

It is a Markdown file for people, with one table under each of three headings. A run writes all of
it but the verdicts and the reasons, which a person adds. Text around the tables stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.primer.checking import Checked, Found
    from tests.primer.packages import Package

__all__ = ["TABLE", "UNJUDGED", "VERDICTS", "Difference", "Row", "Table", "compare"]

TABLE = Path(__file__).with_name("findings.md")

UNJUDGED = "?"
VERDICTS = ("right", "harmless", "wrong", UNJUDGED)

_FINDINGS = ("package", "place", "code", "source", "verdict", "why")
_BOUNDS = ("package", "place", "source", "reason")
_PACKAGES = ("package", "files", "analysed", "findings", "bounds", "not parsed")
_CELL = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Row:
    """A finding of one package; of a bound (FLU901) `why` is what flushlint itself says."""

    package: str
    path: str
    line: int
    code: str
    source: str
    verdict: str = UNJUDGED
    why: str = ""

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"


class Difference(NamedTuple):
    """What a run found otherwise than the table says. What has `moved` is (old, new)."""

    new: list[tuple[Row, Found]]
    gone: list[Row]
    moved: list[tuple[Row, Row]]
    counts: list[str]
    rows: list[Row]
    """All rows of the packages that ran, as they are to be recorded."""

    def __bool__(self) -> bool:
        return bool(self.new or self.gone or self.moved or self.counts)


class Table:
    """What is recorded: rows of findings and of bounds, and a row of numbers for each package."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.rows = [
            Row(package, *_place(place), code, _plain(source), verdict, why)
            for package, place, code, source, verdict, why in self._cells("Findings", _FINDINGS)
        ]
        self.rows += [
            Row(package, *_place(place), "FLU901", _plain(source), "", why)
            for package, place, source, why in self._cells("Bounds", _BOUNDS)
        ]
        self.counts = {cells[0]: tuple(cells) for cells in self._cells("Packages", _PACKAGES)}

    def text(self) -> str:
        """Return the whole file."""
        findings = [
            (row.package, _code(row.place), row.code, _code(row.source), row.verdict, row.why)
            for row in _sorted(self.rows)
            if row.code != "FLU901"
        ]
        bounds = [
            (row.package, _code(row.place), _code(row.source), row.why)
            for row in _sorted(self.rows)
            if row.code == "FLU901"
        ]
        text = _with_table(self._text, "Findings", _FINDINGS, findings)
        text = _with_table(text, "Bounds", _BOUNDS, bounds)
        counts = sorted(self.counts.values(), key=lambda cells: cells[0].lower())
        return _with_table(text, "Packages", _PACKAGES, counts)

    def record(self, package: Package, difference: Difference, checked: Checked) -> None:
        """Take over what a run has found of one package, of whatever version it was before."""
        self.rows = [row for row in self.rows if not _is_of(row.package, package)]
        self.rows += difference.rows
        self.counts = {name: row for name, row in self.counts.items() if not _is_of(name, package)}
        self.counts[package.title] = _counts(package, checked)

    def _cells(self, heading: str, columns: Sequence[str]) -> list[list[str]]:
        """Return the cells of the table under `heading`. Raises ValueError if it is no such."""
        lines = _under(self._text, heading)
        if not lines:
            return []
        if _split(lines[0]) != list(columns):
            raise ValueError(f"{heading}: the columns are not {', '.join(columns)}")
        rows = [_split(line) for line in lines[2:]]
        for line, row in zip(lines[2:], rows, strict=True):
            if len(row) != len(columns):
                raise ValueError(f"{heading}: {len(row)} cells instead of {len(columns)}: {line}")
        return rows


def compare(table: Table, package: Package, checked: Checked) -> Difference:
    """Compare what was found in `package` with what the table says of it.

    A finding is the same if its file, its code and its line of source are. So a verdict survives
    where lines are added above it, and from one version of a package to the next.
    """
    recorded = _by_key(row for row in table.rows if _is_of(row.package, package))
    new: list[tuple[Row, Found]] = []
    moved: list[tuple[Row, Row]] = []
    rows: list[Row] = []
    for found in sorted(checked.found, key=lambda one: (one.path, one.line)):
        row = _row(package, found)
        known = recorded.get(_key(row))
        if not known:
            new.append((row, found))
        else:
            old = known.pop(0)
            row = replace(row, verdict=old.verdict, why=row.why or old.why)
            if row != old:
                moved.append((old, row))
        rows.append(row)
    gone = [row for left in recorded.values() for row in left]
    return Difference(new, gone, moved, _changed(table, package, checked), rows)


def _row(package: Package, found: Found) -> Row:
    row = Row(package.title, found.path, found.line, found.code, found.source)
    return replace(row, verdict="", why=found.message) if found.is_bound else row


def _changed(table: Table, package: Package, checked: Checked) -> list[str]:
    """Say which of a package's numbers have changed."""
    now = _counts(package, checked)
    before = table.counts.get(package.title)
    if before is None:
        return [f"{package.title} is not recorded"]
    return [
        f"{package.title}: {column}: {old}, now {new}"
        for column, old, new in zip(_PACKAGES, before, now, strict=True)
        if old != new
    ]


def _counts(package: Package, checked: Checked) -> tuple[str, ...]:
    bounds = sum(found.is_bound for found in checked.found)
    numbers = (
        *(checked.files, len(checked.seconds)),
        *(len(checked.found) - bounds, bounds, len(checked.refused)),
    )
    return (package.title, *map(str, numbers))


def _is_of(title: str, package: Package) -> bool:
    return title.rpartition(" ")[0] == package.name


def _key(row: Row) -> tuple[str, ...]:
    return row.path, row.code, row.source


def _by_key(rows: Iterable[Row]) -> dict[tuple[str, ...], list[Row]]:
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in _sorted(rows):
        found.setdefault(_key(row), []).append(row)
    return found


def _sorted(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.package.lower(), row.path, row.line, row.code))


# -- Markdown ---------------------------------------------------------------------------------


def _split(line: str) -> list[str]:
    return [cell.strip().replace(r"\|", "|") for cell in _CELL.split(line.strip())[1:-1]]


def _joined(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _code(text: str) -> str:
    """Mark `text` as code; backticks in it take a longer fence around it."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _plain(cell: str) -> str:
    return cell[3:-3] if cell.startswith("`` ") else cell[1:-1]


def _place(cell: str) -> tuple[str, int]:
    path, _, line = _plain(cell).rpartition(":")
    return path, int(line)


def _under(text: str, heading: str) -> list[str]:
    """Return the lines of the table under a heading; none where there is no table yet."""
    _, found, rest = text.partition(f"\n## {heading}\n")
    if not found:
        raise ValueError(f"no heading {heading}")
    section = rest.partition("\n## ")[0]
    return [line for line in section.split("\n") if line.startswith("|")]


def _with_table(
    text: str, heading: str, columns: Sequence[str], rows: Iterable[Sequence[str]]
) -> str:
    """Return `text` with `rows` under a heading, in place of the table that was there."""
    before, mark, rest = text.partition(f"\n## {heading}\n")
    section, next_mark, after = rest.partition("\n## ")
    prose = "\n".join(line for line in section.split("\n") if not line.startswith("|")).strip()
    lines = [_joined(columns), _joined(["---"] * len(columns)), *map(_joined, rows)]
    parts = ["", *([prose, ""] if prose else []), *lines, ""]
    return f"{before}{mark}{chr(10).join(parts)}{next_mark}{after}"
