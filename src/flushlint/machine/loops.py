"""Loops: unrolled where the elements are known, else repeated to a fixpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from flushlint.machine import calls, classes, generators, killing, names
from flushlint.machine.iteration import CALLING, Elements, iterate
from flushlint.machine.joining import finite, signature, weaken
from flushlint.machine.objects import Generator, Instance, Sequence, Stream
from flushlint.machine.values import Ext, Ref, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import libcst as cst

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["continued", "loop", "repeat", "resume_loop"]

Body: TypeAlias = "Callable[[list[State]], list[State]]"

_UNROLLED = 8
_OBJECTS = 16
_TABLE = 64
_CHEAP = 400
_MOST_TURNS = 32
_ROUNDS = 12
_PATIENCE = 6


def continued(m: Machine, body: Body, states: list[State]) -> list[State]:
    """Run a loop body once; what continues goes on with what falls off its end."""
    normal, abrupt = m.captured(body, states)
    for state in abrupt:
        if state.signal is not None and state.signal.kind == "continue":
            state.signal = None
            normal.append(state)
        else:
            m.abrupt.append(state)
    return normal


def repeat(
    m: Machine,
    states: list[State],
    once: Callable[[list[State]], tuple[list[State], list[State]]],
) -> list[State]:
    """Repeat until no new stream state appears; return the states that left the loop.

    `once` takes the states at the loop's head and returns those that leave there and those
    that come round. After two rounds what the loop changes is unknown, so that from then on
    only stream states tell one round from another.
    """
    seen: set[Hashable] = set()
    exits: list[State] = []
    before = states[0].copy() if states else None
    stuck = before
    for turn in range(_ROUNDS):
        if before is None:
            break
        if turn >= 2:
            keys = [(signature(s), finite(s, before)) for s in states]
            states = [s for s, key in zip(states, keys, strict=True) if key not in seen]
            seen.update(keys)
        if not states:
            break
        stuck = states[-1].copy()
        left, states = once(states)
        exits += left
        states = m.join(states)
        if turn >= 1:
            for state in states:
                weaken(state, before, m.fresh, everything=turn >= _PATIENCE)
    if stuck is not None and not exits:
        m.stuck.append(stuck)  # nobody shows how it ends
    return m.join(exits)


def loop(
    m: Machine,
    node: cst.CSTNode,
    target: cst.BaseAssignTargetExpression,
    states: list[State],
    body: Body,
) -> list[State]:
    """Run a `for` loop over the topmost operand; return the states that exhausted it."""
    exits: list[State] = []
    for state in m.chosen(states):
        value = state.pop()
        for ready, made in _iterator(m, state, value, node):
            iterator = _resumable(m, ready, node, made) if m.resuming else made
            names.put_hidden(ready, node, iterator)
            exits += _loop_over(m, node, target, ready, iterator, body)
    for state in exits:
        names.get_hidden(state, node, remove=True)
    return m.join(exits)


def resume_loop(
    m: Machine,
    node: cst.CSTNode,
    target: cst.BaseAssignTargetExpression,
    state: State,
    body: Body,
) -> list[State]:
    """Go on with a loop in whose body a generator was suspended."""
    iterator = names.get_hidden(state, node)
    rest = continued(m, body, [state])
    exits: list[State] = []
    for after in rest:
        exits += _loop_over(m, node, target, after, iterator or m.unknown(), body, started=True)
    for after in exits:
        names.get_hidden(after, node, remove=True)
    return m.join(exits)


def _resumable(m: Machine, state: State, node: cst.CSTNode, value: Value) -> Value:
    """Make an iterator that knows what is left, for a loop in which a generator may halt."""
    found = iterate(m, state, value)
    if not _one_by_one(m, found) or state.look(Generator, value) is not None:
        return value
    return m.new(state, node, Sequence("iterator", list(found.items)), "iterator")


def _iterator(
    m: Machine, state: State, value: Value, node: cst.CSTNode
) -> list[tuple[State, Value]]:
    """Call the program's own `__iter__`, if the value has one."""
    instance = state.look(Instance, value)
    method = instance and classes.class_attribute(state, instance.cls, "__iter__")
    if not method:
        return [(state, value)]
    found = []
    for after in calls.call(m, state, method, calls.Arguments(node, [value])):
        found.extend(m.choose(after, after.pop()))
    return found


