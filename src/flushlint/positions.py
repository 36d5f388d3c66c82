"""Positions: where the nodes of a tree stand in the text.

LibCST's own PositionProvider writes the whole module out again to find out, which takes twice as
long as parsing it and is wrong where that is not exactly what was read: after a form feed, or a
blank before the colon of an `except`. Here the logical lines are found in the text, by its tokens.
The statements of the tree stand on them in the same order, and only those are written out that a
position is asked for, each from where its line begins.

A compound statement stands for its header here: it ends where its body begins, and what it holds
belongs to other lines.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from contextlib import contextmanager
from dataclasses import fields
from functools import cache, cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard, cast

import libcst as cst

from flushlint.model import Span
from flushlint.tokens import CLOSING, NEWLINE, OPENING, past_blanks, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flushlint.source import Source

__all__ = ["Positions"]

# Enough for the deepest expression that the guard lets pass.
_RECURSION = 20_000


class _Line(NamedTuple):
    """A logical line: the offset of its first token, and that of its end, after a comment."""

    start: int
    end: int


class _Header(NamedTuple):
    """What stands on a logical line: a simple statement, a decorator, or a header."""

    node: cst.CSTNode
    is_elif: bool = False


class Positions:
    """The positions of the nodes of one module, found when they are asked for.

    Lines are 1-based, columns 0-based code points of the text; the byte order mark is none.
    """

    def __init__(self, module: cst.Module, source: Source) -> None:
        self._module = module
        self._source = source
        self._spans: dict[int, dict[cst.CSTNode, tuple[int, int]]] = {}

    def span(self, node: cst.CSTNode) -> Span:
        """Return where `node` stands; a module stands at its beginning.

        Raises KeyError for blocks, blanks and punctuation, and for nodes of other modules.
        """
        return self._between(*self.offsets(node))

    def offsets(self, node: cst.CSTNode) -> tuple[int, int]:
        """Return the 0-based offsets in the text between which `node` stands, as `span` does.

        Parentheses around an expression are not part of it. Raises KeyError as `span` does.
        """
        if node is self._module:
            return 0, 0
        number = self._numbers[node]
        if number not in self._spans:
            self._spans[number] = self._written(number)
        return self._spans[number][node]

    def statement(self, node: cst.CSTNode) -> Span:
        """Return the logical line of `node`, from the first token to the end of the last line.

        That is the simple statement around it (others that share its line included), or the
        header of the compound statement. Raises KeyError as `span` does.
        """
        return self._between(*self.line(node))

    def line(self, node: cst.CSTNode) -> tuple[int, int]:
        """Return the 0-based offsets of the logical line of `node`, as `statement` does.

        It ends where the newline begins, after a comment. Raises KeyError as `span` does.
        """
        if node is self._module:
            return 0, 0
        return self._lines[self._numbers[node]]

    def line_above(self, node: cst.CSTNode) -> tuple[int, int] | None:
        """Return the offsets of the logical line before that of `node`, None for the first one."""
        number = self._numbers[node]
        return self._lines[number - 1] if number else None

    def _between(self, start: int, end: int) -> Span:
        return Span(self._source.position(start), self._source.position(end))

    @cached_property
    def _lines(self) -> list[_Line]:
        return list(_logical_lines(self._source.text))

    @cached_property
    def _headers(self) -> list[_Header]:
        headers = list(_headers(self._module.body))
        if len(headers) != len(self._lines):
            raise RuntimeError(f"{len(headers)} statements on {len(self._lines)} logical lines")
        return headers

    @cached_property
    def _numbers(self) -> dict[cst.CSTNode, int]:
        """The number of the logical line of each node, from 0."""
        numbers: dict[cst.CSTNode, int] = {}
        for number, header in enumerate(self._headers):
            pending = [header.node]
            while pending:
                node = pending.pop()
                numbers[node] = number
                pending.extend(_parts(node))
        return numbers

    def _written(self, number: int) -> dict[cst.CSTNode, tuple[int, int]]:
        """Return the offsets of all nodes on a logical line, by writing it out."""
        text = self._source.text
        first = self._lines[number].start
        begin = max(text.rfind("\n", 0, first), text.rfind("\r", 0, first)) + 1
        writer = _Writer(self._module, indentation=text[begin:first])
        with _deep_recursion():
            writer.write(self._headers[number])
        alignment = _Alignment("".join(writer.tokens), text, begin)
        return {node: alignment.span(*span) for node, span in writer.spans.items()}


# -- the text -------------------------------------------------------------------------------------


def _logical_lines(text: str) -> Iterator[_Line]:
    depth = 0
    start = None
    for kind, offset in tokens(text):
        if kind == NEWLINE:
            if start is not None and depth == 0:
                yield _Line(start, past_blanks(text, offset))
                start = None
            continue
        if start is None:
            start = past_blanks(text, offset)
        if kind == OPENING:
            depth += 1
        elif kind == CLOSING:
            depth -= 1
    if start is not None:
        yield _Line(start, len(text))


class _Alignment:
    """Turns offsets in what LibCST writes into offsets in what it has read.

    Both are the same or differ in blanks alone, so that what is not blank tells the place.
    """

    def __init__(self, written: str, text: str, begin: int) -> None:
        self._begin = begin
        # LibCST ends the last line with a newline even where the text doesn't.
        self._is_exact = text.startswith(written.rstrip("\r\n"), begin)
        self._written: list[int] = []
        self._read: list[int] = []
        if not self._is_exact:
            self._written = [place for place, char in enumerate(written) if not char.isspace()]
            chars = enumerate(text[begin:], begin)
            marks = (place for place, char in chars if not char.isspace())
            self._read = list(islice(marks, len(self._written)))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the offsets in the text of a stretch of what was written."""
        if self._is_exact:
            return self._begin + start, self._begin + end
        first = bisect_left(self._written, start)
        last = bisect_left(self._written, end) - 1
        stop = self._read[last] + 1 if last >= 0 else self._begin
        return (self._read[first] if first <= last else stop), stop


