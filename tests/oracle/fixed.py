"""Fixed fixtures, kept beside their sources: `python -m tests.oracle.fixed` writes them anew.

`first.fixed.py` is what --fix makes of `first.py` under each start method under which it does
anything; where that differs, `first.fork.fixed.py` is what it makes under fork.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.one_module import FixedModule, fix_source
from tests.oracle.fixture import FIXTURES, load_fixtures
from tests.oracle.linter import options_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from flushlint.model import Diagnostic, StartMethod
    from tests.oracle.fixture import Fixture

__all__ = ["FIXED", "fix", "has_findings", "kept", "stale_files"]

FIXED = ".fixed.py"


def has_findings(fixture: Fixture, method: StartMethod) -> bool:
    """Tell whether there is something to fix. What is not analysed is not fixed."""
    codes = fixture.codes(method)
    return bool(codes) and "FLU901" not in codes


def fix(fixture: Fixture, method: StartMethod, data: bytes | None = None) -> FixedModule:
    """Apply all safe fixes to a fixture, or to what has come of it."""

    def select(data: bytes, found: Sequence[Diagnostic]) -> list[Diagnostic]:
        return [one for one in found if not one.opt_in or one.code in fixture.selected]

    return fix_source(
        fixture.path.read_bytes() if data is None else data,
        fixture.path.name,
        options_for(fixture, method),
        select,
        lambda _, fix: fix.applicability == "safe",
    )


def kept(fixture: Fixture, method: StartMethod) -> bytes:
    """Return what is to come of a fixture under a start method: itself where no file says more."""
    for name in (f"{fixture.path.stem}.{method}{FIXED}", f"{fixture.path.stem}{FIXED}"):
        path = fixture.path.with_name(name)
        if path.exists():
            return path.read_bytes()
    return fixture.path.read_bytes()


def stale_files() -> list[Path]:
    """Return the files of fixed fixtures whose source is gone, or finds nothing to fix."""
    known = {
        fixture.path.with_name(f"{fixture.path.stem}{middle}{FIXED}")
        for fixture in load_fixtures()
        for method in fixture.start_methods
        if has_findings(fixture, method)
        for middle in ("", f".{method}")
    }
    return sorted(set(FIXTURES.rglob(f"*{FIXED}")) - known)


def _files(fixture: Fixture) -> Iterator[tuple[Path, bytes]]:
    """Yield the files that a fixture's fixes are to be kept in."""
    before = fixture.path.read_bytes()
    texts = {m: fix(fixture, m).data for m in fixture.start_methods if has_findings(fixture, m)}
    are_alike = len(set(texts.values())) == 1
    for method, text in texts.items():
        if text != before:
            middle = "" if are_alike else f".{method}"
            yield fixture.path.with_name(f"{fixture.path.stem}{middle}{FIXED}"), text


def main() -> int:
    """Write all fixed fixtures anew, and remove those that nothing comes of any more."""
    written = dict(pair for fixture in load_fixtures() for pair in _files(fixture))
    for path in FIXTURES.rglob(f"*{FIXED}"):
        if path not in written:
            path.unlink()
    for path, data in written.items():
        path.write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
