"""Signals and children: sending and handling signals, and waiting for the end of a child."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.knowledge.blocking import BLOCKING, DEADLY, SIGKILL, SIGTERM, WAITS_FOR_CHILD
from flushlint.machine import calls, killing, locks
from flushlint.machine.calls import Arguments, library, method
from flushlint.machine.ends import lose
from flushlint.machine.iteration import iterate
from flushlint.machine.objects import Sequence
from flushlint.machine.values import NONE, Const, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Hashable

    import libcst as cst

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []

_PROCESS = "multiprocessing.Process"
_UNBLOCK = 1


# -- sending ------------------------------------------------------------------------------------


def _sends(name: str, signal: int) -> None:
    @method(_PROCESS, name)
    def handler(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
        killing.send(m, state, receiver, arguments.node, signal)
        return [state.push(NONE)]


_sends("terminate", SIGTERM)
_sends("kill", SIGKILL)


@method(_PROCESS, "is_alive")
def _is_alive(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(killing.alive(m, state, receiver))]


@library("os.kill")
def _kill(m: Machine, state: State, arguments: Arguments) -> list[State]:
    pid, signal = arguments.get(0, "pid"), _number(arguments.get(1, "signal"))
    if isinstance(pid, Unknown) and pid.key == ("pid", state.process):
        return _to_itself(m, state, signal, arguments.node)
    if signal is not None:
        for child in _children(m, state, pid):
            killing.send(m, state, child, arguments.node, signal)
    return [state.push(NONE)]


@library("os.getpgid")
def _group(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """A child that is killed by its group leads one."""
    return [state.push(arguments.get(0, "pid") or m.unknown())]


@library("os.killpg")
def _kill_group(m: Machine, state: State, arguments: Arguments) -> list[State]:
    signal = _number(arguments.get(1, "signal"))
    if signal is not None:
        for child in _children(m, state, arguments.get(0, "pgid")):
            killing.send(m, state, child, arguments.node, signal)
    return [state.push(NONE)]


@library("signal.raise_signal")
def _raise_signal(m: Machine, state: State, arguments: Arguments) -> list[State]:
    return _to_itself(m, state, _number(arguments.get(0, "signalnum")), arguments.node)


def _number(value: Value | None) -> int | None:
    return value.value if isinstance(value, Const) and isinstance(value.value, int) else None


def _children(m: Machine, state: State, pid: Value | None) -> list[Value]:
    """Return the children that have this process id, as they are kept until they are joined."""
    number = killing.number_of(m, pid)
    return [c for c in state.roots if number is not None and number in killing.numbers(state, c)]


def _to_itself(m: Machine, state: State, signal: int | None, node: cst.CSTNode) -> list[State]:
    """Run the handler of a signal that a process sends to itself; without one it ends at once.

    Who handles the signals of the main process is not always in sight: a framework may.
    """
    handler = killing.handler_of(state, signal or 0)
    deadly = signal == SIGKILL or (
        signal in DEADLY and state.process and killing.is_default(handler)
    )
    if deadly:
        m.log.boundaries += 1
        lose(m, state, "kill", node, std=True)
        return []
    if isinstance(handler, Unknown) or killing.is_default(handler) or killing.is_ignored(handler):
        return [state.push(NONE)]
    found = calls.call(m, state, handler, Arguments(node, [Const(signal), m.unknown()]))
    for after in found:
        after.pop()
        after.push(NONE)
    return found


# -- handling -----------------------------------------------------------------------------------


@library("signal.signal")
def _signal(m: Machine, state: State, arguments: Arguments) -> list[State]:
    signal, handler = arguments.get(0, "signalnum"), arguments.get(1, "handler")
    found: list[State] = []
    for branch, option in m.choose(state, handler or NONE):
        for after, number in m.choose(branch, signal or NONE):
            found.append(after.push(killing.install(after, number, option)))
    return found


@library("signal.pthread_sigmask")
def _mask(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """A signal that is blocked waits for somebody to ask for it."""
    how, signals = arguments.get(0, "how"), iterate(m, state, arguments.get(1, "mask") or NONE)
    for value in signals.items:
        if how == Const(_UNBLOCK):
            killing.install(state, value, killing.DEFAULT)
        elif killing.is_default(killing.handler_of(state, _number(value) or 0)):
            killing.install(state, value, killing.IGNORED)
    return [state.push(m.unknown())]


@library("signal.getsignal")
def _get_signal(m: Machine, state: State, arguments: Arguments) -> list[State]:
    number = _number(arguments.get(0, "signalnum"))
    return [state.push(killing.handler_of(state, number or 0))]


@library("signal.pause")
def _pause(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Wait for a signal that is handled: only its handler goes on from here."""
    found = killing.halt(m, state, arguments.node)
    if not m.kills or not state.process or killing.handles_any(state):
        found.append(state)
    return [after.push(NONE) for after in found]


