"""`sched`: what is entered is called when the schedule runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine import calls
from flushlint.machine.calls import Arguments, method
from flushlint.machine.library.threads import attribute, keep, spread
from flushlint.machine.objects import Instance, Sequence
from flushlint.machine.values import NONE, Ext, Ref, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []

_SCHEDULER = "sched.scheduler"
_EVENT = Ext("sched.Event")
_MOST_EVENTS = 16


@method(_SCHEDULER, "__init__")
def _make(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    events = m.new(state, arguments.node, Sequence("list", []), "events")
    keep(state, receiver, {"%events": events})
    return [state.push(NONE)]


@method(_SCHEDULER, "enter", "enterabs")
def _enter(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`enter(delay, priority, action, argument, kwargs)`; they run in the order of entering."""
    given = {
        "%target": arguments.get(2, "action"),
        "%args": arguments.get(3, "argument"),
        "%kwargs": arguments.get(4, "kwargs"),
    }
    known = {name: value for name, value in given.items() if value is not None}
    event = m.new(state, arguments.node, Instance(_EVENT, known, arguments.node), "event")
    held = attribute(state, receiver, "%events")
    if isinstance(held, Ref):
        state.edit(Sequence, held.id).items.append(event)
    return [state.push(event)]


@method(_SCHEDULER, "cancel")
def _cancel(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    held = attribute(state, receiver, "%events")
    if isinstance(held, Ref):
        items = state.edit(Sequence, held.id).items
        items[:] = [item for item in items if item != arguments.get(0, "event")]
    return [state.push(NONE)]


@method(_SCHEDULER, "run")
def _run(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """Call what was entered; what that enters runs as well."""
    states = [state]
    found: list[State] = []
    for _ in range(_MOST_EVENTS):
        again: list[State] = []
        for current in states:
            held = attribute(current, receiver, "%events")
            events = current.look(Sequence, held)
            if events is None or not events.items or not isinstance(held, Ref):
                found.append(current)
                continue
            event = current.edit(Sequence, held.id).items.pop(0)
            target = attribute(current, event, "%target")
            given = spread(m, current.push(event), event, arguments)
            for after in calls.call(m, current, target, given):
                del after.stack[-2:]  # the event and the result
                again.append(after)
        states = m.join(again)
        if not states:
            break
    return [after.push(NONE) for after in m.join(found + states)]
