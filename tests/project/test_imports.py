"""Imports found in bytes: each form, and nothing that a parser would find besides."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from flushlint.project.imports import Import, imports

_B = Import("a", 0, "b", "b")


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("", []),
        ("important = 1\n", []),
        ("import os", [Import("os", 0, None, "os")]),
        ("import a.b", [Import("a.b", 0, None, "a")]),
        ("import a.b as c, d", [Import("a.b", 0, None, "c"), Import("d", 0, None, "d")]),
        ("from a import b", [Import("a", 0, "b", "b")]),
        ("from a.b import c as d", [Import("a.b", 0, "c", "d")]),
        ("from . import x", [Import("", 1, "x", "x")]),
        ("from .x import y", [Import("x", 1, "y", "y")]),
        ("from.x import y", [Import("x", 1, "y", "y")]),
        ("from .. import x", [Import("", 2, "x", "x")]),
        ("from ... x import y", [Import("x", 3, "y", "y")]),
        ("from a import *", [Import("a", 0, "*", "*")]),
        ("from a import (b, # why\n  c as d,\n)", [_B, Import("a", 0, "c", "d")]),
        ("from a \\\n    import b, \\\n    c", [_B, Import("a", 0, "c", "c")]),
        ("import a; import b", [Import("a", 0, None, "a"), Import("b", 0, None, "b")]),
        ("try: import b\nexcept ImportError: pass", [Import("b", 0, None, "b")]),
        ("def f():\n\timport a", [Import("a", 0, None, "a")]),
        ('import_module("a.b")', [Import("a.b", 0, None, "")]),
        ("import_module('.b', __package__)", [Import("b", 1, None, "")]),
        ('__import__("a")', [Import("a", 0, None, "")]),
        ("import a\r\nimport b\r", [Import("a", 0, None, "a"), Import("b", 0, None, "b")]),
    ],
)
def test_each_form(code: str, found: list[Import]) -> None:
    assert list(imports(code.encode())) == found


def parsed(code: bytes) -> set[Import]:
    found: set[Import] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            for one in node.names:
                bound = one.asname or one.name.partition(".")[0]
                found.add(Import(one.name, 0, None, bound))
        elif isinstance(node, ast.ImportFrom):
            for one in node.names:
                found.add(Import(node.module or "", node.level, one.name, one.asname or one.name))
    return found


@pytest.mark.parametrize("package", ["asyncio", "email", "logging", "multiprocessing", "json"])
def test_none_is_missed_in_the_standard_library(package: str) -> None:
    library = Path(sys.modules["os"].__file__ or "").parent
    files = sorted((library / package).glob("*.py"))
    assert files
    for path in files:
        data = path.read_bytes()
        assert parsed(data) <= set(imports(data)), path.name
