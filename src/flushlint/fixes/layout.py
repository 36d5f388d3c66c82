"""Layout: which edits put code somewhere in a module, as the person who wrote it would have.

Nothing outside the inserted text changes. Places that a person would lay out anew are refused,
with None: several lines where there is room for one, code before a docstring.

New lines come without indentation and newline; each tab that one begins with stands for one more
level of indentation than the statement has that the line is put next to. Edits of one method go
together; those of several calls only where none lies in the statements that another wraps: there,
edit the text, and parse it again.
"""

from __future__ import annotations

import ast
import re
import sys
import warnings
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING, TypeAlias

import libcst as cst
from libcst.helpers import get_full_name_for_node

from flushlint.fixes.edits import TextEdit, apply
from flushlint.machine.scope import build_scopes, children
from flushlint.source import Source, parse
from flushlint.tokens import OPENING, SEPARATOR, past_blanks, strings, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flushlint.positions import Positions

__all__ = ["Block", "Layout", "Statement", "is_docstring"]

Statement: TypeAlias = "cst.BaseSmallStatement | cst.BaseCompoundStatement"
_Clause = (cst.Else, cst.Finally, cst.ExceptHandler, cst.ExceptStarHandler, cst.MatchCase)

_NEWLINE = re.compile(r"\r\n?|\n")
_REST_OF_LINE = re.compile(r"[^\r\n]*")
_BLANK_OR_COMMENT = re.compile(r"[ \t\f]*(?:\#.*)?")
_COMMENT = re.compile(r"[ \t\f]*\#.*")
_CONTINUED = re.compile(r"[ \t\f]*\\")
_COOKIE = re.compile(r"[ \t\f]*\#.*?coding[:=]")


@dataclass(frozen=True)
class Block:
    """The statements of a block, those that share a line one by one, and the place of one."""

    statements: tuple[Statement, ...]
    index: int


