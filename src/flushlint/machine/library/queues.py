"""Queues and connections between processes: what is sent through them is pickled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.knowledge.processes import PICKLED_BY_DILL, PROCESS_PACKAGES
from flushlint.machine import calls, killing
from flushlint.machine.calls import Arguments, Handler, called, derive, library, method
from flushlint.machine.library.threads import apart, put, synchronised
from flushlint.machine.log import Pickled
from flushlint.machine.objects import Instance, Sequence
from flushlint.machine.pickling import unpicklable
from flushlint.machine.processes import expressions
from flushlint.machine.values import NONE, Ext, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []

_CONNECTION = "multiprocessing.connection.Connection"
_UNPICKLED = "multiprocess.connection.Connection"


def _pickled(m: Machine, state: State, arguments: Arguments, *, later: bool) -> tuple[Pickled, ...]:
    """Note each open file in what is sent, and return the notes.

    `later` says that it is pickled in another thread, where nobody hears of the failure.
    """
    given = arguments.get(0, "obj")
    if given is None:
        return ()
    node = arguments.nodes[0] if arguments.nodes else arguments.node
    process = m.log.processes[state.process]
    found = []
    for part in expressions(state, node, given, own=True):
        stream = unpicklable(state, part.value)
        if stream is not None:
            found.append(Pickled(stream, part, process, "send", arguments.node, later))
    m.log.pickled += found
    return tuple(found)


def _put_later(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`Queue.put`: a thread of the queue's own pickles the item."""
    _pickled(m, state, arguments, later=True)
    return put(m, state, receiver, arguments)


def _put_at_once(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    notes = _pickled(m, state, arguments, later=False)
    if notes:
        calls.stop(m, state, arguments.node, "TypeError", notes)
        return []
    return put(m, state, receiver, arguments)


def _queues(package: str) -> None:
    """Register the queues of a package that pickles as `pickle` does."""
    for word in ("Queue", "JoinableQueue"):
        method(f"{package}.{word}", "put", "put_nowait")(_put_later)
    method(f"{package}.SimpleQueue", "put")(_put_at_once)
    for word in ("Queue", "JoinableQueue"):
        method(f"{package}.Manager", word)(_managed_queue)


_MANAGED = "multiprocessing.managers.Queue"
synchronised("multiprocessing.managers", "Queue")
method(_MANAGED, "put", "put_nowait")(_put_at_once)


def _managed_queue(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`manager.Queue()`: a proxy, which sends each item to the manager's process."""
    return calls.instantiate(m, state, Ext(_MANAGED), Arguments(arguments.node, []))


# -- connections --------------------------------------------------------------------------------


def _pipe(kind: str) -> Handler:
    def handler(m: Machine, state: State, arguments: Arguments) -> list[State]:
        """Make two connections that know of each other."""
        node = arguments.node
        ends = [m.new(state, node, Instance(Ext(kind), {}), tag) for tag in ("one", "other")]
        for end, other in (ends, ends[::-1]):
            state.edit(Instance, end.id).attributes["%other"] = other
        return [state.push(m.new(state, node, Sequence("tuple", list(ends)), "pair"))]

    return handler


def _other(state: State, receiver: Value) -> Value:
    instance = state.look(Instance, receiver)
    return receiver if instance is None else instance.attributes.get("%other", receiver)


@method(_CONNECTION, "send")
def _send(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """What is sent is pickled, and arrives as a copy."""
    notes = _pickled(m, state, arguments, later=False)
    if notes:
        calls.stop(m, state, arguments.node, "TypeError", notes)
        return []
    m.may_raise(state, "builtins.OSError", arguments.node)
    return _send_bytes(m, state, receiver, arguments)


@method(_CONNECTION, "send_bytes")
@method(_UNPICKLED, "send", "send_bytes")
def _send_bytes(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """Whoever waits for it goes on."""
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
apart(_CONNECTION, "__init__", "fileno", "readable", "writable")
derive(_UNPICKLED, _CONNECTION)


@library("multiprocessing.connection.Client")
def _client(m: Machine, state: State, arguments: Arguments) -> list[State]:
    m.may_raise(state, "builtins.OSError", arguments.node)
    made = Instance(Ext(_CONNECTION), {}, arguments.node)
    return [state.push(m.new(state, arguments.node, made, "client"))]


for _package in PROCESS_PACKAGES:
    if f"{_package}." in PICKLED_BY_DILL:
        library(f"{_package}.Pipe")(_pipe(_UNPICKLED))
    else:
        _queues(_package)
        library(f"{_package}.Pipe")(_pipe(_CONNECTION))
synchronised("multiprocessing.dummy", "Pipe")
