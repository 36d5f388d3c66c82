"""Lays out source lines with marks under them: tabs, wide characters, long lines, long labels.

Columns of marks count code points; what is laid out counts terminal cells.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "CUT",
    "FRAME_STYLE",
    "Mark",
    "gutter_width",
    "line_room",
    "shown_line",
    "snippet_rows",
]

FRAME_STYLE = "bold blue"

_TAB = 4
CUT = "..."
_NARROWEST_LABEL = 30
_LEAD = 8
# Text is wrapped as for this console: no markup, no theme, no terminal.
_PLAIN = Console(file=io.StringIO(), color_system=None)


@dataclass(frozen=True, slots=True)
class Mark:
    """What to write under a line (1-based): a stretch of it, and a label behind the stretch.

    `start` and `end` are 0-based columns in code points; they may lie beyond the line's end.
    """

    line: int
    start: int
    end: int
    symbol: str
    style: str
    label: str


def gutter_width(marks: Sequence[Mark]) -> int:
    """Return how many cells the line numbers of a snippet take."""
    return max((len(str(mark.line)) for mark in marks), default=1)


def line_room(gutter: int, width: int) -> int:
    """Return how many cells are left for a line beside its number."""
    return max(width - gutter - len(" | "), _NARROWEST_LABEL)


def shown_line(line: str, room: int) -> str:
    """Return the beginning of a line as it is shown in `room` cells."""
    return _Line(line).cut(0, room)


def snippet_rows(
    lines: Sequence[str], marks: Sequence[Mark], width: int, gutter: int
) -> Iterator[Text]:
    """Yield the marked lines in order, each with its marks in the order of `marks`.

    Line numbers take `gutter` cells. Every row fits into `width` cells if that leaves room for
    anything at all.
    """
    room = line_room(gutter, width)
    previous = None
    for number in sorted({mark.line for mark in marks}):
        if previous is not None and number == previous + 2:
            yield _numbered(number - 1, gutter, Text(shown_line(lines[number - 2], room)))
        elif previous is not None and number > previous + 2:
            yield Text(CUT, FRAME_STYLE)
        previous = number
        line = _Line(lines[number - 1])
        here = [mark for mark in marks if mark.line == number]
        left = line.left_edge(here, room)
        yield _numbered(number, gutter, Text(line.cut(left, room)))
        for mark in here:
            start, end = line.cells(mark, left, room)
            for row in _mark_rows(mark, start, end, room):
                yield _numbered(None, gutter, row)


def _numbered(number: int | None, gutter: int, row: Text) -> Text:
    label = "" if number is None else str(number)
    numbered = Text.assemble((f"{label:>{gutter}} | ", FRAME_STYLE), row)
    numbered.rstrip()
    return numbered


def _mark_rows(mark: Mark, start: int, end: int, room: int) -> Iterator[Text]:
    """Yield the underline and the label, beside it if that fits, else below."""
    underline = Text.assemble(" " * start, (mark.symbol * (end - start), mark.style))
    if end + 1 + cell_len(mark.label) <= room:
        yield Text.assemble(underline, " ", (mark.label, mark.style))
        return
    yield underline
    indent = start if room - start >= _NARROWEST_LABEL else 0
    label = Text(mark.label, mark.style)
    for row in label.wrap(_PLAIN, room - indent):
        yield Text.assemble(" " * indent, row)


class _Line:
    """A source line as it is shown: tabs expanded, nothing in it that would move the cursor."""

    def __init__(self, text: str) -> None:
        self._shown: list[str] = []
        self._offsets = [0]
        """The cell at which each character begins, and behind the last the cell where they end."""
        cell = 0
        for char in text:
            if char == "\t":
                shown = " " * (_TAB - cell % _TAB)
            elif char.isprintable():
                shown = char
            else:
                shown = " " if char.isspace() else "\N{REPLACEMENT CHARACTER}"
            cell += cell_len(shown)
            self._shown.append(shown)
            self._offsets.append(cell)

    def left_edge(self, marks: Sequence[Mark], room: int) -> int:
        """Return the first cell to show, so that a long line shows the first of its marks."""
        if max(self._cell(mark.end) for mark in marks) <= room - len(CUT):
            return 0
        if self._offsets[-1] <= room:
            return 0
        return max(min(self._cell(mark.start) for mark in marks) - _LEAD, 0)

    def cut(self, left: int, room: int) -> str:
        """Return `room` cells from the cell `left` on, with a sign where something is left out."""
        cut_left = bool(left)
        cut_right = self._offsets[-1] - left > room
        first = left + len(CUT) * cut_left
        last = left + room - len(CUT) * cut_right
        inside = [
            index
            for index in range(len(self._shown))
            if self._offsets[index] >= first and self._offsets[index + 1] <= last
        ]
        text = "".join(self._shown[index] for index in inside)
        # Half of a wide character at an edge is a space.
        lead = " " * (self._offsets[inside[0]] - first if inside else 0)
        trail = " " * (last - self._offsets[inside[-1] + 1] if inside and cut_right else 0)
        return f"{CUT * cut_left}{lead}{text}{trail}{CUT * cut_right}"

    def cells(self, mark: Mark, left: int, room: int) -> tuple[int, int]:
        """Return where a mark begins and ends within what `cut` returns: one cell or more."""
        start = min(max(self._cell(mark.start) - left, 0), room - 1)
        end = min(self._cell(mark.end) - left, room)
        return start, max(end, start + 1)

    def _cell(self, column: int) -> int:
        return self._offsets[min(column, len(self._shown))]