class Layout:
    """Where code goes in one module. Offsets are 0-based and count code points of the text."""

    def __init__(self, module: cst.Module, source: Source, positions: Positions) -> None:
        self._module = module
        self._source = source
        self._text = source.text
        self._positions = positions

    # -- the tree ---------------------------------------------------------------------------------

    @cached_property
    def parents(self) -> Mapping[cst.CSTNode, cst.CSTNode]:
        """The node directly around each one; the module, annotations and punctuation have none."""
        parents: dict[cst.CSTNode, cst.CSTNode] = {}
        pending: list[cst.CSTNode] = [self._module]
        while pending:
            node = pending.pop()
            for child in children(node):
                parents[child] = node
                pending.append(child)
        return parents

    def enclosing(self, node: cst.CSTNode) -> Statement:
        """Return the innermost statement that `node` is, or is part of.

        An `elif` is part of its `if`. Raises KeyError for what is part of none, and for
        annotations.
        """
        while True:
            if isinstance(node, (cst.SimpleStatementLine, cst.SimpleStatementSuite)):
                return node.body[0]
            if isinstance(node, cst.BaseSmallStatement):
                return node
            if isinstance(node, cst.BaseCompoundStatement) and not self._is_elif(node):
                return node
            node = self.parents[node]

    def function_of(self, node: cst.CSTNode) -> cst.FunctionDef | cst.Lambda | None:
        """Return the function in whose body `node` stands, None at the top level.

        Decorators, parameters and their defaults stand outside of the function.
        """
        while (parent := self.parents.get(node)) is not None:
            if isinstance(parent, (cst.FunctionDef, cst.Lambda)) and node is parent.body:
                return parent
            node = parent
        return None

    def block_of(self, statement: Statement) -> Block:
        """Return the statements of the block in which `statement` stands, and its index there."""
        holder = self.parents[statement]
        if isinstance(holder, cst.SimpleStatementLine):
            holder = self.parents[holder]
        assert isinstance(holder, (cst.Module, cst.IndentedBlock, cst.SimpleStatementSuite))
        statements = tuple(_flat(holder.body))
        return Block(statements, statements.index(statement))

    def _is_elif(self, node: cst.CSTNode) -> bool:
        parent = self.parents[node]
        return isinstance(parent, cst.If) and parent.orelse is node

    def _leads(self, statement: Statement) -> bool:
        """Whether a statement is the first on a line of its block."""
        parent = self.parents[statement]
        if isinstance(parent, cst.SimpleStatementLine):
            return parent.body[0] is statement
        return not isinstance(parent, cst.SimpleStatementSuite)

    def _trails(self, statement: Statement) -> bool:
        """Whether a statement is the last on a line of its block."""
        parent = self.parents[statement]
        if isinstance(parent, cst.SimpleStatementLine):
            return parent.body[-1] is statement
        return not isinstance(parent, cst.SimpleStatementSuite)

    def _is_prologue(self, block: Block) -> bool:
        """Whether a statement must stay ahead of others: a docstring, an import of the future."""
        statement = block.statements[block.index]
        if _is_future(statement):
            return True
        if block.index > 0 or not is_docstring(statement):
            return False
        holder = self.parents[statement]
        while not isinstance(holder, (cst.Module, cst.BaseCompoundStatement, *_Clause)):
            holder = self.parents[holder]
        return isinstance(holder, (cst.Module, cst.FunctionDef, cst.ClassDef))

    # -- statements -------------------------------------------------------------------------------

    def before(self, statement: Statement, lines: Sequence[str]) -> list[TextEdit] | None:
        """Put lines directly before a statement, its decorators and the comments above them.

        One simple line goes on the line of the statement where that is not the first there, or
        follows a colon. A comment that the file begins with speaks of the file and stays above.
        """
        if self._is_prologue(self.block_of(statement)):
            return None
        if not self._leads(statement):
            line = _inline(lines)
            start, _ = self._positions.offsets(statement)
            return None if line is None else [TextEdit(start, start, f"{line}; ")]
        top = self._top(statement)
        if top is None:
            return None
        return [self._above(top, self._indented(statement, lines), self._line(statement)[0])]

    def after(self, statement: Statement, lines: Sequence[str]) -> list[TextEdit] | None:
        """Put lines directly after a statement, with all its blocks and the comments in them.

        One simple line goes on the line of the statement where more follows there, or where the
        statement follows a colon.
        """
        block = self.block_of(statement)
        if any(map(_is_future, block.statements[block.index + 1 :])):
            return None
        if not self._trails(statement):
            line = _inline(lines)
            _, end = self._positions.offsets(statement)
            return None if line is None else [TextEdit(end, end, f"; {line}")]
        if self._is_continued(self._line(statement)[0]):
            return None
        return [self._below(self._bottom(statement), self._indented(statement, lines))]

    def wrap(
        self,
        first: Statement,
        last: Statement,
        header: str,
        footer: Sequence[str],
        moved: Statement | None = None,
    ) -> list[TextEdit] | None:
        """Indent the statements of one block from `first` to `last`, below a header.

        The comments above `first` are indented with it. The lines of the footer follow at the
        indentation that the statements had. Nothing in a string that spans lines is indented.
        The statement that follows them, `moved`, is indented below the footer.
        """
        block = self.block_of(first)
        if last not in block.statements[block.index :] or self._is_prologue(block):
            return None
        if any(map(_is_future, block.statements[block.index :])):
            return None
        top = self._top(first) if self._leads(first) and self._trails(last) else None
        if top is None:
            return None
        bottom = self._bottom(last)
        unit = self._unit(first)
        indentation = self._indentation(first)
        edits = [
            self._above(top, self._indented(first, (header,)), self._line(first)[0]),
            *(TextEdit(p, p, unit) for p in self._line_starts(top, bottom, indentation)),
        ]
        if moved is not None:
            start = self._top(moved) if self._leads(moved) and self._trails(moved) else None
            if start is None:
                return None
            edits.append(self._above(start, self._indented(first, footer), start))
            lines = self._line_starts(start, self._bottom(moved), indentation)
            edits += [TextEdit(p, p, unit) for p in lines]
        elif footer:
            edits.append(self._below(bottom, self._indented(first, footer)))
        return edits if self._parses(apply(self._text, edits)) else None

    def cut(self, statement: Statement) -> TextEdit | None:
        """Take the only statement of a line away with its line; comments above it stay."""
        if not (self._leads(statement) and self._trails(statement)):
            return None
        start, end = self._line(statement)
        if self._is_continued(start) or self._rest(end).strip(" \t\f"):
            return None
        return TextEdit(self._begin(start), end + len(self._newline(end)), "")

    def _indented(self, statement: Statement, lines: Sequence[str]) -> list[str]:
        """Return new lines at the indentation of a statement that leads its line."""
        indentation, unit = self._indentation(statement), self._unit(statement)
        made = []
        for line in lines:
            code = line.lstrip("\t")
            made.append(f"{indentation}{unit * (len(line) - len(code))}{code}" if code else "")
        return made

    def _indentation(self, node: cst.CSTNode) -> str:
        """Return the blanks that the line of a node begins with, those that Python counts."""
        start, _ = self._positions.line(node)
        return self._text[self._begin(start) : start].rpartition("\f")[2]

    def _unit(self, statement: Statement) -> str:
        """Return by how much the block of a statement is indented, or the module's blocks are."""
        holder = self.parents[statement]
        if isinstance(holder, cst.SimpleStatementLine):
            holder = self.parents[holder]
        if not isinstance(holder, cst.IndentedBlock):
            return self._module.default_indent
        outer = self._indentation(self.parents[holder])
        inner = self._indentation(statement)
        unit = inner[len(outer) :] if inner.startswith(outer) else ""
        return unit or self._module.default_indent

    # -- lines ------------------------------------------------------------------------------------

    def _begin(self, offset: int) -> int:
        """Return where the physical line at an offset begins."""
        return offset - self._source.position(offset).column

    def _rest(self, offset: int) -> str:
        """Return the rest of the physical line at an offset, without its end."""
        match = _REST_OF_LINE.match(self._text, offset)
        return match[0] if match is not None else ""

    def _line(self, statement: Statement) -> tuple[int, int]:
        """Return the offsets of a statement's first logical line, that of a decorator if any."""
        return self._positions.line(self._decorated(statement))

    def _is_continued(self, start: int) -> bool:
        """Whether the blanks that a logical line begins with began on the line before."""
        begin = self._begin(start)
        return begin > 0 and _CONTINUED.fullmatch(self._rest(self._begin(begin - 1))) is not None

    def _top(self, statement: Statement) -> int | None:
        """Return where the first line of a statement begins, or of the comments right above."""
        first = self._decorated(statement)
        start, _ = self._positions.line(first)
        if self._is_continued(start):
            return None
        begin = top = self._begin(start)
        indentation = self._indentation(first)
        above = self._positions.line_above(first)
        floor = above[1] if above is not None else -1
        while top > 0 and (line := self._begin(top - 1)) > floor:
            text = self._rest(line)
            if not _COMMENT.fullmatch(text) or _blanks(text) != indentation:
                break
            if line == 0:
                return begin
            if self._source.position(line).line == 2 and _COOKIE.match(text):
                break
            top = line
        return top

    def _decorated(self, statement: Statement) -> cst.CSTNode:
        decorators = getattr(statement, "decorators", ())
        return decorators[0] if decorators else statement

    def _bottom(self, statement: Statement) -> int:
        """Return the end of a statement's last line, or of the last comment inside its blocks."""
        _, end = self._positions.line(_last_part(statement))
        if isinstance(statement, cst.BaseSmallStatement):
            return end
        width = _width(self._indentation(statement))
        offset = end
        while (newline := _NEWLINE.match(self._text, offset)) is not None:
            text = self._rest(newline.end())
            if not _BLANK_OR_COMMENT.fullmatch(text):
                break
            offset = newline.end() + len(text)
            if _COMMENT.fullmatch(text):
                if _width(_blanks(text)) <= width:
                    break
                end = offset
        return end

    def _newline(self, offset: int) -> str:
        """Return the newline of the line at an offset, or of the one above if it has none."""
        match = _NEWLINE.match(self._text, offset + len(self._rest(offset)))
        if match is None and (begin := self._begin(offset)) > 0:
            match = _NEWLINE.search(self._text, self._begin(begin - 1))
        return match[0] if match is not None else self._module.default_newline

    def _above(self, top: int, lines: list[str], start: int) -> TextEdit:
        """Put lines where a line begins, with the newline of the line at `start`."""
        newline = self._newline(start)
        return TextEdit(top, top, "".join(f"{line}{newline}" for line in lines))

    def _below(self, end: int, lines: list[str]) -> TextEdit:
        """Put lines below the one that ends at `end`; the file keeps ending without a newline."""
        newline = self._newline(end)
        if end == len(self._text):
            return TextEdit(end, end, "".join(f"{newline}{line}" for line in lines))
        place = end + len(newline)
        return TextEdit(place, place, "".join(f"{line}{newline}" for line in lines))

    def _line_starts(self, top: int, bottom: int, indentation: str) -> Iterator[int]:
        """Yield where the lines between two offsets are to be indented further.

        That is behind the indentation of the block, so that tabs and spaces keep their order.
        """
        spans = list(takewhile(lambda span: span[0] < bottom, strings(self._text, top)))
        lines = (match.end() for match in _NEWLINE.finditer(self._text, top, bottom))
        for begin in (top, *lines):
            while spans and spans[0][1] <= begin:
                del spans[0]
            text = self._rest(begin)
            if (spans and spans[0][0] < begin) or not text.strip(" \t\f"):
                continue
            place = past_blanks(self._text, begin) - len(_blanks(text))
            yield place + len(indentation) * self._text.startswith(indentation, place)

    def _parses(self, text: str) -> bool:
        """Whether an edited text is one that whatever could read the old one can read."""
        if self._is_python and not _is_python(text):
            return False
        return self._is_python or isinstance(parse(Source(self._source.path, text)), cst.Module)

    @cached_property
    def _is_python(self) -> bool:
        return _is_python(self._text)

    # -- expressions ------------------------------------------------------------------------------

    def replace(self, node: cst.BaseExpression, text: str) -> list[TextEdit]:
        """Put other text in the place of an expression; parentheses around it stay."""
        return [TextEdit(*self._positions.offsets(node), text)]

    def insert_argument(self, call: cst.Call, text: str) -> list[TextEdit]:
        """Put an argument after the last one of a call, on its own line if each one has one."""
        start, end = self._positions.offsets(call)
        if not call.args:
            place = self._last_opening(start, end)
            return [TextEdit(place, place, text)]
        spans = [self._positions.offsets(argument) for argument in call.args]
        start, end = spans[-1]
        edits = []
        only = call.args[0].value
        if isinstance(only, cst.GeneratorExp) and not only.lpar:
            edits = [TextEdit(start, start, "("), TextEdit(end, end, ")")]
        comma = self._comma(call, end)
        place = end if comma is None else comma
        if not self._has_own_lines(spans):
            joined = f", {text}" if comma is None else f" {text},"
            return [*edits, TextEdit(place, place, joined)]
        if comma is None:
            edits.append(TextEdit(end, end, ","))
        rest = self._rest(place)
        if _BLANK_OR_COMMENT.fullmatch(rest):
            place += len(rest)
        blanks = _blanks(self._rest(self._begin(start)))
        line = f"{self._newline(place)}{blanks}{text}{',' if comma is not None else ''}"
        return [*edits, TextEdit(place, place, line)]

    def _last_opening(self, start: int, end: int) -> int:
        """Return what follows the bracket that opens last between two offsets."""
        openings = [o for kind, o in tokens(self._text[:end], start) if kind == OPENING]
        return past_blanks(self._text, openings[-1]) + 1

    def _comma(self, call: cst.Call, end: int) -> int | None:
        """Return the end of the comma behind the last argument, which ends at `end`."""
        if not isinstance(call.args[-1].comma, cst.Comma):
            return None
        offset = next(offset for kind, offset in tokens(self._text, end) if kind == SEPARATOR)
        return past_blanks(self._text, offset) + 1

    def _has_own_lines(self, spans: list[tuple[int, int]]) -> bool:
        """Whether each argument but perhaps the first begins a line, and the last one does."""
        begins = [not self._text[self._begin(s) : s].strip(" \t\f") for s, _ in spans]
        return begins[-1] and all(begins[1:])

    # -- imports ----------------------------------------------------------------------------------

    def add_import(self, name: str) -> list[TextEdit] | None:
        """Import a module at the top level, beside the other imports, unless that is done already.

        None if the first part of the dotted name is, or may become, something else there.
        """
        if self._is_bound(name.partition(".")[0]):
            return None
        imports = [s for s in _flat(self._module.body) if isinstance(s, cst.Import)]
        known = [path for statement in imports for path in _imported(statement)]
        if any(path == name or path.startswith(f"{name}.") for path in known):
            return []
        line = f"import {name}"
        groups = self._import_groups()
        if not groups:
            return [self._first_import(line)]
        group = _group_for(name, groups)
        if group is None:
            return self.before(groups[0][0], (line, ""))
        plain = [s for s in group if isinstance(s, cst.Import)]
        if not plain:
            return self.before(group[0], (line,))
        names = [_sort_key(path) for statement in plain for path in _paths(statement)]
        if names == sorted(names):
            for statement in plain:
                if self._leads(statement) and _sort_key(_paths(statement)[0]) > _sort_key(name):
                    return self.before(statement, (line,))
        last: Statement = plain[-1]
        while not self._trails(last):
            block = self.block_of(last)
            last = block.statements[block.index + 1]
        return self.after(last, (line,))

    def _is_bound(self, name: str) -> bool:
        """Whether anything but an `import` statement at the top level binds a name there."""
        body = []
        for statement in _flat(self._module.body):
            if not isinstance(statement, cst.Import):
                body.append(statement)
            elif any(a.evaluated_alias == name != a.evaluated_name for a in statement.names):
                return True
        scopes = build_scopes(self._module.with_changes(body=body))
        top = next(iter(scopes.values()))
        return name in top.bound or any(name in scope.globals for scope in scopes.values())

    def _import_groups(self) -> list[list[cst.Import | cst.ImportFrom]]:
        """Return the imports that the module begins with, as blank lines part them."""
        groups: list[list[cst.Import | cst.ImportFrom]] = []
        end = None
        for index, statement in enumerate(_flat(self._module.body)):
            if index == 0 and is_docstring(statement):
                continue
            if not isinstance(statement, (cst.Import, cst.ImportFrom)):
                break
            if _is_future(statement):
                continue
            start, stop = self._positions.line(statement)
            if end is None or any(
                not line.strip(" \t\f")
                for line in _NEWLINE.split(self._text[end : self._begin(start)])[1:-1]
            ):
                groups.append([])
            groups[-1].append(statement)
            end = stop
        return groups

    def _first_import(self, line: str) -> TextEdit:
        """Put the first import below what the file begins with, blank lines around it."""
        above: Statement | None = None
        below: Statement | None = None
        for index, statement in enumerate(_flat(self._module.body)):
            if not (_is_future(statement) or (index == 0 and is_docstring(statement))):
                below = statement
                break
            above = statement
        if above is None:
            place = self._file_comment_end()
        else:
            _, end = self._positions.line(above)
            match = _NEWLINE.match(self._text, end)
            if match is None:
                return self._below(end, ["", line])
            place = match.end()
        newline = self._newline(place)
        gap = 2 if isinstance(below, (cst.FunctionDef, cst.ClassDef)) else 1
        is_open = below is None or not self._rest(place).strip(" \t\f")
        lead = newline if above is not None else ""
        return TextEdit(place, place, f"{lead}{line}{newline}{'' if is_open else newline * gap}")

    def _file_comment_end(self) -> int:
        """Return where the first line begins below the comment that the file begins with."""
        offset = 0
        while _COMMENT.fullmatch(text := self._rest(offset)):
            newline = _NEWLINE.match(self._text, offset + len(text))
            if newline is None:
                break
            offset = newline.end()
        newline = _NEWLINE.match(self._text, offset)
        return newline.end() if offset and newline is not None else offset


