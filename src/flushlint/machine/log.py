"""What the machine saw: processes, losses, copies made by forks, and misuses of files.

The rules turn this into findings; nothing here knows a rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    import libcst as cst

    from flushlint.machine.objects import Place, Stream, Write
    from flushlint.machine.state import State
    from flushlint.machine.values import Value

__all__ = [
    "Emission",
    "Failure",
    "HandOver",
    "Limit",
    "Log",
    "Loss",
    "Misuse",
    "Output",
    "Pickled",
    "Process",
    "Truncation",
]

_MOST_LAYERS = 8
How = Literal["return", "exit", "exec", "abort", "kill", "thread"]


@dataclass(slots=True, unsafe_hash=True)
class HandOver:
    """An expression in the creation of a process, and the value that travels in it.

    `own` tells an argument's own expression from a target inside which the file travels.
    """

    node: cst.CSTNode
    value: Value
    own: bool


@dataclass(slots=True)
class Process:
    """A process of the program. `start` is the call that started it; main has none.

    `absent` are the names and items, each with the object that lacks it, that only the parent of
    a spawned child has set, and whether they lead to a file that is open for writing.
    """

    id: int
    kind: Literal["main", "process", "fork"]
    name: str
    parent: int
    start: cst.CSTNode | None = None
    method: str | None = None
    chosen: bool = False
    hand_overs: tuple[HandOver, ...] = ()
    receiver: int | None = None
    depth: int = 0
    height: int = 0
    absent: dict[tuple[int, Hashable], bool] = field(default_factory=dict)


@dataclass(slots=True)
class Loss:
    """A pending write thrown away when its process ended.

    `hand_over` is the expression through which the file came, if it did; `survives` says
    that the write would have been kept had the process left without this exit call.
    """

    write: Write
    stream: Stream
    process: int
    how: How
    node: cst.CSTNode | None
    hand_over: HandOver | None
    survives: bool
    std: bool
    facts: dict[Hashable, object]
    trailer: bool = False


@dataclass(slots=True)
class Emission:
    """A write that several processes held has left one of them."""

    write: Write
    process: int
    facts: dict[Hashable, object]


@dataclass(slots=True)
class Pickled:
    """An open file that had to be pickled to reach another process.

    `process` is the child that is started by spawn or forkserver, or the process that makes
    `call`, which sends the file; `later` says that it is pickled in another thread.
    """

    stream: Stream
    hand_over: HandOver
    process: Process
    call: cst.CSTNode | None = None
    later: bool = False


@dataclass(slots=True, unsafe_hash=True)
class Output:
    """Text that has reached a file that its opener empties when it is run again.

    `owner` is the process that opened the file: copies of it made by forks write where it
    stands, while one that is opened again writes from the beginning.
    """

    place: Place
    owner: int
    write: Write


@dataclass(slots=True)
class Truncation:
    """Text that a process destroys that has opened the file again by importing the module."""

    output: Output
    process: int


FailureKind = Literal[
    "local target",
    "unpicklable",
    "guarded target",
    "start on import",
    "method on import",
    "unset",
    "none",
]


@dataclass(slots=True)
class Failure:
    """Why a child started by spawn or forkserver never writes what it would write.

    `node` is the expression that raises, or that can't be sent; `process` is the child. `proven`
    says that it would write, as what it lacks is the file itself.
    """

    kind: FailureKind
    node: cst.CSTNode
    process: Process
    proven: bool = False


@dataclass(slots=True)
class Misuse:
    """A call whose arguments defeat its purpose, found while opening or syncing a file."""

    kind: Literal["unbuffered-text"]
    node: cst.CSTNode


@dataclass(slots=True)
class Limit:
    """A bound of the machine that was hit: the entry it cost, and why."""

    node: cst.CSTNode | None
    why: str


@dataclass(slots=True)
class Log:
    """Everything that the machine reports of one module."""

    processes: dict[int, Process] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)
    emissions: list[Emission] = field(default_factory=list)
    pickled: list[Pickled] = field(default_factory=list)
    truncations: list[Truncation] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    emptied: set[Place] = field(default_factory=set)
    outputs: dict[int, set[Output]] = field(default_factory=dict)
    misuses: list[Misuse] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    streams: dict[int, Stream] = field(default_factory=dict)
    boundaries: int = 0
    python_version: tuple[int, int] | None = None

    def emitted(self, state: State, writes: Iterable[Write]) -> None:
        """These writes have left the process; it matters where another holds a copy."""
        for item in writes:
            if item.forks:
                self.emissions.append(Emission(item, state.process, state.facts.copy()))
            self._reach(state, item)

    def wrote(self, state: State, node: cst.CSTNode) -> None:
        """This call has opened, written and closed a file."""

    def _reach(self, state: State, item: Write) -> None:
        """Note what has reached a file that an import of the module would empty.

        Two processes that have each opened it write from its beginning, one over the other.
        """
        place = self.place(state, item.stream)
        if place is None:
            return
        stream = state.heap.get(item.stream)
        owner = getattr(stream, "process", item.process)
        output = Output(place, owner, item)
        for other in state.reached:
            if other.place == place and other.owner != owner:
                self.truncations.append(Truncation(other, state.process))
        state.reached |= {output}
        self.outputs.setdefault(state.process, set()).add(output)

    def place(self, state: State, identity: int | None) -> Place | None:
        """Return the file below a stream, if opening it again would empty it."""
        for _ in range(_MOST_LAYERS):
            if identity is None:
                return None
            stream = state.heap.get(identity) or self.streams.get(identity)
            found = getattr(stream, "empties", None)
            if found is not None:
                return found  # type: ignore[no-any-return]  # a stream's own
            identity = getattr(stream, "below", None)
        return None
