"""Assignment targets: names, attributes, items, and unpacking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from flushlint.machine import attributes, calls, classes, names, typed_streams
from flushlint.machine.containers import put_item
from flushlint.machine.generators import exhaust
from flushlint.machine.interpreter import STD_STREAMS, Machine
from flushlint.machine.items import subscript_key
from flushlint.machine.iteration import Elements, iterate
from flushlint.machine.namespaces import put_name
from flushlint.machine.objects import Generator, Instance, Mapping, Sequence
from flushlint.machine.values import (
    Const,
    Ref,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from flushlint.machine.state import State

__all__ = ["assign"]


def assign(m: Machine, state: State, target: cst.CSTNode, value: Value) -> list[State]:
    """Bind an assignment target. Attribute targets may run code: properties."""
    if isinstance(target, cst.Name):
        names.store(m, state, target.value, value)
        return [state]
    if isinstance(target, (cst.Tuple, cst.List)):
        return _unpack(m, state, target, value)
    if isinstance(target, cst.Attribute):
        found: list[State] = []
        state.push(value)
        for after in m.chosen(m.eval(target.value, [state])):
            receiver = after.pop()
            found += attributes.put(m, after, receiver, target.attr.value, after.pop(), target)
        return found
    if isinstance(target, cst.Subscript):
        return _assign_item(m, state, target, value)
    if isinstance(target, cst.StarredElement):
        return assign(m, state, target.value, value)
    return [state]


def _assign_item(m: Machine, state: State, target: cst.Subscript, value: Value) -> list[State]:
    key_node = subscript_key(target)
    state.push(value)
    states = m.chosen(m.eval(target.value, [state]))
    if key_node is not None:
        states = m.eval(key_node, states)
    found: list[State] = []
    for after in states:
        key = after.pop() if key_node is not None else m.unknown()
        receiver, item = after.pop(), after.pop()
        instance = after.look(Instance, receiver)
        method = instance and classes.class_attribute(after, instance.cls, "__setitem__")
        if method:
            arguments = calls.Arguments(target, [receiver, key, item])
            for done in calls.call(m, after, method, arguments):
                done.pop()
                found.append(done)
            continue
        typed_streams.put_item(m, after, receiver, target)
        if key_node is None:
            _store_slice(m, after, target, receiver, item)
        else:
            _store_item(after, receiver, key, item)
        found.append(after)
    return found


def _store_slice(
    m: Machine, state: State, target: cst.Subscript, receiver: Value, item: Value
) -> None:
    """Replace a part of a list: all of it by `[:]`, else nobody knows which."""
    found = iterate(m, state, item)
    if isinstance(receiver, Ref) and state.look(Sequence, receiver) is not None:
        sequence = state.edit(Sequence, receiver.id)
        cut = target.slice[0].slice
        whole = isinstance(cut, cst.Slice) and cut.lower is None is cut.upper
        sequence.exact = whole and found.exact
        sequence.items[:] = found.items if whole else [*sequence.items, *found.items]
        state.dirty = True
    elif isinstance(receiver, Unknown):
        state.hold(receiver.key, (item,))


def _store_item(state: State, receiver: Value, key: Value, item: Value) -> None:
    if isinstance(receiver, Unknown):
        state.hold(receiver.key, (item,))
    if not isinstance(receiver, Ref):
        return
    if not isinstance(item, Const) or len(state.streams) > STD_STREAMS:
        state.dirty = True
    obj = state.heap.get(receiver.id)
    if isinstance(obj, Mapping):
        put_item(state.edit(Mapping, receiver.id), key, item)
    elif isinstance(obj, Sequence):
        sequence = state.edit(Sequence, receiver.id)
        index = key.value if isinstance(key, Const) else None
        if obj.exact and isinstance(index, int) and -len(obj.items) <= index < len(obj.items):
            sequence.items[index] = item
        else:
            sequence.items.append(item)
            sequence.exact = False
    elif put_name(state, receiver, key, item):
        return
    elif isinstance(obj, Instance) and not _holds_weakly(state, obj):
        attribute = state.edit(Instance, receiver.id).attributes
        attribute[f"[{key}]"] = item


def _holds_weakly(state: State, instance: Instance) -> bool:
    return any(name.startswith("weakref.") for name in classes.external_bases(state, instance.cls))


def _unpack(m: Machine, state: State, target: cst.Tuple | cst.List, value: Value) -> list[State]:
    states: list[State] = []
    for branch, option in _listed(m, state, value, target):
        found = iterate(m, branch, option)
        parts = _distribute(m, branch, target, found)
        after = [branch]
        for element, part in zip(target.elements, parts, strict=True):
            after = [done for before in after for done in assign(m, before, element.value, part)]
        states += after
    return states


def _listed(m: Machine, state: State, value: Value, node: cst.CSTNode) -> list[tuple[State, Value]]:
    """Run a generator that is unpacked; return the values to unpack."""
    found: list[tuple[State, Value]] = []
    for branch, option in m.choose(state, value):
        if isinstance(option, Ref) and branch.look(Generator, option) is not None:
            for after in exhaust(m, branch, option.id, node):
                found.append((after, after.pop()))
        else:
            found.append((branch, option))
    return found


def _distribute(
    m: Machine, state: State, target: cst.Tuple | cst.List, found: Elements
) -> list[Value]:
    """Deal values out to the elements of a target, a starred one included."""
    count = len(target.elements)
    star = next(
        (i for i, e in enumerate(target.elements) if isinstance(e, cst.StarredElement)), None
    )
    if not found.exact or len(found.items) < count - (star is not None):
        return [found.any(m, state) for _ in range(count)]
    if star is None:
        return found.items[:count]
    after = count - star - 1
    end = len(found.items) - after
    middle = m.new(state, target, Sequence("list", found.items[star:end]), "star")
    return [*found.items[:star], middle, *found.items[end:]]
