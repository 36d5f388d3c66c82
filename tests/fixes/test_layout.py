"""Layout: code goes where a person would have put it, and nothing else changes."""

from __future__ import annotations

import ast
import textwrap
from typing import TYPE_CHECKING, TypeAlias

import libcst as cst
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flushlint.fixes.edits import Patch, TextEdit, apply, encode
from flushlint.fixes.layout import Layout, Statement
from flushlint.positions import Positions
from flushlint.source import Source, parse, read_source

if TYPE_CHECKING:
    from collections.abc import Iterator

Edits: TypeAlias = "list[TextEdit] | None"

FLUSH = ("fd.flush()",)
GUARDED = ("if fd:", "\tfd.flush()")
FINALLY = ("finally:", "\tfd.flush()")


class Case:
    """A text and its layout; statements are called by the code that they begin with."""

    def __init__(self, source: str | Source) -> None:
        self.source = source if isinstance(source, Source) else Source("some.py", source)
        module = parse(self.source)
        assert isinstance(module, cst.Module), module
        self.module = module
        self.positions = Positions(module, self.source)
        self.layout = Layout(module, self.source, self.positions)

    def nodes(self) -> Iterator[cst.CSTNode]:
        return iter(self.layout.parents)

    def statements(self) -> list[Statement]:
        """Return all statements that a layout may be asked for, in the order of the text."""
        found = {self.layout.enclosing(node) for node in self.nodes()}
        return sorted(found, key=self.positions.offsets)

    def statement(self, code: str) -> Statement:
        text = self.source.text
        for statement in self.statements():
            if text.startswith(code, self.positions.offsets(statement)[0]):
                return statement
        raise LookupError(code)

    def expression(self, code: str) -> cst.BaseExpression:
        text = self.source.text
        for node in self.nodes():
            if isinstance(node, cst.BaseExpression):
                start, end = self.positions.offsets(node)
                if text[start:end] == code:
                    return node
        raise LookupError(code)

    def call(self, code: str) -> cst.Call:
        node = self.expression(code)
        assert isinstance(node, cst.Call)
        return node

    def text(self, edits: Edits) -> str | None:
        return None if edits is None else apply(self.source.text, edits)


def before(text: str, code: str, lines: tuple[str, ...] = FLUSH) -> str | None:
    case = Case(text)
    return case.text(case.layout.before(case.statement(code), lines))


def after(text: str, code: str, lines: tuple[str, ...] = FLUSH) -> str | None:
    case = Case(text)
    return case.text(case.layout.after(case.statement(code), lines))


def wrap(
    text: str, first: str, last: str, header: str = "try:", footer: tuple[str, ...] = FINALLY
) -> str | None:
    case = Case(text)
    edits = case.layout.wrap(case.statement(first), case.statement(last), header, footer)
    return case.text(edits)


def add_import(text: str, name: str) -> str | None:
    case = Case(text)
    return case.text(case.layout.add_import(name))


