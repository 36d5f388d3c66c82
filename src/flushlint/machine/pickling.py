"""Pickling: what a spawned child is sent, and which open files that can't take along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import libcst as cst

from flushlint.knowledge.processes import INHERITED_TYPES, PICKLED_BY_DILL
from flushlint.machine import calls, classes
from flushlint.machine.calls import Arguments
from flushlint.machine.iteration import iterate
from flushlint.machine.log import HandOver, Pickled, Process
from flushlint.machine.objects import (
    Class,
    Env,
    Function,
    Generator,
    Instance,
    Mapping,
    Sequence,
    Stream,
)
from flushlint.machine.state import parts
from flushlint.machine.values import Bound, Ext, Method, Ref, Union, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = [
    "named",
    "own_pickles",
    "pickled",
    "pickles",
    "pickles_itself",
    "restore",
    "sendable",
    "sent",
    "sent_along",
    "unpicklable",
]


def pickles(
    m: Machine, state: State, process: Process, instance: Instance, receiver: Ref
) -> tuple[Pickled, ...]:
    """Note each open file that would have to be pickled, and return the notes."""
    if any(
        name.startswith(PICKLED_BY_DILL) for name in classes.external_bases(state, instance.cls)
    ):
        return ()
    found = pickled(m, state, process.hand_overs, process, "start")
    if found or process.start is None or pickles_itself(state, instance):
        return found
    own = [v for k, v in instance.attributes.items() if not k.startswith("%")]
    place = (HandOver(process.start, value, own=False) for value in own)
    return pickled(m, state, place, process, "start")[:1]


def pickled(
    m: Machine,
    state: State,
    hand_overs: Iterable[HandOver],
    process: Process,
    how: Literal["start", "task"],
) -> tuple[Pickled, ...]:
    """Note each open file in what is handed to a process, and return the notes."""
    found = []
    for hand_over in hand_overs:
        stream = unpicklable(state, hand_over.value)
        if stream is not None:
            found.append(Pickled(stream, hand_over, process, how))
    m.log.pickled += found
    return tuple(found)


def own_pickles(m: Machine, state: State, receiver: Ref, node: cst.CSTNode) -> dict[int, Value]:
    """Return what each object that is sent says of itself; empty the objects.

    That is what `__reduce__` returns, a tuple, or the state that `__getstate__` returns.
    """
    found: dict[int, Value] = {}
    state.push(receiver)
    for identity in sorted(state.reach([receiver])):
        instance = state.look(Instance, Ref(identity))
        own = instance and (
            classes.class_attribute(state, instance.cls, "__reduce__")
            or classes.class_attribute(state, instance.cls, "__getstate__")
        )
        if own:
            after = _only(m, state, own, Arguments(node, [Ref(identity)]))
            if after is not None:
                found[identity] = after.stack[-1]  # where it stays, to be held
                calls.become(state, after)
    for identity in found:
        state.edit(Instance, identity).attributes.clear()
    return found


def restore(
    m: Machine, child: State, receiver: Ref, pickled: dict[int, Value], node: cst.CSTNode
) -> list[State]:
    """Give the objects that were sent their states, through `__setstate__` if there is one."""
    height = len(child.stack)
    child.stack += [receiver, *pickled.values()]
    for identity, value in pickled.items():
        if not _restore_one(m, child, identity, value, node):
            return []
    del child.stack[height:]
    return [child]


def _restore_one(m: Machine, child: State, identity: int, value: Value, node: cst.CSTNode) -> bool:
    """Restore one object; say whether that comes to an end."""
    instance = child.edit(Instance, identity)
    mapping, reduced = child.look(Mapping, value), child.look(Sequence, value)
    if reduced is not None and len(reduced.items) > 1:
        function: Value | None = reduced.items[0]
        given = iterate(m, child, reduced.items[1]).items
    else:
        function = classes.class_attribute(child, instance.cls, "__setstate__")
        given = [Ref(identity), value]
    if function is None:
        names = {} if mapping is None else mapping.entries
        instance.attributes.update({str(k): v for k, v in names.items()})
        return True
    after = _only(m, child, function, Arguments(node, given))
    if after is None:
        return False
    calls.become(child, after)
    made = child.look(Instance, child.pop())
    if made is not None:
        child.edit(Instance, identity).attributes.update(made.attributes)
    return True


def _only(m: Machine, state: State, function: Value, arguments: Arguments) -> State | None:
    """Call a function; of several outcomes the first stands for all."""
    done, _ = m.captured(lambda states: calls.call(m, states[0], function, arguments), [state])
    return m.join(done)[0] if done else None


_OWN_PICKLING = ("__getstate__", "__reduce__", "__reduce_ex__", "__getnewargs__")


def pickles_itself(state: State, instance: Instance) -> bool:
    """Say whether a class says itself what is pickled of its instances."""
    return any(classes.class_attribute(state, instance.cls, n) for n in _OWN_PICKLING)


def unpicklable(state: State, value: Value) -> Stream | None:
    """Return an open file that pickling the value meets. Functions go by their names."""
    for identity in sent_along(state, value):
        obj = state.heap[identity]
        if isinstance(obj, Stream) and (obj.spec is None or obj.spec.unpicklable):
            return obj
    return None


# -- what is sent to a process that runs already ----------------------------------------------

# Library objects that pickle by their names, as functions do.
_BY_NAME = frozenset({"functools.lru_cache"})


def sendable(state: State, value: Value) -> bool:
    """Say whether a value can be pickled for a task, open files aside.

    A lambda can't, a local function neither unless the module knows it by a name, and locks
    and queues are handed over at a child's start or not at all.
    """
    known: set[int] | None = None
    for identity in sent_along(state, value):
        obj = state.heap[identity]
        if isinstance(obj, Function) and isinstance(obj.node, cst.Lambda):
            return False
        if isinstance(obj, Function) and obj.scope.is_enclosed:
            known = named(state) if known is None else known
            if identity not in known:
                return False
        elif isinstance(obj, Generator) or (
            isinstance(obj, Instance)
            and not INHERITED_TYPES.isdisjoint(classes.external_bases(state, obj.cls))
        ):
            return False
    return True


def sent_along(state: State, value: Value) -> Iterator[int]:
    """Yield the objects that pickling a value meets, functions, classes and generators included.

    What an unknown value may hold is not among them.
    """
    seen: set[int] = set()
    todo = [value]
    while todo:
        current = todo.pop()
        if isinstance(current, (Bound, Method)):
            todo.extend(parts(current))
        elif isinstance(current, Ref) and current.id in state.heap and current.id not in seen:
            seen.add(current.id)
            yield current.id
            obj = state.heap[current.id]
            if isinstance(obj, (Sequence, Mapping)):
                todo.extend(obj.values())
            elif isinstance(obj, Instance) and not pickles_itself(state, obj):
                todo += [obj.cls, *obj.attributes.values()]


def named(state: State) -> set[int]:
    """Return the functions that modules and classes hold under a name."""
    return {
        value.id
        for obj in state.heap.values()
        if isinstance(obj, Class) or (isinstance(obj, Env) and obj.scope.parent is None)
        for value in obj.values()
        if isinstance(value, Ref)
    }


def sent(
    m: Machine, sender: State, child: State, values: list[Value], node: cst.CSTNode
) -> list[Value]:
    """Return the values as they arrive in another process.

    What has a name is the child's own of that name, everything else a copy. Of what does not
    travel nothing is known.
    """
    return _Parcel(m, sender, child, node).unpacked(values)


class _Parcel:
    """What is pickled together: what occurs twice in it is copied once."""

    def __init__(self, m: Machine, sender: State, child: State, node: cst.CSTNode) -> None:
        self.m, self.sender, self.child, self.node = m, sender, child, node
        self.copies: dict[int, Value] = {}

    def unpacked(self, values: list[Value]) -> list[Value]:
        height = len(self.child.stack)
        found = [self._copy(value) for value in values]
        del self.child.stack[height:]
        return found

    def _copy(self, value: Value) -> Value:
        if isinstance(value, Bound):
            return Bound(self._copy(value.function), self._copy(value.receiver))
        if isinstance(value, Method):
            return Method(self._copy(value.receiver), value.name)
        if isinstance(value, Union):
            return Union(value.key, tuple(self._copy(option) for option in value.options))
        if not isinstance(value, Ref):
            return value
        known = self.copies.get(value.id)
        return self._copy_object(value) if known is None else known

    def _copy_object(self, value: Ref) -> Value:
        obj = self.sender.heap.get(value.id)
        if self._has_name(obj):
            if value.id not in self.child.heap:
                return self.m.unknown()
            self.copies[value.id] = value
            return value
        if not isinstance(obj, (Sequence, Mapping, Instance)):
            return self.m.unknown()
        bare = obj.copy()
        if isinstance(bare, Instance):
            if pickles_itself(self.sender, bare):
                bare.attributes.clear()
            bare.cls = self._copy(bare.cls)
        made = self.m.new(self.child, self.node, _emptied(bare), f"sent {value.id}")
        self.child.push(made)
        self.copies[value.id] = made
        self._fill(made.id, bare)
        return made

    def _has_name(self, obj: object) -> bool:
        return isinstance(obj, (Function, Class)) or (
            isinstance(obj, Instance)
            and (
                (isinstance(obj.cls, Ext) and obj.cls.name in _BY_NAME)
                or classes.is_a(self.sender, obj.cls, "enum.Enum")
            )
        )

    def _fill(self, identity: int, bare: Sequence | Mapping | Instance) -> None:
        if isinstance(bare, Sequence):
            self.child.edit(Sequence, identity).items = [self._copy(v) for v in bare.items]
        elif isinstance(bare, Mapping):
            entries = {key: self._copy(v) for key, v in bare.entries.items()}
            rest = [self._copy(v) for v in bare.rest]
            mapping = self.child.edit(Mapping, identity)
            mapping.entries, mapping.rest = entries, rest
        else:
            attributes = {name: self._copy(v) for name, v in bare.attributes.items()}
            self.child.edit(Instance, identity).attributes = attributes


def _emptied(obj: Sequence | Mapping | Instance) -> Sequence | Mapping | Instance:
    """Return an object of the same kind without what it holds."""
    if isinstance(obj, Sequence):
        return Sequence(obj.kind, [], obj.exact, obj.nonempty)
    if isinstance(obj, Mapping):
        return Mapping({}, [], obj.exact)
    return Instance(obj.cls, {}, obj.node)
