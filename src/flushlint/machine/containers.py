"""Displays and comprehensions: building lists, tuples, sets and dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import libcst as cst

from flushlint.machine import calls, names
from flushlint.machine.interpreter import Machine, expression
from flushlint.machine.iteration import iterate
from flushlint.machine.joining import compact
from flushlint.machine.loops import loop
from flushlint.machine.objects import Function, Generator, Instance, Mapping, Sequence
from flushlint.machine.values import (
    Const,
    Ref,
    Value,
)

if TYPE_CHECKING:
    from flushlint.machine.state import State

__all__ = ["append", "put_item"]


@expression(cst.Tuple, cst.List, cst.Set)
def _sequence(m: Machine, node: cst.Tuple | cst.List | cst.Set, states: list[State]) -> list[State]:
    kind = {cst.Tuple: "tuple", cst.List: "list", cst.Set: "set"}[type(node)]
    for element in node.elements:
        states = m.eval(element.value, states)
    for state in states:
        values = state.take(len(node.elements))
        sequence = Sequence(kind, [])  # type: ignore[arg-type]  # one of the three words
        for element, value in zip(node.elements, values, strict=True):
            if isinstance(element, cst.StarredElement):
                found = iterate(m, state, value)
                sequence.items.extend(found.items)
                sequence.exact = sequence.exact and found.exact
            else:
                sequence.items.append(value)
        state.push(m.new(state, node, sequence))
    return states


@expression(cst.Dict)
def _dict(m: Machine, node: cst.Dict, states: list[State]) -> list[State]:
    count = 0
    for element in node.elements:
        if isinstance(element, cst.DictElement):
            states = m.eval(element.key, states)
            count += 1
        states = m.eval(element.value, states)
        count += 1
    for state in states:
        values = iter(state.take(count))
        mapping = Mapping({})
        for element in node.elements:
            if isinstance(element, cst.DictElement):
                put_item(mapping, next(values), next(values))
            else:
                _update(state, mapping, next(values))
        state.push(m.new(state, node, mapping))
    return states


def put_item(mapping: Mapping, key: Value, value: Value) -> None:
    """Set an entry; under a key that isn't constant it joins the rest."""
    if isinstance(key, Const):
        mapping.entries[key.value] = value
    else:
        mapping.rest = compact((*mapping.rest, value))
        mapping.exact = False


def _update(state: State, mapping: Mapping, source: Value) -> None:
    other = state.look(Mapping, source)
    if other is None:
        mapping.exact = False
        return
    mapping.entries.update(other.entries)
    mapping.rest.extend(other.rest)
    mapping.exact = mapping.exact and other.exact


_PURE = frozenset(
    {"abs", "bool", "chr", "divmod", "float", "format", "hash", "hex", "int", "isinstance",
     "len", "max", "min", "ord", "range", "repr", "round", "str", "strip", "split", "lower",
     "upper", "startswith", "endswith", "enumerate", "zip"}
)  # fmt: skip


@expression(cst.GeneratorExp)
def _generator_expression(m: Machine, node: cst.GeneratorExp, states: list[State]) -> list[State]:
    """A generator expression is a call of the generator function that it stands for."""
    definition = m.generator_function(node)
    pure = m.called_in(node) <= _PURE
    found: list[State] = []
    for state in m.chosen(m.eval(node.for_in.iter, states)):
        source = state.heap.get(state.stack[-1].id) if isinstance(state.stack[-1], Ref) else None
        if pure and not isinstance(source, (Generator, Instance)):
            # Nobody can tell when it runs, so it may run now.
            found += _comprehension(m, node, [state], evaluated=True)
            continue
        frame = state.frames[-1]
        function = Function(
            definition, m.scopes[definition], frame.env, frame.module, {}, "<genexpr>"
        )
        made = m.new(state, definition, function)
        given = state.pop()
        found += calls.call(m, state, made, calls.Arguments(node, [given]))
    return found


@expression(cst.ListComp, cst.SetComp, cst.DictComp)
def _comprehension(
    m: Machine,
    node: cst.ListComp | cst.SetComp | cst.DictComp | cst.GeneratorExp,
    states: list[State],
    *,
    evaluated: bool = False,
) -> list[State]:
    """Run a comprehension as the loop that it is.

    Where the outermost iterable is `evaluated`, it is the topmost operand.
    """
    hidden = names.targets_of(node.for_in)
    for state in states:
        made: Sequence | Mapping = (
            Mapping({}) if isinstance(node, cst.DictComp) else Sequence(_comp_kind(node), [])
        )
        source = [state.pop()] if evaluated else []
        state.push(m.new(state, node, made, "comprehension"))
        state.stack.extend(source)
        names.hide(state, hidden)
    states = _comp_for(m, node, node.for_in, states, evaluated=evaluated)
    for state in states:
        names.reveal(state, hidden)
    return m.join(states)


def _comp_kind(node: cst.BaseComp) -> Literal["set", "list"]:
    return "set" if isinstance(node, cst.SetComp) else "list"


def _comp_for(
    m: Machine,
    node: cst.BaseComp,
    clause: cst.CompFor,
    states: list[State],
    *,
    evaluated: bool = False,
) -> list[State]:

    def body(inside: list[State]) -> list[State]:
        skipped: list[State] = []
        for condition in clause.ifs:
            inside, false = m.split(m.eval(condition.test, inside))
            skipped += false
        if clause.inner_for_in is not None:
            return skipped + _comp_for(m, node, clause.inner_for_in, inside)
        return skipped + _comp_element(m, node, inside)

    if not evaluated:
        states = m.eval(clause.iter, states)
    return loop(m, clause, clause.target, states, body)


def _comp_element(m: Machine, node: cst.BaseComp, states: list[State]) -> list[State]:
    if isinstance(node, cst.DictComp):
        states = m.eval_all((node.key, node.value), states)
    else:
        assert isinstance(node, cst.BaseSimpleComp)
        states = m.eval(node.elt, states)
    for state in states:
        element = state.pop()
        key = state.pop() if isinstance(node, cst.DictComp) else None
        made = _under_construction(state, node)
        if isinstance(made, Ref) and key is not None:
            put_item(state.edit(Mapping, made.id), key, element)
        elif isinstance(made, Ref):
            append(state, made.id, element)
    return states


def _under_construction(state: State, node: cst.BaseComp) -> Value | None:
    """Find the container of a comprehension: the topmost one on the operand stack."""
    kind: type[Sequence | Mapping] = Mapping if isinstance(node, cst.DictComp) else Sequence
    for value in reversed(state.stack):
        if isinstance(value, Ref) and isinstance(state.heap.get(value.id), kind):
            return value
    return None


_LONGEST_EXACT = 64


def append(state: State, identity: int, value: Value) -> None:
    """Append to a list; one that grows without end becomes "any number of these"."""
    sequence = state.edit(Sequence, identity)
    if sequence.exact and len(sequence.items) < _LONGEST_EXACT:
        if value.__class__ is Ref and value in sequence.items:
            sequence.exact = False  # a loop has come round: one stands for many
        else:
            sequence.items.append(value)
        return
    sequence.exact = False
    sequence.items = compact((*sequence.items, value))
