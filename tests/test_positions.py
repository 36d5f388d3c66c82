"""Positions are those of Python's own parser, in code points, on whatever kind of line."""

from __future__ import annotations

import ast
import sys
import sysconfig
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider

from flushlint.lines import split_lines
from flushlint.positions import Positions
from flushlint.source import Source, parse, read_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flushlint.model import Span

Place = tuple[int, int, int, int]
# The kinds of nodes whose ends both trees define alike.
KINDS = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.Lambda, cst.Await)
AST_KINDS = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Lambda, ast.Await)
HEADERS = (
    cst.BaseCompoundStatement,
    cst.Else,
    cst.ExceptHandler,
    cst.ExceptStarHandler,
    cst.Finally,
    cst.MatchCase,
)


def place(span: Span) -> Place:
    return (span.start.line, span.start.column, span.end.line, span.end.column)


def tree_of(source: Source) -> tuple[cst.Module, Positions]:
    module = parse(source)
    assert isinstance(module, cst.Module), module
    return module, Positions(module, source)


def nodes(module: cst.Module) -> Iterator[cst.CSTNode]:
    """Yield all nodes that a position may be asked for."""
    pending: list[cst.CSTNode] = [module]
    while pending:
        node = pending.pop()
        pending += node.children
        if not isinstance(
            node,
            cst.BaseParenthesizableWhitespace
            | cst.Module
            | cst.IndentedBlock
            | cst.EmptyLine
            | cst.TrailingWhitespace
            | cst.Newline
            | cst.Comment
            | cst.LeftParen
            | cst.RightParen
            | cst.Comma
            | cst.Dot
            | cst.Semicolon
            | cst.AssignEqual,
        ):
            yield node


def ast_places(text: str) -> set[Place]:
    """Return where CPython sees the nodes, its UTF-8 columns turned into code points."""
    lines = split_lines(text)

    def column(line: int, offset: int) -> int:
        return len(lines[line - 1].encode()[:offset].decode())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
    in_strings = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for inner in ast.walk(node)
        # Before 3.12 there are no positions inside of formatted strings.
        if sys.version_info < (3, 12)
    }
    return {
        (
            node.lineno,
            column(node.lineno, node.col_offset),
            node.end_lineno or 0,
            column(node.end_lineno or 0, node.end_col_offset or 0),
        )
        for node in ast.walk(tree)
        if isinstance(node, AST_KINDS) and node not in in_strings
    }


def our_places(text: str) -> set[Place]:
    module, positions = tree_of(Source("some.py", text))
    return {place(positions.span(node)) for node in nodes(module) if isinstance(node, KINDS)}


