"""Cleanups that a program leaves to a process's end: `atexit`, `Finalize`, `weakref.finalize`.

Each is an instance that knows what to call, who registered it, and where. They stand in one
list, which a fork copies. Which of them run when a child ends is told here, and what those
that do not run would have saved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine import calls, streams
from flushlint.machine.calls import Arguments, library, method
from flushlint.machine.forking import enlist
from flushlint.machine.library.threads import attribute, keep, spread
from flushlint.machine.log import Cleanup, Log
from flushlint.machine.objects import Instance, Sequence
from flushlint.machine.values import NONE, TRUE, Const, Ext, Ref, Union, Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.objects import Write
    from flushlint.machine.state import State

__all__ = ["run_cleanups", "run_handlers", "would_save"]

_AT_EXIT = "atexit.register"
_FINALIZE = "multiprocessing.util.Finalize"
_WEAK = "weakref.finalize"
_SLOT = "%cleanups"
_CHILDREN_RUN_HANDLERS = (3, 13)
"""From this version on a child of `multiprocessing` runs the `atexit` handlers of its own."""


# -- registering --------------------------------------------------------------------------------


@library("atexit.register")
def _register(m: Machine, state: State, arguments: Arguments) -> list[State]:
    function = arguments.get(0, "func") or NONE
    made = m.new(state, arguments.node, Instance(Ext(_AT_EXIT), {}), "cleanup")
    _enter(m, state, made, function, arguments.after(1))
    enlist(m, state, _SLOT, made)
    return [state.push(function)]


@method(_FINALIZE, "__init__")
def _make_finalizer(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`Finalize(obj, callback, args, kwargs, exitpriority)`: without priority, not at the end."""
    keep(
        state, receiver, {"%args": arguments.get(2, "args"), "%kwargs": arguments.get(3, "kwargs")}
    )
    given = spread(m, state, receiver, Arguments(arguments.node, []))
    _enter(m, state, receiver, arguments.get(1, "callback") or NONE, given)
    if arguments.get(4, "exitpriority") not in (None, NONE):
        enlist(m, state, _SLOT, receiver)
    _attach(m, state, arguments.get(0, "obj"), receiver, arguments)
    return [state.push(NONE)]


