"""Lays out what a fix would change, as a diff with line numbers.

     9 |     book.write(name)
    10 +     book.flush()
       |

Numbers are those of the fixed file; a line that goes has none, and a minus sign.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from flushlint.fixes.edits import TextEdit, apply
from flushlint.lines import split_lines
from flushlint.report.snippet import CUT, FRAME_STYLE, line_room, shown_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flushlint.model import Fix
    from flushlint.source import Source

__all__ = ["suggestion_rows"]

_CONTEXT = 2
_STYLES = {"-": "red", "+": "green", "|": ""}


class _Row(NamedTuple):
    """A line of the diff. `number` is 1-based, in the fixed file, and None for one that goes."""

    number: int | None
    sign: str
    line: str


def suggestion_rows(source: Source, fix: Fix, gutter: int, width: int) -> Iterator[Text]:
    """Yield what a fix of `source` would change. The numbers take `gutter` cells or more."""
    edits = [
        TextEdit(source.offset(edit.span.start), source.offset(edit.span.end), edit.text)
        for edit in fix.edits
    ]
    hunks = list(_hunks(source.lines, split_lines(apply(source.text, edits))))
    if not hunks:
        return
    last = max(row.number or 0 for hunk in hunks for row in hunk)
    gutter = max(gutter, len(str(last)))
    room = line_room(gutter, width)
    frame = Text(f"{' ' * gutter} |", FRAME_STYLE)
    yield frame
    for index, hunk in enumerate(hunks):
        if index:
            yield Text(CUT, FRAME_STYLE)
        for number, sign, line in hunk:
            style = _STYLES[sign]
            label = f"{number or '':>{gutter}} "
            row = Text.assemble(
                (label, FRAME_STYLE),
                (sign, style or FRAME_STYLE),
                " ",
                (shown_line(line, room), style),
            )
            row.rstrip()
            yield row
    yield frame


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