def _flat(body: Sequence[cst.CSTNode]) -> Iterator[Statement]:
    """Yield the statements of a block, those that share a line one by one."""
    for node in body:
        if isinstance(node, cst.SimpleStatementLine):
            yield from node.body
        else:
            assert isinstance(node, (cst.BaseSmallStatement, cst.BaseCompoundStatement))
            yield node


def _last_part(statement: cst.CSTNode) -> cst.CSTNode:
    """Return what stands on the last logical line of a statement."""
    node = statement
    while not isinstance(node, (cst.SimpleStatementLine, cst.BaseSmallStatement)):
        clauses = [*getattr(node, "handlers", ()), *getattr(node, "cases", ())]
        clauses += [getattr(node, "orelse", None), getattr(node, "finalbody", None)]
        there = [clause for clause in clauses if clause is not None]
        if there:
            node = there[-1]
        elif isinstance(body := getattr(node, "body", None), cst.IndentedBlock) and body.body:
            node = body.body[-1]
        else:
            return node
    return node


def _inline(lines: Sequence[str]) -> str | None:
    """Return the one simple line that may share its line with others, None if it is not one."""
    if len(lines) != 1 or lines[0].startswith("\t") or not lines[0].strip():
        return None
    try:
        statement = cst.parse_statement(lines[0])
    except cst.ParserSyntaxError:  # the header of a compound statement
        return None
    is_simple = isinstance(statement, cst.SimpleStatementLine)
    return lines[0] if is_simple and "#" not in lines[0] else None


