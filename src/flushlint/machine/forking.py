"""Forking: a copy of the process with all that is pending, and the hooks around it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flushlint.knowledge.processes import FORKS, TERMINAL_FORKS
from flushlint.machine import calls, killing, locks
from flushlint.machine.calls import Arguments, library
from flushlint.machine.log import Process
from flushlint.machine.objects import Sequence, Stream
from flushlint.machine.state import OTHER_TERMINAL
from flushlint.machine.values import NONE, Const, Ref, Value

if TYPE_CHECKING:
    import libcst as cst

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["enlist", "fork", "run_hooks"]


def fork(m: Machine, state: State, process: Process, node: cst.CSTNode) -> State:
    """Copy the process with all that is pending, and note that two hold it now."""
    run_hooks(m, state, "before")
    context = state.frames[-1].context
    held = {number for i in state.streams for w in state.stream(i).pending for number in w.forks}
    number = m.identity(("fork", node, context, state.process, 0))
    if number in held:
        number = m.identity(("fork", node, context, state.process, 1))
    for identity in state.streams:
        stream = state.stream(identity)
        if stream.pending and _is_copied(stream):
            state.edit(Stream, identity).pending = tuple(
                w if number in w.forks else replace(w, forks=(*w.forks, number))
                for w in stream.pending
            )
    process.id, process.depth = number, len(state.frames)
    m.log.given.pop(number, None)
    process.height = len(state.stack)
    m.log.processes[number] = process
    child = state.copy()
    child.process = number
    locks.part(m, state, child, process)
    for identity in child.streams:
        stream = child.stream(identity)
        if stream.pending and not _is_copied(stream):
            child.edit(Stream, identity).pending = ()
    run_hooks(m, child, "after_in_child")
    if process.kind != "fork":
        run_hooks(m, child, "after_start")
    run_hooks(m, state, "after_in_parent")
    return child


def _is_copied(stream: Stream) -> bool:
    """Say whether what is pending can be written by each process that holds it after a fork."""
    return stream.spec is None or (stream.spec.doubles and not stream.closed)


def run_hooks(m: Machine, state: State, when: str) -> None:
    """Run what `os.register_at_fork` and `register_after_fork` have registered, in place."""
    registered = state.externals.get(f"%{when}")
    sequence = None if registered is None else state.look(Sequence, registered)
    for hook in list(sequence.items) if sequence is not None else ():
        branch = state.copy()
        pair = branch.look(Sequence, hook)
        function, given = (hook, []) if pair is None else (pair.items[0], pair.items[1:])
        arguments = Arguments(m.module, list(given))

        def action(
            inside: list[State], function: Value = function, arguments: Arguments = arguments
        ) -> list[State]:
            return calls.call(m, inside[0], function, arguments)

        done, _ = m.captured(action, [branch])
        for after in done:
            after.pop()
        if done:
            calls.become(state, m.join(done)[0])


@library("os.register_at_fork")
def _at_fork(m: Machine, state: State, arguments: Arguments) -> list[State]:
    for when in ("before", "after_in_parent", "after_in_child"):
        callback = arguments.keywords.get(when)
        if callback is not None:
            enlist(m, state, f"%{when}", callback)
    return [state.push(NONE)]


@library("multiprocessing.util.register_after_fork")
def _after_fork(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """`register_after_fork(obj, func)`: a child of `multiprocessing` calls `func(obj)`."""
    subject, function = arguments.get(0, "obj") or NONE, arguments.get(1, "func") or NONE
    pair = m.new(state, arguments.node, Sequence("tuple", [function, subject]), "hook")
    enlist(m, state, "%after_start", pair)
    return [state.push(NONE)]


def enlist(m: Machine, state: State, slot: str, value: Value) -> None:
    """Add a callback to those of the process that are filed under `slot`."""
    known = state.externals.get(slot)
    if known is None or state.look(Sequence, known) is None:
        known = m.new(state, None, Sequence("list", []), slot)
        state.externals[slot] = known
    if isinstance(known, Ref):
        state.edit(Sequence, known.id).items.append(value)


def _fork_function(name: str) -> None:
    @library(name)
    def handler(m: Machine, state: State, arguments: Arguments) -> list[State]:
        m.log.boundaries += 1
        process = Process(0, "fork", "", state.process, arguments.node, "fork", chosen=True)
        child = fork(m, state, process, arguments.node)
        pid = killing.pid_of(process.id)
        if m.kills:
            killing.renew(state, process.id)
            state.roots = (*(r for r in state.roots if r != pid), pid)
        sides: list[tuple[State, Value]] = [
            (child, Const(0)),
            (state, pid),
        ]
        if name in TERMINAL_FORKS:
            child.facts[OTHER_TERMINAL] = True
            sides = [(side, _with_terminal(m, side, pid, arguments)) for side, pid in sides]
        return [side.push(value) for side, value in sides]


def _with_terminal(m: Machine, state: State, pid: Value, arguments: Arguments) -> Value:
    """Return what a fork that makes a terminal returns: the process id, and a descriptor."""
    return m.new(state, arguments.node, Sequence("tuple", [pid, m.unknown()]), "pty")


for _name in FORKS:
    _fork_function(_name)
