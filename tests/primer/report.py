"""What a run says of a package: its numbers on one line, and what differs from the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.primer.checking import lines_of, slowest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.primer.checking import Checked, Found, Step
    from tests.primer.packages import Package
    from tests.primer.table import Difference

__all__ = ["differences", "summary", "total"]

_AROUND = 3  # lines of source above and below each step of a witness


def summary(package: Package, checked: Checked) -> str:
    """Return one line of numbers, and one for each failure, bound and file that can't be read."""
    bounds = [one for one in checked.found if one.is_bound]
    line = (
        f"{package.title}: {checked.files} files, {len(checked.seconds)} analysed, "
        f"{len(checked.found) - len(bounds)} findings, {len(bounds)} bounds, {checked.total:.1f} s"
    )
    for path, seconds in slowest(checked, 1):
        line += f"; slowest {path} {seconds:.1f} s"
    more = [f"  FAILED {failure}" for failure in checked.failures]
    more += [f"  not parsed: {refused}" for refused in checked.refused]
    more += [f"  bound: {one.path}:{one.line}: {one.message}" for one in bounds]
    return "\n".join([line, *more])


def total(runs: Sequence[Checked]) -> str:
    """Return the sum of it all on one line. Seconds are those of files that were analysed."""
    found = [one for checked in runs for one in checked.found]
    bounds = sum(one.is_bound for one in found)
    seconds = sorted(s for checked in runs for s in checked.seconds.values())
    middle = seconds[len(seconds) // 2] if seconds else 0.0
    return (
        f"{len(runs)} packages, {sum(checked.files for checked in runs)} files, "
        f"{len(seconds)} analysed, {len(found) - bounds} findings, {bounds} bounds, "
        f"{sum(len(checked.failures) for checked in runs)} failures; "
        f"{sum(seconds):.0f} s, half of the files below {middle:.2f} s"
    )


def differences(difference: Difference, directory: Path) -> str:
    """Return what is new, with the source around each step, what is gone and what has moved."""
    return "".join(f"{line}\n" for line in _lines(difference, directory))


def _lines(difference: Difference, directory: Path) -> Iterator[str]:
    for row, found in difference.new:
        yield f"  NEW  {row.place} {row.code} {found.message}"
        if not found.is_bound:
            yield from _story(found, directory)
    for row in difference.gone:
        yield f"  GONE {row.place} {row.code} ({row.verdict or 'bound'}) {row.source}"
    for old, new in difference.moved:
        what = new.place if new.place != old.place else "another text"
        yield f"  MOVED {old.place} {old.code}: now {what} in {new.package}"
    for line in difference.counts:
        yield f"  COUNT {line}"


def _story(found: Found, directory: Path) -> Iterator[str]:
    for step in found.steps:
        yield f"    {step.kind}, {step.process}, {step.path}:{step.line}: {step.text}"
        yield from _excerpt(step, directory)


def _excerpt(step: Step, directory: Path) -> Iterator[str]:
    lines = lines_of(directory, step.path)
    first = max(step.line - _AROUND, 1)
    for number in range(first, min(step.line + _AROUND, len(lines)) + 1):
        mark = ">" if number == step.line else " "
        yield f"    {mark} {number:5} {lines[number - 1].rstrip()}"
