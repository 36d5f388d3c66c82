"""Pickling: what a spawned child is sent, and which open files that can't take along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.knowledge.processes import (
    PICKLED_BY_DILL,
)
from flushlint.machine import calls, classes
from flushlint.machine.calls import Arguments
from flushlint.machine.iteration import iterate
from flushlint.machine.log import HandOver, Pickled, Process
from flushlint.machine.objects import Instance, Mapping, Sequence, Stream
from flushlint.machine.values import Bound, Ref, Value

if TYPE_CHECKING:
    import libcst as cst

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["own_pickles", "pickles", "restore"]


def pickles(m: Machine, state: State, process: Process, instance: Instance, receiver: Ref) -> bool:
    """Note each open file that would have to be pickled; say whether there is one."""
    if any(
        name.startswith(PICKLED_BY_DILL) for name in classes.external_bases(state, instance.cls)
    ):
        return False
    found = False
    for hand_over in process.hand_overs:
        stream = _unpicklable(state, hand_over.value)
        if stream is not None:
            m.log.pickled.append(Pickled(stream, hand_over, process))
            found = True
    if not found:
        own = [v for k, v in instance.attributes.items() if not k.startswith("%")]
        if not _pickles_itself(state, instance):
            for value in own:
                stream = _unpicklable(state, value)
                if stream is not None and process.start is not None:
                    place = HandOver(process.start, receiver, own=False)
                    m.log.pickled.append(Pickled(stream, place, process))
                    return True
    return found


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


def _pickles_itself(state: State, instance: Instance) -> bool:
    return any(classes.class_attribute(state, instance.cls, n) for n in _OWN_PICKLING)


def _unpicklable(state: State, value: Value) -> Stream | None:
    """Return an open file that pickling the value meets. Functions go by their names."""
    seen: set[int] = set()
    todo = [value]
    while todo:
        current = todo.pop()
        if isinstance(current, Bound):
            todo.append(current.receiver)
            continue
        if not isinstance(current, Ref) or current.id in seen:
            continue
        seen.add(current.id)
        obj = state.heap.get(current.id)
        if isinstance(obj, Stream):
            if obj.spec is None or obj.spec.unpicklable:
                return obj
            continue
        if isinstance(obj, (Sequence, Mapping)):
            todo.extend(obj.values())
        elif isinstance(obj, Instance) and not _pickles_itself(state, obj):
            todo.extend(obj.attributes.values())
    return None
