"""A project: from a file to the programs in which it takes part.

A program begins in a file that is to be checked, or in another one of the same project that imports
it and starts processes. The findings in a file are those of all these programs.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from flushlint.config import ConfigError
from flushlint.discovery import SourceFile, discover
from flushlint.project.folders import Folders, Roots
from flushlint.project.graph import Edge, Graph
from flushlint.project.imports import imports
from flushlint.project.sight import look
from flushlint.project.units import Units, imports_by_name
from flushlint.user_tables import NO_TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flushlint.config import Configuration
    from flushlint.project.folders import Found
    from flushlint.project.sight import Sight
    from flushlint.project.units import Members
    from flushlint.unit import Unit
    from flushlint.user_tables import UserTables

__all__ = ["MARKERS", "Project"]

MARKERS = frozenset({"pyproject.toml", "setup.cfg", ".git", ".hg"})
"""What a project's own directory holds."""
_SETUP = "setup.py"
# In a project of more files each one is a program for itself, with what it imports.
_MOST_FILES = 20_000
_MOST_BYTES_KEPT = 64_000_000


class Project:
    """Finds programs. Every file is read at most once, unless there are too many of them.

    `unsaved` are texts that an editor holds, by their absolute paths; `shown` returns the path of
    a file as findings show it.
    """

    def __init__(
        self,
        configuration: Configuration,
        unsaved: dict[str, bytes],
        shown: Callable[[str], str],
    ) -> None:
        self._configuration = configuration
        self.unsaved = unsaved
        self._folders = Folders()
        self._units = Units(self._folders, self._read)
        self._shown = shown
        self.sights: dict[str, Sight | None] = {}
        """What somebody else has seen of files already, by absolute paths. They aren't read."""
        self._graphs: dict[tuple[str, ...], Graph | None] = {}
        self._roots: dict[str, Roots] = {}
        self._contents: OrderedDict[str, bytes] = OrderedDict()
        self._kept = 0
        self._programs: dict[str, Members] = {}

    def programs(self, path: str, data: bytes | None) -> list[str]:
        """Return the files in which programs begin that a file takes part in, itself first.

        Paths are absolute, `data` is what the file holds; None leaves that to be read, if there is
        no sight of it. A file that leads to no process begins none. Raises ConfigError.
        """
        if data is not None:
            self._keep(path, data)
        if self.is_alone(os.path.dirname(path)):
            return [path] if self._sight(path) is not None else []
        graph = self._graph(path)
        if graph is None or path not in graph.files:
            seen = self._sight(path)
            return [path] if seen is not None and seen.words else []
        return graph.beginnings(path)

    def is_alone(self, directory: str) -> bool:
        """Return whether each file in a directory is a program for itself. Raises ConfigError.

        So it is in installed packages.
        """
        if not self._folders.is_installed(directory):
            return False
        return not self._configuration.settings(directory).first_party

    def data(self, path: str) -> bytes:
        """Return the bytes of a file as they were when it was read first. Raises OSError."""
        return self._bytes(path)

    def members(self, path: str) -> tuple[str, ...]:
        """Return the files of the program that begins in a file, that file first."""
        return self._program(path).files

    def unit(self, path: str) -> Unit:
        """Return the program that begins in a file. Raises OSError, ConfigError."""
        return self._program(path).unit(self._bytes, self._shown)

    def changed(self, path: str, data: bytes) -> None:
        """A file now holds other bytes."""
        if path in self.unsaved:
            self.unsaved[path] = data
        self._keep(path, data)
        self._programs.clear()
        self._units.forget(path)

    def _program(self, path: str) -> Members:
        known = self._programs.get(path)
        if known is None:
            known = self._programs[path] = self._units.members(path, self._roots_of(path))
        return known

    def _sight(self, path: str) -> Sight | None:
        """Return what a file has to do with processes, None if nothing."""
        if path in self.sights:
            return self.sights[path]
        directory = os.path.dirname(path)
        try:
            alone = self.is_alone(directory)
            tables = self._tables(directory)
        except ConfigError:
            alone, tables = False, NO_TABLES
        data = self._read(path)
        return None if data is None else look(data, tables, alone=alone)

    def _read(self, path: str) -> bytes | None:
        try:
            return self._bytes(path)
        except OSError:
            return None

    def _bytes(self, path: str) -> bytes:
        """Return the bytes of a file as they were when it was read first. Raises OSError."""
        if path in self.unsaved:
            return self.unsaved[path]
        known = self._contents.get(path)
        if known is not None:
            self._contents.move_to_end(path)
            return known
        with open(path, "rb", buffering=0) as file:
            data = file.read()
        self._keep(path, data)
        return data

    def _keep(self, path: str, data: bytes) -> None:
        """Remember what a file holds, and forget others that nobody has asked for so long."""
        self._kept += len(data) - len(self._contents.get(path, b""))
        self._contents[path] = data
        while self._kept > _MOST_BYTES_KEPT and len(self._contents) > 1:
            _, gone = self._contents.popitem(last=False)
            self._kept -= len(gone)

    # -- where modules are found ------------------------------------------------------------------

    def _roots_of(self, path: str) -> Roots:
        directory = os.path.dirname(path)
        known = self._roots.get(directory)
        if known is None:
            known = self._roots[directory] = self._find_roots(directory)
        return known

    def _find_roots(self, directory: str) -> Roots:
        settings = self._configuration.settings(directory)
        outer = self._folders.package_root(directory)
        own = set(settings.first_party)
        if self._folders.is_installed(directory):
            return Roots((outer,), own=frozenset(own)) if own else Roots()
        if outer != directory:
            own.add(directory[len(os.path.join(outer, "")) :].split(os.sep, maxsplit=1)[0])
        base = self._base(directory)
        found = dict.fromkeys((outer, *settings.src))
        if base is None:
            found |= dict.fromkeys(self._folders.above(directory))
        elif not settings.src:
            found |= dict.fromkeys((base, os.path.join(base, "src")))
        beside = () if outer == directory else (directory,)
        return Roots(tuple(found), beside, frozenset(own))

    def _base(self, directory: str) -> str | None:
        """Return the directory of the project that a directory is part of."""
        while True:
            entries = self._folders.entries(directory)
            if not entries.isdisjoint(MARKERS) or self._has_setup(directory):
                return directory
            parent = os.path.dirname(directory)
            if parent == directory:
                return None
            directory = parent

    def _has_setup(self, directory: str) -> bool:
        """Say whether a directory has a script that installs it, and no module of that name."""
        if _SETUP not in self._folders.entries(directory):
            return False
        data = self._read(os.path.join(directory, _SETUP)) or b""
        return b"setuptools" in data or b"distutils" in data

    # -- who imports whom -------------------------------------------------------------------------

    def _graph(self, path: str) -> Graph | None:
        """Return the files among which programs with this file may begin, None if too many."""
        directory = os.path.dirname(path)
        base = self._base(directory)
        if base is not None:
            places: tuple[str, ...] = (base,)
        else:
            places = (*self._folders.above(directory), self._package_around(directory))
        if places not in self._graphs:
            found = self._files(base) if base is not None else self._near(places)
            files = list(islice(found, _MOST_FILES + 1))
            is_whole = len(files) <= _MOST_FILES
            self._graphs[places] = (
                Graph(files, self._read, self._edges, self._sight) if is_whole else None
            )
        return self._graphs[places]

    def _tables(self, directory: str) -> UserTables:
        """Return the user's tables. Settings are read only where they may hold some."""
        if not self._configuration.may_widen_gate(directory):
            return NO_TABLES
        return self._configuration.settings(directory).tables

    def _files(self, base: str) -> Iterator[str]:
        """Yield the files of a project."""
        for item in discover([base], self._configuration):
            if isinstance(item, SourceFile) and item.path.endswith(".py"):
                yield item.absolute

    def _package_around(self, directory: str) -> str:
        """Return the outermost package around a directory, the directory if it is in none."""
        outer = os.path.join(self._folders.package_root(directory), "")
        if not directory.startswith(outer):
            return directory
        return outer + directory[len(outer) :].split(os.sep, maxsplit=1)[0]

    def _near(self, places: tuple[str, ...]) -> Iterator[str]:
        """Yield the modules in some directories and their imports, of a package all."""
        found = {
            os.path.join(place, name): None
            for place in places
            for name in self._folders.modules(place)
        }
        if self._folders.package_root(places[-1]) != places[-1]:
            found |= dict.fromkeys(self._files(places[-1]))
        pending = list(found)
        for path in pending:  # grows
            yield path
            for edge in self._edges(path, self._read(path) or b""):
                if edge.target not in found:
                    found[edge.target] = None
                    pending.append(edge.target)

    def _edges(self, path: str, data: bytes) -> Iterator[Edge]:
        """Yield what a file imports of its own project."""
        roots = self._roots_of(path)
        find = partial(self._find, os.path.dirname(path), roots)
        by_name = imports_by_name(data)
        own = find(1, "")
        if by_name and own is not None and own.path is not None:
            yield from self._inside(own, roots)
        for one in imports(data):
            found = find(one.level, one.module)
            if found is None:
                continue
            if found.path is not None:
                yield Edge(found.path, one.name, one.bound)
            if by_name or one.name == "*":
                yield from self._inside(found, roots)
            if one.name not in (None, "*"):
                inner = find(one.level, f"{one.module}.{one.name}".lstrip("."))
                if inner is not None and inner.path is not None:
                    yield Edge(inner.path, None, one.bound)

    def _inside(self, package: Found, roots: Roots) -> Iterator[Edge]:
        """Yield the modules of a package as imported ones."""
        for path in self._folders.within(package).values():
            if self._folders.is_within(path, roots):
                yield Edge(path, None, "")

    def _find(self, directory: str, roots: Roots, level: int, name: str) -> Found | None:
        if not level:
            return self._folders.find(name, roots) if name else None
        found = self._folders.find_relative(level, name, directory)
        if found is None or found.path is None or self._folders.is_within(found.path, roots):
            return found
        return None
