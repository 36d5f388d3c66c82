"""Sockets: files made of them, and processes that wait for what the other side sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine import killing
from flushlint.machine.calls import Arguments, library, method
from flushlint.machine.library.openers import constant, open_file
from flushlint.machine.library.threads import apart, attribute, keep
from flushlint.machine.objects import Instance, Sequence, Stream
from flushlint.machine.values import NONE, Ext, Ref, Value

if TYPE_CHECKING:
    import libcst as cst

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []

_SOCKET = "socket.socket"


@method(_SOCKET, "__init__")
def _socket(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(NONE)]


@method(_SOCKET, "makefile")
def _makefile(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    mode = constant(arguments, 0, "mode", "r")
    buffering = constant(arguments, 1, "buffering", -1)
    if buffering is None or buffering == 1:
        buffering = -1  # one byte: what is above the buffer holds text back all the same
    found = open_file(m, state, arguments, mode, buffering, arguments.node)
    for after in found:
        made = after.stack[-1]
        if isinstance(made, Ref):
            after.edit(Stream, made.id).waits = True
    return found


def _sockets(m: Machine, state: State, node: cst.CSTNode, tags: tuple[str, ...]) -> list[Ref]:
    return [m.new(state, node, Instance(Ext(_SOCKET), {}, node), tag) for tag in tags]


@library("socket.socketpair")
def _socketpair(m: Machine, state: State, arguments: Arguments) -> list[State]:
    left, right = _sockets(m, state, arguments.node, ("left", "right"))
    keep(state, left, {"%other": right})
    keep(state, right, {"%other": left})
    pair = Sequence("tuple", [left, right])
    return [state.push(m.new(state, arguments.node, pair, "pair"))]


@library("socket.create_connection")
def _connection(m: Machine, state: State, arguments: Arguments) -> list[State]:
    m.may_raise(state, "builtins.OSError", arguments.node)
    return [state.push(_sockets(m, state, arguments.node, ("client",))[0])]


@method(_SOCKET, "accept")
def _accept(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    m.may_raise(state, "builtins.OSError", arguments.node)
    found = [*killing.halt(m, state, arguments.node, (receiver,)), state]
    for after in found:
        ends: list[Value] = [*_sockets(m, after, arguments.node, ("accepted",)), m.unknown()]
        after.push(m.new(after, arguments.node, Sequence("tuple", ends), "pair"))
    return found


@method(_SOCKET, "recv", "recvfrom", "recv_into")
def _receive(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    found = [*killing.halt(m, state, arguments.node, (receiver,)), state]
    for after in found:
        killing.await_(m, after, receiver)
        after.push(m.unknown())
    return found


@method(_SOCKET, "send", "sendall")
def _send(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """Whoever waits for it at the other end goes on."""
    other = attribute(state, receiver, "%other")
    if other != NONE:
        killing.give(m, state, other)
        killing.put(m, state, other, arguments.get(0, "data"))
    return [state.push(m.unknown())]


@method(_SOCKET, "close", "shutdown")
def _close(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    killing.tell(state, attribute(state, receiver, "%other"))
    return [state.push(NONE)]


apart(_SOCKET, "bind", "listen", "connect", "settimeout", "setsockopt", "getsockname", "fileno",
      "setblocking")  # fmt: skip