def _loop_over(
    m: Machine,
    node: cst.CSTNode,
    target: cst.BaseAssignTargetExpression,
    state: State,
    iterator: Value,
    body: Body,
    *,
    started: bool = False,
) -> list[State]:
    if state.look(Generator, iterator) is not None:
        return _over_generator(m, node, target, state, iterator, body)
    instance = state.look(Instance, iterator)
    if instance is not None and isinstance(instance.cls, Ref):
        method = classes.class_attribute(state, instance.cls, "__next__")
        if method is not None:
            return _over_next(m, node, target, state, iterator, method, body)
    if instance is not None and instance.cls == Ext(CALLING):
        return _over_calls(m, node, target, state, instance, body)
    source = state.look(Stream, iterator)
    if source is not None and source.waits:
        return _over_lines(m, node, target, state, iterator, body)
    found = iterate(m, state, iterator)
    if _one_by_one(m, found) and (not started or _is_iterator(state, iterator)):
        return _unrolled(m, node, target, [state], found.items, body)
    if started:
        return _any_number(m, target, state, found, body, None)
    if node not in m.costly and _is_table(m, found):
        visited = _if_cheap(m, node, target, state, found.items, body)
        if visited is not None:
            return visited
    answer = True if found.nonempty else _has_elements(m, state, iterator)
    if answer is False:
        return [state]
    return _any_number(m, target, state, found, body, answer)


def _over_lines(
    m: Machine,
    node: cst.CSTNode,
    target: cst.BaseAssignTargetExpression,
    state: State,
    stream: Value,
    body: Body,
) -> list[State]:
    """Loop over the lines of a socket: before each of them the process may stand there."""

    def waiting(states: list[State]) -> list[State]:
        return body([after for s in states for after in (*killing.halt(m, s, node), s)])

    return _any_number(m, target, state, iterate(m, state, stream), waiting, None)


def _has_elements(m: Machine, state: State, iterator: Value) -> bool | tuple[Hashable, bool] | None:
    """Say whether a loop has a round, or on which fact that hangs, as `Machine.truth` does."""
    if _is_iterator(state, iterator):
        return None  # it is true even when nothing is left of it
    sequence = state.look(Sequence, iterator)
    return m.truth(state, iterator) if isinstance(iterator, Unknown) or sequence else None


def _is_iterator(state: State, value: Value) -> bool:
    sequence = state.look(Sequence, value)
    return sequence is not None and sequence.kind == "iterator"


def _one_by_one(m: Machine, found: Elements) -> bool:
    """Say whether to visit each element once: a loop that closes each closes them all."""
    if any(v.__class__ is Ref for v in found.items):
        return len(found.items) <= _OBJECTS
    few = len(found.items) <= _UNROLLED and m.turns * len(found.items) <= _MOST_TURNS
    return found.exact and few


def _is_table(m: Machine, found: Elements) -> bool:
    """Say whether these are known, and so many that a loop may pass over all but a few."""
    return found.exact and len(found.items) <= _TABLE and m.turns <= _UNROLLED


def _if_cheap(
    m: Machine,
    node: cst.CSTNode,
    target: cst.BaseAssignTargetExpression,
    state: State,
    items: list[Value],
    body: Body,
) -> list[State] | None:
    """Visit each of many elements once, None if that is found to take too many steps, once."""
    before = m.steps
    last = before + _CHEAP

    def visit(states: list[State]) -> list[State]:
        outer = states[0].frames[-1].context
        turns, m.turns = m.turns, m.turns * _UNROLLED
        try:
            return _turns(m, node, target, states, items, body, outer, last)
        finally:
            m.turns = turns

    normal, abrupt = m.captured(visit, [state.copy()])
    if m.steps > last:
        m.costly.add(node)
        m.steps = before
        return None
    m.abrupt += abrupt
    return normal


def _bind(
    m: Machine, target: cst.BaseAssignTargetExpression, state: State, value: Value
) -> list[State]:
    from flushlint.machine.assignment import assign

    return assign(m, state, target, value)


def _unrolled(
    m: Machine,
    node: cst.CSTNode,
    target: cst.BaseAssignTargetExpression,
    states: list[State],
    items: list[Value],
    body: Body,
) -> list[State]:
    outer = states[0].frames[-1].context
    turns, m.turns = m.turns, m.turns * max(1, len(items))
    try:
        return _turns(m, node, target, states, items, body, outer)
    finally:
        m.turns = turns


