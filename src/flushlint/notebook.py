"""Notebooks: the code cells of an `.ipynb` file as one program, and where its lines come from.

The program is what the rest of flushlint reads, as bytes of an ordinary module. Before each cell
stands a line of its own, a comment, so that what is put into the program can be told to belong to
the cell above or below. Cells are counted from 1, and all of them count, as they do for ruff.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from flushlint.lines import one_line
from flushlint.magics import Translation
from flushlint.model import InputError, Position, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from flushlint.model import Diagnostic

__all__ = ["BOM", "SURROGATE", "Cell", "Notebook", "NotebookError", "cells_of", "read_notebook"]

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
SURROGATE = re.compile("[\ud800-\udfff]")
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
_MARK = "#ipynb-"
# A coding comment counts in the first two lines of a module; in a cell it means nothing.
_HEADER_LINES = 2
# A cell may be indented as a whole.
_INDENTED = re.compile(r"(?:[ \t]*(?:\#[^\r\n]*)?(?:\r\n?|\n))*[ \t]+[^\s#]")

# What rests on a child importing the program again, or on what its parent has only where it is the
# main program: a notebook is no module, and nobody imports it.
_ABOUT_IMPORTS = frozenset({"FLU203", "FLU303", "FLU304"})
_STANDARD_STREAMS = ("sys.stdout", "sys.stderr")


class Cell(NamedTuple):
    """A code cell in Python: its number among all cells, its text, and where it stands.

    `heading` is the line before it in the program, without its end; `first` is the 1-based line
    of the program that its first line is.
    """

    number: int
    text: str
    heading: str
    first: int

    @property
    def length(self) -> int:
        """How many lines it has, one at least."""
        return max(len(list(_LINE.finditer(self.text))), 1)


class NotebookError(ValueError):
    """A program that can't be put back into its notebook; the text says why, on one line."""


