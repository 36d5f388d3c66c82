"""A program as the machine runs it: the parsed modules of a unit, and where their nodes stand.

Imported modules are parsed once for all programs that import them, unless they are too many.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from flushlint import gate, guard
from flushlint.machine.modules import Module, Program
from flushlint.machine.scope import build_scopes
from flushlint.model import InputError, Span
from flushlint.needed import SlicedModule, needed
from flushlint.positions import Positions
from flushlint.slicing import sliced_program
from flushlint.source import Source, is_python, parse, read_source
from flushlint.unit import ModuleFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flushlint.machine.scope import Scope
    from flushlint.unit import Unit

__all__ = ["Located", "ParsedProgram", "Refused", "parse_program", "parse_slice"]

# Lines of modules that are kept parsed: some 100 MB of trees.
_MOST_LINES = 60_000


class Refused(NamedTuple):
    """A module that the guard keeps from the parser: why, and in which 1-based line."""

    why: str
    line: int


class Located(NamedTuple):
    """A node's module, and where it stands in that."""

    source: Source
    span: Span
    statement: Span


@dataclass(frozen=True, eq=False)
class Parsed:
    """The tree of a text, and what is found out about it once for all its programs."""

    source: Source
    tree: cst.Module

    @cached_property
    def scopes(self) -> dict[cst.CSTNode, Scope]:
        """The scope of the module, and of each function, lambda and class in it."""
        return build_scopes(self.tree)

    @cached_property
    def positions(self) -> Positions:
        """Where the nodes of the tree stand."""
        return Positions(self.tree, self.source)

    def module(self, name: str, *, is_package: bool) -> Module:
        """Return it as a module that others know by a name."""
        return Module(self.tree, name, is_package, self.scopes)


@dataclass(frozen=True, eq=False)
class ParsedProgram:
    """The modules of a program with their texts, the main one first."""

    program: Program
    modules: tuple[Parsed, ...]

    @property
    def sources(self) -> tuple[Source, ...]:
        """The texts of the modules."""
        return tuple(each.source for each in self.modules)

    @property
    def trees(self) -> tuple[cst.Module, ...]:
        """The trees of the modules."""
        return tuple(each.tree for each in self.modules)

    @property
    def lines(self) -> int:
        """How many lines the modules have together."""
        return sum(len(each.source.lines) for each in self.modules)

    def locate(self, node: cst.CSTNode) -> Located:
        """Return where a node stands. Raises KeyError for a node of no module."""
        # Where a module, function or class stands is known without looking through its nodes.
        for each in sorted(self.modules, key=lambda one: node not in one.scopes):
            try:
                span, statement = each.positions.span(node), each.positions.statement(node)
            except KeyError:
                continue
            return Located(each.source, span, statement)
        raise KeyError(node)


def parse_program(source: Source, unit: Unit) -> ParsedProgram | Refused | InputError:
    """Parse the main module, whose text is `source`, and those that it may import.

    An imported one that can't be read or parsed is left out: to whoever imports it, it is external.
    """
    main = _parsed(source)
    if not isinstance(main, Parsed):
        return main
    texts = {name: _text(file) for name, file in unit.imported.items()}
    found = {name: _TREES.get(text) for name, text in texts.items() if text is not None}
    return _program(unit, main, found)


def parse_slice(
    source: Source, unit: Unit, spawners: Iterable[str]
) -> ParsedProgram | Refused | None:
    """Parse the part of a program that may run, None if all of it has to be.

    A mistake in what is left out is one all the same, so that the main module is looked at as
    a whole, too.
    """
    sources = {file.path: text for file in _others(unit) if (text := _text(file)) is not None}
    texts = [source.text, *(each.text for each in sources.values())]
    parts = sliced_program(texts, spawners)
    if parts is None:
        if not sources:
            return None
        parts = texts
    refusal = guard.refusal(source.text)
    if refusal is not None:
        return Refused(refusal.why, refusal.line)
    if not is_python(source.text):
        return None
    by_path = dict(zip((unit.main.path, *sources), parts, strict=True))
    unit = _without_needless(unit, by_path)
    # Each tree with the text that it is of: positions are looked up in that.
    main = _TREES.get(replace(source, text=parts[0]))
    if main is None:
        return None
    found = {
        name: _TREES.get(replace(text, text=by_path[file.path]))
        for name, file in unit.imported.items()
        if (text := sources.get(file.path)) is not None
    }
    return _program(unit, main, found)


def _without_needless(unit: Unit, parts: Mapping[str, str]) -> Unit:
    """Return a program without the modules that nothing uses; packages around others are empty."""
    main = SlicedModule(unit.name, parts[unit.main.path], unit.main.is_package)
    others = {
        name: SlicedModule(name, parts.get(file.path, ""), file.is_package)
        for name, file in unit.imported.items()
    }
    kept = needed(main, others, gate.SIGNS)
    around = {name.rpartition(".")[0] for name in kept} | {unit.name.rpartition(".")[0]}
    for name in list(around):
        while (name := name.rpartition(".")[0]) and name not in around:
            around.add(name)
    empty = ModuleFile("", b"", is_package=True)
    return unit._replace(
        imported={
            name: file if name in kept else empty
            for name, file in unit.imported.items()
            if name in kept or name in around
        }
    )


def _others(unit: Unit) -> Iterator[ModuleFile]:
    return (file for path, file in unit.files().items() if path != unit.main.path)


def _program(unit: Unit, main: Parsed, found: Mapping[str, Parsed | None]) -> ParsedProgram:
    """Put the modules together under their names; those that have no tree are left out."""
    placed = {unit.main.path: main}
    imported: dict[str, Module] = {}
    for name, file in unit.imported.items():
        if not file.path:
            imported[name] = Module(cst.Module([]), name, is_package=True)
        elif (known := found.get(name)) is not None or file.path == unit.main.path:
            each = placed.setdefault(file.path, known or main)
            imported[name] = each.module(name, is_package=file.is_package)
    program = Program(main.module(unit.name, is_package=unit.main.is_package), imported)
    return ParsedProgram(program, tuple(placed.values()))


def _parsed(source: Source) -> Parsed | Refused | InputError:
    refusal = guard.refusal(source.text)
    if refusal is not None:
        return Refused(refusal.why, refusal.line)
    tree = parse(source)
    return tree if isinstance(tree, InputError) else Parsed(source, tree)


@lru_cache(maxsize=256)
def _text(file: ModuleFile) -> Source | None:
    source = read_source(file.data, file.path)
    return None if isinstance(source, InputError) else source


class _Trees:
    """The trees of the texts that were parsed last, whole modules and parts; None for others."""

    def __init__(self) -> None:
        self._known: OrderedDict[Source, Parsed | None] = OrderedDict()
        self._lines = 0

    def get(self, source: Source) -> Parsed | None:
        """Return the tree of a text, parsed now or before, None if it can't be parsed."""
        if source not in self._known:
            parsed = _parsed(source)
            self._known[source] = parsed if isinstance(parsed, Parsed) else None
            self._lines += source.text.count("\n")
            while self._lines > _MOST_LINES and len(self._known) > 1:
                gone, _ = self._known.popitem(last=False)
                self._lines -= gone.text.count("\n")
        self._known.move_to_end(source)
        return self._known[source]


_TREES = _Trees()
