"""Subscripts: items and slices of sequences, mappings and text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from flushlint.machine import calls, classes, typed_streams
from flushlint.machine.containers import put_item
from flushlint.machine.interpreter import Machine, expression
from flushlint.machine.joining import join_values
from flushlint.machine.objects import Instance, Mapping, Sequence, Stream
from flushlint.machine.operators import VERSION
from flushlint.machine.values import (
    NONE,
    Const,
    Ext,
    Ref,
    Unknown,
    Value,
    contains_newline,
    key_of,
)

if TYPE_CHECKING:
    from flushlint.machine.state import State

__all__ = ["subscript_key"]


@expression(cst.Subscript)
def _subscript(m: Machine, node: cst.Subscript, states: list[State]) -> list[State]:
    states = m.chosen(m.eval(node.value, states))
    element = node.slice[0].slice
    if len(node.slice) > 1 or not isinstance(element, cst.Index):
        return _slice(m, node, states)
    found = []
    for state in m.chosen(m.eval(element.value, states)):
        receiver, key = state.take(2)
        found += _item(m, state, receiver, key, node)
    return found


def _slice(m: Machine, node: cst.Subscript, states: list[State]) -> list[State]:
    """Take a slice: computed where sequence and bounds are known."""
    element = node.slice[0].slice
    bounds: list[cst.BaseExpression | None] = [None, None, None]
    if isinstance(element, cst.Slice) and len(node.slice) == 1:
        bounds = [element.lower, element.upper, element.step]
    given = [b for b in bounds if b is not None]
    states = m.eval_all(given, states)
    for state in states:
        values = iter(state.take(len(given)))
        numbers = [NONE if b is None else next(values) for b in bounds]
        sequence = state.pop()
        cut = None
        if isinstance(element, cst.Slice) and all(
            isinstance(n, Const) and (n.value is None or isinstance(n.value, int)) for n in numbers
        ):
            cut = slice(*(n.value for n in numbers if isinstance(n, Const)))
        state.push(_sliced(m, state, sequence, node, cut))
    return states


def _sliced(m: Machine, state: State, value: Value, node: cst.CSTNode, cut: slice | None) -> Value:
    sequence = state.look(Sequence, value)
    if cut is not None and cut.step != 0:
        if isinstance(value, Const) and isinstance(value.value, (str, bytes)):
            return Const(value.value[cut])
        if sequence is not None and sequence.exact:
            return m.new(state, node, Sequence(sequence.kind, sequence.items[cut]))
        fields = _fields(m, state, value)
        if fields:
            return m.new(state, node, Sequence("tuple", fields[cut]))
    if sequence is None:
        return m.unknown(None if contains_newline(value) is not False else False)
    return m.new(state, node, Sequence(sequence.kind, list(sequence.items), exact=False))


def _item(m: Machine, state: State, receiver: Value, key: Value, node: cst.CSTNode) -> list[State]:
    obj = state.heap.get(receiver.id) if isinstance(receiver, Ref) else None
    if isinstance(obj, Instance):
        return _item_of_instance(m, state, receiver, obj, key, node)
    if isinstance(obj, Sequence):
        return [state.push(_item_of_sequence(m, state, receiver, obj, key))]
    if isinstance(obj, Mapping):
        return _item_of_mapping(m, state, receiver, obj, key, node)
    if isinstance(obj, Stream) and obj.spec is not None and isinstance(receiver, Ref):
        return [state.push(typed_streams.item(m, state, receiver, obj.spec, node))]
    if isinstance(receiver, Ext):
        return [state.push(_external_item(m, receiver, key))]
    if isinstance(receiver, Const) and isinstance(receiver.value, (str, bytes)):
        return [state.push(_character(m, receiver.value, key))]
    if receiver == VERSION and key == Const(0):
        return [state.push(Const(3))]
    m.may_raise(state, "builtins.LookupError", node)
    result = Unknown(("item", key_of(receiver), key_of(key)))
    if isinstance(receiver, Unknown) and receiver.key in state.holds:
        state.hold(result.key, (receiver,))
    return [state.push(result)]


def _fields(m: Machine, state: State, value: Value) -> list[Value]:
    """Return what a named tuple holds; nothing for any other value."""
    instance = state.look(Instance, value)
    names = None if instance is None else classes.fields(state, instance)
    if instance is None or names is None:
        return []
    return [instance.attributes.get(name, m.unknown()) for name in names]


def _item_of_instance(
    m: Machine, state: State, receiver: Value, instance: Instance, key: Value, node: cst.CSTNode
) -> list[State]:
    method = classes.class_attribute(state, instance.cls, "__getitem__")
    if method is not None:
        return calls.call(m, state, method, calls.Arguments(node, [receiver, key]))
    inherited = calls.library_method(classes.external_bases(state, instance.cls), "__getitem__")
    if inherited is not None:
        return inherited(m, state, receiver, calls.Arguments(node, [key]))
    fields = _fields(m, state, receiver)
    index = key.value if isinstance(key, Const) else None
    if isinstance(index, int) and -len(fields) <= index < len(fields):
        return [state.push(fields[index])]
    if fields:
        return [state.push(any_of(m, fields))]
    found = _kept_items(m, state, instance, key)
    missing = classes.class_attribute(state, instance.cls, "__missing__")
    if missing is not None and f"[{key}]" not in instance.attributes:
        absent = state.copy() if found else state
        found += calls.call(m, absent, missing, calls.Arguments(node, [receiver, key]))
    if found:
        return found
    result = m.unknown()
    state.hold(result.key, (receiver,))
    return [state.push(result)]


def _kept_items(m: Machine, state: State, instance: Instance, key: Value) -> list[State]:
    """Return what was put into a container of the program's own under this or any key."""
    kept = {name: value for name, value in instance.attributes.items() if name[0] == "["}
    if f"[{key}]" in kept:
        return [state.push(kept[f"[{key}]"])]
    if isinstance(key, Const) or not kept:
        return []
    return [state.copy().push(any_of(m, list(kept.values())))]