# -- before ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        pytest.param("b(", "a()\nb()\n", "a()\nfd.flush()\nb()\n", id="plain"),
        pytest.param("a(", "a()\n", "fd.flush()\na()\n", id="first of the file"),
        pytest.param("b(", "if a:\n  b()\n", "if a:\n  fd.flush()\n  b()\n", id="two spaces"),
        pytest.param("b(", "def f():\n\tb()\n", "def f():\n\tfd.flush()\n\tb()\n", id="tab"),
        pytest.param("b(", "a(); b()\n", "a(); fd.flush(); b()\n", id="after a semicolon"),
        pytest.param("b(", "a();b();\n", "a();fd.flush(); b();\n", id="tight semicolons"),
        pytest.param("a(", "a(); b()\n", "fd.flush()\na(); b()\n", id="before semicolons"),
        pytest.param("b(", "if a: b()\n", "if a: fd.flush(); b()\n", id="one-line suite"),
        pytest.param(
            "c(", "if a: b()\nelse: c()\n", "if a: b()\nelse: fd.flush(); c()\n", id="one-line else"
        ),
        pytest.param(
            "(c",
            "try: b()\nfinally: (c()); d()  # e\n",
            "try: b()\nfinally: (c()); d()  # e\n".replace("(c", "fd.flush(); (c"),
            id="parentheses",
        ),
        pytest.param(
            "async def g",
            "x = 1\n\n@a\n# why\n@b.c(\n  1)\nasync def g(): pass\n",
            "x = 1\n\nfd.flush()\n@a\n# why\n@b.c(\n  1)\nasync def g(): pass\n",
            id="decorators",
        ),
        pytest.param(
            "b(",
            "if a:\n    c\n\n    # what\n    # why\n    b()\n",
            "if a:\n    c\n\n    fd.flush()\n    # what\n    # why\n    b()\n",
            id="comments above",
        ),
        pytest.param(
            "b(",
            "a()  # a\n# b\n\nb()\n",
            "a()  # a\n# b\n\nfd.flush()\nb()\n",
            id="a comment further above",
        ),
        pytest.param(
            "b(",
            "if a:\n        # deeper\n    b()\n",
            "if a:\n        # deeper\n    fd.flush()\n    b()\n",
            id="a comment at another indentation",
        ),
        pytest.param(
            "b(",
            'x = """\n# no comment"""\nb()\n',
            'x = """\n# no comment"""\nfd.flush()\nb()\n',
            id="a string that looks like a comment",
        ),
        pytest.param(
            "b(",
            "#!/usr/bin/env python\n# coding: utf-8\nb()\n",
            "#!/usr/bin/env python\n# coding: utf-8\nfd.flush()\nb()\n",
            id="comments of the file",
        ),
        pytest.param(
            "b(", "\n# coding: utf-8\nb()\n", "\n# coding: utf-8\nfd.flush()\nb()\n", id="cookie"
        ),
        pytest.param(
            "b(", "'''Doc.'''\nb()\n", "'''Doc.'''\nfd.flush()\nb()\n", id="after a docstring"
        ),
        pytest.param("b(", "a()\x0c\n\x0cb()\n", "a()\x0c\nfd.flush()\n\x0cb()\n", id="form feed"),
        pytest.param(
            "b(",
            "if a:\n \x0c    b()\n",
            "if a:\n    fd.flush()\n \x0c    b()\n",
            id="form feed in the indentation",
        ),
        pytest.param("b(", "a\r\nb()\r\n", "a\r\nfd.flush()\r\nb()\r\n", id="CRLF"),
        pytest.param("b(", "a\nb()\r\nc\n", "a\nfd.flush()\r\nb()\r\nc\n", id="mixed newlines"),
        pytest.param("b(", "a\rb()\r", "a\rfd.flush()\rb()\r", id="CR"),
        pytest.param("b(", "a\r\nb()", "a\r\nfd.flush()\r\nb()", id="no last newline"),
        pytest.param(
            "b(",
            "x = f(\n    1,\n)\nb(\n    2\n)\n",
            "x = f(\n    1,\n)\nfd.flush()\nb(\n    2\n)\n",
            id="brackets",
        ),
        pytest.param(
            "b =",
            "a = 1 + \\\n  2\nb = 3\n",
            "a = 1 + \\\n  2\nfd.flush()\nb = 3\n",
            id="backslash",
        ),
        pytest.param(
            "c(",
            "x = 'é😀'; c()  # é\n",
            "x = 'é😀'; fd.flush(); c()  # é\n",
            id="non-ASCII",
        ),
        pytest.param(
            "return",
            "class A:\n   def f(self):\n    async def g():\n         x\n         return 1\n",
            "class A:\n   def f(self):\n    async def g():\n         x\n"
            "         fd.flush()\n         return 1\n",
            id="nested, indented anyhow",
        ),
        pytest.param(
            "b(",
            "match a:\n case 1:\n  b()\n",
            "match a:\n case 1:\n  fd.flush()\n  b()\n",
            id="case",
        ),
    ],
)
def test_a_line_before_a_statement(code: str, text: str, expected: str) -> None:
    assert before(text, code) == expected


def test_lines_before_a_statement_take_the_unit_of_the_block() -> None:
    assert before("def f():\n   a()\n", "a(", GUARDED) == (
        "def f():\n   if fd:\n      fd.flush()\n   a()\n"
    )
    assert before("def f():\n\ta()\n", "a(", GUARDED) == (
        "def f():\n\tif fd:\n\t\tfd.flush()\n\ta()\n"
    )
    assert before("if a:\n  pass\nb()\n", "b(", GUARDED) == (
        "if a:\n  pass\nif fd:\n  fd.flush()\nb()\n"
    )
    assert before("b()\n", "b(", GUARDED) == "if fd:\n    fd.flush()\nb()\n"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("'''Doc", "'''Doc.'''\nb()\n"),
        ("'Doc", "def f():\n    'Doc.'\n    b()\n"),
        ("'Doc", "def f(): 'Doc.'; b()\n"),
        ("from __", "from __future__ import annotations\n"),
        ("from __", "'Doc.'; from __future__ import annotations\n"),
        ("b(", "a\n\\\nb()\n"),
        ("b(", "if a:\n  a\n  \\\n  b()\n"),
    ],
)
def test_nothing_goes_before_what_must_be_first(code: str, text: str) -> None:
    assert before(text, code) is None


@pytest.mark.parametrize("lines", [(*FLUSH, *FLUSH), GUARDED, ("if fd: fd.flush()",), ("a  # b",)])
def test_only_one_simple_line_shares_a_line(lines: tuple[str, ...]) -> None:
    for text in ("a(); b()\n", "if a: b()\n", "def f(): b()\n"):
        assert before(text, "b(", lines) is None
    for text in ("b(); a()\n", "if a: b()\n", "def f(): b()\n"):
        assert after(text, "b(", lines) is None


