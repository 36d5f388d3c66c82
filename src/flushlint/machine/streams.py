"""What the operations on a stream do to its buffers, layer by layer.

A write goes into the buffer of its layer. Emptying a layer passes its data to the layer
below; what passes the lowest layer reaches the operating system and is out of danger: it is
*emitted*. The log hears of every emission and loss of a write that more than one process
holds, since only together they tell whether it was lost or came twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from flushlint.machine.objects import Guarded, Stream, Write

if TYPE_CHECKING:
    from collections.abc import Iterable

    import libcst as cst

    from flushlint.machine.state import State
    from flushlint.machine.trace import Trace

__all__ = [
    "Log",
    "add_pending",
    "close",
    "detach",
    "drain",
    "end",
    "forget",
    "holds_when_dropped",
    "is_closed",
    "layers",
    "write",
]


class Log(Protocol):
    """Hears what becomes of writes."""

    guarded: list[Guarded]
    trace: Trace | None

    def emitted(self, state: State, writes: Iterable[Write]) -> None:
        """These writes have left the process."""

    def let_out(self, state: State, guarded: Iterable[Guarded]) -> None:
        """So have these, which were made under a lock."""


# A wrapper that closes leaves a file it was given open; these flush it, others do not.
_FLUSHES_BORROWED = ("text", "zip")


def layers(state: State, identity: int) -> list[int]:
    """Return the stream and the layers below it, topmost first."""
    found = [identity]
    below = state.stream(identity).below
    while below is not None and below not in found:
        found.append(below)
        below = state.stream(below).below
    return found


def add_pending(pending: tuple[Write, ...], new: Iterable[Write]) -> tuple[Write, ...]:
    """Add writes; of each origin only the first stays, for the rest leaves with it."""
    known = {(w.process, w.forks) for w in pending}
    return (*pending, *(w for w in new if (w.process, w.forks) not in known))


def write(log: Log, state: State, identity: int, node: cst.CSTNode, newline: bool | None) -> None:
    """Write to a layer. `newline` says whether the text holds one; None: nobody knows."""
    stream = state.stream(identity)
    if not stream.writable or stream.closed:
        if stream.closed and log.trace is not None:
            log.trace.raised(node)
        return
    if log.trace is not None:
        log.trace.wrote(state, identity, node, newline)
    item = Write(node, state.process, identity)
    _owe_trailer(state, identity, item)
    _put(log, state, identity, (item,), _guard(log, state, item) if state.locks else ())
    stream = state.stream(identity)
    if stream.line_buffered and stream.text and newline is not False:
        # A newline in it empties everything; where that can't be known nothing is claimed.
        drain(log, state, identity)


def _owe_trailer(state: State, identity: int, item: Write) -> None:
    """A compressed stream that this process writes to owes a trailer until it is closed.

    A plain tar archive keeps nothing back, and can be read without its end.
    """
    for layer in layers(state, identity):
        stream = state.stream(layer)
        if (stream.needs_close and stream.buffered) and (
            stream.trailer is None or stream.trailer.process != item.process
        ):
            state.edit(Stream, layer).trailer = item


def _guard(log: Log, state: State, item: Write) -> tuple[Guarded, ...]:
    """Note a write under the locks that the process holds."""
    file = state.stream(layers(state, item.stream)[-1])
    if file.std or file.many:
        return ()
    idle = {("worker", crew.process) for crew in state.workers.values() if not crew.awaited}
    beside = frozenset(running.run for running in state.running if running.handle not in idle)
    noted = Guarded(
        item.node, item.stream, file.birth, state.locks, state.process, state.run, beside
    )
    log.guarded.append(noted)
    return (noted,)


def _put(
    log: Log,
    state: State,
    identity: int,
    items: tuple[Write, ...],
    guarded: tuple[Guarded, ...],
) -> None:
    """Let data arrive at a layer: kept if it buffers, passed on if it doesn't."""
    stream = state.stream(identity)
    if stream.buffered and not stream.write_through:
        edited = state.edit(Stream, identity)
        edited.pending = add_pending(stream.pending, items)
        known = {g.locks() for g in stream.guarded}
        edited.guarded += tuple(g for g in guarded if g.locks() not in known)
    elif stream.below is not None:
        _pass_on(log, state, stream.below, items, guarded)
    else:
        log.emitted(state, items)
        log.let_out(state, guarded)


