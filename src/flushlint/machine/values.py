"""Abstract values: what a variable may hold. Immutable by convention and hashable.

Anything with identity (streams, containers, functions, instances) lives in the heap and is
named by a `Ref`; what the machine can't know is an `Unknown` with a key, so that the same
unknown thing tested twice gives the same answer along a path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = [
    "FALSE",
    "NONE",
    "PLAIN",
    "TRUE",
    "Bound",
    "Const",
    "Ext",
    "Method",
    "Ref",
    "Union",
    "Unknown",
    "Value",
    "contains_newline",
    "count",
    "is_count",
    "is_positive",
    "key_of",
    "members",
]


# Values are hashed all the time: so not by all of what they hold, where less tells them apart.


@dataclass(slots=True)
class Const:
    """A constant that the machine knows: None, a bool, a number, a str or bytes."""

    value: Hashable

    def __hash__(self) -> int:
        return hash(self.value)


@dataclass(slots=True)
class Unknown:
    """A value that the machine does not know, but can recognise by its key.

    `newline` says of text whether it holds a newline; None where that is open too.
    """

    key: Hashable
    newline: bool | None = None

    def __hash__(self) -> int:
        return hash(self.key)


@dataclass(slots=True)
class Ref:
    """A heap object."""

    id: int

    def __hash__(self) -> int:
        return self.id


@dataclass(slots=True)
class Ext:
    """A name outside the analysed code, fully qualified: ``os.fork``, ``builtins.open``."""

    name: str

    def __hash__(self) -> int:
        return hash(self.name)


@dataclass(slots=True, unsafe_hash=True)
class Bound:
    """A function or class-level callable bound to its first argument."""

    function: Value
    receiver: Value


@dataclass(slots=True, unsafe_hash=True)
class Method:
    """A method of a library object (stream, list, process, ...) or of an unknown value."""

    receiver: Value
    name: str


@dataclass(slots=True)
class Union:
    """One of several values. The key lets one path stay with the option it chose."""

    key: Hashable
    options: tuple[Value, ...]

    def __hash__(self) -> int:
        return hash(self.key)


Value: TypeAlias = "Const | Unknown | Ref | Ext | Bound | Method | Union"

# Kinds of values that lead to no object of themselves.
PLAIN = (Const, Unknown, Ext)

NONE = Const(None)
TRUE = Const(True)
FALSE = Const(False)


def count(number: int) -> Unknown:
    """Return a number of which nothing is known but that it is at least 1."""
    return Unknown(("count", number))


def is_count(value: Value) -> bool:
    """Say whether a value is a number that is known to be at least 1, but not more."""
    return isinstance(value, Unknown) and type(value.key) is tuple and value.key[0] == "count"


def is_positive(value: Value) -> bool:
    """Say whether a value is known to be a whole number of at least 1."""
    if isinstance(value, Const):
        return type(value.value) is int and value.value > 0
    return is_count(value)


def contains_newline(value: Value) -> bool | None:
    """Say whether text holds a newline: yes, no, or (None) nobody knows."""
    if isinstance(value, Const):
        if isinstance(value.value, str):
            return "\n" in value.value
        if isinstance(value.value, bytes):
            return b"\n" in value.value
        return False
    if isinstance(value, Unknown):
        return value.newline
    return None


def key_of(value: Value) -> Hashable:
    """Return what facts about a value are filed under."""
    return value.key if isinstance(value, Unknown) else value


def members(test: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
    """Return what a test ``x in (1, 2)`` has filed of its container: its constants, few ones."""
    container = test[2]
    if isinstance(container, Const) and isinstance(container.value, (tuple, frozenset)):
        return tuple(container.value) if len(container.value) <= _MOST_MEMBERS else ()
    return ()


_MOST_MEMBERS = 16
