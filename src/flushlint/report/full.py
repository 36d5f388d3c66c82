"""The finding with its story: the source, and under its lines what happens there, in order.

    FLU101 lost-passed-file: what `put` writes to `log` is lost
      --> hello.py:9:35
       |
     3 | log = open("error1.log", "w")
       |       ----------------------- 1 opened, main process: ...
    ...
     9 |     p = Process(target=put, args=(log,))
       |                                   ^^^ 2 handed over, main process: ...
       |
       = help: call `fd.flush()` in the child
       = rule: flushlint rule FLU101
       = fix: flush `fd` at the end of `put`
       |
     6 |     fd.write("hello")
     7 +     fd.flush()
       |

``^`` marks the place of the finding, ``-`` the other steps. Lines of several cells of a notebook
stand below the numbers of their cells.
"""

from __future__ import annotations

import io
import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from flushlint.fixability import applicable_fix, in_words
from flushlint.lines import one_line
from flushlint.report import counted, place
from flushlint.report.snippet import FRAME_STYLE, Mark, gutter_width, snippet_rows
from flushlint.report.suggestion import cell_row, suggestion_rows
from flushlint.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from flushlint.model import Diagnostic, Span, WitnessStep
    from flushlint.report.suggestion import Sources

__all__ = ["FullReporter"]

_STYLES = {"error": "bold red", "warning": "bold yellow"}
_STEP_STYLE = "bold cyan"
_SEMICOLON = re.compile(r"; ")


class FullReporter:
    """Writes each file's findings at once, `width` cells wide.

    ``[*]`` marks what would be fixed, with `unsafe` also what has only unsafe fixes.
    """

    def __init__(self, *, width: int, color: bool, unsafe: bool = False) -> None:
        self._width = width
        self._unsafe = unsafe
        self._findings = 0
        self._files = 0
        self._buffer = io.StringIO()
        self._console = Console(
            file=self._buffer,
            width=width,
            force_terminal=color,
            color_system="standard" if color else None,
            legacy_windows=False,
        )

    def add(self, diagnostics: Sequence[Diagnostic], text: Callable[[int | None], str]) -> str:
        """Return the stories of one file's findings."""
        sources = cache(lambda cell: Source("", text(cell)))
        self._files += 1
        for diagnostic in diagnostics:
            self._findings += 1
            for row in self._story(diagnostic, sources):
                row.rstrip()
                self._console.print(row, soft_wrap=True)
            self._console.print()
        return self._written()

    def finish(self) -> str:
        """Return how many findings there were, if any."""
        if not self._findings:
            return ""
        return f"{counted(self._findings, 'finding')} in {counted(self._files, 'file')}\n"

    def _written(self) -> str:
        written = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return written

    def _story(self, diagnostic: Diagnostic, sources: Sources) -> Iterator[Text]:
        """Yield the rows of one finding."""
        style = _STYLES[diagnostic.severity]
        marks, notes = _marks_and_notes(diagnostic, sources, style)
        gutter = " " * max(map(gutter_width, marks.values()), default=1)
        problem, remedy = _problem_and_remedy(one_line(diagnostic.message))
        sign = "" if applicable_fix(diagnostic, unsafe=self._unsafe) is None else "[*] "
        header = Text.assemble(
            (diagnostic.code, style),
            " ",
            (sign, "bold cyan"),
            (f"{diagnostic.name}: ", "bold"),
            problem,
        )
        yield from header.wrap(self._console, self._width)
        yield Text.assemble(gutter, ("--> ", FRAME_STYLE), place(diagnostic))
        if marks:
            yield Text(f"{gutter} |", FRAME_STYLE)
        for cell in sorted(marks, key=lambda cell: cell or 0):
            if len(marks) > 1:
                yield cell_row(cell, len(gutter))
            yield from snippet_rows(sources(cell).lines, marks[cell], self._width, len(gutter))
            yield Text(f"{gutter} |", FRAME_STYLE)
        if remedy:
            notes.append(f"help: {remedy}")
        notes.append(f"rule: flushlint rule {diagnostic.code}")
        if diagnostic.fixes:
            notes.append(in_words(diagnostic.fixes[0], with_reason=True))
            notes += _edits_elsewhere(diagnostic)
        for note in notes:
            rows = Text(note).wrap(self._console, self._width - len(gutter) - len(" = "))
            for index, row in enumerate(rows):
                yield Text.assemble((f"{gutter} {' ' if index else '='} ", FRAME_STYLE), row)
        if diagnostic.fixes:
            fix = diagnostic.fixes[0]
            here = replace(fix, edits=tuple(e for e in fix.edits if e.path == diagnostic.path))
            yield from suggestion_rows(sources, here, len(gutter), self._width)


def _edits_elsewhere(diagnostic: Diagnostic) -> Iterator[str]:
    """Yield what the best fix of a finding puts into other files."""
    for edit in diagnostic.fixes[0].edits:
        if edit.path != diagnostic.path:
            code = " ".join(edit.text.split())
            yield f"in {edit.path}, line {edit.span.start.line}: {code or 'something is taken out'}"


def _problem_and_remedy(message: str) -> tuple[str, str]:
    """Split a message where it goes on to what to do: at its first semicolon outside of code."""
    for match in _SEMICOLON.finditer(message):
        if message.count("`", 0, match.start()) % 2 == 0:
            return message[: match.start()], message[match.end() :]
    return message, ""


def _marks_and_notes(
    diagnostic: Diagnostic, sources: Sources, style: str
) -> tuple[dict[int | None, list[Mark]], list[str]]:
    """Return what can be marked, by cell and in the story's order, and the rest of it as notes."""
    marks: dict[int | None, list[Mark]] = {}
    notes: list[str] = []
    place = diagnostic.span
    for number, step in enumerate(diagnostic.witness, 1):
        label = _label(number, step)
        if step.path != diagnostic.path or not _is_shown(step.span, sources):
            start = step.span.start
            cell = "" if start.cell is None else f"cell {start.cell}, "
            notes.append(f"{label} ({one_line(step.path)}, {cell}line {start.line})")
            continue
        symbol, look = ("^", style) if step.span == place else ("-", _STEP_STYLE)
        mark = _mark(step.span, sources, symbol, look, label)
        marks.setdefault(step.span.start.cell, []).append(mark)
    here = marks.get(place.start.cell, [])
    if all(mark.symbol != "^" for mark in here) and _is_shown(place, sources):
        marks[place.start.cell] = [_mark(place, sources, "^", style, ""), *here]
    return marks, notes


def _is_shown(span: Span, sources: Sources) -> bool:
    """Return whether there is a line to show a place on."""
    return span.start.line <= len(sources(span.start.cell).lines)


def _label(number: int, step: WitnessStep) -> str:
    kind = step.kind.replace("-", " ")
    process = "" if step.process in step.text else f", {step.process}"
    return one_line(f"{number} {kind}{process}: {step.text}")


def _mark(span: Span, sources: Sources, symbol: str, style: str, label: str) -> Mark:
    """Return the mark for `span`, of which only the first line is marked."""
    line = span.start.line
    lines = sources(span.start.cell).lines
    one = span.end.line == line
    end = span.end.column if one else len(lines[line - 1].rstrip())
    return Mark(line, span.start.column, end, symbol, style, label)
