"""Context managers as decorators: each call of the function is entered and left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine import calls
from flushlint.machine.calls import Arguments, method
from flushlint.machine.library.threads import attribute
from flushlint.machine.managers import MANAGER, enter, leave, leave_abruptly
from flushlint.machine.objects import Instance, Mapping, Sequence
from flushlint.machine.values import NONE, Ext, Ref, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["DECORATED"]

DECORATED = "contextlib.decorated"
"""The type of a function that a manager decorates."""


@method(MANAGER, "__call__")
@method("contextlib.ContextDecorator", "__call__")
def _decorate(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    function = arguments.get(0, "func") or NONE
    made = Instance(Ext(DECORATED), {"function": function, "manager": receiver}, arguments.node)
    return [state.push(m.new(state, arguments.node, made, "decorated"))]


@method(DECORATED, "__call__")
def _call(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    function, manager = (attribute(state, receiver, name) for name in ("function", "manager"))
    found: list[State] = []
    height = len(state.stack)
    for ready in _again(m, state, manager, arguments):
        made = ready.stack[-1]  # stays there: it is held during the call
        for entered in enter(m, ready, made, arguments.node):
            entered.pop()
            normal, abrupt = m.captured(
                lambda states: calls.call(m, states[0], function, arguments), [entered]
            )
            for after in normal:
                result = after.pop()
                for left in leave(m, after, made, arguments.node):
                    left.pop()
                    left.pop()
                    found.append(left.push(result))
            for after in abrupt:
                around = after.stack[:height]
                swallowed, going = leave_abruptly(m, after, made, arguments.node)
                for left in swallowed:
                    left.stack[:] = around
                    found.append(left.push(NONE))
                m.abrupt += going
    return m.join(found)


def _again(m: Machine, state: State, manager: Value, arguments: Arguments) -> list[State]:
    """Make the manager of a call: that of a generator is made anew each time."""
    again = attribute(state, manager, "%function")
    if not isinstance(again, Ref):
        return [state.push(manager)]
    positional = state.look(Sequence, attribute(state, manager, "%args"))
    keywords = state.look(Mapping, attribute(state, manager, "%kwargs"))
    assert positional is not None
    assert keywords is not None
    given = {str(name): value for name, value in keywords.entries.items()}
    return calls.call(m, state, again, Arguments(arguments.node, list(positional.items), given))
