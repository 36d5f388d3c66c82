"""The output formats of the command line, each a module that is imported when it is asked for.

A format turns findings into text and writes nothing itself. Columns leave here 1-based.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from flushlint.lines import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flushlint.model import Diagnostic

__all__ = ["Reporter", "counted", "line_place", "place"]


class Reporter(Protocol):
    """What a format does with the findings of a run, file by file."""

    def add(self, diagnostics: Sequence[Diagnostic], text: Callable[[int | None], str]) -> str:
        """Take one file's findings, at least one; return what can be written at once.

        `text` gives the file's contents to a format that shows them; those of a notebook's cell
        by its number, all of a file for None.
        """

    def finish(self) -> str:
        """Return what is left to write after the last file."""


def place(diagnostic: Diagnostic) -> str:
    """Return ``path:line:column`` of a finding, 1-based, on one line whatever the path holds.

    In a notebook it is ``path:cell number:line:column``.
    """
    start = diagnostic.span.start
    return f"{line_place(one_line(diagnostic.path), start.line, start.cell)}:{start.column + 1}"


def line_place(path: str, line: int, cell: int | None = None) -> str:
    """Return ``path:line``, or ``path:cell number:line``."""
    return f"{path}:{line}" if cell is None else f"{path}:cell {cell}:{line}"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where that is called for."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