# -- after ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        pytest.param("a(", "a()\nb()\n", "a()\nfd.flush()\nb()\n", id="plain"),
        pytest.param("a(", "a()  # why\n\n", "a()  # why\nfd.flush()\n\n", id="comment"),
        pytest.param("a(", "a()  \n", "a()  \nfd.flush()\n", id="trailing blanks"),
        pytest.param("a(", "a()", "a()\nfd.flush()", id="no last newline"),
        pytest.param("b(", "a()\r\nb()", "a()\r\nb()\r\nfd.flush()", id="CRLF, no last newline"),
        pytest.param(
            "b(", "if a:\n\tb()  # c", "if a:\n\tb()  # c\n\tfd.flush()", id="comment at the end"
        ),
        pytest.param("a(", "a(); b()\n", "a(); fd.flush(); b()\n", id="before a semicolon"),
        pytest.param("b(", "a(); b();  # c\n", "a(); b();  # c\nfd.flush()\n", id="semicolons"),
        pytest.param("b(", "if a: b()\n", "if a: b(); fd.flush()\n", id="one-line suite"),
        pytest.param(
            "fd.write",
            "def f(fd): fd.write(x)\n",
            "def f(fd): fd.write(x); fd.flush()\n",
            id="one-line function",
        ),
        pytest.param(
            "b(", "if a: b();  # c\nd\n", "if a: b(); fd.flush();  # c\nd\n", id="before a comment"
        ),
        pytest.param(
            "b(",
            "class A:\n  x = [\n1]\n  b(\n  )\n",
            "class A:\n  x = [\n1]\n  b(\n  )\n  fd.flush()\n",
            id="brackets",
        ),
        pytest.param(
            "a =", "a = 1 + \\\n    2\nb\n", "a = 1 + \\\n    2\nfd.flush()\nb\n", id="backslash"
        ),
        pytest.param(
            "a =",
            "if x:\n  a = '''\n b\n'''  # c\n",
            "if x:\n  a = '''\n b\n'''  # c\n  fd.flush()\n",
            id="string",
        ),
        pytest.param("a", "a\r\nb\nc\r", "a\r\nfd.flush()\r\nb\nc\r", id="CRLF"),
        pytest.param("b", "a\r\nb\nc\r", "a\r\nb\nfd.flush()\nc\r", id="LF"),
        pytest.param("c", "a\r\nb\nc\r", "a\r\nb\nc\rfd.flush()\r", id="CR"),
        pytest.param(
            "if", "if a:\n    b\nc\n", "if a:\n    b\nfd.flush()\nc\n", id="compound statement"
        ),
        pytest.param(
            "if",
            "if a:\n  b\nelif c:\n  d\nelif e: f\nelse:\n  for g in h:\n    i\n\n\nj\n",
            "if a:\n  b\nelif c:\n  d\nelif e: f\nelse:\n  for g in h:\n    i\nfd.flush()\n\n\nj\n",
            id="else",
        ),
        pytest.param(
            "for",
            "if x:\n\tfor a in b:\n\t\tc\n\telse: d\n",
            "if x:\n\tfor a in b:\n\t\tc\n\telse: d\n\tfd.flush()\n",
            id="else of a loop",
        ),
        pytest.param(
            "try",
            "try:\n    a\nexcept b:\n    c\nelse:\n    d\nfinally:\n    e\n",
            "try:\n    a\nexcept b:\n    c\nelse:\n    d\nfinally:\n    e\nfd.flush()\n",
            id="finally",
        ),
        pytest.param(
            "try", "try: a\nexcept b: c\n", "try: a\nexcept b: c\nfd.flush()\n", id="except"
        ),
        pytest.param(
            "try",
            "try:\n  a\nexcept b: c\nelse:\n  d\n",
            "try:\n  a\nexcept b: c\nelse:\n  d\nfd.flush()\n",
            id="else of a try",
        ),
        pytest.param(
            "match",
            "match a:\n  case 1: pass\n  case 2:\n    with b:\n      c\n",
            "match a:\n  case 1: pass\n  case 2:\n    with b:\n      c\nfd.flush()\n",
            id="match",
        ),
        pytest.param(
            "with",
            "async def f():\n  async with a as b:\n    c\n  d\n".replace("async with", "with"),
            "async def f():\n  with a as b:\n    c\n  fd.flush()\n  d\n",
            id="with",
        ),
        pytest.param(
            "if",
            "if a:\n    b\n\n    # inside\n      # deeper\n\n# outside\nc\n",
            "if a:\n    b\n\n    # inside\n      # deeper\nfd.flush()\n\n# outside\nc\n",
            id="comments inside",
        ),
        pytest.param(
            "if a",
            "if x:\n  if a:\n    b\n  # outside\n",
            "if x:\n  if a:\n    b\n  fd.flush()\n  # outside\n",
            id="comment outside",
        ),
        pytest.param("if", "if a: b", "if a: b\nfd.flush()", id="one-line if at the end"),
        pytest.param(
            "if", "if a:\n  b\n  # c", "if a:\n  b\n  # c\nfd.flush()", id="comment at the very end"
        ),
        pytest.param(
            "def f",
            "@a\ndef f():\n    b\n\n\ndef g(): pass\n",
            "@a\ndef f():\n    b\nfd.flush()\n\n\ndef g(): pass\n",
            id="function",
        ),
        pytest.param(
            "'Doc", "def f():\n  'Doc.'\n  a\n", "def f():\n  'Doc.'\n  fd.flush()\n  a\n", id="doc"
        ),
    ],
)
def test_a_line_after_a_statement(code: str, text: str, expected: str) -> None:
    assert after(text, code) == expected


