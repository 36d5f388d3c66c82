"""What a file may be: a module, or a notebook, which is a module to all that analyses it.

Findings are made in the program of a document, whose lines are those of the module. Where they
are reported they have the places of the document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flushlint.model import Diagnostic, InputError

__all__ = ["Document", "is_notebook", "read_module", "read_notebook"]

_NOTEBOOK = ".ipynb"


class Document(Protocol):
    """A program, and how it is spoken of."""

    @property
    def program(self) -> bytes:
        """The bytes of the module."""

    def found(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Return those of the findings in the program that hold for the document."""

    def located(self, diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
        """Return findings in the program as findings in the document."""

    def error(self, error: InputError) -> InputError:
        """Return an error in the program as one in the document."""

    def place(self, line: int) -> tuple[int | None, int]:
        """Return the cell, if there are cells, and the line in it of a line of the program."""

    def text(self, cell: int | None) -> str:
        """Return the text of a cell, or of the document if it has none."""


class _Module:
    """An ordinary file."""

    def __init__(self, data: bytes, path: str) -> None:
        self.program = data
        self._path = path

    def found(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        return list(diagnostics)

    def located(self, diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
        return list(diagnostics)

    def error(self, error: InputError) -> InputError:
        return error

    def place(self, line: int) -> tuple[int | None, int]:
        return None, line

    def text(self, cell: int | None) -> str:
        from flushlint.choosing import module_text

        del cell
        return module_text(self.program, self._path)


def is_notebook(path: str) -> bool:
    """Return whether a file is a notebook by its name."""
    return path.endswith(_NOTEBOOK)


def read_module(data: bytes, path: str) -> Document:
    """Return a file that is a module."""
    return _Module(data, path)


def read_notebook(data: bytes, path: str) -> Document | InputError | None:
    """Return a file that is a notebook, why it can't be read, or None if it is not of Python."""
    from flushlint.notebook_fixing import NotebookDocument

    return NotebookDocument.read(data, path)
