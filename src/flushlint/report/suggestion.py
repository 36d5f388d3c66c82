"""Lays out what a fix would change, as a diff with line numbers.

     9 |     book.write(name)
    10 +     book.flush()
       |

Numbers are those of the fixed file; a line that goes has none, and a minus sign.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from rich.text import Text

from flushlint.fixes.edits import TextEdit, apply
from flushlint.lines import split_lines
from flushlint.report.snippet import CUT, FRAME_STYLE, line_room, shown_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from flushlint.model import Edit, Fix
    from flushlint.source import Source

__all__ = ["Sources", "cell_row", "suggestion_rows"]

# The text of a file for None, that of a notebook's cell for its number.
Sources: TypeAlias = "Callable[[int | None], Source]"

_CONTEXT = 2
_STYLES = {"-": "red", "+": "green", "|": ""}


class _Row(NamedTuple):
    """A line of the diff. `number` is 1-based, in the fixed file, and None for one that goes."""

    number: int | None
    sign: str
    line: str


def suggestion_rows(sources: Sources, fix: Fix, gutter: int, width: int) -> Iterator[Text]:
    """Yield what a fix would change, cell by cell. The numbers take `gutter` cells or more."""
    changes = {
        cell: hunks
        for cell in sorted({edit.span.start.cell for edit in fix.edits}, key=lambda cell: cell or 0)
        if (
            hunks := list(
                _changes(sources(cell), [e for e in fix.edits if e.span.start.cell == cell])
            )
        )
    }
    rows = [row for hunks in changes.values() for hunk in hunks for row in hunk]
    if not rows:
        return
    gutter = max(gutter, len(str(max(row.number or 0 for row in rows))))
    frame = Text(f"{' ' * gutter} |", FRAME_STYLE)
    yield frame
    for cell, hunks in changes.items():
        if cell is not None:
            yield cell_row(cell, gutter)
        for index, hunk in enumerate(hunks):
            if index:
                yield Text(CUT, FRAME_STYLE)
            yield from (_shown(row, gutter, line_room(gutter, width)) for row in hunk)
        yield frame


def cell_row(cell: int | None, gutter: int) -> Text:
    """Return the heading of the lines of a notebook's cell."""
    return Text.assemble((f"{' ' * gutter} ::: ", FRAME_STYLE), f"cell {cell}")


def _changes(source: Source, edits: Sequence[Edit]) -> Iterator[list[_Row]]:
    """Yield the stretches of a text that edits change, with the lines around them."""
    made = [
        TextEdit(source.offset(edit.span.start), source.offset(edit.span.end), edit.text)
        for edit in edits
    ]
    return _hunks(source.lines, split_lines(apply(source.text, made)))


def _shown(row: _Row, gutter: int, room: int) -> Text:
    style = _STYLES[row.sign]
    shown = Text.assemble(
        (f"{row.number or '':>{gutter}} ", FRAME_STYLE),
        (row.sign, style or FRAME_STYLE),
        " ",
        (shown_line(row.line, room), style),
    )
    shown.rstrip()
    return shown


def _hunks(before: Sequence[str], after: Sequence[str]) -> Iterator[list[_Row]]:
    """Yield the stretches that differ, with the lines around them."""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        rows: list[_Row] = []
        for tag, start, end, new_start, new_end in group:
            if tag == "equal":
                rows += _numbered("|", after, new_start, new_end)
            else:
                rows += (_Row(None, "-", line) for line in before[start:end])
                rows += _numbered("+", after, new_start, new_end)
        yield rows


def _numbered(sign: str, lines: Sequence[str], start: int, end: int) -> Iterator[_Row]:
    for index in range(start, end):
        yield _Row(index + 1, sign, lines[index])
