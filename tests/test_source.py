"""Bytes to text to tree: what Python reads is read, the rest is refused with its line."""

from __future__ import annotations

import ast
import codecs
import gc
import sys
import warnings

import libcst as cst
import pytest

from flushlint.model import InputError
from flushlint.source import Source, parse, read_source

PATH = "some.py"
NEWLINES = pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])


def read(data: bytes) -> Source:
    source = read_source(data, PATH)
    assert isinstance(source, Source), source
    return source


def refused(data: bytes) -> tuple[int | None, str]:
    error = read_source(data, PATH)
    assert isinstance(error, InputError), error
    assert error.path == PATH
    assert "\n" not in error.cause
    assert not error.cause.endswith(".")
    return error.line, error.cause


def unparsable(text: str) -> tuple[int | None, str]:
    error = parse(Source(PATH, text))
    assert isinstance(error, InputError), text
    assert error.path == PATH
    assert "\n" not in error.cause
    return error.line, error.cause


# -- decoding -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        (b"", "", "utf-8"),
        (b"# only a comment", "# only a comment", "utf-8"),
        ("x = 'žluťoučký'\n".encode(), "x = 'žluťoučký'\n", "utf-8"),
        (b"# coding: latin-1\nx = '\xe9'\n", "# coding: latin-1\nx = 'é'\n", "iso8859-1"),
        (b"# -*- coding: latin-1-unix -*-\nx = '\xe9'", None, "iso8859-1"),
        (b"# vim: set fileencoding=koi8-r :\nx = '\xc1'\n", None, "koi8-r"),
        (b"#!/usr/bin/env python\n# coding=koi8-r\nx = '\xc1'\n", None, "koi8-r"),
        (b"\n# coding=koi8-r\nx = '\xc1'\n", None, "koi8-r"),
        (b"#!/bin/env python\r# coding=koi8-r\rx = '\xc1'\r", None, "koi8-r"),
        (b"# coding: utf8\nx = 1\n", None, "utf-8"),
        (b"# coding: UTF_8-unix\nx = 1\n", None, "utf-8"),
        (b"# coding: cp1251\nx = '\xff'\n", "# coding: cp1251\nx = 'я'\n", "cp1251"),
    ],
)
def test_decodes_as_python_does(data: bytes, text: str | None, encoding: str) -> None:
    source = read(data)
    assert source.encoding == encoding
    assert not source.bom
    assert source.text.encode(encoding) == data
    if text is not None:
        assert source.text == text


@pytest.mark.parametrize("cookie", [b"", b"# coding: utf-8\n", b"# coding: utf-8-sig\n"])
def test_takes_the_byte_order_mark_off(cookie: bytes) -> None:
    source = read(codecs.BOM_UTF8 + cookie + b"x = 1\n")
    assert source.bom
    assert source.encoding == "utf-8"
    assert source.text == cookie.decode() + "x = 1\n"


def test_keeps_newlines_form_feeds_and_tabs() -> None:
    text = "\x0cx = 1\r\nif x:\r\ty = 2\n\x0c\nz = '\x0b\u2028'"
    source = read(text.encode())
    assert source.text == text
    assert source.lines == ["\x0cx = 1", "if x:", "\ty = 2", "\x0c", "z = '\x0b\u2028'"]


def test_a_coding_comment_counts_in_the_first_two_lines_only() -> None:
    assert refused(b"\n\n# coding: latin-1\nx = '\xe9'\n")[0] == 4
    assert refused(b"x = 1\n# coding: latin-1\ny = '\xe9'\n")[0] == 3
    assert refused(b"'''\n# coding: latin-1\n'''\ny = '\xe9'\n")[0] == 4


@pytest.mark.parametrize(
    ("data", "line", "cause"),
    [
        (b"# coding: klingon\nx\n", 1, "unknown encoding 'klingon' in the coding comment"),
        (b"#!/x\n# coding: hex\nx\n", 2, "unknown encoding 'hex' in the coding comment"),
        (b"# coding: utf-8\nx = 1\ny = '\xe9'\n", 3, "byte 0xe9 is not valid utf-8"),
        (b"# coding: ascii\r\ny = '\xe9'\r\n", 2, "byte 0xe9 is not valid ascii"),
        (b"x\rx\ry = '\xff'\r", 3, "byte 0xff is not valid utf-8"),
        (b"x = 1\ny = '\0'\n", 2, "NUL byte in the source"),
        ("x = 1\n".encode("utf-16"), 1, "NUL byte in the source"),
        (
            codecs.BOM_UTF8 + b"# coding: latin-1\nx\n",
            1,
            "the coding comment says 'latin-1', the byte order mark utf-8",
        ),
        (b"# coding: undefined\nx\n", 1, None),
        (b"# coding: punycode\nx = '\xe9-'\n", None, None),
        (b"# coding: ..\nx\n", 1, "unknown encoding '..' in the coding comment"),
    ],
)
def test_refuses_what_python_cannot_decode(
    data: bytes, line: int | None, cause: str | None
) -> None:
    with pytest.raises((SyntaxError, ValueError)):
        compile(data, PATH, "exec")
    found_line, found_cause = refused(data)
    assert cause in (None, found_cause)
    assert line in (None, found_line)


@NEWLINES
def test_names_the_line_of_an_undecodable_byte(newline: str) -> None:
    data = newline.join(["# coding: utf-8", "", "x = 1", "y = '?'"]).encode().replace(b"?", b"\xe9")
    assert refused(data) == (4, "byte 0xe9 is not valid utf-8")