def _pass_on(
    log: Log,
    state: State,
    below: int,
    items: tuple[Write, ...],
    guarded: tuple[Guarded, ...],
) -> None:
    """Let a layer hand its data to the one below it."""
    if log.trace is not None:
        log.trace.wrote(state, below, None, None)
    _put(log, state, below, items, guarded)


def drain(log: Log, state: State, identity: int) -> None:
    """Flush: empty this layer and all below it."""
    for layer in layers(state, identity):
        if not _is_anothers(state, layer):
            _empty(log, state, layer)


def _is_anothers(state: State, identity: int) -> bool:
    """Say whether only another process, the one that opened the stream, can save its data."""
    stream = state.stream(identity)
    return stream.spec is not None and stream.spec.private and stream.process != state.process


def holds_when_dropped(state: State, identity: int) -> bool:
    """Say whether what is pending in a stream stays unwritten when its last reference goes."""
    stream = state.stream(identity)
    if stream.spec is None or not (stream.pending or stream.trailer):
        return False
    ended = stream.closed or not stream.spec.closes_on_drop
    return ended or _is_anothers(state, identity)


def end(state: State, identity: int) -> None:
    """Close a stream without writing what is pending: it stays to be lost."""
    state.edit(Stream, identity).closed = True


def _empty(log: Log, state: State, identity: int) -> None:
    stream = state.stream(identity)
    if not stream.pending:
        return
    items, guarded = stream.pending, stream.guarded
    edited = state.edit(Stream, identity)
    edited.pending = edited.guarded = ()
    edited.synced = None
    if stream.below is not None:
        _pass_on(log, state, stream.below, items, guarded)
    else:
        log.emitted(state, items)
        log.let_out(state, guarded)


def close(log: Log, state: State, identity: int) -> None:
    """Close a stream: its own trailer goes out, and what it owns below is closed as well."""
    stream = state.stream(identity)
    if stream.closed:
        return
    if _is_anothers(state, identity):
        end(state, identity)
        return
    _empty(log, state, identity)
    edited = state.edit(Stream, identity)
    edited.trailer = None
    edited.closed = True
    state.streams -= {identity}
    if log.trace is not None and stream.below is not None and stream.writable:
        log.trace.wrote(state, stream.below, None, None)  # an archive's end, if it has one
    if stream.below is not None:
        if stream.owns_below:
            close(log, state, stream.below)
        elif stream.kind in _FLUSHES_BORROWED:
            drain(log, state, stream.below)


def detach(log: Log, state: State, identity: int) -> int | None:
    """Flush a wrapper and part it from the layer below, which is returned."""
    drain(log, state, identity)
    below = state.stream(identity).below
    edited = state.edit(Stream, identity)
    edited.below = None
    edited.closed = True
    return below


def is_closed(state: State, identity: int) -> bool:
    """Say whether using the stream is sure to raise: it, or what a text layer wraps, is closed."""
    stream = state.stream(identity)
    if stream.closed or stream.many or not stream.text or stream.below is None:
        return stream.closed and not stream.many
    return is_closed(state, stream.below)


def forget(state: State, identities: Iterable[int]) -> None:
    """Unknown code may have flushed these streams: what is pending makes no finding."""
    for identity in identities:
        obj = state.heap.get(identity)
        if isinstance(obj, Stream) and (obj.pending or obj.trailer):
            edited = state.edit(Stream, identity)
            edited.pending = edited.guarded = ()
            edited.trailer = None
