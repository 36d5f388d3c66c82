"""Which modules of a sliced program are needed: most imports bring names that nothing uses.

An imported module is needed if a name that the import binds is used somewhere in what is kept, or
if running its body, or what that imports, may open a file or have to do with processes.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from flushlint.module_names import BY_NAME, absolute
from flushlint.outline import outline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flushlint.outline import Import, Outline

__all__ = ["SlicedModule", "needed"]

_IMPORT = re.compile(
    r"^([ \t]*)(?:from[ \t.]+[\w. \t]*import[ \t]*(?:\([^)]*\)|[^\r\n;]*)|import[ \t][^\r\n;]*)",
    re.MULTILINE,
)
_STAR = "*"


class SlicedModule(NamedTuple):
    """A module of a program: its dotted name, what is kept of its text, and if it is a package."""

    name: str
    text: str
    is_package: bool


def needed(
    main: SlicedModule, imported: Mapping[str, SlicedModule], signs: Iterable[str]
) -> set[str]:
    """Return the names of the imported modules that are needed, without the packages around them.

    `signs` are parts of the words by which files are opened and processes started.
    """
    if any(word in one.text for one in (main, *imported.values()) for word in BY_NAME):
        return set(imported)
    others = {name: one for name, one in imported.items() if name != main.name}
    edges = {name: list(_edges(one, others)) for name, one in others.items()}
    own = {name: _besides_imports(one.text) for name, one in others.items()}
    acting = _reaching(edges, _acting(own, tuple(signs)))
    found: set[str] = set()
    pool = set(_besides_imports(main.text).words)
    pending = list(_edges(main, others))
    size = 0
    while size != len(found) + len(pool):
        size = len(found) + len(pool)
        for bound, target in list(pending):
            if target not in found and (bound == _STAR or bound in pool or target in acting):
                found.add(target)
                pool |= own[target].words
                pending += edges[target]
    return found | ({main.name} & imported.keys())


@lru_cache(maxsize=256)
def _besides_imports(text: str) -> Outline:
    return outline(_IMPORT.sub(r"\1pass", text))


@lru_cache(maxsize=256)
def _imports(text: str) -> tuple[Import, ...]:
    return outline(text).imports


def _acting(own: Mapping[str, Outline], signs: tuple[str, ...]) -> set[str]:
    """Return the modules whose body may do more than bind names when it is imported."""
    every = [definition for one in own.values() for definition in one.walk()]
    names = {word for one in own.values() for word in one.words if any(s in word for s in signs)}
    size = 0
    while size != len(names):
        size = len(names)
        names |= {one.name for one in every if not one.all_words().isdisjoint(names)}
    return {name for name, one in own.items() if not one.toplevel_words.isdisjoint(names)}


def _edges(module: SlicedModule, imported: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield the names that a module binds by imports, with the modules that may be behind them."""
    package = module.name if module.is_package else module.name.rpartition(".")[0]
    for one in _imports(module.text):
        name = absolute(one.module, one.level, package)
        bound = one.as_name or one.name or name.partition(".")[0]
        parts = name.split(".")
        targets = [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
        if one.name == _STAR:  # `__all__` may name modules of the package
            inside = (other for other in imported if other.rpartition(".")[0] == name)
            yield from ((other.rpartition(".")[2], other) for other in inside)
        elif one.name is not None:
            targets.append(f"{name}.{one.name}")
        yield from ((bound, target) for target in targets if target in imported)


def _reaching(edges: Mapping[str, list[tuple[str, str]]], ends: set[str]) -> set[str]:
    """Return the modules that lead to one of some by imports, and those."""
    importers: dict[str, list[str]] = {}
    for name, of_it in edges.items():
        for _, target in of_it:
            importers.setdefault(target, []).append(name)
    found = set(ends)
    pending = list(ends)
    while pending:
        for name in importers.get(pending.pop(), ()):
            if name not in found:
                found.add(name)
                pending.append(name)
    return found
