"""Fixing a notebook: its program is fixed as any other, and goes back into the cells.

A fix that no cell could hold by itself (one that goes from one cell into the next, or changes a
magic) is none.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from flushlint.cell_writing import with_sources
from flushlint.fixes.edits import Patch, TextEdit, apply
from flushlint.fixing import Fixed, fix_unit
from flushlint.model import Edit, InputError, Position, Span
from flushlint.notebook import Notebook, NotebookError, read_notebook
from flushlint.source import Source, parse

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from flushlint.fixing import Allow, Select
    from flushlint.model import AnalysisOptions, Diagnostic, Fix
    from flushlint.unit import Unit

__all__ = ["NotebookDocument", "fix_notebook"]

_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")


class NotebookDocument:
    """A notebook as a document, whose findings have the fixes that its cells can hold."""

    def __init__(self, notebook: Notebook) -> None:
        self.program = notebook.program
        self.found = notebook.found
        self.error = notebook.broken
        self.place = notebook.place
        self.text = notebook.text
        self._notebook = notebook

    @classmethod
    def read(cls, data: bytes, path: str) -> NotebookDocument | InputError | None:
        """Read a notebook; say why that can't be done, or return None if it is not of Python."""
        notebook = read_notebook(data, path)
        return cls(notebook) if isinstance(notebook, Notebook) else notebook

    def located(self, diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
        """Return findings in the program with their places, and their fixes', in cells."""
        return [
            replace(
                self._notebook.located(one),
                fixes=tuple(fix for whole in one.fixes for fix in _in_cells(self._notebook, whole)),
            )
            for one in diagnostics
        ]


def fix_notebook(
    data: bytes, unit: Unit, options: AnalysisOptions, select: Select, allow: Allow
) -> Fixed:
    """Fix a notebook as `fix_unit` does a module; what is selected are findings in its program.

    `unit` begins with its program. Outside the text of the cells that are touched the bytes stay
    what they were, and so do all other files.
    """
    path = unit.main.path
    notebook = read_notebook(data, path)
    if not isinstance(notebook, Notebook):
        return Fixed()
    program = notebook.program

    def selected(
        contents: Mapping[str, bytes], found: Sequence[Diagnostic]
    ) -> Collection[Diagnostic]:
        nonlocal program
        program = contents[path]
        return select(contents, notebook.found(found))

    def allowed(diagnostic: Diagnostic, fix: Fix) -> bool:
        if not allow(diagnostic, fix) or any(edit.path != path for edit in fix.edits):
            return False
        try:
            _changed(notebook, _edited(program, fix))
        except NotebookError:
            return False
        return True

    done = fix_unit(unit, options, selected, allowed)
    if path not in done.files:
        return replace(done, files={})
    try:
        changed = with_sources(data, _changed(notebook, done.files[path]))
    except NotebookError as error:
        return Fixed(trouble=str(error))
    return replace(done, files={path: changed})


def _edited(program: bytes, fix: Fix) -> bytes:
    """Return a program after a fix of it."""
    source = Source("", program.decode("utf-8"))
    edits = [
        TextEdit(source.offset(edit.span.start), source.offset(edit.span.end), edit.text)
        for edit in fix.edits
    ]
    return apply(source.text, edits).encode("utf-8")


def _changed(notebook: Notebook, program: bytes) -> dict[int, str]:
    """Return the texts of the cells that an edited program has changed, by their number.

    Raises NotebookError where one of them would not run alone.
    """
    parts = notebook.divided(program)
    changed = {number: text for number, text in parts.items() if text != notebook.text(number)}
    again = notebook.with_texts(changed)
    for cell in again.cells:
        if cell.number in changed:
            alone = parse(Source(notebook.path, f"{cell.heading}\n{cell.text}"))
            if isinstance(alone, InputError):
                raise NotebookError(f"cell {cell.number} would not run alone")
    return changed


def _in_cells(notebook: Notebook, fix: Fix) -> Iterator[Fix]:
    """Yield a fix of a program as one of its cells, if it is one."""
    try:
        changed = _changed(notebook, _edited(notebook.program, fix))
    except NotebookError:
        return
    edits = [
        edit
        for number in sorted(changed)
        for edit in _edits(notebook.path, number, notebook.text(number), changed[number])
    ]
    yield replace(fix, edits=tuple(edits))


def _edits(path: str, number: int, before: str, after: str) -> Iterator[Edit]:
    """Yield short edits that make one text of a cell into another."""
    old, new = _LINE.findall(before), _LINE.findall(after)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    changes = [
        TextEdit(starts[start], starts[end], "".join(new[first:last]))
        for tag, start, end, first, last in matcher.get_opcodes()
        if tag != "equal"
    ]
    source = Source(path, before)
    for start, end, text in Patch(before).edit(changes).edits():
        places = (source.position(offset) for offset in (start, end))
        first, last = (Position(place.line, place.column, number) for place in places)
        yield Edit(path, Span(first, last), text)
