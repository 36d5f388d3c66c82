"""The first look at many files, as a piece of work: paths in, what their bytes say out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flushlint.discovery import SourceFile, read_bytes
from flushlint.project.sight import look

if TYPE_CHECKING:
    from flushlint.project.sight import Sight
    from flushlint.user_tables import UserTables

__all__ = ["Chunk", "scan"]


class Chunk(NamedTuple):
    """Some files by their absolute paths, and how to look at them: as `look` takes it."""

    paths: list[str]
    tables: UserTables
    alone: bool


def scan(chunk: Chunk) -> tuple[dict[int, Sight], list[int]]:
    """Return what there is to see, by numbers in the chunk, and what could not be read."""
    seen: dict[int, Sight] = {}
    unread: list[int] = []
    for number, path in enumerate(chunk.paths):
        try:
            data = read_bytes(SourceFile(path, path))
        except OSError:
            unread.append(number)
            continue
        sight = look(data, chunk.tables, alone=chunk.alone)
        if sight is not None:
            seen[number] = sight
    return seen, unread