# -- the tree -------------------------------------------------------------------------------------

# What stands on lines of its own, and what no position is asked for.
_ELSEWHERE = (
    cst.IndentedBlock,
    cst.Decorator,
    cst.If,
    cst.Else,
    cst.ExceptHandler,
    cst.ExceptStarHandler,
    cst.Finally,
    cst.MatchCase,
    cst.BaseParenthesizableWhitespace,
    cst.EmptyLine,
    cst.TrailingWhitespace,
    cst.Comma,
    cst.Semicolon,
    cst.Dot,
    cst.AssignEqual,
)


def _headers(statements: Iterable[cst.CSTNode]) -> Iterator[_Header]:
    """Yield what stands on the logical lines of a block, in order, with all blocks in it."""
    for statement in statements:
        for decorator in getattr(statement, "decorators", ()):
            yield _Header(decorator)
        part: cst.CSTNode | None = statement
        while part is not None:
            yield _Header(part, is_elif=isinstance(part, cst.If) and part is not statement)
            yield from _below(part)
            part = getattr(part, "orelse", None)
        final = getattr(statement, "finalbody", None)
        if final is not None:
            yield _Header(final)
            yield from _below(final)


def _below(part: cst.CSTNode) -> Iterator[_Header]:
    """Yield what stands on the lines below a header, up to an `else` or `finally`."""
    body = getattr(part, "body", None)
    if isinstance(body, cst.IndentedBlock):
        yield from _headers(body.body)
    for clause in (*getattr(part, "handlers", ()), *getattr(part, "cases", ())):
        yield _Header(clause)
        yield from _below(clause)


@cache
def _field_names(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    """Return the fields of a type of node that hold more than blanks and brackets."""
    names = (field.name for field in fields(kind))
    return tuple(name for name in names if not name.startswith(("whitespace", "lpar", "rpar")))


class _Kinds(dict[type, bool]):
    """Whether a type is one of nodes that positions are asked for, found out once."""

    def __missing__(self, kind: type) -> bool:
        self[kind] = issubclass(kind, cst.CSTNode) and not issubclass(kind, _ELSEWHERE)
        return self[kind]


_KINDS = _Kinds()


def _is_part(value: object) -> TypeGuard[cst.CSTNode]:
    return _KINDS[type(value)]


def _parts(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield the nodes directly below `node` that stand on the same logical line."""
    for name in _field_names(type(node)):
        value = getattr(node, name)
        if isinstance(value, (list, tuple)):
            yield from filter(_is_part, value)
        elif _is_part(value):
            yield value


class _Written(Exception):  # noqa: N818 - no error, but the end of what is to be written
    """All of a header has been written."""


class _Writer:
    """Takes what LibCST writes for one logical line, and notes the offsets of the nodes.

    It stands in for LibCST's own CodegenState, whose interface it has.
    """

    def __init__(self, module: cst.Module, indentation: str) -> None:
        self.default_indent = module.default_indent
        self.default_newline = module.default_newline
        self.tokens: list[str] = []
        self.spans: dict[cst.CSTNode, tuple[int, int]] = {}
        self._indents = [indentation]
        self._offset = 0
        self._starts: list[int] = []
        self._muted = 0
        self._silent: set[cst.CSTNode] = set()
        self._last: set[cst.CSTNode] = set()

    def write(self, header: _Header) -> None:
        """Write what stands on the line, without the lines before and below it."""
        node = header.node
        for name in ("leading_lines", "decorators", "lines_after_decorators"):
            self._silent.update(getattr(node, name, ()))
        below = [getattr(node, name, None) for name in ("body", "orelse", "finalbody")]
        below += (*getattr(node, "handlers", ()), *getattr(node, "cases", ()))
        self._last.update(part for part in below if isinstance(part, _ELSEWHERE))
        start = len(self._indents[0])
        options = {"is_elif": True} if header.is_elif else {}
        try:
            node._codegen(cast("Any", self), **options)  # noqa: SLF001 - the only way to write a node out
        except _Written:
            self.spans[node] = (start, self._offset)
        body = getattr(node, "body", None)
        if isinstance(body, cst.SimpleStatementSuite):
            self.spans[node] = (start, self.spans[body][1])

    def add_token(self, value: str) -> None:
        if not self._muted:
            self.tokens.append(value)
            self._offset += len(value)

    def add_indent_tokens(self) -> None:
        for indent in self._indents:
            self.add_token(indent)

    def increase_indent(self, value: str) -> None:
        self._indents.append(value)

    def decrease_indent(self) -> None:
        self._indents.pop()

    def before_codegen(self, node: cst.CSTNode) -> None:
        if node in self._last:
            raise _Written
        self._muted += node in self._silent
        self._starts.append(self._offset)

    def after_codegen(self, node: cst.CSTNode) -> None:
        self._muted -= node in self._silent
        self.spans.setdefault(node, (self._starts.pop(), self._offset))

    @contextmanager
    def record_syntactic_position(
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> Iterator[None]:
        start = self._offset
        yield
        self.spans[node] = (
            start if start_node is None else self.spans[start_node][0],
            self._offset if end_node is None else self.spans[end_node][1],
        )


@contextmanager
def _deep_recursion() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