NASTY = {
    "backslash before a field": 'a = 1\nx = rf"{a}(\\{a})" + f(a)\ny = g(rf"\\{{{a}")\n',
    "form feeds": """\
\x0cfirst(a)
\x0c
  \x0c
\x0c# why
second(b)
if c:
\x0c    third(d)
    e(f)
""",
    "a form feed inside": "x = [\n\x0c  a(b),\n\tc(d)\n]; e\n",
    "a form feed at the end": "a(b)\n\x0c",
    "tabs": "if a:\n\tb(c)\n\tif d:\n\t\te(\n\t\t\tf)\n",
    "non-ASCII": "x = 'žluť😀'; a(b)\nčíslo = f(číslo, 'é', c)  # é\n",
    "no last newline": "if a:\n    b(c)",
    "a comment at the end": "a(b)  # c",
    "semicolons": "a(b); c(d) ; e(f);\n",
    "one line": """\
if a: b(c); d(e)
elif f: g(h)
else: i(j)
for k in l(m): n(o)
else: p(q)
while r: s(t)
else: u(v)
try: w(x)
except A(b) as c: d(e)
else: f(g)
finally: h(i)
with j(k) as l: m(n)
def o(p=q(r)): s(t)
class u(v(w)): x(y)
""",
    "continuation": "a = b \\\n    .c(d) \\\n  + e(f)\nif g and \\\n   h(i): \\\n    j(k)\n",
    "blocks": """\
if a(b):
    c(d)
elif e(f):  # why

    g(h)
elif i:
    j(k)
else:
    l(m)
try:
    a(b)
except (C, d(e)) as f:
    g(h)
except i:
    j
else:
    k(l)
finally:
    m(n)
while a(b):
    c(d)
else:
    e(f)
for g.h in i(j):
    k(l)
else:
    m
with a(b) as c, (d(e)) as f:
    g(h)
""",
    "decorators": """\
@a(b)
# why

@c.d  # who

# how
class E(f(g), h=i(j)):
    @k(l)
    async def m(
        self, n: o(p) = q(r), *s: t, **u
    ) -> v(w):
        await x(y)
""",
    "match": """\
match a(b):
    # why
    case c.d if e(f):
        g(h)
    case [i, {'j': k.l}]: m(n)
    case _:
        o(p)
""",
    "blanks that LibCST drops": """\
try :
    pass
except A(b) :
    c(d)
if a :  b(c)
class A (b) : pass
while a : b(c)
with a(b) : c(d)
""",
    "comments in brackets": "a(  # why\n    b(c),\n\n    # how\n    d(e)\n)(\nf)\n",
    "strings": "a('''\n(\n''', b(c)); d\nx = 'a' \"b\" '''\n''' + e(f)\ng(h)\n",
    "formatted strings": """\
x = f'{a(b)!r:>{c(d)}} {{ {e:%H:%M}' f'''
{f(g)}
''' + h(i)
j(k)
""",
    "lambda": "a = lambda b, c=d(e): f(g)\nh(lambda: (i(j)), k)\n",
    "parentheses": "((a)(b))\n(\n  (c)\n)\nd[(e):(f), ((g))]\n",
    "nested blocks": """\
class A:
  def f(self):
    if a:
        return b(c)
    for d in e(f):
      g(h)
  i(j)
""",
}


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY)
def test_are_those_of_the_interpreter(text: str, newline: str) -> None:
    text = text.replace("\n", newline)
    wanted = ast_places(text)
    assert wanted
    assert wanted <= our_places(text)


def test_of_syntax_newer_than_the_interpreter() -> None:
    text = "type A[B: c(d)] = e(f)\ndef g[T](h: i(j)): k(l)\nx = f'{a['b']!r : >5}' + m(n)\n"
    text += "try:\n    o\nexcept* p(q):\n    r(s)\nexcept* t: u(v)\n"
    module, positions = tree_of(Source("some.py", text))
    calls = [node for node in nodes(module) if isinstance(node, cst.Call)]
    assert len(calls) == 8
    for call in calls:
        span = positions.span(call)
        assert span.start.line == span.end.line
        line = text.splitlines()[span.start.line - 1]
        assert line[span.start.column : span.end.column] == module.code_for_node(call)


def test_columns_do_not_count_a_byte_order_mark() -> None:
    source = read_source(b"\xef\xbb\xbfa(b)\nc(d)\n", "some.py")
    assert isinstance(source, Source)
    module, positions = tree_of(source)
    places = {place(positions.span(node)) for node in nodes(module) if isinstance(node, cst.Call)}
    assert places == {(1, 0, 1, 4), (2, 0, 2, 4)}


def test_of_what_spans_several_lines() -> None:
    module, positions = tree_of(Source("some.py", "a(b,\r\n  c(\r\n  ))\r\n"))
    outer, inner = sorted(
        (positions.span(node) for node in nodes(module) if isinstance(node, cst.Call)),
    )
    assert place(outer) == (1, 0, 3, 4)
    assert place(inner) == (2, 2, 3, 3)


COMPOUND = """\
@decorate(
    1)
def f(
    a=1,
):  # why
    if t: return (
        b)
    elif c:
        d(e); g
    else:  # how
        pass
    try:
        x = '''
'''; y
    except E as z:
        raise
"""


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("decorate", (1, 0, 2, 6)),
        ("f", (3, 0, 5, 9)),
        ("a", (3, 0, 5, 9)),
        ("b", (6, 4, 7, 10)),
        ("c", (8, 4, 8, 11)),
        ("e", (9, 8, 9, 15)),
        ("g", (9, 8, 9, 15)),
        ("x", (13, 8, 14, 6)),
        ("y", (13, 8, 14, 6)),
        ("E", (15, 4, 15, 18)),
    ],
)
def test_the_statement_is_the_logical_line(name: str, statement: Place) -> None:
    module, positions = tree_of(Source("some.py", COMPOUND))
    node = next(n for n in nodes(module) if isinstance(n, cst.Name) and n.value == name)
    assert place(positions.statement(node)) == statement


