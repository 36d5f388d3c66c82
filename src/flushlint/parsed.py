"""A program as the machine runs it: the parsed modules of a unit, and where their nodes stand.

Imported modules are parsed once for all programs that import them, unless they are too many.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from flushlint import gate, guard
from flushlint.machine.modules import Module, Program
from flushlint.model import InputError, Span
from flushlint.needed import SlicedModule, needed
from flushlint.positions import Positions
from flushlint.slicing import sliced_program
from flushlint.source import Source, is_python, parse, read_source
from flushlint.unit import ModuleFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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
    found = [
        (name, file, (text, _TREES.get(text.text)) if (text := _text(file)) is not None else None)
        for name, file in unit.imported.items()
    ]
    return _program(unit, (source, tree), found)


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
    paths = {file.path for file in unit.files().values()}
    trees: list[cst.Module | None] = [
        _TREES.get(part) if path in paths else None for path, part in by_path.items()
    ]
    if trees[0] is None:
        return None
    # Each tree with the text that it is of: positions are looked up in that.
    own = [
        replace(s, text=part) for s, part in zip((source, *sources.values()), parts, strict=True)
    ]
    known = dict(zip(sources, zip(own[1:], trees[1:], strict=True), strict=True))
    found = [(name, file, known.get(file.path)) for name, file in unit.imported.items()]
    return _program(unit, (own[0], trees[0]), found)


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


def _program(
    unit: Unit,
    main: tuple[Source, cst.Module],
    found: Iterable[tuple[str, ModuleFile, tuple[Source, cst.Module | None] | None]],
) -> ParsedProgram:
    """Put the modules together under their names; those that have no tree are left out."""
    tree = main[1]
    placed: dict[str, tuple[Source, cst.Module]] = {unit.main.path: main}
    imported: dict[str, Module] = {}
    for name, file, known in found:
        if file.path == unit.main.path:
            imported[name] = Module(tree, name, file.is_package)
        elif not file.path:
            imported[name] = Module(cst.Module([]), name, is_package=True)
        elif known is not None and known[1] is not None:
            imported[name] = Module(known[1], name, file.is_package)
            placed.setdefault(file.path, (known[0], known[1]))
    program = Program(Module(tree, unit.name, unit.main.is_package), imported)
    return ParsedProgram(
        program,
        tuple(source for source, _ in placed.values()),
        tuple(tree for _, tree in placed.values()),
    )


def _parsed(source: Source) -> cst.Module | Refused | InputError:
    refusal = guard.refusal(source.text)
    if refusal is not None:
        return Refused(refusal.why, refusal.line)
    return parse(source)


@lru_cache(maxsize=256)
def _text(file: ModuleFile) -> Source | None:
    source = read_source(file.data, file.path)
    return None if isinstance(source, InputError) else source


class _Trees:
    """The trees of the texts that were parsed last, whole modules and parts; None for others."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, cst.Module | None] = OrderedDict()
        self._lines = 0

    def get(self, text: str) -> cst.Module | None:
        """Return the tree of a text, parsed now or before, None if it can't be parsed."""
        if text not in self._known:
            tree = _parsed(Source("", text))
            self._known[text] = tree if isinstance(tree, cst.Module) else None
            self._lines += text.count("\n")
            while self._lines > _MOST_LINES and len(self._known) > 1:
                gone, _ = self._known.popitem(last=False)
                self._lines -= gone.count("\n")
        self._known.move_to_end(text)
        return self._known[text]


_TREES = _Trees()
