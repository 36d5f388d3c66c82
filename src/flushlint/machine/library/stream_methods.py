"""Methods of streams, and writing to whatever stands where a file is expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine import calls, killing, streams, typed_streams
from flushlint.machine.iteration import iterate
from flushlint.machine.library import terminals
from flushlint.machine.objects import Generator, Stream
from flushlint.machine.values import NONE, Const, Method, Ref, Unknown, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["call_stream", "empty", "send"]

_WRITES = frozenset(
    {"write", "writelines", "writestr", "add", "addfile", "mkdir", "writepy", "write1"}
)
_READS = frozenset({"read", "readline", "readlines", "read1", "readinto", "peek", "__next__"})
_EMPTYING = frozenset({"flush", "truncate"})
_NEEDS_OPEN = _WRITES | _READS | _EMPTYING | {"seek", "tell", "detach", "__enter__", "__iter__"}


def call_stream(
    m: Machine, state: State, receiver: Ref, name: str, arguments: calls.Arguments
) -> list[State]:
    """Call a method of a stream; most of them raise when it is closed."""
    found = typed_streams.call_typed(m, state, receiver, name, arguments)
    if found is not None:
        return found
    if name in _NEEDS_OPEN and streams.is_closed(state, receiver.id):
        calls.stop(m, state, arguments.node, "ValueError")
        return []
    return _call_open(m, state, receiver, name, arguments)


def _call_open(
    m: Machine, state: State, receiver: Ref, name: str, arguments: calls.Arguments
) -> list[State]:
    stream = state.stream(receiver.id)
    if name in _WRITES:
        return _write(m, state, receiver, name, arguments)
    if name in _EMPTYING:
        streams.drain(m.log, state, receiver.id)
        return [state.push(NONE)]
    if name in ("close", "__exit__"):
        streams.close(m.log, state, receiver.id)
        return [state.push(NONE)]
    if name in ("__enter__", "__iter__"):
        return [state.push(receiver)]
    if name == "seek" or (name == "tell" and stream.text):
        streams.drain(m.log, state, receiver.id)
        return [state.push(m.unknown())]
    if name in _READS:
        if stream.writable:  # reading a file opened with + writes out what is pending
            streams.drain(m.log, state, receiver.id)
        found = [*killing.halt(m, state, arguments.node), state] if stream.waits else [state]
        return [after.push(m.unknown()) for after in found]
    if name == "detach":
        below = streams.detach(m.log, state, receiver.id)
        return [state.push(m.unknown() if below is None else Ref(below))]
    if name == "reconfigure":
        return [_reconfigure(m, state, receiver, arguments)]
    if name == "open":
        return [state.push(_opened(m, state, receiver, arguments))]
    return [state.push(_answer(m, state, receiver, name))]


def _answer(m: Machine, state: State, receiver: Ref, name: str) -> Value:
    """Return what a method answers that changes nothing."""
    if name == "fileno":
        return Unknown(("fileno", receiver.id))
    if name == "isatty":
        return terminals.is_terminal(m, state, receiver.id)
    return m.unknown()


def _write(
    m: Machine, state: State, receiver: Ref, name: str, arguments: calls.Arguments
) -> list[State]:
    from flushlint.machine.generators import exhaust
    from flushlint.machine.values import contains_newline

    given = arguments.positional[0] if arguments.positional else m.unknown()
    states = [state]
    newline = contains_newline(given)
    if name == "writelines":
        newline = None
        if state.look(Generator, given) is not None and isinstance(given, Ref):
            states = exhaust(m, state, given.id, arguments.node)
            for after in states:
                after.pop()
        else:
            held = [contains_newline(v) for v in iterate(m, state, given).items]
            newline = True if held and all(held) else None
    text = given.value if isinstance(given, Const) else None
    for after in states:
        streams.write(m.log, after, receiver.id, arguments.node, newline)
        after.push(Const(len(text)) if isinstance(text, (str, bytes)) else m.unknown())
    return states


def _reconfigure(m: Machine, state: State, receiver: Ref, arguments: calls.Arguments) -> State:
    streams.drain(m.log, state, receiver.id)
    stream = state.edit(Stream, receiver.id)
    for name in ("line_buffering", "write_through"):
        value = arguments.keywords.get(name)
        if isinstance(value, Const) and value.value is not None:
            setattr(stream, name.replace("buffering", "buffered"), bool(value.value))
        elif value is not None and name == "line_buffering":
            stream.writable = False  # unknown buffering: silent from here on
    return state.push(NONE)


def _opened(m: Machine, state: State, receiver: Ref, arguments: calls.Arguments) -> Value:
    """Open a member of an archive: what is written to it goes into the archive.

    A plain file has no such method; what `fsspec.open` returns is to be opened, or entered.
    """
    if state.stream(receiver.id).kind != "zip":
        return receiver
    mode = arguments.get(1, "mode")
    if not (isinstance(mode, Const) and mode.value == "w"):
        return m.unknown()
    made = Stream(
        arguments.node, state.process, "member", text=False, below=receiver.id,
        owns_below=False, buffered=False,
    )  # fmt: skip
    return m.new(state, arguments.node, made, "member")


def send(
    m: Machine,
    state: State,
    target: Value,
    arguments: calls.Arguments,
    newline: bool | None,
) -> list[State]:
    """Write to a file given as an argument: a stream, or any object with a `write`."""
    found: list[State] = []
    for branch, option in m.choose(state, target):
        if isinstance(option, Ref) and branch.look(Stream, option) is not None:
            if streams.is_closed(branch, option.id):
                calls.stop(m, branch, arguments.node, "ValueError")
                continue
            streams.write(m.log, branch, option.id, arguments.node, newline)
            found.append(branch.push(NONE))
        elif isinstance(option, Const):
            found.append(branch.push(NONE))
        else:
            text = m.unknown(newline)
            found += invoke(m, branch, option, "write", [text], arguments)
    return found


def empty(m: Machine, state: State, target: Value, arguments: calls.Arguments) -> list[State]:
    """Flush a file given as an argument."""
    found: list[State] = []
    for branch, option in m.choose(state, target):
        if isinstance(option, Ref) and branch.look(Stream, option) is not None:
            if streams.is_closed(branch, option.id):
                calls.stop(m, branch, arguments.node, "ValueError")
                continue
            streams.drain(m.log, branch, option.id)
            found.append(branch.push(NONE))
        elif isinstance(option, Const):
            found.append(branch.push(NONE))
        else:
            found += invoke(m, branch, option, "flush", [], arguments)
    return found


def invoke(
    m: Machine,
    state: State,
    receiver: Value,
    name: str,
    given: list[Value],
    arguments: calls.Arguments,
) -> list[State]:
    """Call a method of any value by name."""
    from flushlint.machine.attributes import get

    found: list[State] = []
    state.push(receiver)
    for after in get(m, state, receiver, name, arguments.node):
        function = after.pop()
        after.pop()
        call = calls.Arguments(arguments.node, list(given))
        if isinstance(function, Method) and isinstance(function.receiver, Unknown):
            found += calls.unknown_call(m, after, call, receiver=receiver, name=name)
        else:
            found += calls.call(m, after, function, call)
    return found
