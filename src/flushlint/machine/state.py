"""A state of the machine: the heap, the call stack, what the path has decided so far.

States are copied at every fork of the path, so the heap shares its objects until a state
writes to one (`edit`). Evaluation works on an operand stack in the state, which makes
temporaries roots of reachability just as they hold references in CPython.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from flushlint.machine.objects import (
    Class,
    Env,
    Function,
    Generator,
    Instance,
    Mapping,
    Obj,
    Sequence,
    Stream,
)
from flushlint.machine.values import Bound, Const, Ext, Method, Ref, Union, Unknown, Value, members

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator
    from collections.abc import Set as AbstractSet

    import libcst as cst

    from flushlint.machine.log import Output
    from flushlint.machine.objects import Held
    from flushlint.machine.workers import Crew

__all__ = [
    "DOUBTFUL",
    "EXCEPTED",
    "OTHER_TERMINAL",
    "SIGNALLED",
    "STD_STREAMS",
    "TERMINAL",
    "UNSEEN",
    "Frame",
    "Running",
    "Signal",
    "State",
    "origin",
    "parts",
]

_CROWDED = 256
_HOLDING = (Ref, Bound, Method, Union)
STD_STREAMS = 4  # stdout and stderr, two layers each, which the process keeps anyway
# Facts of a state: which process has run which signal's handler; that an exception which nobody
# shows was handled on the way; that one is under way which nothing handles; that something may
# well have handled it.
SIGNALLED = "signalled"
EXCEPTED = "excepted"
UNSEEN = "unseen"
DOUBTFUL = "doubtful"
# The test whether a standard stream, named by its identity, is a terminal; and the fact that the
# process has got another one since the stream was made.
TERMINAL = "terminal"
OTHER_TERMINAL = "other terminal"
SignalKind = Literal["return", "raise", "break", "continue", "yield"]
T = TypeVar("T", Env, Sequence, Mapping, Function, Class, Instance, Generator, Stream)


class Signal(NamedTuple):
    """Why a state left its block: what a return, raise, break, continue or yield carries.

    `implicit` marks an exception that nothing in the code shows.
    """

    kind: SignalKind
    value: Value | None = None
    node: cst.CSTNode | None = None
    implicit: bool = False


class Running(NamedTuple):
    """A child that was started and not yet waited for: its run, and what it is waited for by."""

    run: int
    handle: Hashable


class Frame(NamedTuple):
    """An active call. `base` is the height of the operand stack at its start.

    `code` is the function that runs, and `call` what calls it.
    """

    env: int
    module: int
    context: int
    base: int
    function: int | None = None
    code: cst.CSTNode | None = None
    call: cst.CSTNode | None = None


def _sized(key: Hashable) -> int:
    """Return the container of whose size a fact speaks, 0 where it speaks of something else."""
    while isinstance(key, tuple) and len(key) > 1:
        if key[0] in ("truth", "len") and isinstance(key[1], Ref):
            return key[1].id
        key = key[1]
    return 0


def origin(key: Hashable) -> Hashable:
    """Return the key of the unknown value that a key speaks of: ``k`` for ``("==", k, 3)``."""
    while isinstance(key, tuple) and len(key) > 1:
        key = key[1]
    return key


def _add_variables(env: Env, found: list[Value]) -> None:
    found += env.variables.values()


def _add_attributes(instance: Instance, found: list[Value]) -> None:
    found.append(instance.cls)
    found += instance.attributes.values()


def _add_items(sequence: Sequence, found: list[Value]) -> None:
    found += sequence.items


def _add_members(cls: Class, found: list[Value]) -> None:
    found += cls.bases
    found += cls.attributes.values()


# What `State.references` yields, at less cost for the commonest objects.
_CONTENTS: dict[type, Callable[[Any, list[Value]], None]] = {
    Class: _add_members,
    Env: _add_variables,
    Instance: _add_attributes,
    Sequence: _add_items,
}


def parts(value: Value) -> Iterable[Value]:
    """Return the values that a compound value is made of."""
    if isinstance(value, Bound):
        return (value.function, value.receiver)
    if isinstance(value, Method):
        return (value.receiver,)
    if isinstance(value, Union):
        return value.options
    return ()


class Epoch:
    """The objects that a state has changed since it was last copied, and what came before.

    Two states that descend from one share the epochs before it: what they differ in is what
    has changed in the epochs that they do not share.
    """

    __slots__ = ("changed", "depth", "parent")

    def __init__(self, parent: Epoch | None) -> None:
        self.changed: set[int] = set()
        self.parent = parent
        self.depth: int = 0 if parent is None else parent.depth + 1


class State:
    """One abstract state. Copy before letting two paths go different ways."""

    __slots__ = (
        "crowded",
        "dirty",
        "epoch",
        "externals",
        "facts",
        "frames",
        "generators",
        "handling",
        "heap",
        "holds",
        "locks",
        "modules",
        "owned",
        "process",
        "reached",
        "roots",
        "run",
        "running",
        "signal",
        "stack",
        "start_method",
        "streams",
        "watched",
        "workers",
    )

    def __init__(self) -> None:
        self.heap: dict[int, Obj] = {}
        self.owned: set[int] = set()
        self.epoch = Epoch(None)
        self.frames: list[Frame] = []
        self.stack: list[Value] = []
        self.facts: dict[Hashable, object] = {}
        self.signal: Signal | None = None
        self.handling: tuple[Signal, ...] = ()
        self.modules: dict[str, int] = {}  # environments by name; replaced, not changed
        self.process = 0
        self.reached: frozenset[Output] = frozenset()  # what an opener run again would destroy
        self.start_method: str | None = None
        self.streams: frozenset[int] = frozenset()
        self.generators: frozenset[int] = frozenset()
        self.holds: dict[Hashable, tuple[Value, ...]] = {}
        self.externals: dict[str, Value] = {}
        self.roots: tuple[Value, ...] = ()
        self.locks: tuple[Held, ...] = ()  # locks of `multiprocessing` that the process holds
        self.run = 0  # the run of the process: a loop may start one process many times
        self.running: tuple[Running, ...] = ()
        self.dirty = False
        self.watched = False  # something in it has a finalizer: every reference counts
        self.workers: dict[int, Crew] = {}  # of each pool that has not ended; replaced, not changed
        self.crowded = _CROWDED  # from so many objects on it is worth looking for garbage

    def copy(self) -> State:
        """Return a state that can go another way; the heap's objects are shared."""
        other = State.__new__(State)
        other.heap = self.heap.copy()
        self.owned = set()
        other.owned = set()
        before = self.epoch
        self.epoch, other.epoch = Epoch(before), Epoch(before)
        other.frames = self.frames.copy()
        other.stack = self.stack.copy()
        other.facts = self.facts.copy()
        other.signal = self.signal
        other.handling = self.handling
        other.modules = self.modules
        other.process = self.process
        other.reached = self.reached
        other.start_method = self.start_method
        other.streams = self.streams
        other.generators = self.generators
        other.holds = self.holds.copy()
        other.externals = self.externals.copy()
        other.roots = self.roots
        other.locks = self.locks
        other.run = self.run
        other.running = self.running
        other.dirty = self.dirty
        other.crowded = self.crowded
        other.watched = self.watched
        other.workers = self.workers
        return other

    # -- heap -------------------------------------------------------------------------

    def edit(self, kind: type[T], identity: int) -> T:
        """Return the object for writing: this state's own copy of it."""
        found = self.heap[identity]
        if identity not in self.owned:
            found = found.copy()
            self.heap[identity] = found
            self.owned.add(identity)
            self.epoch.changed.add(identity)
        assert isinstance(found, kind)
        if self.facts and found.__class__ in (Sequence, Mapping):
            self.forget_sizes({identity})
        return found

    def forget_sizes(self, identities: AbstractSet[int]) -> None:
        """Containers change: what tests have told about their sizes no longer holds."""
        for key in [k for k in self.facts if _sized(k) in identities]:
            del self.facts[key]

    def names_of(self, identity: int) -> dict[str, Value]:
        """Return the variables or attributes of an object for writing."""
        obj = self.heap[identity]
        if isinstance(obj, Env):
            return self.edit(Env, identity).variables
        if isinstance(obj, Instance):
            return self.edit(Instance, identity).attributes
        if isinstance(obj, Class):
            return self.edit(Class, identity).attributes
        return self.edit(Function, identity).attributes

    def look(self, kind: type[T], value: Value) -> T | None:
        """Return the object that `value` refers to if it is of this kind."""
        if value.__class__ is Ref:
            found = self.heap.get(value.id)
            if found.__class__ is kind:
                return found
        return None

    def place(self, identity: int, obj: Obj) -> Ref:
        """Put a new object into the heap."""
        self.heap[identity] = obj
        self.owned.add(identity)
        self.epoch.changed.add(identity)
        if obj.__class__ is Stream:
            self.streams |= {identity}
        elif obj.__class__ is Generator:
            self.generators |= {identity}
        return Ref(identity)

    def stream(self, identity: int) -> Stream:
        """Return a stream for reading."""
        found = self.heap[identity]
        assert isinstance(found, Stream)
        return found

    def differing(self, other: State) -> Iterable[int]:
        """Return the objects in which two states may differ."""
        changed: set[int] = set()
        mine, theirs = self.epoch, other.epoch
        while mine is not theirs:
            # The younger one steps back, so that they meet at the last common one.
            younger = mine if mine.depth >= theirs.depth else theirs
            if younger.parent is None:
                return self.heap.keys() | other.heap.keys()
            changed |= younger.changed
            if younger is mine:
                mine = younger.parent
            else:
                theirs = younger.parent
        return changed

    def drop(self, value: Value) -> None:
        """Note that a reference goes; it matters if what it reaches is to be closed."""
        if self.dirty or value.__class__ is Const or value.__class__ is Ext:
            return
        if self.watched:
            self.dirty = True
        elif value.__class__ is Unknown and value.key not in self.holds:
            return
        elif len(self.streams) > STD_STREAMS:
            reached = self.streams & self.reach((value,))
            self.dirty = bool(reached) and not self._held_by_name(reached)

    def _held_by_name(self, streams: frozenset[int]) -> bool:
        """Say whether variables of active frames hold the streams themselves: none goes."""
        missing = set(streams)
        for identity in {frame.env for frame in self.frames}:
            env = self.heap.get(identity)
            for value in env.variables.values() if isinstance(env, Env) else ():
                held = value.id if isinstance(value, Ref) else None
                while held in missing:
                    missing.remove(held)
                    held = self.stream(held).below
            if not missing:
                return True
        return False

    # -- operand stack ----------------------------------------------------------------

    def push(self, value: Value) -> State:
        """Push an operand; return the state itself, for a list of results."""
        self.stack.append(value)
        return self

    def pop(self) -> Value:
        """Pop the topmost operand."""
        return self.stack.pop()

    def take(self, count: int) -> list[Value]:
        """Pop the topmost `count` values; the first pushed comes first."""
        if not count:
            return []
        taken = self.stack[-count:]
        del self.stack[-count:]
        return taken

    # -- reachability -----------------------------------------------------------------

    def references(self, identity: int) -> Iterator[Value]:
        """Yield what a heap object holds, as CPython's objects do.

        A function holds the cells of the names it uses, not its enclosing frame.
        """
        obj = self.heap.get(identity)
        if obj is None:
            return
        if obj.__class__ is not Function or obj.defaults or obj.attributes:
            yield from obj.values()
        if obj.__class__ is Function:
            if obj.scope.is_enclosed:
                yield from self.cells(obj)
        elif obj.__class__ is Stream:
            if obj.below is not None:
                yield Ref(obj.below)
        elif obj.__class__ is Generator:
            yield Ref(obj.env)
            yield Ref(obj.function)

    def _add_held(self, function: Function, found: list[Value], with_defaults: bool) -> None:
        if with_defaults and (function.defaults or function.attributes):
            found.extend(function.values())
        if function.scope.is_enclosed:
            found.extend(self.cells(function))

    def cells(self, function: Function) -> Iterator[Value]:
        """Yield the values of the closure cells of a function: not globals."""
        env_id: int | None = function.closure
        used = function.scope.used
        while env_id is not None:
            env = self.heap.get(env_id)
            if not isinstance(env, Env) or env.scope.parent is None:
                return
            if env.scope.is_function:
                for name in used & env.variables.keys():
                    if name not in function.scope.bound:
                        yield env.variables[name]
            env_id = env.parent

    def reach(self, values: Iterable[Value], *, through_classes: bool = True) -> set[int]:
        """Return the heap objects that can be reached from the values.

        Without `through_classes` it stops at classes and at a function's defaults: what is
        found is then what travels with the values themselves.
        """
        return self.mark(values, through_classes=through_classes)[0]

    def mark(
        self, values: Iterable[Value], *, through_classes: bool = True
    ) -> tuple[set[int], set[Hashable]]:
        """Return what `reach` does, and the keys of unknown values and unions on the way."""
        seen: set[int] = set()
        keys: set[Hashable] = set()
        todo = list(values)
        heap = self.heap
        while todo:
            value = todo.pop()
            kind = value.__class__
            if kind is Ref:
                identity: int = value.id  # type: ignore[union-attr]  # the class says Ref
                if identity in seen:
                    continue
                obj = heap.get(identity)
                what = obj.__class__
                if what is Class and not through_classes:
                    continue
                seen.add(identity)
                held = _CONTENTS.get(what)
                if held is not None:
                    held(obj, todo)
                elif what is Function:
                    self._add_held(obj, todo, through_classes)  # type: ignore[arg-type]  # as said
                else:
                    todo.extend(self.references(identity))
            elif kind is Unknown:
                key = value.key  # type: ignore[union-attr]  # the class says Unknown
                if key not in keys:
                    keys.add(key)
                    todo.extend(self.holds.get(key, ()))
            elif kind is Bound or kind is Method or kind is Union:
                if kind is Union:
                    keys.add(value.key)  # type: ignore[union-attr]  # the class says Union
                todo.extend(parts(value))
        return seen, keys

    def assume(self, key: Hashable, answer: bool) -> None:
        """Remember the answer to a test; what equals one constant equals no other."""
        if isinstance(key, tuple) and key[0] == "truth" and not answer:
            self._empty(key[1])
            return
        self.facts[key] = answer
        if not isinstance(key, tuple):
            return
        if answer and key[0] == "==":
            self.facts["value", key[1]] = key[2]
        elif answer and key[0] == TERMINAL:
            self._is_terminal(key[1])
        elif not answer and key[0] == "in":
            for member in members(key):
                self.facts["==", key[1], member] = False
                if member is None:
                    self.facts["is", key[1], None] = False

    def _is_terminal(self, identity: int) -> None:
        """A standard stream turned out to be a terminal, which gets each line at once."""
        stream = self.edit(Stream, identity)
        stream.line_buffered, stream.pending = True, ()

    def _empty(self, container: Value) -> None:
        """A container turned out to be empty."""
        assert isinstance(container, Ref)
        if self.heap[container.id].__class__ is Mapping:
            mapping = self.edit(Mapping, container.id)
            mapping.entries, mapping.rest, mapping.exact = {}, [], True
        else:
            sequence = self.edit(Sequence, container.id)
            sequence.items, sequence.exact = [], True
        self.dirty = True

    def hold(self, key: Hashable, values: Iterable[Value]) -> None:
        """Note that an unknown object has been given these values and may keep them."""
        kept = [
            v
            for v in values
            if v.__class__ in _HOLDING or (isinstance(v, Unknown) and v.key in self.holds)
        ]
        known = self.holds.get(key, ())
        new = tuple(v for v in kept if v not in known)
        if new:
            self.holds[key] = (*known, *new)
