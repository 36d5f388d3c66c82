"""Pickling: which open files what a spawned child is given would have to take along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.knowledge.processes import (
    PICKLED_BY_DILL,
)
from flushlint.machine import classes
from flushlint.machine.log import HandOver, Pickled, Process
from flushlint.machine.objects import Instance, Mapping, Sequence, Stream
from flushlint.machine.values import Bound, Ref, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["pickles"]


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
