"""Units of work: a module with what it may import, as far as that is in its own project."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from flushlint.module_names import BY_NAME, absolute
from flushlint.project.folders import Found
from flushlint.project.imports import imports
from flushlint.unit import ModuleFile, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flushlint.project.folders import Folders, Roots
    from flushlint.project.imports import Import

__all__ = ["Members", "Units", "imports_by_name"]

# What one program may import, in modules and bytes; what lies further away is external.
_MOST_MODULES = 64
_MOST_BYTES = 2_000_000
_INIT = "__init__.py"
_BY_NAME = tuple(word.encode() for word in BY_NAME)
_NAMESPACE = ModuleFile("", b"", is_package=True)


class Members(NamedTuple):
    """The files of one program: that in which it begins, and what it may import, by dotted names.

    `name` is the one by which others import the first, "" if none can.
    """

    path: str
    name: str
    imported: dict[str, Found]

    @property
    def files(self) -> tuple[str, ...]:
        """The absolute paths of all files, the first one first."""
        paths = (found.path for found in self.imported.values() if found.path is not None)
        return tuple(dict.fromkeys((self.path, *paths)))

    def unit(self, read: Callable[[str], bytes], shown: Callable[[str], str]) -> Unit:
        """Return the program as bytes. Raises what `read` does."""
        made: dict[str, ModuleFile] = {}
        for name, found in self.imported.items():
            if found.path is None:
                made[name] = _NAMESPACE
            else:
                made[name] = ModuleFile(shown(found.path), read(found.path), found.is_package)
        is_package = os.path.basename(self.path) == _INIT
        return Unit(ModuleFile(shown(self.path), read(self.path), is_package), self.name, made)


class Units:
    """Finds what files of a project may import.

    `read` returns the bytes of an absolute path, None if it can't be read.
    """

    def __init__(self, folders: Folders, read: Callable[[str], bytes | None]) -> None:
        self._folders = folders
        self._read = read
        self._imports: dict[str, tuple[Import, ...]] = {}

    def members(self, path: str, roots: Roots) -> Members:
        """Return the program that begins in the file at an absolute path."""
        name = self._folders.name_of(path, roots)
        imported: dict[str, Found] = {}
        left = _MOST_BYTES
        pending = [(name, Found(path, os.path.basename(path) == _INIT))]
        for package, at in pending:  # grows: breadth first, so that what is near comes first
            for module in self._wanted(package, at, roots):
                for found_name, found in self._with_packages(module, roots):
                    if found_name in imported or len(imported) >= _MOST_MODULES:
                        continue
                    if found.path is not None and found.path != path:
                        contents = self._read(found.path)
                        if contents is None or len(contents) > left:
                            continue
                        left -= len(contents)
                        pending.append((found_name, found))
                    imported[found_name] = found
        return Members(path, name, imported)

    def forget(self, path: str) -> None:
        """Forget what a file imports: it has changed."""
        self._imports.pop(path, None)

    def _wanted(self, name: str, found: Found, roots: Roots) -> Iterator[str]:
        """Yield the full names of the modules that a module may import, each as often as it does.

        Of ``from a import b`` both `a` and `a.b` may be one.
        """
        path = found.path or ""
        known = self._imports.get(path)
        if known is None:
            data = self._read(path) or b""
            known = self._imports[path] = tuple(dict.fromkeys(imports(data)))
        package = name if found.is_package else name.rpartition(".")[0]
        for one in known:
            module = absolute(one.module, one.level, package)
            if module:
                yield module
                if one.name == "*":
                    yield from self._inside(module, roots)
                elif one.name is not None:
                    yield f"{module}.{one.name}"
        if imports_by_name(self._read(path) or b""):
            # Which modules it imports is told when it runs: those of its own package, most often.
            yield from self._inside(package, roots)
            for one in known:
                yield from self._inside(absolute(one.module, one.level, package), roots)

    def _inside(self, package: str, roots: Roots) -> Iterator[str]:
        """Yield the full names of the modules in a package."""
        found = self._folders.find(package, roots) if package else None
        if found is not None:
            yield from (f"{package}.{name}" for name in self._folders.within(found))

    def _with_packages(self, name: str, roots: Roots) -> Iterator[tuple[str, Found]]:
        """Yield a module after the packages that it is in, as far as they are found."""
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            prefix = ".".join(parts[:count])
            found = self._folders.find(prefix, roots)
            if found is None:
                return
            yield prefix, found


def imports_by_name(data: bytes) -> bool:
    """Say whether a module may import others by names that are put together."""
    return any(word in data for word in _BY_NAME)