@method(_WEAK, "__init__")
def _make_weak(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    _enter(m, state, receiver, arguments.get(1, "func") or NONE, arguments.after(2))
    enlist(m, state, _SLOT, receiver)
    _attach(m, state, arguments.get(0, "obj"), receiver, arguments)
    return [state.push(NONE)]


def _enter(m: Machine, state: State, made: Value, function: Value, given: Arguments) -> None:
    """Write down what a cleanup calls, who registers it, and where."""
    whole = given.with_receiver(function)
    (state,) = calls.instantiate(m, state, Ext("functools.partial"), whole)
    values: dict[str, Value | None] = {
        "%function": function,
        "%call": state.pop(),
        "%process": Const(state.process),
        "%node": Const(given.node),
    }
    keep(state, made, values)


def _attach(
    m: Machine, state: State, subject: Value | None, made: Value, arguments: Arguments
) -> None:
    """Let a cleanup run when its object goes."""
    if isinstance(subject, Ref) and state.look(Instance, subject) is not None:
        entry = m.new(state, arguments.node, Sequence("tuple", [made]), "finalizer")
        state.names_of(subject.id)[f"%finalizer{entry.id}"] = entry
        state.watched = True


@library("atexit.unregister")
def _unregister(m: Machine, state: State, arguments: Arguments) -> list[State]:
    function = arguments.get(0, "func")
    for made in _registered(state):
        if _kind(state, made) == _AT_EXIT and attribute(state, made, "%function") == function:
            keep(state, made, {"%done": TRUE})
    return [state.push(NONE)]


@method(_FINALIZE, "cancel")
@method(_WEAK, "detach")
def _cancel(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    keep(state, receiver, {"%done": TRUE})
    return [state.push(m.unknown())]


@method(_FINALIZE, "still_active")
@method(_WEAK, "peek")
def _ask(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(m.unknown())]


# -- running ------------------------------------------------------------------------------------


@method(_AT_EXIT, "__call__")
@method(_FINALIZE, "__call__")
@method(_WEAK, "__call__")
def _run(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """Run a cleanup, once. `Finalize` does nothing in another process than its own."""
    is_foreign = _kind(state, receiver) == _FINALIZE and not _is_own(m, state, receiver)
    if is_foreign or attribute(state, receiver, "%done") == TRUE:
        return [state.push(NONE)]
    keep(state, receiver, {"%done": TRUE})
    given = Arguments(arguments.node, [])
    return calls.call(m, state, attribute(state, receiver, "%call"), given)


def run_cleanups(m: Machine, state: State) -> list[State]:
    """Run what runs when a child leaves the clean way: its finalizers, then its handlers."""
    made = [one for one in reversed(_registered(state)) if _runs_at_end(m, state, one)]
    made.sort(key=lambda one: _kind(state, one) != _FINALIZE)
    return _call_all(m, state, made)


def run_handlers(m: Machine, state: State) -> list[State]:
    """Run the `atexit` handlers, as the end of an interpreter does."""
    made = [one for one in reversed(_registered(state)) if _kind(state, one) != _FINALIZE]
    return _call_all(m, state, made)


@library("atexit._run_exitfuncs")
def _run_exit_functions(m: Machine, state: State, arguments: Arguments) -> list[State]:
    return [after.push(NONE) for after in run_handlers(m, state)]


def _call_all(m: Machine, state: State, made: Iterable[Value]) -> list[State]:
    states = [state]
    for one in made:

        def action(inside: list[State], one: Value = one) -> list[State]:
            found: list[State] = []
            for s in inside:
                found += calls.call(m, s, one, Arguments(m.module, []))
            return found

        states, _ = m.captured(action, states)
        for after in states:
            after.pop()
    return states


def _registered(state: State) -> list[Value]:
    """Return the cleanups that the program has registered, in order."""
    value = state.externals.get(_SLOT, NONE)
    found: list[Value] = []
    for option in value.options if isinstance(value, Union) else (value,):
        sequence = state.look(Sequence, option)
        found += sequence.items if sequence is not None else ()
    return [one for one in found if isinstance(one, Ref)]


def _kind(state: State, made: Value) -> str:
    instance = state.look(Instance, made)
    return instance.cls.name if instance is not None and isinstance(instance.cls, Ext) else ""


def _is_own(m: Machine, state: State, made: Value) -> bool:
    return attribute(state, made, "%process") == Const(state.process)


def _runs_at_end(m: Machine, state: State, made: Value) -> bool:
    """Say whether a child runs a cleanup when it ends: one of its own, by kind and version."""
    if _kind(state, made) == _FINALIZE:
        return _is_own(m, state, made)
    version = m.options.python_version
    if version is None or version < _CHILDREN_RUN_HANDLERS:
        return False
    if m.log.processes[state.process].method != "fork":
        return True  # what it imports is registered in the child itself
    if _kind(state, made) == _WEAK:
        # The first one registers the handler for all; a child drops that of its parent.
        weak = [one for one in _registered(state) if _kind(state, one) == _WEAK]
        return all(_is_own(m, state, one) for one in weak)
    return _is_own(m, state, made)


# -- what does not run ---------------------------------------------------------------------------


def would_save(
    m: Machine, state: State, lost: Iterable[tuple[int, Write]], *, at_once: bool
) -> dict[tuple[int, Write], tuple[Cleanup, ...]]:
    """Return for each lost write the cleanups that do not run here and would have saved it.

    `at_once` says that the process ends without running any.
    """
    found: dict[tuple[int, Write], tuple[Cleanup, ...]] = {}
    lost = list(lost)
    for made in _registered(state) if lost else ():
        runs = not at_once and _runs_at_end(m, state, made)
        runs = runs or attribute(state, made, "%done") == TRUE
        node, process = attribute(state, made, "%node"), attribute(state, made, "%process")
        if runs or not isinstance(node, Const) or not isinstance(process, Const):
            continue
        cleanup = Cleanup(node.value, _kind(state, made), process.value)  # type: ignore[arg-type]  # `_enter` set them
        for item in _saved_by(m, state, attribute(state, made, "%call"), lost):
            found[item] = (*found.get(item, ()), cleanup)
    return found


def _saved_by(
    m: Machine, state: State, function: Value, lost: list[tuple[int, Write]]
) -> list[tuple[int, Write]]:
    """Call a function as if it ran now, and tell which of the lost writes it lets out."""
    rehearsal = _Rehearsal(m.log)
    log, m.log = m.log, rehearsal
    handlers, m.handlers = m.handlers, 0
    executed, m.executed = m.executed, m.executed.copy()
    try:
        action = Arguments(m.module, [])
        done, _ = m.captured(lambda s: calls.call(m, s[0], function, action), [state.copy()])
    finally:
        m.log, m.handlers, m.executed = log, handlers, executed
    return [
        (identity, write)
        for identity, write in lost
        if done and all(_is_saved(rehearsal, state, s, identity, write) for s in done)
    ]


def _is_saved(
    rehearsal: _Rehearsal, state: State, after: State, identity: int, write: Write
) -> bool:
    """Say whether a write has left all layers of its stream, or its file has got its end."""
    layers = streams.layers(after, identity) if identity in after.heap else []
    if write not in state.stream(identity).pending:
        return all(after.stream(layer).trailer is None for layer in layers)
    return write in rehearsal.left and not any(write in after.stream(i).pending for i in layers)


class _Rehearsal(Log):
    """Hears which writes leave the process in a call that never takes place."""

    def __init__(self, log: Log) -> None:
        super().__init__(
            processes=log.processes.copy(), streams=log.streams.copy(), arrivals=log.arrivals
        )
        self.left: set[Write] = set()

    def emitted(self, state: State, writes: Iterable[Write]) -> None:  # noqa: ARG002  # as Log
        self.left.update(writes)
