"""Whether a standard stream is a terminal: then what is written to it is there line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine.calls import library
from flushlint.machine.objects import Stream
from flushlint.machine.state import OTHER_TERMINAL, TERMINAL
from flushlint.machine.values import Const, Ref, Unknown, Value

if TYPE_CHECKING:
    from flushlint.machine.calls import Arguments
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["is_terminal"]

_DESCRIPTORS = {1: "stdout", 2: "stderr"}


def is_terminal(m: Machine, state: State, identity: int) -> Value:
    """Return the answer of `isatty()`; of a standard stream it is the same each time.

    A process that has got another terminal goes on buffering as it did, whatever the answer.
    """
    stream = state.heap.get(identity)
    if not isinstance(stream, Stream) or not stream.std or OTHER_TERMINAL in state.facts:
        return m.unknown()
    text = state.externals[f"sys.__{stream.kind}__"]
    return Unknown((TERMINAL, text.id)) if isinstance(text, Ref) else m.unknown()


@library("os.isatty")
def _isatty(m: Machine, state: State, arguments: Arguments) -> list[State]:
    value = arguments.get(0, "fd")
    if isinstance(value, Const) and value.value in _DESCRIPTORS:
        value = state.externals[f"sys.__{_DESCRIPTORS[value.value]}__"]
    if isinstance(value, Unknown) and isinstance(value.key, tuple) and value.key[0] == "fileno":
        value = Ref(value.key[1])
    return [state.push(is_terminal(m, state, value.id) if isinstance(value, Ref) else m.unknown())]
