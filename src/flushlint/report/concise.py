"""One line for each finding: ``path:line:column: CODE message``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.lines import one_line
from flushlint.report import place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flushlint.model import Diagnostic

__all__ = ["ConciseReporter"]


class ConciseReporter:
    """Writes each file's lines at once."""

    def add(self, diagnostics: Sequence[Diagnostic], text: Callable[[], str]) -> str:
        """Return the lines of one file's findings."""
        del text
        return "".join(f"{place(d)}: {d.code} {one_line(d.message)}\n" for d in diagnostics)

    def finish(self) -> str:
        """Return nothing: every line is a finding."""
        return ""
