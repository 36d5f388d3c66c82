"""Where the modules of a project are found: its root directories, and what lies in them.

As Python does on `sys.path`: a package before a module, a namespace package if there is nothing
else. Directories are listed once.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Folders", "Found", "Roots"]

_INIT = "__init__.py"
_SUFFIX = ".py"
_FROZEN = {"abc", "codecs", "importlib", "io", "os", "posixpath", "runpy", "site", "stat"}
_INSTALLED = frozenset({"site-packages", "dist-packages"})


class Found(NamedTuple):
    """A module by its absolute path, None for a namespace package.

    `places` are the directories in which the modules of a package lie.
    """

    path: str | None
    is_package: bool
    places: tuple[str, ...] = ()


class Roots(NamedTuple):
    """The directories from which a file imports its own project, in order, all absolute.

    `beside` is the folder of a file in a package, which is one of them if the file is run as
    a script. `own` are the top-level names that are first-party whatever they mean elsewhere.
    """

    directories: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    own: frozenset[str] = frozenset()

    @property
    def everywhere(self) -> tuple[str, ...]:
        """All directories in which a module may be found."""
        return (*self.directories, *self.beside)


class Folders:
    """What lies in directories. Paths outside the roots that are asked for are never looked at."""

    def __init__(self) -> None:
        self._entries: dict[str, frozenset[str]] = {}
        self._real: dict[str, str] = {}
        self._installed: dict[str, bool] = {}

    def find(self, name: str, roots: Roots) -> Found | None:
        """Return the module of a dotted name, None if the project has none of that name."""
        first, *rest = name.split(".")
        found = self._find_first(first, roots)
        for part in rest:
            if found is None or not found.is_package:
                return None
            found = self._find_in(part, found.places)
        if found is None or (found.path is not None and not self.is_within(found.path, roots)):
            return None
        return Found(found.path, found.is_package, found.places)

    def name_of(self, path: str, roots: Roots) -> str:
        """Return the dotted name by which others import a file, "" if none can.

        That is the longest one: a root is a folder of another one where the file lies in both.
        """
        for root in sorted(roots.directories, key=len):
            if path.startswith(os.path.join(root, "")):
                inside = path[len(os.path.join(root, "")) :].removesuffix(_SUFFIX)
                parts = inside.split(os.sep)
                if parts[-1] == "__init__":
                    parts.pop()
                if parts and all(part.isidentifier() for part in parts):
                    return ".".join(parts)
        return ""

    def package_root(self, directory: str) -> str:
        """Return the directory above the outermost package around, itself if it is in none."""
        while _INIT in self.entries(directory):
            parent = os.path.dirname(directory)
            if parent == directory:
                break
            directory = parent
        return directory

    def above(self, directory: str) -> list[str]:
        """Return the directories above that hold modules, with no gap in between, outermost first.

        Packages need no ``__init__``: a script that imports them lies beside or above them.
        """
        found = [self.package_root(directory)]
        while (parent := os.path.dirname(found[0])) != found[0] and self.modules(parent):
            found.insert(0, self.package_root(parent))
        return found

    def within(self, package: Found) -> dict[str, str]:
        """Return the modules and packages directly in a package, their paths by their names."""
        found: dict[str, str] = {}
        for directory in package.places:
            for name in sorted(self.entries(directory)):
                inside = os.path.join(directory, name)
                if name.endswith(_SUFFIX) and name != _INIT:
                    found.setdefault(name.removesuffix(_SUFFIX), inside)
                elif _INIT in self.entries(inside):
                    found.setdefault(name, os.path.join(inside, _INIT))
        return found

    def modules(self, directory: str) -> list[str]:
        """Return the names of the modules in a directory, in order."""
        return sorted(name for name in self.entries(directory) if name.endswith(_SUFFIX))

    def find_relative(self, level: int, name: str, directory: str) -> Found | None:
        """Return the module that an import in a file of `directory` names with leading dots."""
        for _ in range(level - 1):
            directory = os.path.dirname(directory)
        if not name:
            has_init = _INIT in self.entries(directory)
            path = os.path.join(directory, _INIT) if has_init else None
            return Found(path, is_package=True, places=(directory,))
        found: _Place | None = _Place(None, (directory,), is_package=True)
        for part in name.split("."):
            found = None if found is None else self._find_in(part, found.places)
        return None if found is None else Found(found.path, found.is_package, found.places)

    def is_installed(self, directory: str) -> bool:
        """Say whether a directory lies in installed packages, or in the standard library."""
        known = self._installed.get(directory)
        if known is None:
            parent = os.path.dirname(directory)
            known = (
                os.path.basename(directory) in _INSTALLED
                or {"os.py", "site.py"} <= self.entries(directory)
                or (parent != directory and self.is_installed(parent))
            )
            self._installed[directory] = known
        return known

    def entries(self, directory: str) -> frozenset[str]:
        """Return the names in a directory, none if it can't be listed."""
        known = self._entries.get(directory)
        if known is None:
            try:
                known = frozenset(os.listdir(directory))
            except (OSError, ValueError):
                known = frozenset()
            self._entries[directory] = known
        return known

    def _find_first(self, name: str, roots: Roots) -> _Place | None:
        if not name or (name in _of_the_library() and name not in roots.own):
            return None
        is_standard = name in sys.stdlib_module_names
        return self._find_in(name, roots.directories if is_standard else roots.everywhere)

    def _find_in(self, name: str, places: tuple[str, ...]) -> _Place | None:
        portions: list[str] = []
        for place in places:
            entries = self.entries(place)
            inside = os.path.join(place, name)
            if name in entries:
                if _INIT in self.entries(inside):
                    return _Place(os.path.join(inside, _INIT), (inside,), is_package=True)
                if os.path.isdir(inside):
                    portions.append(inside)
            if name + _SUFFIX in entries:
                return _Place(inside + _SUFFIX, (), is_package=False)
        return _Place(None, tuple(portions), is_package=True) if portions else None

    def is_within(self, path: str, roots: Roots) -> bool:
        """Say whether a file lies below a root even if links are followed."""
        real = os.path.join(self._realpath(os.path.dirname(path)), os.path.basename(path))
        if os.path.islink(path):
            real = os.path.realpath(path)
        return any(
            real.startswith(os.path.join(self._realpath(root), "")) for root in roots.everywhere
        )

    def _realpath(self, directory: str) -> str:
        known = self._real.get(directory)
        if known is None:
            known = self._real[directory] = os.path.realpath(directory)
        return known


class _Place(NamedTuple):
    path: str | None
    places: tuple[str, ...]
    is_package: bool


@lru_cache(maxsize=1)
def _of_the_library() -> frozenset[str]:
    """Return the modules of the standard library that no file of a project stands for.

    They are imported before a project's own are found, or the knowledge tables speak of them.
    """
    from flushlint.knowledge.processes import PROCESS_TYPES
    from flushlint.knowledge.streams import OPENERS, WRITERS

    known = {name.partition(".")[0] for name in (*PROCESS_TYPES, *OPENERS, *WRITERS)}
    return frozenset((known | _FROZEN) & sys.stdlib_module_names | {*sys.builtin_module_names})
