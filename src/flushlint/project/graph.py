"""Which modules of a project lead to a process, by themselves or through what they import.

A module is *active* if it uses a word by which a process is started, forked or ended, or a name
that it imports from an active one and behind which such a word stands. Programs begin in active
modules; all others matter only where one of these imports them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flushlint.project.words import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flushlint.project.sight import Sight
    from flushlint.project.words import Words

__all__ = ["Edge", "active_files"]


class Edge(NamedTuple):
    """An import of a module of the project: of its `name`, all names "*", or of itself (None)."""

    target: str
    name: str | None
    bound: str


def active_files(
    files: Iterable[str],
    read: Callable[[str], bytes | None],
    edges: Callable[[str, bytes], Iterator[Edge]],
    sight: Callable[[str], Sight | None],
) -> list[str]:
    """Return which of some files are active, in the order that they are given in.

    `edges` returns which files of the project one imports, `sight` what it has to do with
    processes itself.
    """
    paths = list(files)
    spread = _Spread(read)
    for path in paths:
        seen = sight(path)
        if seen is not None:
            spread.seed(path, seen)
    if not spread.names:
        return []
    for path in paths:
        data = read(path)
        if data is not None and b"import" in data:
            spread.connect(path, edges(path, data))
    spread.run()
    return [path for path in paths if path in spread.active]


class _Spread:
    """The names in each module behind which a process stands, spread along imports."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self.names: dict[str, set[bytes]] = {}
        self.active: set[str] = set()
        self._read = read
        self._importers: dict[str, list[tuple[str, Edge]]] = {}
        self._words: dict[str, Words] = {}

    def seed(self, path: str, seen: Sight) -> None:
        """Begin with a module that has a word for a process in it, or a package of processes."""
        if seen.words:
            self.active.add(path)
        self.names[path] = set(seen.names)

    def connect(self, path: str, edges: Iterator[Edge]) -> None:
        """Note what a module imports."""
        for edge in edges:
            if edge.target != path:
                self._importers.setdefault(edge.target, []).append((path, edge))

    def run(self) -> None:
        """Follow imports until no further name is found."""
        pending = list(self.names)
        while pending:
            path = pending.pop()
            exported = self._exported(path)
            for importer, edge in self._importers.get(path, ()):
                known = self.names.setdefault(importer, set())
                new = _imported(edge, exported) - known
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
                    self.active.add(path)
        return names

    def _blocks(self, path: str) -> Words:
        known = self._words.get(path)
        if known is None:
            known = self._words[path] = words(self._read(path) or b"")
        return known


def _imported(edge: Edge, exported: set[bytes]) -> set[bytes]:
    """Return which names an import brings: those of a module are used as its attributes."""
    if edge.name in (None, "*"):
        return exported
    return {edge.bound.encode()} if str(edge.name).encode() in exported else set()
