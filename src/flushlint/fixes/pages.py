"""Pages: the modules of a program as one text, so that one fix may touch several of them.

A character that no source can hold stands between two modules. Offsets count code points of the
whole text; what a module's own layout says is moved to where that module begins.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import ChainMap
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from flushlint.fixes.edits import TextEdit
from flushlint.fixes.layout import Layout
from flushlint.positions import Positions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import libcst as cst

    from flushlint.fixes.layout import Block, Statement
    from flushlint.model import Position
    from flushlint.source import Source

__all__ = ["Page", "Pages", "parted"]

_BREAK = "\0"
_Edits = TypeVar("_Edits", "list[TextEdit]", "list[TextEdit] | None")


def parted(text: str) -> list[str]:
    """Return the texts of the modules that a text is made of."""
    return text.split(_BREAK)


class Page(NamedTuple):
    """One module: its text, its tree, and where what stands in it."""

    source: Source
    tree: cst.Module
    positions: Positions
    layout: Layout

    @classmethod
    def of(cls, source: Source, tree: cst.Module) -> Page:
        """Return the page of a parsed module."""
        positions = Positions(tree, source)
        return cls(source, tree, positions, Layout(tree, source, positions))


class Pages:
    """The modules of one program; it says and does what the layout of a single one would."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self.pages = tuple(pages)
        self.text = _BREAK.join(page.source.text for page in pages)
        lengths = (len(page.source.text) + len(_BREAK) for page in pages[:-1])
        self._starts = [0, *accumulate(lengths)]

    @cached_property
    def parents(self) -> Mapping[cst.CSTNode, cst.CSTNode]:
        """The node directly around each one, in all modules."""
        return ChainMap(*(dict(page.layout.parents) for page in self.pages))

    def start(self, node: cst.CSTNode) -> int:
        """Return the offset of a node. Raises KeyError for a node of no module."""
        number = self._number(node)
        return self._starts[number] + self.pages[number].positions.offsets(node)[0]

    def page(self, node: cst.CSTNode) -> Page:
        """Return the page of a node. Raises KeyError for a node of no module."""
        return self.pages[self._number(node)]

    def place(self, offset: int) -> tuple[Source, Position]:
        """Return the module at an offset, and the line and column there."""
        number = bisect_right(self._starts, offset) - 1
        source = self.pages[number].source
        return source, source.position(offset - self._starts[number])

    # -- as a layout ------------------------------------------------------------------------------

    def enclosing(self, node: cst.CSTNode) -> Statement:
        """Return the innermost statement that `node` is, or is part of."""
        return self.page(node).layout.enclosing(node)

    def function_of(self, node: cst.CSTNode) -> cst.FunctionDef | cst.Lambda | None:
        """Return the function in whose body `node` stands, None at the top level."""
        return self.page(node).layout.function_of(node)

    def block_of(self, statement: Statement) -> Block:
        """Return the statements of the block of `statement`, and its index there."""
        return self.page(statement).layout.block_of(statement)

    def before(self, statement: Statement, lines: Sequence[str]) -> list[TextEdit] | None:
        """Put lines directly before a statement."""
        return self._moved(statement, self.page(statement).layout.before(statement, lines))

    def after(self, statement: Statement, lines: Sequence[str]) -> list[TextEdit] | None:
        """Put lines directly after a statement."""
        return self._moved(statement, self.page(statement).layout.after(statement, lines))

    def wrap(
        self,
        first: Statement,
        last: Statement,
        header: str,
        footer: Sequence[str],
        moved: Statement | None = None,
    ) -> list[TextEdit] | None:
        """Indent the statements of one block from `first` to `last`, below a header."""
        layout = self.page(first).layout
        return self._moved(first, layout.wrap(first, last, header, footer, moved))

    def cut(self, statement: Statement) -> TextEdit | None:
        """Take the only statement of a line away with its line."""
        edit = self.page(statement).layout.cut(statement)
        moved = self._moved(statement, None if edit is None else [edit])
        return None if moved is None else moved[0]

    def replace(self, node: cst.BaseExpression, text: str) -> list[TextEdit]:
        """Put other text in the place of an expression."""
        return self._moved(node, self.page(node).layout.replace(node, text))

    def insert_argument(self, call: cst.Call, text: str) -> list[TextEdit]:
        """Put an argument after the last one of a call."""
        return self._moved(call, self.page(call).layout.insert_argument(call, text))

    def add_import(self, name: str, offset: int) -> list[TextEdit] | None:
        """Import a module at the top level of the one that holds an offset."""
        page = self.pages[bisect_right(self._starts, offset) - 1]
        return self._moved(page.tree, page.layout.add_import(name))

    def _number(self, node: cst.CSTNode) -> int:
        for number, page in enumerate(self.pages):
            if node is page.tree or node in page.layout.parents:
                return number
        raise KeyError(node)

    def _moved(self, node: cst.CSTNode, edits: _Edits) -> _Edits:
        """Return the edits of a module as they stand in the whole text."""
        if not edits:
            return edits
        start = self._starts[self._number(node)]
        return [TextEdit(start + e.start, start + e.end, e.text) for e in edits]