def _turns(
    m: Machine,
    node: cst.CSTNode,
    target: cst.BaseAssignTargetExpression,
    states: list[State],
    items: list[Value],
    body: Body,
    outer: int,
    last: int | None = None,
) -> list[State]:
    """Visit one after the other; none any more from the step `last` on."""
    for index, item in enumerate(items):
        if last is not None and m.steps > last:
            return []
        # What a known turn of a loop makes is a thing of its own.
        context = m.identity(("turn", outer, target, len(items) - index))
        for state in states:
            iterator = names.get_hidden(state, node)
            if isinstance(iterator, Ref) and _is_iterator(state, iterator):
                del state.edit(Sequence, iterator.id).items[:1]
        bound = [after for state in states for after in _bind(m, target, state, item)]
        for state in bound:
            state.frames[-1] = state.frames[-1]._replace(context=context)
        states = m.join(continued(m, body, bound))
        for state in states:
            state.frames[-1] = state.frames[-1]._replace(context=outer)
    return states


def _any_number(
    m: Machine,
    target: cst.BaseAssignTargetExpression,
    state: State,
    found: Elements,
    body: Body,
    has_elements: bool | tuple[Hashable, bool] | None,
) -> list[State]:
    first = True

    def once(states: list[State]) -> tuple[list[State], list[State]]:
        nonlocal first
        exits = [] if first and has_elements is True else [s.copy() for s in states]
        if first and isinstance(has_elements, tuple):
            key, positive = has_elements
            for s in exits:
                s.assume(key, not positive)
            for s in states:
                s.assume(key, positive)
        first = False
        bound = [after for s in states for after in _bind(m, target, s, found.any(m, s))]
        return exits, continued(m, body, bound)

    return repeat(m, [state], once)


def _over_generator(
    m: Machine,
    node: cst.CSTNode,
    target: cst.BaseAssignTargetExpression,
    state: State,
    iterator: Value,
    body: Body,
) -> list[State]:
    assert isinstance(iterator, Ref)

    def once(states: list[State]) -> tuple[list[State], list[State]]:
        exits: list[State] = []
        bound: list[State] = []
        for s in states:
            yielded, finished = generators.resume(m, s, iterator.id, node)
            exits += finished
            for after in yielded:
                bound += _bind(m, target, after, after.pop())
        for done in exits:
            done.pop()
        return exits, continued(m, body, bound)

    return repeat(m, [state], once)


def _over_calls(
    m: Machine,
    node: cst.CSTNode,
    target: cst.BaseAssignTargetExpression,
    state: State,
    iterator: Instance,
    body: Body,
) -> list[State]:
    """Call what `iter(function, sentinel)` was given until it returns the sentinel."""
    from flushlint.machine.operators import equal

    function = iterator.attributes["%function"]
    sentinel = iterator.attributes["%sentinel"]

    def once(states: list[State]) -> tuple[list[State], list[State]]:
        bound: list[State] = []
        exits: list[State] = []
        for s in states:
            for after in calls.call(m, s, function, calls.Arguments(node, [])):
                value = after.stack[-1]
                ended, going = m.split([after.push(equal(m, after, value, sentinel))])
                for done in ended:
                    done.pop()
                exits += ended
                for goes in going:
                    bound += _bind(m, target, goes, goes.pop())
        return exits, continued(m, body, bound)

    return repeat(m, [state], once)


def _over_next(
    m: Machine,
    node: cst.CSTNode,
    target: cst.BaseAssignTargetExpression,
    state: State,
    iterator: Value,
    method: Value,
    body: Body,
) -> list[State]:
    """Call the program's own `__next__` until it raises StopIteration."""

    def once(states: list[State]) -> tuple[list[State], list[State]]:
        bound: list[State] = []

        def step(inside: list[State]) -> list[State]:
            found: list[State] = []
            for s in inside:
                found += calls.call(m, s, method, calls.Arguments(node, [iterator]))
            return found

        normal, abrupt = m.captured(step, states)
        exits: list[State] = []
        for s in abrupt:
            if generators.is_stop(s):
                s.signal = None
                exits.append(s)
            else:
                m.abrupt.append(s)
        for after in normal:
            bound += _bind(m, target, after, after.pop())
        return exits, continued(m, body, bound)

    return repeat(m, [state], once)