@dataclass(frozen=True)
class Notebook:
    """A notebook in Python: its program, and the way back to its cells."""

    path: str
    cells: tuple[Cell, ...]
    header: str
    program: bytes
    translation: Translation

    def located(self, diagnostic: Diagnostic) -> Diagnostic:
        """Return a finding in the program with its places in cells; it has no fixes yet."""
        return replace(
            diagnostic,
            span=self._span(diagnostic.span),
            statement=self._span(diagnostic.statement),
            witness=tuple(
                replace(step, span=self._span(step.span)) if step.path == self.path else step
                for step in diagnostic.witness
            ),
            fixes=(),
        )

    def position(self, position: Position) -> Position:
        """Return where in which cell a place in the program is."""
        number, line = self.place(position.line)
        return Position(line, position.column, number)

    def place(self, line: int) -> tuple[int | None, int]:
        """Return the number of the cell that a line of the program is in, and the line there.

        All lines are 1-based. A line between cells is the last one of the cell above.
        """
        index = max(bisect_right(self._firsts, line) - 1, 0)
        if not self.cells:
            return None, 1
        cell = self.cells[index]
        return cell.number, min(max(line - cell.first + 1, 1), cell.length)

    def text(self, number: int | None) -> str:
        """Return the text of a code cell as the notebook has it."""
        return self._texts.get(number or 0, "")

    def found(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Return those of the findings in the program that hold for a notebook, too.

        A kernel writes out what is printed in another way than a program does, and no process
        imports a notebook as its main module.
        """
        return [
            one
            for one in diagnostics
            if one.code not in _ABOUT_IMPORTS and not _is_about_output(one)
        ]

    def broken(self, error: InputError) -> InputError:
        """Return an error in the program as one of the cell that does not parse by itself."""
        if error.line is None or not self.cells:
            return error
        from flushlint import guard
        from flushlint.source import Source, parse

        for cell in self.cells:
            source = Source(self.path, f"{cell.heading}\n{cell.text}")
            if guard.refusal(source.text) is None:
                alone = parse(source)
                if isinstance(alone, InputError) and alone.line is not None:
                    line = min(max(alone.line - 1, 1), cell.length)
                    return InputError(self.path, line, alone.cause, cell.number)
        number, line = self.place(error.line)
        return InputError(self.path, line, error.cause, number)

    def divided(self, program: bytes) -> dict[int, str]:
        """Return the texts of all code cells by their number, as a notebook has them.

        `program` is this one, edited. Raises NotebookError where no cells could hold it.
        """
        parts: list[list[str]] = [[]]
        headings = iter([*(cell.heading for cell in self.cells), None])
        awaited = next(headings)
        text = program.decode("utf-8")
        if not text.startswith(self.header):
            raise NotebookError("something would stand before the first cell")
        for match in _LINE.finditer(text, len(self.header)):
            if match[0].rstrip("\r\n") == awaited:
                parts.append([])
                awaited = next(headings)
            else:
                parts[-1].append(match[0])
        if awaited is not None or len(parts) < 2:
            raise NotebookError("a change would go beyond a cell")
        before, first, *others = parts
        pairs = zip(self.cells, [before + first, *others], strict=True)
        return {cell.number: self._restored(cell, lines) for cell, lines in pairs}

    def with_texts(self, changed: Mapping[int, str]) -> Notebook:
        """Return a notebook of these cells, some of them with other texts."""
        return _notebook(self.path, list({**self._texts, **changed}.items()))

    def _restored(self, cell: Cell, lines: Sequence[str]) -> str:
        """Return the text of a cell, its magics in their places."""
        originals = [self.translation.original(line) for line in lines]
        text = "".join(line for line in originals if line is not None)
        if None in originals or self.translation.mark in text:
            raise NotebookError(f"a magic in cell {cell.number} would be changed")
        return text if cell.text.endswith(("\r", "\n")) else _without_end(text)

    def _span(self, span: Span) -> Span:
        return Span(self.position(span.start), self.position(span.end))

    @cached_property
    def _firsts(self) -> list[int]:
        return [cell.first for cell in self.cells]

    @cached_property
    def _texts(self) -> dict[int, str]:
        return self.divided(self.program)


def _without_end(text: str) -> str:
    """Return a text without the newline at its end, if there is one."""
    return text[: -len("\r\n")] if text.endswith("\r\n") else text.removesuffix("\n")


def _is_about_output(diagnostic: Diagnostic) -> bool:
    """Return whether a finding concerns the process's own stdout or stderr."""
    if diagnostic.subject in _STANDARD_STREAMS:
        return True
    is_opened = any(step.kind == "opened" for step in diagnostic.witness)
    return diagnostic.code in {"FLU104", "FLU201"} and not is_opened


# -- reading --------------------------------------------------------------------------------------


def read_notebook(data: bytes, path: str) -> Notebook | InputError | None:
    """Read a notebook; say why that can't be done, or return None if it is not one of Python."""
    content = _content(data, path)
    if isinstance(content, InputError):
        return content
    try:
        if not _is_python(content):
            return None
        sources = list(_sources(content))
    except NotebookError as error:
        return InputError(path, None, f"not a notebook: {error}")
    return _notebook(path, sources)


def _content(data: bytes, path: str) -> dict[str, Any] | InputError:
    """Return what the file says. Nothing that JSON may hold is too much."""
    try:
        content = json.loads(data.decode("utf-8").removeprefix(BOM))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return InputError(path, line, f"byte 0x{data[error.start]:02x} is not valid utf-8")
    except json.JSONDecodeError as error:
        return InputError(path, error.lineno, f"not a notebook: no valid JSON: {error.msg}")
    except (ValueError, RecursionError) as error:
        return InputError(path, None, f"not a notebook: {one_line(str(error))}")
    if not isinstance(content, dict):
        return InputError(path, None, "not a notebook: the JSON is no object")
    return content


def _is_python(content: dict[str, Any]) -> bool:
    """Return whether the kernel runs Python, as it does where nothing is said of it."""
    metadata = content.get("metadata")
    if not isinstance(metadata, dict):
        return True
    for section, key in (("language_info", "name"), ("kernelspec", "language")):
        said = metadata.get(section)
        name = said.get(key) if isinstance(said, dict) else None
        if isinstance(name, str):
            return name.lower() in {"python", "ipython"}
    return True


def _sources(content: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each cell of Python code. Raises NotebookError."""
    for number, cell in enumerate(cells_of(content), 1):
        if not isinstance(cell, dict) or not isinstance(cell.get("cell_type"), str):
            raise NotebookError(f"cell {number} has no type")
        if cell["cell_type"] != "code":
            continue
        # The third version of the format knows another name, and the language of each cell.
        source = cell.get("source", cell.get("input"))
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            source = "".join(source)
        if not isinstance(source, str):
            raise NotebookError(f"cell {number} has no source")
        if _cell_language(cell) == "python":
            yield number, source


def cells_of(content: dict[str, Any]) -> list[Any]:
    """Return all cells of a notebook. Up to its third version the format has worksheets.

    Raises NotebookError where there is no list of cells.
    """
    cells = content.get("cells")
    sheets = content.get("worksheets")
    if isinstance(cells, list):
        return cells
    if cells is None and isinstance(sheets, list):
        found = [sheet.get("cells") if isinstance(sheet, dict) else None for sheet in sheets]
        if all(isinstance(part, list) for part in found):
            return [cell for part in found if part is not None for cell in part]
    raise NotebookError("it has no list of cells")


def _cell_language(cell: dict[str, Any]) -> object:
    """Return what the third version, or VS Code, notes at a cell."""
    metadata = cell.get("metadata")
    editor = metadata.get("vscode") if isinstance(metadata, dict) else None
    noted = editor.get("languageId") if isinstance(editor, dict) else None
    return noted or cell.get("language") or "python"


def _notebook(path: str, sources: Sequence[tuple[int, str]]) -> Notebook:
    mark = _MARK
    while any(mark in source for _, source in sources):
        mark = f"{mark}-"
    translation = Translation(mark)
    header = f"{mark}\n" * _HEADER_LINES
    cells: list[Cell] = []
    parts = [header]
    line = _HEADER_LINES + 1
    for number, source in sources:
        text = translation.python(SURROGATE.sub("?", source))
        if text is None:
            continue
        heading = f"{'if 1:' if _INDENTED.match(text) else ''}{mark}cell-{number}"
        cell = Cell(number, text, heading, line + 1)
        cells.append(cell)
        parts += (f"{heading}\n", text, "" if text.endswith(("\r", "\n")) else "\n")
        line += 1 + cell.length
    return Notebook(path, tuple(cells), header, "".join(parts).encode(), translation)
