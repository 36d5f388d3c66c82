"""What a metaclass inherits from `type`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine.calls import Arguments, instantiate, library, unknown_call
from flushlint.machine.classes import TYPE
from flushlint.machine.values import NONE

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []


@library(f"{TYPE}.__new__")
def _new(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Return the class that the running `class` statement makes."""
    if not m.making:
        return unknown_call(m, state, arguments, external=f"{TYPE}.__new__")
    return [state.push(m.making[-1])]


@library(f"{TYPE}.__init__")
def _init(m: Machine, state: State, arguments: Arguments) -> list[State]:
    return [state.push(NONE)]


@library(f"{TYPE}.__call__")
def _call(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Make an instance of the class, as a call of it does."""
    if not arguments.positional:
        return [state.push(m.unknown())]
    return instantiate(m, state, arguments.positional[0], arguments.after(1))
