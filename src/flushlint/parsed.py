"""A program as the machine runs it: the parsed modules of a unit, and where their nodes stand.

Imported modules are parsed once for all programs that import them, unless they are too many.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from flushlint import guard
from flushlint.machine.modules import Module, Program
from flushlint.model import InputError, Span
from flushlint.positions import Positions
from flushlint.source import Source, parse, read_source

if TYPE_CHECKING:
    from flushlint.unit import ModuleFile, Unit

__all__ = ["Located", "ParsedProgram", "Refused", "parse_program"]

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
class ParsedProgram:
    """The modules of a program with their texts, the main one first."""

    program: Program
    sources: tuple[Source, ...]
    trees: tuple[cst.Module, ...]
    _positions: list[Positions] = field(default_factory=list)

    @property
    def lines(self) -> int:
        """How many lines the modules have together."""
        return sum(len(source.lines) for source in self.sources)

    def locate(self, node: cst.CSTNode) -> Located:
        """Return where a node stands. Raises KeyError for a node of no module."""
        for index, source in enumerate(self.sources):
            if index == len(self._positions):
                self._positions.append(Positions(self.trees[index], source))
            positions = self._positions[index]
            try:
                return Located(source, positions.span(node), positions.statement(node))
            except KeyError:
                continue
        raise KeyError(node)


def parse_program(source: Source, unit: Unit) -> ParsedProgram | Refused | InputError:
    """Parse the main module, whose text is `source`, and those that it may import.

    An imported one that can't be read or parsed is left out: to whoever imports it, it is external.
    """
    tree = _parsed(source)
    if not isinstance(tree, cst.Module):
        return tree
    sources, trees = [source], [tree]
    imported: dict[str, Module] = {}
    for name, file in unit.imported.items():
        if file.path == unit.main.path:
            imported[name] = Module(tree, name, file.is_package)
            continue
        known = _CACHE.get(file)
        if known is not None:
            imported[name] = Module(known.tree, name, file.is_package)
            if file.path:
                sources.append(known.source)
                trees.append(known.tree)
    main = Module(tree, unit.name, unit.main.is_package)
    return ParsedProgram(Program(main, imported), tuple(sources), tuple(trees))


def _parsed(source: Source) -> cst.Module | Refused | InputError:
    refusal = guard.refusal(source.text)
    if refusal is not None:
        return Refused(refusal.why, refusal.line)
    return parse(source)


class _Known(NamedTuple):
    source: Source
    tree: cst.Module
    lines: int


class _Cache:
    """The modules that were parsed last, by their contents; None for those that can't be."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, bytes], _Known | None] = OrderedDict()
        self._lines = 0

    def get(self, file: ModuleFile) -> _Known | None:
        """Return a module, parsed now or before."""
        key = (file.path, file.data)
        if key not in self._known:
            found = self._known[key] = _read(file)
            self._lines += 0 if found is None else found.lines
            while self._lines > _MOST_LINES and len(self._known) > 1:
                _, gone = self._known.popitem(last=False)
                self._lines -= 0 if gone is None else gone.lines
        self._known.move_to_end(key)
        return self._known[key]


_CACHE = _Cache()


def _read(file: ModuleFile) -> _Known | None:
    source = read_source(file.data, file.path)
    if isinstance(source, InputError):
        return None
    tree = _parsed(source)
    if not isinstance(tree, cst.Module):
        return None
    return _Known(source, tree, len(source.lines))
