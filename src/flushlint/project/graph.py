"""Which modules of a project lead to a process, by themselves or through what they import.

A module is *active* if it uses a word by which a process is started, forked or ended, or a name
that it imports from an active one and behind which such a word stands. Programs begin in active
modules; all others matter only where one of these imports them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from flushlint import gate
from flushlint.project.words import attributes, code, is_passed_on, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flushlint.project.sight import Sight
    from flushlint.project.words import Block, Words

__all__ = ["Edge", "Graph"]


_MAIN = b"__main__"
_INIT = "__init__.py"


class Edge(NamedTuple):
    """An import of a module of the project: of its `name`, all names "*", or of itself (None)."""

    target: str
    name: str | None
    bound: str


class Graph:
    """The files of a project, by who imports whom.

    `edges` returns which of them a file imports, `sight` what it has to do with processes itself.
    """

    def __init__(
        self,
        files: Iterable[str],
        read: Callable[[str], bytes | None],
        edges: Callable[[str, bytes], Iterator[Edge]],
        sight: Callable[[str], Sight | None],
    ) -> None:
        self.files = frozenset(files)
        spread = _Spread(read)
        for path in sorted(self.files):
            seen = sight(path)
            if seen is not None:
                spread.seed(path, seen)
        if spread.names:
            for path in sorted(self.files):
                data = read(path)
                if data is not None and b"import" in data:
                    spread.connect(path, edges(path, data))
            spread.run()
        self._active = spread.active
        self._importers = {
            target: tuple(dict.fromkeys(importer for importer, _ in edges))
            for target, edges in spread.importers.items()
        }

    def beginnings(self, path: str) -> list[str]:
        """Return the active files that lead to a file by imports, itself first."""
        seen = {path}
        pending = [path] if self._active else []
        while pending:
            for importer in self._importers.get(pending.pop(), ()):
                if importer not in seen:
                    seen.add(importer)
                    pending.append(importer)
        return sorted(seen & self._active, key=lambda other: (other != path, other))


class _Spread:
    """The names in each module behind which a process stands, spread along imports."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self.names: dict[str, set[bytes]] = {}
        self.active: set[str] = set()
        self._read = read
        self.importers: dict[str, list[tuple[str, Edge]]] = {}
        self._codes: dict[str, bytes] = {}
        self._passed_on: dict[tuple[str, bytes], bool] = {}
        self._words: dict[str, Words] = {}
        self._attributes: dict[str, dict[bytes, set[bytes]]] = {}

    def seed(self, path: str, seen: Sight) -> None:
        """Begin with a module that has a word for a process in it, or a package of processes."""
        if seen.words:
            self.active.add(path)
        self.names[path] = set(seen.names)

    def connect(self, path: str, edges: Iterator[Edge]) -> None:
        """Note what a module imports."""
        for edge in edges:
            if edge.target != path:
                self.importers.setdefault(edge.target, []).append((path, edge))

    def run(self) -> None:
        """Follow imports until no further name is found."""
        pending = list(self.names)
        while pending:
            path = pending.pop()
            exported = self._exported(path)
            for importer, edge in self.importers.get(path, ()):
                known = self.names.setdefault(importer, set())
                new = self._imported(importer, edge, exported) - known
                if new:
                    known |= new
                    pending.append(importer)

    def _exported(self, path: str) -> set[bytes]:
        """Return the top-level names behind which a process stands; the module may be active."""
        names = self.names[path]
        blocks = self._blocks(path)
        size = -1
        while size != len(names):
            size = len(names)
            for block in blocks:
                if not block.is_import and not block.words.isdisjoint(names):
                    names |= block.names
                    if path not in self.active and self._begins(path, block):
                        self.active.add(path)
        return names

    def _begins(self, path: str, block: Block) -> bool:
        """Say whether a program may begin in a module that leads to a process by its imports.

        One whose functions alone do so, and which opens no file, tells no more of a process than
        the module that starts it.
        """
        data = self._code(path)
        return not block.is_definition or _MAIN in data or gate.may_open(data)

    def _imported(self, importer: str, edge: Edge, exported: set[bytes]) -> set[bytes]:
        """Return which names an import brings: those of a module are used as its attributes."""
        bound = edge.bound.encode()
        if edge.name == "*":
            return exported
        if edge.name is not None:
            return {bound} if edge.name.encode() in exported else set()
        if exported and bound and self._passes_on(importer, bound):
            return exported | {bound}  # whoever is given the module may use all of them
        owners = {bound, os.path.basename(edge.target).removesuffix(".py").encode()}
        if edge.target.endswith(_INIT):
            owners.add(os.path.basename(os.path.dirname(edge.target)).encode())
        used = self._attributes_of(importer)
        return exported.intersection(set().union(*(used.get(owner, ()) for owner in owners)))

    def _passes_on(self, path: str, name: bytes) -> bool:
        known = self._passed_on.get((path, name))
        if known is None:
            known = self._passed_on[path, name] = is_passed_on(name, self._code(path))
        return known

    def _attributes_of(self, path: str) -> dict[bytes, set[bytes]]:
        known = self._attributes.get(path)
        if known is None:
            known = self._attributes[path] = attributes(self._code(path))
        return known

    def _blocks(self, path: str) -> Words:
        known = self._words.get(path)
        if known is None:
            known = self._words[path] = words(self._code(path))
        return known

    def _code(self, path: str) -> bytes:
        known = self._codes.get(path)
        if known is None:
            known = self._codes[path] = code(self._read(path) or b"")
        return known