def test_nothing_goes_before_the_future() -> None:
    text = "'''Doc.'''\nfrom __future__ import annotations\nfrom __future__ import division\n"
    assert after(text, "'''Doc") is None
    assert after(text, "from __future__ import a") is None
    assert after(text, "from __future__ import d") == f"{text}fd.flush()\n"


# -- wrap -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "text", "expected"),
    [
        pytest.param(
            "a(",
            "b(",
            """\
            def f(fd):
                a()
                b()
            """,
            """\
            def f(fd):
                try:
                    a()
                    b()
                finally:
                    fd.flush()
            """,
            id="body",
        ),
        pytest.param(
            "fd.write",
            "for",
            """\
            class A:
               async def f(self, fd):
                  '''Doc.'''

                  # The head.
                  fd.write(
                      1,  # one
                  )

                  # The rest.
                  for x in self:
                     if x: continue

                     fd.write(x)
                        # So far.
                  return 1  # done
            """,
            """\
            class A:
               async def f(self, fd):
                  '''Doc.'''

                  try:
                     # The head.
                     fd.write(
                         1,  # one
                     )

                     # The rest.
                     for x in self:
                        if x: continue

                        fd.write(x)
                           # So far.
                  finally:
                     fd.flush()
                  return 1  # done
            """,
            id="comments, brackets, three spaces",
        ),
        pytest.param(
            "a =",
            "d =",
            '''\
            def f(fd):
                a = """
              b
                """
                c = f"""{
              a}
                """, 'x\\
              y', \\
                  1
                d = rb\'\'\'
                \'\'\'; e
            ''',
            None,
            id="semicolons",
        ),
        pytest.param(
            "a =",
            "e",
            '''\
            def f(fd):
                a = """
              b
                """
                c = f"""{
              a}
                """, 'x\\
              y', \\
                  1
                d = rb\'\'\'
                \'\'\'; e
            ''',
            '''\
            def f(fd):
                try:
                    a = """
              b
                """
                    c = f"""{
              a}
                """, 'x\\
              y', \\
                      1
                    d = rb\'\'\'
                \'\'\'; e
                finally:
                    fd.flush()
            ''',
            id="strings",
        ),
        pytest.param(
            "@a",
            "x",
            """\
            if y:
                @a
                def g():
                    pass
                x
            """,
            None,
            id="no statement",
        ),
        pytest.param(
            "def g",
            "x",
            """\
            if y:
                @a
                # why
                def g():
                    pass
            # At the left.
                x
            """,
            """\
            if y:
                try:
                    @a
                    # why
                    def g():
                        pass
                # At the left.
                    x
                finally:
                    fd.flush()
            """,
            id="decorators",
        ),
        pytest.param(
            "if",
            "if",
            """\
            # The file.

            # The branch.
            if a:
             b
            else:
             c
            """,
            """\
            # The file.

            try:
             # The branch.
             if a:
              b
             else:
              c
            finally:
             fd.flush()
            """,
            id="top level, one space",
        ),
    ],
)
def test_statements_are_wrapped(first: str, last: str, text: str, expected: str | None) -> None:
    text = textwrap.dedent(text)
    if first == "@a":
        with pytest.raises(LookupError):
            wrap(text, first, last)
        return
    assert wrap(text, first, last) == (None if expected is None else textwrap.dedent(expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "def f():\n\ta\n\t \n\tb\n",
            "def f():\n\twith fd:\n\t\ta\n\t \n\t\tb\n",
            id="tabs and a line of blanks",
        ),
        pytest.param(
            "def f():\r\n  a\r\n\r\n  b",
            "def f():\r\n  with fd:\r\n    a\r\n\r\n    b",
            id="CRLF and no last newline",
        ),
        pytest.param(
            "def f():\n  a\r\n  x\r  b\n",
            "def f():\n  with fd:\r\n    a\r\n    x\r    b\n",
            id="mixed newlines",
        ),
        pytest.param("def f():\r  a\r  b\r", "def f():\r  with fd:\r    a\r    b\r", id="CR"),
        pytest.param(
            "def f():\n  a\n\x0c\n \x0c  b\n",
            "def f():\n  with fd:\n    a\n\x0c\n \x0c    b\n",
            id="form feeds",
        ),
        pytest.param(
            "class A:\n    def f():\n    \ta\n    \tb\n",
            "class A:\n    def f():\n    \twith fd:\n    \t\ta\n    \t\tb\n",
            id="tabs after spaces",
        ),
        pytest.param(
            "if x:\n\t    def f():\n\t        a\n        \tb\n", None, id="indented by other blanks"
        ),
        pytest.param("def f(): a; b\n", None, id="one-line suite"),
        pytest.param("x; a\nb\n", None, id="something before on the line"),
        pytest.param("a\nb; x\n", None, id="something behind on the line"),
        pytest.param(
            "def f():\n  a; x\n  x; b\n",
            "def f():\n  with fd:\n    a; x\n    x; b\n",
            id="whole lines with semicolons",
        ),
        pytest.param("if x:\n  a\nelse:\n  b\n", None, id="two blocks"),
        pytest.param("b\na\n", None, id="the wrong way round"),
        pytest.param("if x:\n  c\n  \\\n  a\n  b\n", None, id="continued indentation"),
        pytest.param(
            "é = 'é😀'\nif x:\n  a  # é\n  b\n",
            "é = 'é😀'\nif x:\n  with fd:\n    a  # é\n    b\n",
            id="non-ASCII",
        ),
    ],
)
def test_lines_are_indented_as_they_are(text: str, expected: str | None) -> None:
    case = Case(text)
    edits = case.layout.wrap(case.statement("a"), case.statement("b"), "with fd:", ())
    assert case.text(edits) == expected
    assert all(edit.text for edit in edits or ())


