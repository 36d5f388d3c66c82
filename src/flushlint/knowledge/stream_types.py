"""Objects that hold writes back and are no plain files: what their methods do. Data, no logic.

An object is a stream whose kind is the qualified name of its class. A method that its type does
not list is a call of unknown code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LIBRARY_OPENERS", "LIBRARY_TYPES", "NOWHERE", "StreamType", "TypeOpener"]

_NOTHING: Mapping[str, str] = {}


class StreamType(NamedTuple):
    """What the methods of a class do to what its instances hold back.

    `source` says where the facts are from. Of `flushes` and `closes` the first is the one to
    advise. What a method in `parts`, an attribute (``.name``) or an item (``[]``) gives is an
    object of the type named there, through which one writes as well; `items` says that
    ``obj[key] = value`` writes. `ends` are methods after which it is closed and what it held is
    gone.

    `commands` maps the first word of the text that a method in `commanded` is given to what it
    does.
    """

    source: str
    writes: tuple[str, ...] = ()
    items: bool = False
    flushes: tuple[str, ...] = ()
    closes: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    harmless: tuple[str, ...] = ()
    rest_is_harmless: bool = False
    parts: Mapping[str, str] = _NOTHING
    commanded: tuple[str, ...] = ()
    commands: Mapping[str, Literal["write", "flush", "nothing"]] = {}
    needs_close: bool = False
    """`flushes` are not enough: the rest comes with `closes`."""
    closes_on_drop: bool = True
    """What it holds is written when its last reference goes."""
    kept_at_exit: bool = True
    """What it holds is written when the interpreter ends the normal way."""
    with_commits: bool = False
    """Leaving ``with obj:`` flushes, or gives up what was held after an exception."""
    private: bool = False
    """Only the process that opened it can save it: its end writes over what others wrote."""
    doubles: bool = False
    """What it holds at a fork is written by each process that closes it."""
    unpicklable: str = ""
    """The exception that pickling it raises; empty where that is not known."""
    is_file: bool = False
    """It has the methods of a file as well."""


class TypeOpener(NamedTuple):
    """What makes an object of a type.

    `target` and `mode` are positions of parameters (-1: there is none). `direct` are arguments,
    each with its position and value, with which nothing is held back; `held` are those without
    which nothing is. With a keyword in `silent` nothing is claimed. `suffixes`: only such files
    hold anything back. `file` is the position of an open file to write to, `header` says that
    making the object writes to that already.
    """

    type: str
    target: int = 0
    mode: int = -1
    default: str = "w"
    direct: tuple[tuple[str, int, object], ...] = ()
    held: tuple[tuple[str, int, object], ...] = ()
    silent: frozenset[str] = frozenset()
    suffixes: tuple[str, ...] = ()
    file: int = -1
    header: bool = False


# Names of targets in which nothing outlives the process.
NOWHERE = frozenset({"/dev/null", ":memory:"})

_MUTATORS = (
    "append", "extend", "insert", "add", "update", "remove", "discard", "pop", "popitem",
    "setdefault", "sort", "reverse", "clear", "appendleft", "extendleft",
)  # fmt: skip

_COMMANDS: dict[str, Literal["write", "flush", "nothing"]] = {
    **dict.fromkeys(("INSERT", "UPDATE", "DELETE", "REPLACE"), "write"),
    **dict.fromkeys(("COMMIT", "END"), "flush"),
    **dict.fromkeys(
        ("SELECT", "CREATE", "DROP", "ALTER", "PRAGMA", "BEGIN", "ANALYZE", "EXPLAIN", "VALUES"),
        "nothing",
    ),
}

LIBRARY_TYPES: dict[str, StreamType] = {
    # Run on 3.8 to 3.13, with each database that `dbm` offers there: what is assigned to a key
    # goes to the database at once; entries that were read and changed stay in the cache.
    "shelve.Shelf": StreamType(
        source="run",
        flushes=("sync",),
        closes=("close",),
        harmless=("keys", "__contains__", "__len__", "__iter__"),
        parts={"[]": "shelve.entry", "get": "shelve.entry", "setdefault": "shelve.entry"},
    ),
    "shelve.entry": StreamType(
        source="run",
        writes=_MUTATORS,
        items=True,
        parts={"[]": "shelve.entry", "get": "shelve.entry", "setdefault": "shelve.entry"},
        rest_is_harmless=True,
    ),
    # Run on 3.8 to 3.13: a statement that changes data opens a transaction, which is rolled back
    # unless it is committed; closing and dropping the connection do not commit.
    "sqlite3.Connection": StreamType(
        source="run",
        flushes=("commit", "executescript"),
        ends=("close",),
        harmless=("create_function", "set_trace_callback", "iterdump", "interrupt"),
        parts={"execute": "sqlite3.Cursor", "executemany": "sqlite3.Cursor",
               "cursor": "sqlite3.Cursor"},
        commanded=("execute", "executemany"),
        commands=_COMMANDS,
        closes_on_drop=False,
        kept_at_exit=False,
        with_commits=True,
        unpicklable="TypeError",
    ),
    "sqlite3.Cursor": StreamType(
        source="run",
        flushes=("executescript",),
        harmless=("fetchone", "fetchall", "fetchmany", "close", "__iter__", "__next__"),
        parts={"execute": "sqlite3.Cursor", "executemany": "sqlite3.Cursor"},
        commanded=("execute", "executemany"),
        commands=_COMMANDS,
    ),
    # Run on 3.8 to 3.13: dropping the handler drops its records; at a normal exit `logging` flushes
    # those that are still held. Its methods belong to the machine's `logging`.
    "logging.handlers.MemoryHandler": StreamType(
        source="run",
        closes_on_drop=False,
        doubles=True,
        unpicklable="TypeError",
    ),
}  # fmt: skip

LIBRARY_OPENERS: dict[str, TypeOpener] = {
    "shelve.open": TypeOpener("shelve.Shelf", 0, 1, "c", held=(("writeback", 3, True),)),
    "shelve.DbfilenameShelf": TypeOpener("shelve.Shelf", 0, 1, "c", held=(("writeback", 3, True),)),
    "sqlite3.connect": TypeOpener(
        "sqlite3.Connection",
        direct=(("isolation_level", 3, None), ("autocommit", -1, True)),
        silent=frozenset({"factory"}),
    ),
    "sqlite3.Connection": TypeOpener(
        "sqlite3.Connection",
        direct=(("isolation_level", 3, None), ("autocommit", -1, True)),
    ),
}
