"""What the bytes of one file say of processes: all that is asked of most files.

Found out wherever the bytes are, in a worker as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flushlint import gate
from flushlint.knowledge.processes import PARALLEL, POOL_TYPES, PROCESS_PACKAGES

if TYPE_CHECKING:
    from flushlint.user_tables import UserTables

__all__ = ["Sight", "look"]

_PACKAGES = frozenset(
    name.partition(".")[0] for name in (*PROCESS_PACKAGES, *POOL_TYPES, *PARALLEL)
)
_PACKAGE_WORDS = tuple(sorted(name.encode() for name in _PACKAGES))


class Sight(NamedTuple):
    """The `words` by which a module itself may start, fork or end a process, and the `names`.

    Those are the words, and the names by which the module knows packages of processes.
    """

    words: frozenset[bytes] = frozenset()
    names: frozenset[bytes] = frozenset()


def look(data: bytes, tables: UserTables, *, alone: bool) -> Sight | None:
    """Return what a file that holds `data` has to do with processes, None if nothing.

    One that stands `alone`, without a project, has only if it is a program that has to be analysed.
    """
    if alone:
        return Sight() if gate.passes(data, tables) else None
    found = gate.process_words(data, tables)
    names = found
    if any(package in data for package in _PACKAGE_WORDS):
        names = found | _bound_to_packages(data)
    return Sight(found, names) if names else None


def _bound_to_packages(data: bytes) -> frozenset[bytes]:
    """Return the names by which a module knows packages of processes."""
    from flushlint.project.imports import imports

    return frozenset(
        one.bound.encode()
        for one in imports(data)
        if not one.level and one.module.partition(".")[0] in _PACKAGES
    )