def test_what_must_be_first_is_not_wrapped() -> None:
    assert wrap("def f():\n  'Doc.'\n  a\n", "'Doc", "a") is None
    assert wrap("'Doc.'\nfrom __future__ import annotations\n", "'Doc", "'Doc") is None
    assert wrap("from __future__ import annotations\na\n", "from", "a") is None
    assert wrap("if a:\n  'no doc'\n", "'no", "'no") == (
        "if a:\n  try:\n    'no doc'\n  finally:\n    fd.flush()\n"
    )


# -- expressions ----------------------------------------------------------------------------------


def test_an_expression_is_replaced() -> None:
    case = Case("x = 'é', (open('f') ); y = f'{open( 1 )}'\n")
    assert case.text(case.layout.replace(case.expression("open('f')"), "fd")) == (
        "x = 'é', (fd ); y = f'{open( 1 )}'\n"
    )
    assert case.text(case.layout.replace(case.expression("open( 1 )"), "fd")) == (
        "x = 'é', (open('f') ); y = f'{fd}'\n"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f()", "f(b=1)"),
        ("f(  )", "f(b=1  )"),
        ("f(\n    # none\n)", "f(b=1\n    # none\n)"),
        ("f(a)(\n)", "f(a)(b=1\n)"),
        ("f(a)", "f(a, b=1)"),
        ("f(a )", "f(a, b=1 )"),
        ("f((a))", "f((a), b=1)"),
        ("f(a,)", "f(a, b=1,)"),
        ("f(a , )", "f(a , b=1, )"),
        ("f(*a, **c)", "f(*a, **c, b=1)"),
        ("f(x for x in y)", "f((x for x in y), b=1)"),
        ("f((x for x in y))", "f((x for x in y), b=1)"),
        ("f(\n    a, c\n)", "f(\n    a, c, b=1\n)"),
        ("f(\n    a, c,  # why\n)", "f(\n    a, c, b=1,  # why\n)"),
        ("f(a, c,\n  d)", "f(a, c,\n  d, b=1)"),
        ("f(a,\n  c)", "f(a,\n  c,\n  b=1)"),
        ("f(a,\n  c,)", "f(a,\n  c,\n  b=1,)"),
        ("f(\n    a,\n    c,\n)", "f(\n    a,\n    c,\n    b=1,\n)"),
        ("f(\n\ta,  # a\n\tc,  # c\n\t# end\n)", "f(\n\ta,  # a\n\tc,  # c\n\tb=1,\n\t# end\n)"),
        ("f(\r\n  a,\r\n  c  # c\r\n)", "f(\r\n  a,\r\n  c,  # c\r\n  b=1\r\n)"),
        ("f(\n    a\n)", "f(\n    a,\n    b=1\n)"),
        ("f(\n    a=[\n        1,\n    ],\n)", "f(\n    a=[\n        1,\n    ],\n    b=1,\n)"),
        ("f(\n    a\n    ,\n)", "f(\n    a\n    ,\n    b=1,\n)"),
    ],
)
def test_an_argument_is_added(text: str, expected: str) -> None:
    for frame in ("{}\n", "x = [{}]; y\n", "if a:\n    with {} as b: pass\n", "{}"):
        case = Case(frame.format(text))
        new = case.text(case.layout.insert_argument(case.call(text), "b=1"))
        assert new == frame.format(expected)
        ast.parse(new)