def _blanks(text: str) -> str:
    """Return the blanks that a line begins with, those that Python counts."""
    return text[: past_blanks(text, 0)].rpartition("\f")[2]


def _width(blanks: str) -> int:
    return len(blanks.expandtabs(8))


def is_docstring(statement: Statement) -> bool:
    """Say whether a statement is a string alone: a docstring, where it comes first."""
    return isinstance(statement, cst.Expr) and isinstance(
        statement.value, (cst.SimpleString, cst.ConcatenatedString)
    )


def _is_future(statement: Statement) -> bool:
    return (
        isinstance(statement, cst.ImportFrom)
        and isinstance(statement.module, cst.Name)
        and statement.module.value == "__future__"
    )


def _is_python(text: str) -> bool:
    """Whether the running Python can parse a text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return True


def _paths(statement: cst.Import) -> list[str]:
    return [alias.evaluated_name for alias in statement.names]


def _imported(statement: cst.Import) -> list[str]:
    """Return the modules that a statement imports under their own names."""
    return [
        a.evaluated_name for a in statement.names if a.evaluated_alias in {None, a.evaluated_name}
    ]


def _sort_key(path: str) -> tuple[str, str]:
    return path.lower(), path


def _group_for(
    name: str, groups: list[list[cst.Import | cst.ImportFrom]]
) -> list[cst.Import | cst.ImportFrom] | None:
    """Return the imports beside which a module belongs; None if a new group goes above all."""
    if name.partition(".")[0] not in sys.stdlib_module_names:
        return groups[-1]
    return next((group for group in groups if any(map(_is_standard, group))), None)


def _is_standard(statement: cst.Import | cst.ImportFrom) -> bool:
    """Whether a statement imports from the standard library."""
    if isinstance(statement, cst.Import):
        paths = _paths(statement)
    else:
        paths = (
            []
            if statement.module is None or statement.relative
            else [get_full_name_for_node(statement.module) or ""]
        )
    return any(path.partition(".")[0] in sys.stdlib_module_names for path in paths)
