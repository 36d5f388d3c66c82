"""The outline says of a module what the interpreter's own parser says of it."""

from __future__ import annotations

import ast
import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import flushlint
from flushlint.outline import Import, outline

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
FILES = [
    *Path(flushlint.__file__).parent.rglob("*.py"),
    *Path(__file__).parent.rglob("*.py"),
    *Path(json.__file__).parents[1].glob("*.py"),
]


def definitions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Yield the definitions in source order."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, DEFINITIONS):
            yield child
        yield from definitions(child)


def first_line(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def used(nodes: list[ast.stmt]) -> set[str]:
    """Return the identifiers that the code of `nodes` uses."""
    every = [inner for node in nodes for inner in ast.walk(node)]
    names = {node.id for node in every if isinstance(node, ast.Name)}
    return names | {node.attr for node in every if isinstance(node, ast.Attribute)}


def imports(tree: ast.AST, *, at_top: bool = True) -> Iterator[Import]:
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, None, alias.asname, 0, at_top, child.lineno)
        elif isinstance(child, ast.ImportFrom):
            for alias in child.names:
                module = child.module or ""
                yield Import(module, alias.name, alias.asname, child.level, at_top, child.lineno)
        inner = at_top and not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
        yield from imports(child, at_top=inner)


def test_it_agrees_with_the_parser_on_many_files() -> None:
    compared = 0
    for path in FILES:
        try:
            text = path.read_text(encoding="utf-8-sig")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        found = outline(text)
        theirs = sorted(definitions(tree), key=lambda node: (first_line(node), -node.lineno))
        ours = list(found.walk())
        assert [(o.name, o.line) for o in ours] == [(t.name, first_line(t)) for t in theirs], path
        for mine, other in zip(ours, theirs, strict=True):
            assert other.end_lineno is not None
            assert mine.end_line >= other.end_lineno, (path, mine.name)
            assert used(other.body) <= mine.all_words(), (path, mine.name)
        assert used(tree.body) <= found.words, path
        same = sorted(imports(tree), key=repr)
        assert sorted((i._replace(line=0) for i in found.imports), key=repr) == [
            i._replace(line=0) for i in sorted((s._replace(line=0) for s in same), key=repr)
        ], path
        compared += 1
    assert compared > 500


TEXT = '''\
import os, sys as system
from ..a import (b as c,  # with a comment
    d)
from .e import *

@decorate(top)
async def first(x: int = default) -> "Name":
    """words of a docstring are no code, but look like one"""
    # nor are those of comments
    call(f"{inside!r} {'also'}", "dotted.name", "not a name")

    def inner(): return deep
    import late
    return (
first, [
  def_])
class Second(Base):
    attribute = here

    @property
    def method(self):
        if attribute: from x import y
        return r"raw" "\\
def no_definition():"
last = Second
'''


def test_definitions_and_their_words() -> None:
    found = outline(TEXT)
    first, second = found.definitions
    assert [(d.kind, d.name, d.line, d.end_line) for d in found.walk()] == [
        ("def", "first", 6, 16),
        ("def", "inner", 12, 12),
        ("class", "Second", 17, 24),
        ("def", "method", 20, 24),
    ]
    assert first.header_words == {"decorate", "top", "async", "def", "x", "int",
                                  "default", "Name"}  # fmt: skip
    assert first.words >= {"call", "inside", "also", "dotted", "name", "def_", "late"}
    assert first.words.isdisjoint({"docstring", "comments", "deep", "not", "f"})
    assert "deep" in first.all_words()
    assert first.inner[0].words == {"return", "deep"}
    assert "inner" not in first.words
    assert TEXT[first.inner[0].body : first.inner[0].end] == " return deep\n"
    assert second.words >= {"attribute", "here", "property"}
    assert "method" not in second.words
    assert second.inner[0].words == {"if", "attribute", "from", "x", "import", "y", "return", "raw"}
    assert found.toplevel_words >= {"os", "decorate", "Base", "here", "property", "last"}
    assert found.toplevel_words.isdisjoint({"call", "late", "raw"})


def test_imports() -> None:
    assert list(outline(TEXT).imports) == [
        Import("os", None, None, 0, True, 1),
        Import("sys", None, "system", 0, True, 1),
        Import("a", "b", "c", 2, True, 2),
        Import("a", "d", None, 2, True, 2),
        Import("e", "*", None, 1, True, 4),
        Import("late", None, None, 0, False, 13),
        Import("x", "y", None, 0, False, 22),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "f'{a['b']}'\ndef f():\n    pass\n",
        "f'''{f\"{'x' # no end of '\n}\"}'''\ndef f():\n    pass\n",
        "x = {'a': '#',\n  # it's\n}\ndef f():\n    pass\n",
        "x = 1 \\\n  + 2\ndef f():\n    pass\n",
        "if x:\n\tdef f():\n\t\tpass\n",
        "\fdef f(): pass\n",
        "x = '''\\'''\ndef g(): '''\ndef f(a=lambda: {1: 2}, *,\n  b): pass\n",
        "def f(): pass",
        "x = (\ndef f():\n    pass\n",
    ],
)
def test_strings_brackets_and_lines_in_the_way(text: str) -> None:
    assert [definition.name for definition in outline(text).walk()] == ["f"]


@pytest.mark.parametrize("text", ["", "\n", "def", "class", "@", "def f(", ")))", "'''", "import"])
def test_no_text_is_an_error(text: str) -> None:
    assert isinstance(outline(text).words, frozenset)
