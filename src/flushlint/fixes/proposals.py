"""What could be done about a loss or a doubling, best first. Nothing here is proven yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from flushlint.fixes.at_ends import at_ends, finalized
from flushlint.fixes.case import Case
from flushlint.fixes.main_guard import opened_under_guard, started_under_guard
from flushlint.fixes.openers import line_buffered, rebuffered, unbuffered
from flushlint.fixes.places import callers, hoisted, index_in, locked_by
from flushlint.fixes.proposal import Proposal
from flushlint.machine.log import Doubling, Failure, Halt, Loss, Misuse, Truncation, Unguaranteed
from flushlint.machine.objects import Guarded, Write
from flushlint.rules.advice import must_reopen, remedy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flushlint.fixes.layout import Statement
    from flushlint.fixes.scene import Act, Scene
    from flushlint.machine.log import Cause

__all__ = ["proposals"]

_UNDER_LOCK = "before the lock is released"


def proposals(scene: Scene, act: Act, cause: Cause) -> Iterator[Proposal]:
    """Yield what could be done about a cause."""
    if isinstance(cause, Loss):
        yield from _against_loss(_case(scene, act, cause), cause)
    elif isinstance(cause, Halt):
        yield from _against_kill(_case(scene, act, cause.loss), cause.node)
    elif isinstance(cause, Unguaranteed):
        yield from at_ends(_case(scene, act, cause.loss), cause.loss)
    elif isinstance(cause, Doubling):
        yield from _against_doubling(Case(scene, act, cause.write), cause.process)
    elif isinstance(cause, Guarded):
        write = Write(cause.node, cause.process, cause.stream)
        yield from _under_lock(Case(scene, act, write), cause)
    elif isinstance(cause, Misuse):
        yield from rebuffered(scene, cause.node)
    elif isinstance(cause, Truncation):
        yield from opened_under_guard(scene, cause.output.place.opener)
    elif isinstance(cause, Failure) and cause.kind == "start on import":
        yield from started_under_guard(scene, cause.node)


def _case(scene: Scene, act: Act, loss: Loss) -> Case:
    return Case(scene, act, loss.write, (loss.layer, loss.stream))


def _against_loss(case: Case, loss: Loss) -> Iterator[Proposal]:
    saved = remedy(case.scene.module, case.act.log, loss.write, loss.stream)
    if must_reopen(loss, saved):
        return
    if loss.write.process != loss.process and loss.write.forks:
        yield from _against_doubling(case, loss.write.forks[0])
    if loss.stream.synced is not None and loss.node is None:
        yield from _before(case, loss.stream.synced)
    if loss.node is not None:
        yield from _before(case, loss.node)
    yield from at_ends(case, loss)
    yield from line_buffered(case)
    yield from finalized(case, loss)
    yield from _after_writes(case, closing=False)
    if loss.stream.binary_line_buffering:
        yield from rebuffered(case.scene, loss.stream.opened)
    yield from unbuffered(case)
    yield from _asked_again(case, "close" if saved.closes else "flush")


def _before(case: Case, node: cst.CSTNode) -> Iterator[Proposal]:
    """Save it before the statement of a node, or before the one that has called its function."""
    for statement in callers(case.scene.layout, case.act.trace, node):
        yield from case.before(statement, f"before {case.quoted(node)}")


def _after_writes(case: Case, *, closing: bool) -> Iterator[Proposal]:
    """Save it right after the statement that writes, or the row of those; else after its call.

    A file is closed there only if the process is killed: others may use it on.
    """
    own = next((w for w in case.writings if w.node is case.write.node), None)
    if own is None:
        return
    calls = [active.call for active in reversed(own.path[case.process.depth + 1 :])]
    for node, active in zip((case.write.node, *calls), reversed(own.path), strict=False):
        # What stands in a lambda is part of a statement elsewhere.
        if node is None or not case.knows(node):
            continue
        if case.scene.layout.function_of(node) is active.code:
            where = f"after {case.quoted(node)}"
            yield from case.after(_last_of_row(case, node), where, closing=closing)


def _last_of_row(case: Case, node: cst.CSTNode) -> Statement:
    """Return the last of the statements that write one after the other, from a node's on."""
    layout = case.scene.layout
    statement = layout.enclosing(node)
    block = layout.block_of(statement)
    for following in block.statements[block.index + 1 :]:
        if not any(index_in(layout, (following,), w.node) == 0 for w in case.writings):
            break
        statement = following
    return statement


def _asked_again(case: Case, method: str) -> Iterator[Proposal]:
    """Save it by the very call that has returned the file: `get_log(name).flush()`."""
    node = case.write.node
    function = node.func if isinstance(node, cst.Call) else None
    if not (isinstance(function, cst.Attribute) and isinstance(function.value, cst.Call)):
        return
    receiver = case.scene.code(function.value)
    if "\n" not in receiver and case.knows(node):
        layout = case.scene.layout
        edits = layout.after(layout.enclosing(node), (f"{receiver}.{method}()",))
        if edits is not None:
            why = f"`{receiver}` is called once more"
            yield Proposal(edits, method, f"`{receiver}`", f"after {case.quoted(node)}", why)


def _against_kill(case: Case, halt: cst.CSTNode) -> Iterator[Proposal]:
    """Save it at once: when it has told others that it has written, it may be killed."""
    yield from _after_writes(case, closing=True)
    yield from line_buffered(case)
    yield from _before(case, halt)


def _under_lock(case: Case, exposed: Guarded) -> Iterator[Proposal]:
    """Save it before the lock is released: at the end of its `with`, or after the write."""
    layout = case.scene.layout
    if case.knows(exposed.node):
        for held in exposed.held:
            block = locked_by(case.scene, held.node)
            tops = [index_in(layout, block, w.node) for w in case.writings]
            last = max((top for top in tops if top is not None), default=None)
            if last is not None:
                yield from case.after(block[last], _UNDER_LOCK)
        yield from case.after(layout.enclosing(exposed.node), _UNDER_LOCK)
    yield from line_buffered(case)


def _against_doubling(case: Case, fork: int) -> Iterator[Proposal]:
    """Empty the buffer before it is copied: before the loop that starts, the start, or at once."""
    layout = case.scene.layout
    start = case.act.log.processes[fork].start
    if start is not None and case.knows(start):
        where = f"before {case.quoted(start)}"
        for statement in callers(layout, case.act.trace, start):
            for place in hoisted(layout, statement, case.writings):
                yield from case.before(place, where, most=1)
    node = case.write.node
    if case.knows(node):
        yield from case.after(layout.enclosing(node), f"after {case.quoted(node)}", most=1)
    yield from line_buffered(case)
