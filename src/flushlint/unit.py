"""A unit of work: one module, and those of its own project that it may import, as bytes.

It holds all that an analysis reads, so that it can be made anywhere and by anyone: another process,
another machine, an editor with unsaved text. What it does not hold is external to the program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ModuleFile", "Unit"]


_NOTHING: Mapping[str, ModuleFile] = {}  # never changed


class ModuleFile(NamedTuple):
    """A module on disk, or in an editor: its path as findings show it, and its contents.

    A namespace package has neither.
    """

    path: str
    data: bytes
    is_package: bool = False


class Unit(NamedTuple):
    """The module that runs first, and all that it may import, by their dotted names.

    `name` is the one by which others import it, "" if nobody can. It is among the `imported` where
    somebody does.
    """

    main: ModuleFile
    name: str = ""
    imported: Mapping[str, ModuleFile] = _NOTHING

    def files(self) -> Mapping[str, ModuleFile]:
        """Return the modules by their paths, the main one first."""
        found = {self.main.path: self.main}
        for module in self.imported.values():
            if module.path:
                found.setdefault(module.path, module)
        return found
