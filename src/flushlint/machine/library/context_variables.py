"""`contextvars`: values that a task or thread has for itself, and that go when it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine import calls
from flushlint.machine.calls import Arguments, library, method
from flushlint.machine.library.threads import attribute, keep
from flushlint.machine.objects import Instance
from flushlint.machine.values import NONE, Ext, Ref, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["in_copy"]

_VARIABLE = "contextvars.ContextVar"
_CONTEXT = "contextvars.Context"
_TOKEN = Ext("contextvars.Token")
_VALUE = "%value"


@method(_VARIABLE, "__init__")
def _make(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    keep(state, receiver, {"%default": arguments.keywords.get("default")})
    return [state.push(NONE)]


@method(_VARIABLE, "get")
def _get(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    instance = state.look(Instance, receiver)
    held = {} if instance is None else instance.attributes
    value = held.get(_VALUE) or arguments.get(0, "default") or held.get("%default")
    if value is None:
        calls.stop(m, state, arguments.node, "LookupError")
        return []
    return [state.push(value)]


@method(_VARIABLE, "set")
def _set(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    instance = state.look(Instance, receiver)
    before = None if instance is None else instance.attributes.get(_VALUE)
    kept = {"%variable": receiver} if before is None else {"%variable": receiver, _VALUE: before}
    _put(state, receiver, arguments.get(0, "value"))
    kept["old_value"] = before or Ext("contextvars.Token.MISSING")
    token = Instance(_TOKEN, kept, arguments.node)
    return [state.push(m.new(state, arguments.node, token, "token"))]


@method(_VARIABLE, "reset")
def _reset(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    token = state.look(Instance, arguments.get(0, "token") or NONE)
    if token is not None:
        _put(state, receiver, token.attributes.get(_VALUE))
    return [state.push(NONE)]


def _put(state: State, variable: Value, value: Value | None) -> None:
    assert isinstance(variable, Ref)
    attributes = state.edit(Instance, variable.id).attributes
    if value is None:
        attributes.pop(_VALUE, None)
    else:
        attributes[_VALUE] = value
    state.dirty = True


# -- contexts -----------------------------------------------------------------------------------


def _values(state: State) -> dict[Ref, Value | None]:
    """Return what the variables hold, None for nothing."""
    return {
        Ref(identity): obj.attributes.get(_VALUE)
        for identity, obj in state.heap.items()
        if isinstance(obj, Instance) and obj.cls == Ext(_VARIABLE)
    }


def in_copy(
    m: Machine, state: State, action: Callable[[State], list[State]], context: Value = NONE
) -> list[State]:
    """Do something in a copy of the context: what it sets is as it was before when it is done.

    A `context` object keeps what is set in it.
    """
    before = _values(state)
    if not before:
        return action(state)
    normal, abrupt = m.captured(lambda states: action(states[0]), [state])
    for after in (*normal, *abrupt):
        changed = {v: now for v, now in _values(after).items() if now != before.get(v)}
        for variable in changed:
            _put(after, variable, before.get(variable))
        if context != NONE:
            keep(after, context, {f"%{v.id}": now for v, now in changed.items()})
    m.abrupt += abrupt
    return normal


@library("contextvars.copy_context")
def _copy(m: Machine, state: State, arguments: Arguments) -> list[State]:
    held = {f"%{v.id}": value for v, value in _values(state).items() if value is not None}
    made = Instance(Ext(_CONTEXT), held, arguments.node)
    return [state.push(m.new(state, arguments.node, made, "context"))]


@method(_CONTEXT, "run")
def _run(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    if not arguments.positional:
        return [state.push(m.unknown())]

    def run(inside: State) -> list[State]:
        for variable in before:
            held = attribute(inside, receiver, f"%{variable.id}")
            if held != NONE:
                _put(inside, variable, held)
        return calls.call(m, inside, arguments.positional[0], arguments.after(1))

    before = _values(state)
    return in_copy(m, state, run, receiver)
