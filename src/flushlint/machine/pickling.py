"""Pickling: what a spawned child is sent, and which open files that can't take along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.knowledge.processes import (
    PICKLED_BY_DILL,
)
from flushlint.machine import calls, classes
from flushlint.machine.calls import Arguments
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
    """Return what the `__getstate__` of each object that is sent returns; empty the objects."""
    found: dict[int, Value] = {}
    state.push(receiver)
    for identity in sorted(state.reach([receiver])):
        instance = state.look(Instance, Ref(identity))
        own = instance and classes.class_attribute(state, instance.cls, "__getstate__")
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
        instance = child.edit(Instance, identity)
        own = classes.class_attribute(child, instance.cls, "__setstate__")
        mapping = child.look(Mapping, value)
        if own is not None:
            after = _only(m, child, own, Arguments(node, [Ref(identity), value]))
            if after is None:
                return []
            after.pop()
            calls.become(child, after)
        elif mapping is not None:
            instance.attributes.update({str(k): v for k, v in mapping.entries.items()})
    del child.stack[height:]
    return [child]


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
            return obj
        if isinstance(obj, (Sequence, Mapping)):
            todo.extend(obj.values())
        elif isinstance(obj, Instance) and not _pickles_itself(state, obj):
            todo.extend(obj.attributes.values())
    return None
