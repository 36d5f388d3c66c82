"""Locks that processes share, and which processes run side by side.

A lock around writes keeps them apart only if what was written leaves the buffer before the
lock is released. Locks of `threading` do not count: threads share one buffer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.knowledge.processes import PROCESS_PACKAGES
from flushlint.machine import calls, killing
from flushlint.machine.calls import METHODS, Arguments, called, method
from flushlint.machine.library.threads import attribute, keep
from flushlint.machine.objects import Held, Instance, Stream
from flushlint.machine.state import Running
from flushlint.machine.values import FALSE, NONE, TRUE, Const, Ext, Ref, Value

if TYPE_CHECKING:
    from collections.abc import Hashable

    from flushlint.machine.calls import MethodHandler
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.log import Process
    from flushlint.machine.state import State

__all__ = ["dismissed", "joined", "part", "reaped", "several"]

_LOCKS = ("Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition")
_COUNTING = ("Semaphore", "BoundedSemaphore")
_HOLDERS = ("Value", "Array")  # what has a lock of its own


# -- taking and releasing -----------------------------------------------------------------------


def _lock_of(state: State, receiver: Value) -> int | None:
    """Return the lock that is taken, None for what lets several in at one time."""
    inner = attribute(state, receiver, "%lock")
    if inner == FALSE:
        return None
    taken = inner if isinstance(inner, Ref) else receiver
    return taken.id if isinstance(taken, Ref) else None


def _take(m: Machine, state: State, receiver: Value, arguments: Arguments) -> State:
    lock = _lock_of(state, receiver)
    if lock is not None:
        state.locks = (*state.locks, Held(lock, arguments.node))
    return state


def _enter(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    found = _wait(m, state, receiver, arguments)
    return [_take(m, after, receiver, arguments).push(receiver) for after in found]


def _wait(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """The process stands here while another one holds the lock."""
    lock = _lock_of(state, receiver)
    if lock is None:
        return [state]
    return [*killing.halt(m, state, arguments.node, (("lock", lock),)), state]


def _acquire(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`acquire()` waits for the lock; told not to wait, or how long, it may come without."""
    patient = all(value == TRUE for value in arguments.values())
    found = [] if patient else [state.copy().push(FALSE)]
    waited = _wait(m, state, receiver, arguments)
    return [*(_take(m, after, receiver, arguments).push(TRUE) for after in waited), *found]


def _release(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    lock = _lock_of(state, receiver)
    for index in reversed(range(len(state.locks))):
        if state.locks[index].lock == lock:
            state.locks = (*state.locks[:index], *state.locks[index + 1 :])
            break
    return [state.push(NONE)]


# -- making ---------------------------------------------------------------------------------------


def _make_counting(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """A semaphore that lets more than one in is no lock."""
    if arguments.get(0, "value") not in (None, Const(1)):
        keep(state, receiver, {"%lock": FALSE})
    return [state.push(NONE)]


def _make_condition(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    keep(state, receiver, {"%lock": arguments.get(0, "lock")})
    return [state.push(NONE)]


def _make_holder(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """A shared value or array has a lock, its own or one that it is given."""
    given = arguments.keywords.get("lock")
    own = not isinstance(given, Ref)
    if own:
        made = Instance(Ext("multiprocessing.RLock"), {}, arguments.node)
        given = m.new(state, arguments.node, made, "lock")
    keep(state, receiver, {"%lock": given})
    return [state.push(NONE)]


def _get_lock(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(attribute(state, receiver, "%lock"))]


def _make_by_manager(
    m: Machine, state: State, receiver: Value, arguments: Arguments
) -> list[State]:
    """A manager makes locks that other processes reach through it."""
    kind = Ext(f"multiprocessing.{called(arguments)}")
    return calls.instantiate(m, state, kind, arguments)


def _signal_as_before(kind: str, before: dict[str, MethodHandler]) -> None:
    """Let a semaphore that is no lock do what it does without one: processes signal by it."""
    for name, handler in before.items():
        as_lock = METHODS[kind, name]

        @method(kind, name)
        def either(
            m: Machine,
            state: State,
            receiver: Value,
            arguments: Arguments,
            handler: MethodHandler = handler,
            as_lock: MethodHandler = as_lock,
        ) -> list[State]:
            is_lock = _lock_of(state, receiver) is not None
            return (as_lock if is_lock else handler)(m, state, receiver, arguments)


def _register(package: str) -> None:
    names = ("acquire", "release")
    before = {w: {n: METHODS[f"{package}.{w}", n] for n in names} for w in _COUNTING}
    for word in (*_LOCKS, *_HOLDERS):
        kind = f"{package}.{word}"
        method(kind, "__enter__")(_enter)
        method(kind, "acquire")(_acquire)
        method(kind, "__exit__", "release")(_release)
    for word in _COUNTING:
        method(f"{package}.{word}", "__init__")(_make_counting)
        _signal_as_before(f"{package}.{word}", before[word])
    for word in _HOLDERS:
        method(f"{package}.{word}", "__init__")(_make_holder)
        method(f"{package}.{word}", "get_lock")(_get_lock)
    method(f"{package}.Condition", "__init__")(_make_condition)
    method(f"{package}.Manager", *_LOCKS)(_make_by_manager)


for _package in PROCESS_PACKAGES:
    _register(_package)


# -- processes side by side ---------------------------------------------------------------------


def part(m: Machine, state: State, child: State, process: Process) -> None:
    """Part a child from its parent: it holds no lock, and runs beside those that run already."""
    handle: Hashable = process.receiver
    if handle is None:
        handle = (process.kind, process.id)
    run = m.fresh()
    m.log.together.update(frozenset((run, other.run)) for other in state.running)
    state.running = (*state.running, Running(run, handle))
    child.run, child.locks = run, ()
    for identity in child.streams:
        if child.stream(identity).guarded:
            child.edit(Stream, identity).guarded = ()


def several(m: Machine, child: State) -> None:
    """Note that a process stands for many, which run side by side: the workers of a pool."""
    m.log.together.add(frozenset((child.run,)))


def joined(state: State, receiver: Value) -> None:
    """A child has ended: nothing that comes now runs beside it."""
    assert isinstance(receiver, Ref)
    state.running = tuple(r for r in state.running if r.handle != receiver.id)


def reaped(state: State) -> None:
    """Note that a forked child has been waited for; which of them it is, is not asked."""
    state.running = tuple(r for r in state.running if not _is_forked(r.handle))


def dismissed(state: State, number: int) -> None:
    """Note that the workers of a pool have ended."""
    state.running = tuple(r for r in state.running if r.handle != ("worker", number))


def _is_forked(handle: Hashable) -> bool:
    return isinstance(handle, tuple) and handle[0] == "fork"