# -- waiting ------------------------------------------------------------------------------------


def _waits(name: str) -> None:
    known = calls.LIBRARY.get(name)

    @library(name)
    def handler(m: Machine, state: State, arguments: Arguments) -> list[State]:
        found: list[State] = []
        for after in (*killing.halt(m, state, arguments.node), state):
            if known is not None:
                found += known(m, after, arguments)
            else:
                found += calls.unknown_call(m, after, arguments, external=name)
        return found


def _waits_for_child(name: str) -> None:
    @library(name)
    def handler(m: Machine, state: State, arguments: Arguments) -> list[State]:
        pid, options = arguments.get(0, "pid"), arguments.get(1, "options")
        anyone = name in ("os.wait", "os.wait3") or pid in (Const(-1), Const(0))
        timed = options not in (None, Const(0)) or (name == "os.wait3" and pid is not None)
        children = list(state.roots) if anyone else _children(m, state, pid)
        found: list[State] = []
        for after in (*killing.halt(m, state, arguments.node), state):
            for child in children:
                killing.joined(m, after, child, timed=timed)
            locks.reaped(after)
            result = [m.unknown() if anyone else pid or NONE, m.unknown()]
            made = Sequence("tuple", [*result, m.unknown()][: 3 if name[-1] in "34" else 2])
            found.append(after.push(m.new(after, arguments.node, made, "status")))
        return found


# -- pipes of the operating system ----------------------------------------------------------------


@library("os.pipe")
def _pipe(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Make two descriptors that know of each other."""
    number = m.identity(("pipe", arguments.node, state.frames[-1].context))
    ends: list[Value] = [Unknown(("pipe", Const(number), end)) for end in ("read", "write")]
    return [state.push(m.new(state, arguments.node, Sequence("tuple", ends), "pipe"))]


def _token(descriptor: Value | None, end: str) -> Hashable:
    """Return what stands for a pipe, given one of its ends."""
    key = descriptor.key if isinstance(descriptor, Unknown) else None
    is_end = isinstance(key, tuple) and key[0] == "pipe" and key[2] == end
    return key[:2] if is_end and isinstance(key, tuple) else None


@library("os.read")
def _read(m: Machine, state: State, arguments: Arguments) -> list[State]:
    token = _token(arguments.get(0, "fd"), "read")
    found = [*killing.halt(m, state, arguments.node, () if token is None else (token,)), state]
    for after in found:
        if token is not None:
            killing.await_(m, after, token)
        after.push(m.unknown())
    return found


@library("os.write")
def _write(m: Machine, state: State, arguments: Arguments) -> list[State]:
    token = _token(arguments.get(0, "fd"), "write")
    if token is not None:
        killing.give(m, state, token)
        killing.tell(state, token)
    return [state.push(m.unknown())]


@library("os.close")
def _close(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Who reads from a pipe that nobody writes to any more goes on."""
    token = _token(arguments.get(0, "fd"), "write")
    if token is not None:
        killing.tell(state, token)
    return [state.push(NONE)]


for _name in BLOCKING - {"os.read", "time.sleep"}:
    (_waits_for_child if _name in WAITS_FOR_CHILD else _waits)(_name)
