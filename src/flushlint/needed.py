"""Which modules of a sliced program are needed: most imports bring names that nothing uses.

An imported module is needed if a name that the import binds is used somewhere in what is kept, or
if running its body, or what that imports, may open a file, have to do with processes, or tell
others of itself: by a decorator that fills a table, for one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from flushlint.module_names import BY_NAME, absolute
from flushlint.outline import outline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flushlint.outline import Definition, Import, Outline

__all__ = ["SlicedModule", "needed"]

_IMPORT = re.compile(
    r"^([ \t]*)(?:from[ \t.]+[\w. \t]*import[ \t]*(?:\([^)]*\)|[^\r\n;]*)|import[ \t][^\r\n;]*)",
    re.MULTILINE,
)
_STAR = "*"
# What changes something that may be another module's.
_CHANGE = re.compile(
    r"(?<![\w.])(?:global|setattr)(?!\w)|\.(?:add|append|appendleft|extend|insert|push|put|register"
    r"|setdefault|update)\w*[ \t]*\(|\][ \t]*(?::[^=\n]*)?[-+|]?=(?!=)|\.\w+[ \t]*[-+|]?=(?!=)"
)
_OWN = re.compile(r"(?<![\w.])self\.\w+[ \t]*(?::[^=\n]*)?=(?!=)")
# Methods that run when a class is made, or is told to a class.
_CLASS_HOOKS = frozenset({"__init_subclass__", "__set_name__"})
_METACLASSES = frozenset({"metaclass", "type", "ABCMeta", "EnumMeta"})


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
    changing = _changing([*others.values(), main])
    telling = {n for n, one in own.items() if not one.toplevel_words.isdisjoint(changing)}
    acting = _reaching(edges, _acting(own, tuple(signs)) | telling)
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


def _changing(modules: Iterable[SlicedModule]) -> set[str]:
    """Return the functions and classes whose call, or subclass, may change what is another's.

    So do those that mention such a function; what an instance keeps of its own is no change.
    """
    every = [one for module in modules for one in _changes(module.text)]
    names = {name for name, _, changes in every if changes}
    size = 0
    while size != len(names):
        size = len(names)
        names |= {name for name, words, _ in every if not words.isdisjoint(names)}
    return names


@lru_cache(maxsize=256)
def _changes(text: str) -> tuple[tuple[str, frozenset[str], bool], ...]:
    """Return of each function and class its name, its words, and if it changes something.

    Of a class that is what making an instance, or a subclass, does.
    """
    found: list[tuple[str, frozenset[str], bool]] = []
    for one in outline(text).walk():
        ran = [one] if one.kind == "def" else [m for m in one.inner if _runs(m, one)]
        words = frozenset[str]().union(*(each.all_words() for each in ran))
        changes = any(_CHANGE.search(_OWN.sub("", text[each.body : each.end])) for each in ran)
        found.append((one.name, words, changes))
    return tuple(found)


def _runs(method: Definition, of: Definition) -> bool:
    """Say whether making an instance or a subclass of a class runs a method of it."""
    made = method.name in ("__init__", "__new__", "__post_init__", "__call__")
    is_meta = not of.header_words.isdisjoint(_METACLASSES)
    return method.name in _CLASS_HOOKS or (made and (is_meta or method.name != "__call__"))


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
