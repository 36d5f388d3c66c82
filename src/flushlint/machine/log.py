"""What the machine saw: processes, losses, copies made by forks, and misuses of files.

The rules turn this into findings; nothing here knows a rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from flushlint.machine.state import UNSEEN

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    import libcst as cst

    from flushlint.machine.objects import Stream, Write
    from flushlint.machine.state import State
    from flushlint.machine.values import Value

__all__ = [
    "Emission",
    "Halt",
    "HandOver",
    "Kill",
    "Limit",
    "Log",
    "Loss",
    "Misuse",
    "Pickled",
    "Process",
    "Unguaranteed",
    "compatible",
]

How = Literal["return", "exit", "exec", "abort", "kill", "thread", "signal"]


def compatible(a: dict[Hashable, object], b: dict[Hashable, object]) -> bool:
    """Say whether two paths can be those of one run: they decided nothing differently."""
    return all(b.get(key, value) == value for key, value in a.items())


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
    """A process of the program. `start` is the call that started it; main has none."""

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


@dataclass(slots=True)
class Loss:
    """A pending write thrown away when its process ended.

    `hand_over` is the expression through which the file came, if it did; `survives` says
    that the write would have been kept had the process left without this exit call. One that is
    `conditional` comes of a signal that is not sent on every path.
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
    conditional: bool = False


@dataclass(slots=True)
class Halt:
    """A pending write of a process that may stand at a blocking point when a signal comes.

    `node` is where it stands and `on` what it waits for there; it handles the signals `handled`.
    `given` is what it may have told others before.
    """

    loss: Loss
    node: cst.CSTNode
    on: frozenset[Hashable]
    handled: frozenset[int]
    given: frozenset[Hashable]


@dataclass(slots=True)
class Kill:
    """A signal sent to a process by the statement `node`, by the end of its parent if it is None.

    It is `conditional` where the parent may as well let the process come to its end. The parent
    has `asked` whether it is alive; where it comes here with either answer, that means nothing.
    """

    process: int
    node: cst.CSTNode | None
    signal: int
    conditional: bool
    facts: dict[Hashable, object]
    asked: bool = False


@dataclass(slots=True)
class Unguaranteed:
    """What would be lost if `node` raised an exception that nobody shows."""

    loss: Loss
    node: cst.CSTNode | None


@dataclass(slots=True)
class Emission:
    """A write that several processes held has left one of them."""

    write: Write
    process: int
    facts: dict[Hashable, object]


@dataclass(slots=True)
class Pickled:
    """An open file that had to be pickled to reach a child started by spawn or forkserver."""

    stream: Stream
    hand_over: HandOver
    process: Process


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
    misuses: list[Misuse] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    streams: dict[int, Stream] = field(default_factory=dict)
    halts: list[Halt] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)
    spared: set[int] = field(default_factory=set)
    unasked: set[tuple[int, cst.CSTNode | None]] = field(default_factory=set)
    ended: set[int] = field(default_factory=set)
    words: set[Value] = field(default_factory=set)
    given: dict[int, frozenset[Hashable]] = field(default_factory=dict)
    gives: set[tuple[int, Hashable]] = field(default_factory=set)
    unguaranteed: list[Unguaranteed] = field(default_factory=list)
    boundaries: int = 0

    def emitted(self, state: State, writes: Iterable[Write]) -> None:
        """These writes have left the process; it matters where another holds a copy."""
        if UNSEEN in state.facts:
            return  # nobody shows that it comes to this
        for item in writes:
            if item.forks:
                self.emissions.append(Emission(item, state.process, state.facts.copy()))
