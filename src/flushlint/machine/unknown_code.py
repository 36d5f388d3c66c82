"""Calls of what the machine can't see: unknown functions, methods and libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.knowledge.blocking import BLOCKING_METHODS
from flushlint.machine.values import Const, Unknown, Value

if TYPE_CHECKING:
    from flushlint.machine.calls import Arguments
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["unknown_call"]

_QUESTIONS = frozenset(
    {"startswith", "endswith", "isdigit", "isalpha", "isupper", "islower", "isspace", "isalnum",
     "strip", "lower", "upper", "casefold"}
)  # fmt: skip
_QUIET = frozenset(
    {"acquire", "release", "put", "join", "is_alive", "is_set", "set", "clear", "sleep", "info",
     "debug", "warning", "error", "exception", "critical", "log", "strip", "split", "format",
     "time", "getpid", "append", "add", "update", "lower", "upper", "items", "keys", "values",
     "encode", "startswith", "endswith", "hexdigest", "wait", "random", "randint", "uniform",
     "perf_counter", "monotonic", "getLogger", "basename", "dirname", "exists"}
)  # fmt: skip


def unknown_call(
    m: Machine,
    state: State,
    arguments: Arguments,
    *,
    receiver: Value | None = None,
    name: str = "",
    external: str = "",
) -> list[State]:
    """Call what the machine can't see: it may flush, keep or start whatever reaches it."""
    from flushlint.machine.killing import halt
    from flushlint.machine.processes import escape  # which starts processes, by calls

    given = arguments.values()
    question = _question(state, receiver, given)
    if question is not None:
        return [state.push(question)]
    everything = given if receiver is None else [receiver, *given]
    reached = state.reach(everything)
    m.forget(state, reached)
    state.forget_sizes(reached)
    result = m.unknown()
    state.hold(result.key, everything)
    if isinstance(receiver, Unknown):
        state.hold(receiver.key, given)
    if (name or _called_attribute(receiver)) in BLOCKING_METHODS:
        halt(m, state, arguments.node)
    states = escape(m, state, reached, arguments.node)
    last = name or external.rpartition(".")[2]
    for after in states:
        if last not in _QUIET:
            m.may_raise(after, None, arguments.node)
        after.push(result)
    return states


def _called_attribute(function: Value | None) -> str:
    """Return the name of an attribute of an unknown object, where that is what is called."""
    key = function.key if isinstance(function, Unknown) else None
    return str(key[2]) if isinstance(key, tuple) and len(key) == 3 and key[0] == "attr" else ""


def _question(state: State, receiver: Value | None, given: list[Value]) -> Value | None:
    """Return the answer to a question about an unknown text: the same whenever it is asked."""
    key = receiver.key if isinstance(receiver, Unknown) else None
    if not (isinstance(key, tuple) and len(key) == 3 and key[0] == "attr"):
        return None
    if key[2] not in _QUESTIONS or key[1] in state.holds:
        return None
    constants = tuple(value.value for value in given if isinstance(value, Const))
    return Unknown(("asked", key, constants)) if len(constants) == len(given) else None