# -- imports --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("import re\nx\n", "import os\nimport re\nx\n", id="before another"),
        pytest.param("import ast\n\nx\n", "import ast\nimport os\n\nx\n", id="after another"),
        pytest.param(
            "import ast\nimport re  # re\n\nfrom a import b\nx\n",
            "import ast\nimport os\nimport re  # re\n\nfrom a import b\nx\n",
            id="between",
        ),
        pytest.param(
            "import sys\nimport ast\nfrom re import sub\nx\n",
            "import sys\nimport ast\nimport os\nfrom re import sub\nx\n",
            id="unsorted",
        ),
        pytest.param(
            "from multiprocessing import Process\n\nx\n",
            "import os\nfrom multiprocessing import Process\n\nx\n",
            id="before from",
        ),
        pytest.param(
            "import ast\nfrom multiprocessing import Process\n",
            "import ast\nimport os\nfrom multiprocessing import Process\n",
            id="plain imports first",
        ),
        pytest.param(
            "import ast\nimport sys\n\nimport numpy as np\n",
            "import ast\nimport os\nimport sys\n\nimport numpy as np\n",
            id="in the group of the standard library",
        ),
        pytest.param(
            "import numpy as np\n\nx\n", "import os\n\nimport numpy as np\n\nx\n", id="a new group"
        ),
        pytest.param(
            "'''Doc.'''\n\nfrom __future__ import annotations\n\nimport re\n",
            "'''Doc.'''\n\nfrom __future__ import annotations\n\nimport os\nimport re\n",
            id="after the future",
        ),
        pytest.param(
            "'''Doc.'''\nfrom __future__ import annotations\n\nx\n",
            "'''Doc.'''\nfrom __future__ import annotations\n\nimport os\n\nx\n",
            id="after the future alone",
        ),
        pytest.param("'''Doc.'''\nx\n", "'''Doc.'''\n\nimport os\n\nx\n", id="after the docstring"),
        pytest.param("'''Doc.'''", "'''Doc.'''\n\nimport os", id="docstring only"),
        pytest.param(
            "#!/usr/bin/python\n# coding: utf-8\n\n# why\nx\n",
            "#!/usr/bin/python\n# coding: utf-8\n\nimport os\n\n# why\nx\n",
            id="after comments",
        ),
        pytest.param(
            "#!/usr/bin/python\nx\n", "#!/usr/bin/python\nimport os\n\nx\n", id="after the shebang"
        ),
        pytest.param("x\n", "import os\n\nx\n", id="at the top"),
        pytest.param("x", "import os\n\nx", id="at the top of a line"),
        pytest.param(
            "\r\ndef f():\r\n  x\r\n",
            "import os\r\n\r\ndef f():\r\n  x\r\n",
            id="above blank lines",
        ),
        pytest.param(
            "def f():\r\n  x\r\n",
            "import os\r\n\r\n\r\ndef f():\r\n  x\r\n",
            id="two blank lines above a function",
        ),
        pytest.param(
            "import sys; x = 1\ny\n", "import os\nimport sys; x = 1\ny\n", id="before a semicolon"
        ),
        pytest.param(
            "import ast; x = 1\ny\n", "import ast; x = 1\nimport os\ny\n", id="behind semicolons"
        ),
        pytest.param(
            "try:\n    import fcntl\nexcept ImportError:\n    fcntl = None\n",
            "import os\n\ntry:\n    import fcntl\nexcept ImportError:\n    fcntl = None\n",
            id="before a try",
        ),
        pytest.param(
            "import ast\n# why\nimport re\n",
            "import ast\nimport os\n# why\nimport re\n",
            id="above the comment of another",
        ),
        pytest.param("import ast, re\nx\n", "import ast, re\nimport os\nx\n", id="with commas"),
        pytest.param("x\nimport ast\n", "import os\n\nx\nimport ast\n", id="imports further down"),
        pytest.param("def f():\n  os = 1\n", "import os\n\n\ndef f():\n  os = 1\n", id="a local"),
    ],
)
def test_an_import_is_added(text: str, expected: str) -> None:
    assert add_import(text, "os") == expected


@pytest.mark.parametrize(
    "text",
    ["import os\n", "import re, os\n", "x\nimport os.path\n", "x; import os as os\n"],
)
def test_a_module_is_imported_once(text: str) -> None:
    assert Case(text).layout.add_import("os") == []


