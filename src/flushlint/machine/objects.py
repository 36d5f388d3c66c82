"""Heap objects: everything with identity that a program can build.

Objects are shared between states until one of them writes (`State.edit` copies first), so
each kind says how to copy itself and which values it keeps alive.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    import libcst as cst

    from flushlint.knowledge.stream_types import StreamType
    from flushlint.machine.scope import Scope
    from flushlint.machine.values import Value

__all__ = [
    "Class",
    "Env",
    "Function",
    "Generator",
    "Guarded",
    "Held",
    "Instance",
    "Mapping",
    "Obj",
    "Place",
    "Sequence",
    "Stream",
    "Write",
]

SequenceKind = Literal["list", "tuple", "set", "iterator"]


@dataclass(slots=True)
class Env:
    """The variables of a frame, a class body or a module. `parent` is the enclosing scope."""

    variables: dict[str, Value]
    scope: Scope
    parent: int | None

    def copy(self) -> Env:
        return Env(dict(self.variables), self.scope, self.parent)

    def values(self) -> Iterator[Value]:
        yield from self.variables.values()


@dataclass(slots=True)
class Sequence:
    """A list, tuple or set, or what is left of an iterator.

    Where `exact` is false it holds any number of its items.

    `nonempty` says that it holds one at least, where that is not plain from the items.
    """

    kind: SequenceKind
    items: list[Value]
    exact: bool = True
    nonempty: bool = False

    def copy(self) -> Sequence:
        return Sequence(self.kind, list(self.items), self.exact, self.nonempty)

    def values(self) -> Iterator[Value]:
        yield from self.items


@dataclass(slots=True)
class Mapping:
    """A dict: entries under constant keys, and values whose keys are not known.

    `factory` makes the values that a defaultdict lacks.
    """

    entries: dict[Hashable, Value]
    rest: list[Value] = field(default_factory=list)
    exact: bool = True
    factory: Value | None = None

    def copy(self) -> Mapping:
        return Mapping(dict(self.entries), list(self.rest), self.exact, self.factory)

    def values(self) -> Iterator[Value]:
        yield from self.entries.values()
        yield from self.rest
        if self.factory is not None:
            yield self.factory


@dataclass(slots=True)
class Function:
    """A function or lambda with its closure and the defaults bound at its definition."""

    node: cst.FunctionDef | cst.Lambda
    scope: Scope
    closure: int
    module: int
    defaults: dict[str, Value]
    name: str
    owner: int | None = None
    attributes: dict[str, Value] = field(default_factory=dict)

    def copy(self) -> Function:
        return replace(self, attributes=dict(self.attributes))

    def values(self) -> Iterator[Value]:
        yield from self.defaults.values()
        yield from self.attributes.values()


@dataclass(slots=True)
class Class:
    """A class of the analysed code."""

    name: str
    bases: tuple[Value, ...]
    attributes: dict[str, Value]
    node: cst.ClassDef | None
    fields: tuple[str, ...] | None = None

    def copy(self) -> Class:
        return replace(self, attributes=dict(self.attributes))

    def values(self) -> Iterator[Value]:
        yield from self.bases
        yield from self.attributes.values()


@dataclass(slots=True)
class Instance:
    """An instance: of a class of the program (`cls` is a Ref) or of a library type (an Ext)."""

    cls: Value
    attributes: dict[str, Value]
    node: cst.CSTNode | None = None

    def copy(self) -> Instance:
        return Instance(self.cls, dict(self.attributes), self.node)

    def values(self) -> Iterator[Value]:
        yield self.cls
        yield from self.attributes.values()


@dataclass(slots=True)
class Generator:
    """A suspended generator or coroutine: where it stands is the yield it waits at."""

    function: int
    env: int
    kind: Literal["generator", "coroutine"]
    at: cst.CSTNode | None = None
    status: Literal["new", "suspended", "done"] = "new"

    def copy(self) -> Generator:
        return replace(self)

    def values(self) -> Iterator[Value]:
        return iter(())


@dataclass(slots=True, unsafe_hash=True)
class Write:
    """The first of the pending writes of one process in a buffer.

    `process` is the process that wrote and `stream` the layer it wrote to; `forks` are the
    forks that the write has lived through, each of which left a copy in another process.
    """

    node: cst.CSTNode
    process: int
    stream: int
    forks: tuple[int, ...] = ()


class Held(NamedTuple):
    """A lock that a process holds, and where it took it."""

    lock: int
    node: cst.CSTNode


@dataclass(slots=True, unsafe_hash=True)
class Guarded:
    """A write made under locks that processes share.

    `file` tells the opening of the file from every other; `run` is the run of the process that
    wrote, and `beside` are those of its children that were under way.
    """

    node: cst.CSTNode
    stream: int
    file: int
    held: tuple[Held, ...]
    process: int
    run: int
    beside: frozenset[int]

    def locks(self) -> frozenset[int]:
        return frozenset(held.lock for held in self.held)


@dataclass(slots=True, frozen=True)
class Place:
    """A file, by the call that opens it, and by its path if that is a constant."""

    opener: cst.CSTNode
    path: Hashable = None


@dataclass(slots=True, unsafe_hash=True)
class Stream:
    """One layer of an open file: a text layer, a buffer, a compressor.

    `below` is the layer that data are passed to when this one is emptied; None is the
    operating system. `pending` holds the first write of each origin: what comes later leaves
    the buffer no earlier than it. `many` says that it stands for several streams of a loop.
    `guarded` holds what is pending of the writes under a lock, `birth` numbers the opening. Who
    reads from one that `waits` stands there until somebody sends something.
    `empties` names the file that opening it has emptied, where it is known to be the same one
    whenever the call is made.
    `spec` is what the methods of an object do that is no plain file.
    """

    opened: cst.CSTNode | None
    process: int
    kind: str
    text: bool
    writable: bool = True
    below: int | None = None
    owns_below: bool = True
    buffered: bool = True
    line_buffered: bool = False
    write_through: bool = False
    needs_close: bool = False
    std: bool = False
    closed: bool = False
    pending: tuple[Write, ...] = ()
    trailer: Write | None = None
    binary_line_buffering: bool = False
    synced: cst.CSTNode | None = None
    many: bool = False
    guarded: tuple[Guarded, ...] = ()
    birth: int = 0
    waits: bool = False
    empties: Place | None = None
    spec: StreamType | None = field(default=None, hash=False)

    def copy(self) -> Stream:
        return replace(self)

    def values(self) -> Iterator[Value]:
        return iter(())


Obj: TypeAlias = "Env | Sequence | Mapping | Function | Class | Instance | Generator | Stream"
