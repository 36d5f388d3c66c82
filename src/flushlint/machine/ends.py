"""Ends of processes: what is left in the buffers, and who threw it away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.knowledge.processes import (
    HARD_EXITS,
)
from flushlint.machine import calls, classes, streams
from flushlint.machine.calls import Arguments, library
from flushlint.machine.log import HandOver, How, Loss, Process, Unguaranteed
from flushlint.machine.objects import Instance, Stream, Write
from flushlint.machine.state import DOUBTFUL, SIGNALLED, UNSEEN
from flushlint.machine.values import Bound, Ref, Unknown

if TYPE_CHECKING:
    import libcst as cst

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["end_interpreter", "flush_standard_streams", "lose", "losses"]


def flush_standard_streams(m: Machine, state: State) -> None:
    """`multiprocessing` flushes whatever sys.stdout and sys.stderr are bound to."""
    from flushlint.machine.library.stream_methods import empty

    for name in ("sys.stdout", "sys.stderr"):
        target = state.externals.get(name)
        if isinstance(target, Ref) and state.look(Stream, target) is not None:
            streams.drain(m.log, state, target.id)
        elif isinstance(target, Ref):
            branch = state.copy()
            done, _ = m.captured(
                lambda s, t=target: empty(m, s[0], t, Arguments(m.module, [])),  # type: ignore[misc]  # bound now
                [branch],
            )
            if done:
                done[0].pop()
                calls.become(state, done[0])


def end_interpreter(m: Machine, state: State) -> None:
    """Leave by a normal interpreter exit: everything pending is written out."""
    from flushlint.machine.workers import end_all  # whose workers end as processes do

    end_all(m, state)
    m.log.ended.add(state.process)
    for identity in state.streams:
        stream = state.stream(identity)
        if stream.pending:
            m.log.emitted(state, stream.pending)
            m.log.let_out(state, stream.guarded)


def lose(m: Machine, state: State, how: How, node: cst.CSTNode | None, *, std: bool) -> None:
    """Throw the process's buffers away and note what was in them."""
    found = losses(m, state, how, node, std=std)
    if UNSEEN in state.facts:
        if DOUBTFUL in state.facts:
            return
        raised = state.handling[-1].node if state.handling else node
        m.log.unguaranteed += [Unguaranteed(loss, raised) for loss in found if not loss.std]
        return
    m.log.losses += found
    if SIGNALLED not in state.facts:
        m.log.ended.add(state.process)


def losses(
    m: Machine, state: State, how: How, node: cst.CSTNode | None, *, std: bool
) -> list[Loss]:
    """Return what would be lost if the process's buffers were thrown away here."""
    from flushlint.machine.cleanups import would_save  # which calls functions

    process = m.log.processes[state.process]
    lost = [
        (identity, write)
        for identity in sorted(state.streams)
        for write in state.stream(identity).pending
    ]
    owed = [
        (identity, stream.trailer)
        for identity in sorted(state.streams)
        for stream in (state.stream(identity),)
        if stream.trailer is not None
        and stream.trailer.process == state.process
        and not any(w.process == state.process for i, w in lost if i in _above(state, identity))
    ]
    kept_otherwise = _survivors(m, state, process, lost) if node is not None else set()
    unused = would_save(m, state, [*lost, *owed], at_once=node is not None)
    found: list[Loss] = []
    for identity, write in [*lost, *owed]:
        stream = state.stream(identity)
        if stream.std and not std:
            continue
        if process.kind == "main" and _is_lost_anyway(stream):
            continue
        found.append(
            Loss(
                write,
                stream,
                state.process,
                how,
                node,
                _hand_over_of(state, process, identity),
                (identity, write) in kept_otherwise,
                stream.std,
                state.facts.copy(),
                trailer=(identity, write) in owed,
                cleanups=unused.get((identity, write), ()),
                layer=identity,
            )
        )
    return found


def _is_lost_anyway(stream: Stream) -> bool:
    """Say whether a normal end of the interpreter would lose what is pending as well."""
    return stream.spec is not None and (stream.closed or not stream.spec.kept_at_exit)


def _above(state: State, identity: int) -> set[int]:
    """Return a stream and the streams that are built on it, or that it is built on."""
    return {
        other
        for other in state.streams
        if identity in streams.layers(state, other) or other in streams.layers(state, identity)
    }


def _survivors(
    m: Machine,
    state: State,
    process: Process,
    lost: list[tuple[int, Write]],
) -> set[tuple[int, Write]]:
    """Return the writes that would be kept if the process left the clean way instead."""
    if process.kind not in ("process", "worker") or process.method == "spawn":
        return set(lost)
    left = state.copy()
    while len(left.frames) > process.depth:
        m.drop_frame(left)
    del left.stack[process.height + 1 :]
    left.signal, left.handling = None, ()
    quiet = type(m.log)()
    from flushlint.machine.lifetime import collect

    collect(quiet, left)
    flush_standard_streams(m, left)
    remaining = {
        (identity, write) for identity in left.streams for write in left.stream(identity).pending
    }
    return {item for item in lost if item not in remaining}


def _hand_over_of(state: State, process: Process, identity: int) -> HandOver | None:
    """Return the expression through which the child got at a stream."""
    for hand_over in process.hand_overs:
        value = hand_over.value
        if isinstance(value, Bound):
            instance = state.look(Instance, value.receiver)
            if instance is not None and classes.is_process(state, instance):
                continue
        if identity in state.reach([value], through_classes=False):
            return hand_over
    return None


def _hard_exit(name: str, how: How) -> None:
    @library(name)
    def handler(m: Machine, state: State, arguments: Arguments) -> list[State]:
        from flushlint.machine.killing import part  # which looks at ends

        m.log.boundaries += 1
        if how == "exec":
            m.may_raise(state, "builtins.OSError", arguments.node)
        part(m, state, exits=False)
        lose(m, state, how, arguments.node, std=True)
        return []


for _exit_name, _how in HARD_EXITS.items():
    _hard_exit(_exit_name, _how)  # type: ignore[arg-type]  # the table holds these words


@library("os.getpid")
def _getpid(m: Machine, state: State, arguments: Arguments) -> list[State]:
    return [state.push(Unknown(("pid", state.process)))]