@pytest.mark.parametrize(
    "text",
    [
        "os = 1\n",
        "import x as os\n",
        "import os\nos = None\n",
        "from x import os\n",
        "def os(): pass\n",
        "for os in x: pass\n",
        "def f():\n  global os\n  os = 1\n",
        "try: import os\nexcept ImportError: os = None\n",
        "import os\ndel os\n",
    ],
)
def test_no_import_where_the_name_is_something_else(text: str) -> None:
    assert Case(text).layout.add_import("os") is None


def test_a_submodule_is_imported_beside_its_package() -> None:
    text = "import multiprocessing\nimport os\n"
    assert add_import(text, "multiprocessing.util") == (
        "import multiprocessing\nimport multiprocessing.util\nimport os\n"
    )
    assert add_import("import os.path as p\n", "os.path") == (
        "import os.path as p\nimport os.path\n"
    )


# -- the tree -------------------------------------------------------------------------------------


def test_what_is_around_a_node() -> None:
    case = Case(
        textwrap.dedent(
            """\
            @deco(d)
            def f(p=q):
                if a:
                    b; c
                elif e:
                    g = lambda h=i: j
                for k in l: m
                else: n
            try: o
            except r: pass
            """
        )
    )

    def around(code: str) -> str:
        statement = case.layout.enclosing(case.expression(code))
        return case.source.text[case.positions.offsets(statement)[0] :][:5].split("\n")[0]

    places = {name: around(name) for name in "dqabceijklmnor"}
    assert places == {
        "d": "def f", "q": "def f", "a": "if a:", "b": "b; c", "c": "c", "e": "if a:", "i": "g = l",
        "j": "g = l", "k": "for k", "l": "for k", "m": "m", "n": "n", "o": "o", "r": "try: ",
    }  # fmt: skip

    def function(code: str) -> str | None:
        node = case.layout.function_of(case.expression(code))
        return None if node is None else type(node).__name__

    assert [function(name) for name in "dqaijno"] == [
        None, None, "FunctionDef", "FunctionDef", "Lambda", "FunctionDef", None,
    ]  # fmt: skip
    block = case.layout.block_of(case.statement("c"))
    assert [case.statement("b"), case.statement("c")] == list(block.statements)
    assert block.index == 1
    inner = case.layout.block_of(case.statement("for"))
    assert inner.statements == (case.statement("if"), case.statement("for"))
    assert case.layout.block_of(case.statement("try")).statements[0] is case.statement("def")
    line = case.layout.parents[case.statement("b")]
    assert case.layout.enclosing(line) is case.statement("b")
    with pytest.raises(KeyError):
        case.layout.enclosing(case.module)


def test_deep_trees_are_walked() -> None:
    case = Case(f"x = {'(' * 90}a{')' * 90}{'.b' * 400}\n")
    assert case.layout.enclosing(case.expression("a")) is case.statement("x")


# -- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            b"\xef\xbb\xbfx = '\xc3\xa9'; b()\r\n",
            b"\xef\xbb\xbfimport os\r\n\r\nx = '\xc3\xa9'; fd.flush(); b()\r\n",
        ),
        (
            b"# coding: latin-1\nx = '\xe9'; b()",
            b"# coding: latin-1\nimport os\n\nx = '\xe9'; fd.flush(); b()",
        ),
    ],
)
def test_files_keep_their_mark_and_encoding(data: bytes, expected: bytes) -> None:
    source = read_source(data, "some.py")
    assert isinstance(source, Source)
    case = Case(source)
    edits = case.layout.before(case.statement("b("), FLUSH)
    imports = case.layout.add_import("os")
    assert edits is not None
    assert imports is not None
    assert encode(source, [*edits, *imports]) == expected


def test_edits_of_several_calls_go_together() -> None:
    text = "import re\nif a:\n    b(); c(d)\n"
    case = Case(text)
    parts = [
        case.layout.add_import("os"),
        case.layout.after(case.statement("c("), FLUSH),
        case.layout.before(case.statement("b("), GUARDED),
        case.layout.before(case.statement("c("), FLUSH),
        case.layout.insert_argument(case.call("c(d)"), "1"),
    ]
    patch = Patch(text).edit([edit for part in parts for edit in part or ()])
    assert patch.text == (
        "import os\nimport re\nif a:\n    if fd:\n        fd.flush()\n"
        "    b(); fd.flush(); c(d, 1)\n    fd.flush()\n"
    )
    assert apply(text, patch.edits()) == patch.text


# -- any program ----------------------------------------------------------------------------------