def _item_of_sequence(
    m: Machine, state: State, receiver: Value, sequence: Sequence, key: Value
) -> Value:
    element = _element(m, sequence, key)
    if isinstance(element, Unknown) and not sequence.exact:
        same = Unknown(("item", receiver, key_of(key)), element.newline)
        state.hold(same.key, (element,))
        return same
    return element


def _item_of_mapping(
    m: Machine, state: State, receiver: Value, mapping: Mapping, key: Value, node: cst.CSTNode
) -> list[State]:
    if isinstance(key, Const) and key.value in mapping.entries:
        return [state.push(mapping.entries[key.value])]
    if mapping.factory is not None:
        return _default(m, state, receiver, mapping, key, node)
    if mapping.exact and isinstance(key, Unknown) and 0 < len(mapping.entries) <= _MOST_CASES:
        return _item_of_each(m, state, mapping, key)
    m.may_raise(state, "builtins.KeyError", node)
    return [state.push(any_of(m, [*mapping.rest, *_unless_constant(key, mapping)]))]


def _default(
    m: Machine, state: State, receiver: Value, mapping: Mapping, key: Value, node: cst.CSTNode
) -> list[State]:
    """Let a defaultdict make the entry that it lacks; under an unknown key, or hand one out."""
    assert isinstance(receiver, Ref)
    assert mapping.factory is not None
    known = [*mapping.rest, *_unless_constant(key, mapping)]
    if known:
        return [state.push(any_of(m, known))]
    found: list[State] = []
    for after in calls.call(m, state, mapping.factory, calls.Arguments(node, [])):
        put_item(after.edit(Mapping, receiver.id), key, after.stack[-1])
        found.append(after)
    return found


_MOST_CASES = 4


def _item_of_each(m: Machine, state: State, mapping: Mapping, key: Unknown) -> list[State]:
    """Look an unknown key up in a small table: one path for each key that it may be."""
    for known, value in mapping.entries.items():
        if state.facts.get(("==", key.key, known)) is True:
            return [state.push(value)]
    found: list[State] = []
    for known, value in mapping.entries.items():
        if state.facts.get(("==", key.key, known)) is False:
            continue
        branch = state.copy()
        for other in mapping.entries:
            branch.facts["==", key.key, other] = other == known
        found.append(branch.push(value))
    return found or [state.push(m.unknown())]


def _unless_constant(key: Value, mapping: Mapping) -> list[Value]:
    return [] if isinstance(key, Const) else list(mapping.entries.values())


def _character(m: Machine, text: str | bytes, key: Value) -> Value:
    index = key.value if isinstance(key, Const) else None
    if isinstance(index, int) and -len(text) <= index < len(text):
        return Const(text[index])
    return m.unknown(False if contains_newline(Const(text)) is False else None)


def _external_item(m: Machine, receiver: Ext, key: Value) -> Value:
    # `queue.Queue[int]`, `list[str]` name the class itself; `os.environ["X"]` is anything.
    last = receiver.name.rpartition(".")[2]
    if last[:1].isupper() or receiver.name.startswith("builtins."):
        return receiver
    return Unknown(("item", receiver, key_of(key)))


def _element(m: Machine, sequence: Sequence, key: Value) -> Value:
    if sequence.exact and isinstance(key, Const) and isinstance(key.value, int):
        if -len(sequence.items) <= key.value < len(sequence.items):
            return sequence.items[key.value]
        return m.unknown()
    return any_of(m, sequence.items)


def any_of(m: Machine, values: list[Value]) -> Value:
    """Return one value for any of several, unknown if there is none."""
    return join_values(values, m.fresh) if values else m.unknown()


def subscript_key(node: cst.Subscript) -> cst.BaseExpression | None:
    """Return the index expression of a plain subscript, None for a slice."""
    element = node.slice[0].slice
    return element.value if len(node.slice) == 1 and isinstance(element, cst.Index) else None
