"""Pipes of `multiprocessing`: two connections that know of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.knowledge.processes import PROCESS_PACKAGES
from flushlint.machine import killing
from flushlint.machine.calls import Arguments, called, library, method
from flushlint.machine.library.threads import apart
from flushlint.machine.objects import Instance, Sequence
from flushlint.machine.values import NONE, Ext, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []

_CONNECTION = "multiprocessing.connection.Connection"


@library(*(f"{package}.Pipe" for package in PROCESS_PACKAGES))
def _pipe(m: Machine, state: State, arguments: Arguments) -> list[State]:
    node = arguments.node
    ends = [m.new(state, node, Instance(Ext(_CONNECTION), {}), tag) for tag in ("one", "other")]
    for end, other in (ends, ends[::-1]):
        state.edit(Instance, end.id).attributes["%other"] = other
    return [state.push(m.new(state, node, Sequence("tuple", list(ends)), "pair"))]


def _other(state: State, receiver: Value) -> Value:
    instance = state.look(Instance, receiver)
    return receiver if instance is None else instance.attributes.get("%other", receiver)


@method(_CONNECTION, "send", "send_bytes")
def _send(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """What is sent arrives as a copy; whoever waits for it goes on."""
    other = _other(state, receiver)
    killing.give(m, state, other)
    killing.put(m, state, other, arguments.get(0, "obj"))
    return [state.push(NONE)]


@method(_CONNECTION, "close")
def _close(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    killing.tell(state, _other(state, receiver))
    return [state.push(NONE)]


@method(_CONNECTION, "recv", "recv_bytes", "recv_bytes_into", "poll")
def _receive(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    is_poll = called(arguments) == "poll"
    if not is_poll:
        m.may_raise(state, "builtins.EOFError", arguments.node)
    found = [*killing.halt(m, state, arguments.node, (receiver,)), state]
    for after in found:
        if is_poll:
            killing.ask(m, after, receiver)
        else:
            killing.await_(m, after, receiver)
        after.push(m.unknown())
    return found


@method(_CONNECTION, "__enter__")
def _enter(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(receiver)]


method(_CONNECTION, "__exit__")(_close)
apart(_CONNECTION, "fileno")
