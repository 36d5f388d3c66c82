"""One line for each finding: ``path:line:column: CODE message``.

``[*]`` before the message marks what would be fixed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.fixability import applicable_fix
from flushlint.lines import one_line
from flushlint.report import place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flushlint.model import Diagnostic

__all__ = ["ConciseReporter"]


class ConciseReporter:
    """Writes each file's lines at once. With `unsafe` what has only unsafe fixes is marked, too."""

    def __init__(self, *, unsafe: bool = False) -> None:
        self._unsafe = unsafe

    def add(self, diagnostics: Sequence[Diagnostic], text: Callable[[int | None], str]) -> str:
        """Return the lines of one file's findings."""
        del text
        return "".join(map(self._line, diagnostics))

    def finish(self) -> str:
        """Return nothing: every line is a finding."""
        return ""

    def _line(self, diagnostic: Diagnostic) -> str:
        fix = applicable_fix(diagnostic, unsafe=self._unsafe)
        mark = "" if fix is None else "[*] "
        return f"{place(diagnostic)}: {diagnostic.code} {mark}{one_line(diagnostic.message)}\n"