# -- parsing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment",
        "\n\n",
        "\x0c",
        "x = 1",
        "\x0cx = 1\n\x0c\ny = 2\n",
        "if x:\n\ty = 1\n",
        "if x:\r\n\ty = 1\r\n",
        "if x:\r\ty = 1\r",
        "x = 1\r\ny = 2\nz = 3\rw = 4",
        "x = [\r\n\x0c 1,\r\n]",
        "match x:\n    case {'a': [1, *_]}:\n        pass\n",
        "try:\n    pass\nexcept* OSError:\n    pass\n",
    ],
)
def test_parses_what_python_parses(text: str) -> None:
    if sys.version_info >= (3, 11) or "except*" not in text:
        ast.parse(text)
    assert isinstance(parse(Source(PATH, text)), cst.Module)


@pytest.mark.parametrize(
    "text",
    [
        "type X[T] = list[T]\n",
        "def f[T = int](x: T) -> T: ...\n",
        "x = f'{d['key']}'\n",
        "x = t'{name}'\n",
        "try:\n    pass\nexcept A, B:\n    pass\n",
    ],
)
def test_parses_syntax_newer_than_the_interpreter(text: str) -> None:
    assert isinstance(parse(Source(PATH, text)), cst.Module)


@NEWLINES
@pytest.mark.parametrize(
    ("text", "line", "cause"),
    [
        ("x = 1\nif x:\n    y = (\nz = 2\n", 3, "'(' was never closed"),
        ("x = 1\n\n)\n", 3, "unmatched ')'"),
        ("x = 1\ny = ?\n", 2, "invalid syntax"),
        ("x = 1\n\n  y = 2\n", 3, "unexpected indent"),
        ("x = '''\n\n'''\ny = \"abc\n", 4, "unterminated string literal"),
        ("def f():\n    x\n  y\n", 3, "unindent does not match"),
        ("x = 1\nif x:\n\ty\n        z\n", 4, "inconsistent use of tabs"),
    ],
)
def test_names_the_line_of_a_syntax_error(text: str, line: int, cause: str, newline: str) -> None:
    found_line, found_cause = unparsable(text.replace("\n", newline))
    assert found_line == line
    assert found_cause.startswith("syntax error: ")
    assert cause in found_cause


@NEWLINES
@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ('print "PUT"', "print statement"),
        ('print "a" % b, c', "print statement"),
        ("print name", "print statement"),
        ("print u'PUT'", "print statement"),
        ("if x: print 'PUT'", "print statement"),
        ("print >>f, 'PUT' % x; print y", "print statement"),
        ("print '''PUT\n\n'''", "print statement"),
        ('exec "x = 1"', "exec statement"),
        ("exec code in scope", "exec statement"),
        ('raise E, "x"', "raise with a comma"),
        ("x = `y`", "backticks"),
        ("if a <> b: pass", "the operator <>"),
        ("os.chmod(p, 0755)", "octal number without 0o"),
        ("x = 0xFFL", "long integer"),
        ("x = 10L", "long integer"),
        ("x = ur'a'", "ur string"),
    ],
)
def test_recognises_python_2(statement: str, name: str, newline: str) -> None:
    text = f"'''print \"no\"\n'''\n# print 'no'\nx = 'print 1'\n{statement}\n"
    assert unparsable(text.replace("\n", newline)) == (5, f"Python 2 syntax ({name})")


def test_an_except_with_a_comma_is_python_2_only_in_what_cannot_be_parsed() -> None:
    handler = "try:\n    pass\nexcept (A, B), e:\n    pass\n"
    assert unparsable(handler + "print e, 1; x = `e`\n") == (
        3,
        "Python 2 syntax (except with a comma)",
    )
    assert isinstance(parse(Source(PATH, "try:\n    pass\nexcept A, B:\n    pass\n")), cst.Module)


@pytest.mark.parametrize(
    "text",
    [
        "print is None\nx = (\n",
        "print\nx = (\n",
        "print (a), b\nx = (\n",
        "x = '''\nprint \"x\"\n'''\ny = (\n",
        "x = 00\ny = 0.07\nz = 1_0777\nw = (\n",
    ],
)
def test_broken_python_3_is_not_taken_for_python_2(text: str) -> None:
    assert "Python 2" not in unparsable(text)[1]


def test_what_libcst_alone_cannot_parse_is_said_to_be_that(monkeypatch: pytest.MonkeyPatch) -> None:
    error = cst.ParserSyntaxError("no", lines=["x"], raw_line=1, raw_column=0)
    monkeypatch.setattr(cst, "parse_module", raiser(error))
    assert unparsable("x = 1\n") == (1, "syntax that LibCST can't parse")


class Panic(BaseException):
    """As LibCST's native parser raises: no Exception."""


def raiser(error: BaseException) -> object:
    def parse_module(text: str) -> cst.Module:
        del text
        raise error

    return parse_module


@pytest.mark.parametrize("error", [RecursionError("deep"), Panic("no\nway"), MemoryError()])
def test_failures_of_the_parser_are_errors_of_the_file(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cst, "parse_module", raiser(error))
    line, cause = unparsable("x = 1\n")
    assert line is None
    assert cause.startswith(f"LibCST fails to parse it: {type(error).__name__}")


def test_an_interrupt_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cst, "parse_module", raiser(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        parse(Source(PATH, "x = 1\n"))


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_left_as_it_was(enabled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    real = cst.parse_module

    def parse_module(text: str) -> cst.Module:
        seen.append(gc.isenabled())
        return real(text)

    monkeypatch.setattr(cst, "parse_module", parse_module)
    was_enabled = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        parse(Source(PATH, "x = 1\n"))
        parse(Source(PATH, "x = (\n"))
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()
    assert seen == [False, False]


def test_warns_of_nothing(recwarn: pytest.WarningsRecorder) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        parse(Source(PATH, 'x = "\\d" is 1\ny = (\n'))
        read(b"# coding: unicode_escape\nx = '\\d'\n")
    assert not recwarn.list
