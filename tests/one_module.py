"""Fixing one module for itself: what most tests of fixes are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flushlint.fixing import Applied, fix_unit
from flushlint.unit import ModuleFile, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from flushlint.fixing import Allow
    from flushlint.model import AnalysisOptions, Diagnostic

__all__ = ["FixedModule", "fix_source"]


class FixedModule(NamedTuple):
    """What has come of a module: its bytes, what was done to them, or why nothing was."""

    data: bytes
    applied: tuple[Applied, ...] = ()
    trouble: str = ""


def fix_source(
    data: bytes,
    path: str,
    options: AnalysisOptions,
    select: Callable[[bytes, Sequence[Diagnostic]], Collection[Diagnostic]],
    allow: Allow,
) -> FixedModule:
    """Apply the fixes that are allowed, of findings that are selected."""

    def selected(
        contents: Mapping[str, bytes], found: Sequence[Diagnostic]
    ) -> Collection[Diagnostic]:
        return select(contents[path], found)

    done = fix_unit(Unit(ModuleFile(path, data)), options, selected, allow)
    return FixedModule(done.files.get(path, data), done.applied, done.trouble)