SIMPLE = (
    "a()", "a(); b()", "a();b() ;", "x = 'é'  # é", "x = '''\n  b\n# c'''", "x = [\n1,\n\n  # c\n]",
    "x = f'''{\n a}\n'''; a()", "x = 1 + \\\n 2", "'doc'", "pass  ", "(yield)", "return (1)",
    "del x", "assert x, 'y'", "x: 'y' = 1", "x: '''\ny'''", "import os", "global z",
    "raise x from y",
)  # fmt: skip
ONE_LINE = (
    "if a: b()",
    "for a in b: c(); d()",
    "while a: break",
    "def f(): 'doc'; a()",
    "class A: x",
)
HEADERS = (
    ("if a:",), ("if a:", "elif b:  # c"), ("if (a\n   and b):", "else:"), ("for a in b:", "else:"),
    ("while a:",), ("try:", "except b:", "else:", "finally:"), ("try:", "finally:"),
    ("with a as b:",),
    ("def f(a, b=1):",), ("@a\n{}# c\n{}@b(\n1)\n{}async def f():",), ("class A(b):  # c",),
)  # fmt: skip


@st.composite
def lines_of(draw: st.DrawFn, indentation: str = "", depth: int = 0) -> list[str]:
    """Return the lines of a block; an element may hold several, with LF between them."""
    made: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        for _ in range(draw(st.integers(0, 2))):
            deeper = draw(st.sampled_from(["", "  "]))
            made.append(draw(st.sampled_from(["", f"{indentation}{deeper}# c", "\x0c", " \t"])))
        kind = draw(st.integers(0, 3 if depth < 2 else 1))
        if kind == 0:
            made.append(indentation + draw(st.sampled_from(SIMPLE)))
        elif kind == 1:
            made.append(indentation + draw(st.sampled_from(ONE_LINE)))
        else:
            unit = draw(st.sampled_from(["    ", "\t", " ", "   "]))
            for header in draw(st.sampled_from(HEADERS)):
                made.append(indentation + header.replace("{}", indentation))
                made += draw(lines_of(indentation + unit, depth + 1))
    return made


@st.composite
def programs(draw: st.DrawFn) -> str:
    head = draw(
        st.sampled_from(["", "# coding: utf-8\n", "'''Doc.'''\nfrom __future__ import b\n"])
    )
    text = f"{head.replace('b', 'division')}{chr(10).join(draw(lines_of()))}\n"
    newline = draw(st.sampled_from(["\n", "\r\n", "\r", None]))
    if newline is None:
        pieces = text.split("\n")[:-1]
        text = "".join(p + draw(st.sampled_from(["\n", "\r\n", "\r"])) for p in pieces)
    else:
        text = text.replace("\n", newline)
    return text if draw(st.booleans()) else text.rstrip("\r\n")


class Unmarked(ast.NodeTransformer):
    """Takes out of a tree what the edits have put in: calls of `inserted`, and what wraps."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                setattr(node, name, [s for old in block for s in self.kept(old)])
        return super().generic_visit(node)

    def kept(self, node: ast.AST) -> list[ast.AST]:
        if isinstance(node, ast.With) and ast.unparse(node.items[0]) == "inserted":
            return [kept for old in node.body for kept in self.kept(old)]
        return [] if ast.unparse(node) in {"inserted()", "if inserted:\n    inserted()"} else [node]


def undone(text: str, edits: list[TextEdit]) -> str:
    """Return an edited text without what has been inserted."""
    patch = Patch(text).edit(edits)
    inserted = [TextEdit(p, p + 1, "") for p in range(len(patch.text)) if patch.origin(p) is None]
    return apply(patch.text, inserted)


@settings(max_examples=40, deadline=None)
@given(programs())
def test_any_statement_of_any_program(text: str) -> None:
    case = Case(text)
    tree = ast.dump(ast.parse(text))
    for statement in case.statements():
        for edits in every_way(case.layout, statement):
            new = apply(text, edits)
            assert undone(text, edits) == text
            assert ast.dump(Unmarked().visit(ast.parse(new))) == tree
            assert isinstance(parse(Source("some.py", new)), cst.Module)


def every_way(layout: Layout, statement: Statement) -> list[list[TextEdit]]:
    last = layout.block_of(statement).statements[-1]
    ways = [
        layout.before(statement, ("inserted()",)),
        layout.after(statement, ("inserted()",)),
        layout.before(statement, ("if inserted:", "\tinserted()")),
        layout.after(statement, ("if inserted:", "\tinserted()")),
        layout.wrap(statement, statement, "with inserted:", ("inserted()",)),
        layout.wrap(statement, last, "with inserted:", ()),
    ]
    return [edits for edits in ways if edits is not None]


@settings(max_examples=40, deadline=None)
@given(programs())
def test_an_import_for_any_program(text: str) -> None:
    edits = Case(text).layout.add_import("ast")
    assert edits is not None
    assert undone(text, edits) == text
    new, old = ast.parse(apply(text, edits)), ast.parse(text)
    new.body = [s for s in new.body if ast.unparse(s) != "import ast"]
    assert ast.dump(new) == ast.dump(old)
    assert ast.get_docstring(new) == ast.get_docstring(old)
