"""What the machine saw: processes, losses, copies made by forks, and misuses of files.

The rules turn this into findings; nothing here knows a rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Literal, TypeAlias

from flushlint.machine.state import UNSEEN

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    import libcst as cst

    from flushlint.machine.objects import Guarded, Place, Stream, Write
    from flushlint.machine.state import State
    from flushlint.machine.trace import Trace
    from flushlint.machine.values import Value

__all__ = [
    "Cause",
    "Cleanup",
    "Doubling",
    "Emission",
    "Failure",
    "Halt",
    "HandOver",
    "Kill",
    "Limit",
    "Log",
    "Loss",
    "Misuse",
    "Output",
    "Pickled",
    "Process",
    "Truncation",
    "Unguaranteed",
    "compatible",
    "in_order",
]

_MOST_LAYERS = 8
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
    """A process of the program. `start` is the call that started it; main has none.

    A `worker` is one of the processes of a pool or an executor, and stands for each of them.
    `absent` are the names and items, each with the object that lacks it, that only the parent of
    a spawned child has set, and whether they lead to a file that is open for writing.
    """

    id: int
    kind: Literal["main", "process", "fork", "worker"]
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


@dataclass(slots=True, unsafe_hash=True)
class Cleanup:
    """A cleanup that did not run: where it was registered, by what, and in which process."""

    node: cst.CSTNode
    kind: str
    process: int


@dataclass(slots=True)
class Loss:
    """A pending write thrown away when its process ended.

    `hand_over` is the expression through which the file came, if it did; `survives` says
    that the write would have been kept had the process left without this exit call; `cleanups`
    are those that would have kept it, had they run. One that is `conditional` comes of a signal
    that is not sent on every path. `layer` is the heap object that `stream` was.
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
    cleanups: tuple[Cleanup, ...] = ()
    conditional: bool = False
    layer: int = 0


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
    It holds the `locks`.
    """

    process: int
    node: cst.CSTNode | None
    signal: int
    conditional: bool
    facts: dict[Hashable, object]
    asked: bool = False
    locks: frozenset[int] = frozenset()


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
class Doubling:
    """A write of which two processes hold a copy since a fork, and both write theirs out."""

    write: Write
    process: int


@dataclass(slots=True, eq=False)
class Pickled:
    """An open file that had to be pickled to reach another process.

    `process` is the child that is started by spawn or forkserver, or the worker that is to run a
    task, or the process that makes `call`, which sends the file; `how` tells which. `later` says
    that it is pickled in another thread.
    """

    stream: Stream
    hand_over: HandOver
    process: Process
    how: Literal["start", "task", "send"] = "start"
    call: cst.CSTNode | None = None
    later: bool = False


@dataclass(slots=True, unsafe_hash=True)
class Output:
    """Text that has reached a file that its opener empties when it is run again.

    `owner` is the process that opened the file: copies of it made by forks write where it
    stands, while one that is opened again writes from the beginning. `number` tells which of two
    came first.
    """

    place: Place
    owner: int
    write: Write
    number: int = field(default=0, compare=False)


def in_order(outputs: Iterable[Output]) -> list[Output]:
    """Return outputs in the order in which they reached their files.

    That of a set of them is one of addresses, which no two runs share.
    """
    return sorted(outputs, key=lambda output: output.number)


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


@dataclass(slots=True, eq=False)
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


Cause: TypeAlias = (
    "Loss | Halt | Unguaranteed | Doubling | Guarded | Misuse | Truncation | Failure | Pickled"
)


@dataclass(slots=True)
class Limit:
    """A bound of the machine that was hit: the entry it cost, and why."""

    node: cst.CSTNode | None
    why: str


@dataclass(slots=True)
class Log:
    """Everything that the machine reports of one module.

    `guarded` are the writes under a lock, `exposed` those that left their buffer after it was
    released, and `together` the pairs of runs of processes that are siblings at one time. `trace`
    is kept where a fix is looked for.
    """

    processes: dict[int, Process] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)
    emissions: list[Emission] = field(default_factory=list)
    pickled: list[Pickled] = field(default_factory=list)
    truncations: list[Truncation] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    emptied: set[Place] = field(default_factory=set)
    outputs: dict[int, set[Output]] = field(default_factory=dict)
    arrivals: Iterator[int] = field(default_factory=count)
    misuses: list[Misuse] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    streams: dict[int, Stream] = field(default_factory=dict)
    guarded: list[Guarded] = field(default_factory=list)
    exposed: list[Guarded] = field(default_factory=list)
    together: set[frozenset[int]] = field(default_factory=set)
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
    python_version: tuple[int, int] | None = None
    steps: int = 0
    has_forgotten: bool = False
    trace: Trace | None = None

    def emitted(self, state: State, writes: Iterable[Write]) -> None:
        """These writes have left the process; it matters where another holds a copy."""
        if UNSEEN in state.facts:
            return  # nobody shows that it comes to this
        for item in writes:
            if item.forks:
                self.emissions.append(Emission(item, state.process, state.facts.copy()))
            self._reach(state, item)

    def enclosing(self, number: int) -> Process:
        """Return the child or worker in which a process runs: itself, or what has forked it."""
        process = self.processes[number]
        while process.kind == "fork" and self.processes[process.parent].kind != "main":
            process = self.processes[process.parent]
        return process

    def excuse(self, expected: tuple[Pickled | Failure, ...]) -> None:
        """Forget events that the program has a handler for, with those that are like them.

        Of several tasks that fail for one reason, the first ends the wait for the others.
        """
        nodes = {e.hand_over.node if isinstance(e, Pickled) else e.node for e in expected}
        self.pickled = [e for e in self.pickled if e.hand_over.node not in nodes]
        self.failures = [e for e in self.failures if e.node not in nodes]

    def let_out(self, state: State, guarded: Iterable[Guarded]) -> None:
        """What was written under a lock has left the process; it matters if none is held now."""
        held = {held.lock for held in state.locks}
        self.exposed += [item for item in guarded if held.isdisjoint(item.locks())]

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
        output = Output(place, owner, item, next(self.arrivals))
        for other in in_order(state.reached):
            apart = other.place == place and other.owner != owner
            if apart and (self._has_imported(owner) or self._has_imported(other.owner)):
                self.truncations.append(Truncation(other, state.process))
        state.reached |= {output}
        self.outputs.setdefault(state.process, set()).add(output)

    def _has_imported(self, number: int) -> bool:
        """Say whether a process has imported the main module anew, and opened its files again."""
        process = self.processes.get(number)
        return process is not None and process.method in ("spawn", "forkserver")

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