def test_a_compound_statement_stands_for_its_header() -> None:
    module, positions = tree_of(Source("some.py", COMPOUND))
    function = module.body[0]
    assert isinstance(function, cst.FunctionDef)
    assert place(positions.span(function)) == (3, 0, 5, 2)
    assert place(positions.statement(function)) == (3, 0, 5, 9)
    test = function.body.body[0]
    assert isinstance(test, cst.If)
    assert place(positions.span(test)) == (6, 4, 7, 10)
    assert isinstance(test.orelse, cst.If)
    assert place(positions.span(test.orelse)) == (8, 4, 8, 11)


def test_of_a_module_is_its_beginning() -> None:
    module, positions = tree_of(Source("some.py", "\n# why\na\n"))
    assert place(positions.span(module)) == (1, 0, 1, 0)
    assert place(positions.statement(module)) == (1, 0, 1, 0)


def test_other_modules_have_none() -> None:
    _, positions = tree_of(Source("some.py", "a\n"))
    with pytest.raises(KeyError):
        positions.span(cst.Name("a"))


def test_only_what_is_asked_for_is_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    module, positions = tree_of(Source("some.py", "a(b)\n" * 50 + "c(d)\n"))
    node = next(n for n in nodes(module) if isinstance(n, cst.Name) and n.value == "c")
    positions.span(node)
    assert len(positions._spans) == 1


def test_the_deepest_that_the_guard_lets_pass() -> None:
    deep = "x = " + "a + " * 498 + "a\n" + "y = " + "f(" * 98 + "a" + ")" * 98 + "\n"
    module, positions = tree_of(Source("some.py", deep))
    limit = sys.getrecursionlimit()
    names = [node for node in nodes(module) if isinstance(node, cst.Name)]
    assert {positions.span(name).start.line for name in names} == {1, 2}
    assert sys.getrecursionlimit() == limit


LIBRARY = Path(sysconfig.get_path("stdlib"))
SAMPLE = sorted(LIBRARY.glob("*.py"))[::12] + sorted(LIBRARY.glob("*/*.py"))[::60]


@pytest.mark.parametrize("path", SAMPLE, ids=[path.stem for path in SAMPLE])
def test_are_right_in_the_standard_library(path: Path) -> None:
    source = read_source(path.read_bytes(), str(path))
    if not isinstance(source, Source):
        pytest.skip("not readable, on purpose")
    try:
        wanted = ast_places(source.text)
    except SyntaxError:
        pytest.skip("not Python, on purpose")
    module, positions = tree_of(source)
    found = set()
    provided = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
    # LibCST's own positions are wrong after a form feed.
    comparable = "\x0c" not in source.text and module.code == source.text
    for node in nodes(module):
        if isinstance(node, cst.SimpleStatementSuite):
            continue
        span = positions.span(node)
        if isinstance(node, KINDS):
            found.add(place(span))
        if comparable and not isinstance(node, HEADERS):
            theirs = provided[node]
            assert place(span) == (
                theirs.start.line,
                theirs.start.column,
                theirs.end.line,
                theirs.end.column,
            )
    assert wanted <= found


def test_offsets_and_logical_lines() -> None:
    text = "@a\n\ndef f(): (b)  # c\n\n# d\nx = [\r\n1]; é = 2 \n"
    module, positions = tree_of(Source("some.py", text))
    function, line = module.body
    assert isinstance(function, cst.FunctionDef)
    assert isinstance(line, cst.SimpleStatementLine)

    def cut(place: tuple[int, int] | None) -> str | None:
        return None if place is None else text[slice(*place)]

    assert cut(positions.line(function)) == "def f(): (b)  # c"
    assert cut(positions.line_above(function)) == "@a"
    assert cut(positions.line_above(function.decorators[0])) is None
    assert cut(positions.line_above(line.body[1])) == "def f(): (b)  # c"
    assert [cut(positions.offsets(small)) for small in line.body] == ["x = [\r\n1]", "é = 2"]
    assert cut(positions.line(line.body[1])) == "x = [\r\n1]; é = 2 "
    assert positions.offsets(module) == positions.line(module) == (0, 0)
