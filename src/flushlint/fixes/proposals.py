"""What could be done about a loss or a doubling, best first. Nothing here is proven yet."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import libcst as cst

from flushlint.fixes.main_guard import opened_under_guard, started_under_guard
from flushlint.fixes.openers import line_buffered, rebuffered
from flushlint.fixes.places import (
    callers,
    hoisted,
    index_in,
    knows,
    levels,
    locked_by,
    of_stream,
    statements_of,
)
from flushlint.fixes.proposal import Proposal
from flushlint.fixes.saving import Saving, savings
from flushlint.machine.log import Doubling, Failure, Halt, Loss, Misuse, Truncation, Unguaranteed
from flushlint.machine.objects import Guarded, Write
from flushlint.rules.advice import must_reopen, remedy
from flushlint.rules.finding import called

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from flushlint.fixes.edits import TextEdit
    from flushlint.fixes.layout import Statement
    from flushlint.fixes.places import Level
    from flushlint.fixes.scene import Act, Scene
    from flushlint.machine.log import Cause
    from flushlint.machine.trace import When, Writing

__all__ = ["proposals"]

_MOST_SAVINGS = 2
_FINALIZE = "multiprocessing.util.Finalize"


def proposals(scene: Scene, act: Act, cause: Cause) -> Iterator[Proposal]:
    """Yield what could be done about a cause."""
    if isinstance(cause, Loss):
        yield from _against_loss(scene, act, cause)
    elif isinstance(cause, Halt):
        yield from _against_kill(scene, act, cause)
    elif isinstance(cause, Unguaranteed):
        yield from _guaranteed(scene, act, cause.loss)
    elif isinstance(cause, Doubling):
        yield from _against_doubling(scene, act, cause)
    elif isinstance(cause, Guarded):
        yield from _under_lock(scene, act, cause)
    elif isinstance(cause, Misuse):
        yield from rebuffered(scene, cause.node)
    elif isinstance(cause, Truncation):
        yield from opened_under_guard(scene, cause.output.place.opener)
    elif isinstance(cause, Failure) and cause.kind == "start on import":
        yield from started_under_guard(scene, cause.node)


# -- lost at an end ------------------------------------------------------------------------------


def _against_loss(scene: Scene, act: Act, loss: Loss) -> Iterator[Proposal]:
    saved = remedy(scene.module, act.log, loss.write, loss.stream)
    if must_reopen(loss, saved):
        return
    find = partial(savings, scene, act, loss.write, (loss.layer, loss.stream))
    if loss.write.process != loss.process and loss.write.forks:
        yield from _against_doubling(scene, act, Doubling(loss.write, loss.write.forks[0]))
    if loss.stream.synced is not None and loss.node is None:
        yield from _before(scene, act, find, loss.stream.synced)
    if loss.node is not None:
        yield from _before(scene, act, find, loss.node)
    writings = _writings(act, loss)
    yield from _at_ends(scene, act, loss, writings, find)
    yield from line_buffered(scene, act, loss.write.stream, writings)
    yield from _finalized(scene, act, loss, find)
    yield from _after_writes(scene, act, loss, writings, find)
    if loss.stream.binary_line_buffering:
        yield from rebuffered(scene, loss.stream.opened)
    yield from _asked_again(scene, loss, "close" if saved.closes else "flush")


Find: TypeAlias = "Callable[[tuple[cst.CSTNode, When]], list[Saving]]"


def _before(scene: Scene, act: Act, find: Find, node: cst.CSTNode) -> Iterator[Proposal]:
    """Save it before the statement of a node, or before the one that has called its function."""
    where = f"before {_quoted(scene, node)}"
    for statement in callers(scene.layout, act.trace, node):
        for saving in find((statement, "before"))[:_MOST_SAVINGS]:
            yield from _made(scene, scene.layout.before(statement, saving.lines), saving, where)


def _made(
    scene: Scene, edits: list[TextEdit] | None, saving: Saving, where: str
) -> Iterator[Proposal]:
    """Yield a proposal, with the import that its code needs, if the edits can be made."""
    if edits is None:
        return
    if saving.imports:
        added = scene.layout.add_import(saving.imports)
        if added is None:
            return
        edits = [*added, *edits]
    yield Proposal(edits, saving.verb, saving.file, where)


def _quoted(scene: Scene, node: cst.CSTNode) -> str:
    """Return a call, or the beginning of a statement, as words of a sentence quote it."""
    if isinstance(node, cst.Call):
        return f"`{called(scene.module, node)}`"
    return f"the `{type(node).__name__.lower()}`"


def _writings(act: Act, loss: Loss) -> list[Writing]:
    """Return the writes to a file, and to the layer of it that holds them back."""
    layers = dict.fromkeys((loss.write.stream, loss.layer))
    return [w for layer in layers for w in of_stream(act.trace, layer, loss.write.process)]


def _of_one_root(writings: Sequence[Writing], write: Write, depth: int) -> list[Writing]:
    """Return the writes that begin with the same call as a write does, of those of a process."""
    own = [w for w in writings if w.node is write.node and len(w.path) > depth]
    if not own:
        return []
    root = own[0].path[depth]
    return [w for w in writings if len(w.path) > depth and w.path[depth].code is root.code]


def _levels(
    scene: Scene, act: Act, loss: Loss, writings: Sequence[Writing]
) -> Iterator[tuple[Level, Sequence[Writing]]]:
    """Yield the functions in whose body all writes are made, then those of the first one alone."""
    process = act.log.processes[loss.write.process]
    depth = process.depth if process.kind in ("process", "worker") else 0
    together = _of_one_root(writings, loss.write, depth)
    seen: set[cst.CSTNode | None] = set()
    for level in levels(scene, together, depth):
        seen.add(level.function)
        yield level, together
    alone = [w for w in together if w.node is loss.write.node]
    for level in levels(scene, alone, depth):
        if level.function not in seen:
            seen.add(level.function)
            yield level, alone


def _at_ends(
    scene: Scene, act: Act, loss: Loss, writings: Sequence[Writing], find: Find
) -> Iterator[Proposal]:
    """Save it in the outermost functions: after the last write, or whatever way they leave."""
    awkward: list[Proposal] = []
    for level, _ in _levels(scene, act, loss, writings):
        for place in _ends(scene, level):
            for saving in find((place.last, "after"))[:_MOST_SAVINGS]:
                edits = scene.layout.after(place.last, saving.lines)
                made = list(_made(scene, edits, saving, _end_of(scene, place)))
                made += _finally(scene, act, loss, place, find)
                if saving.is_awkward:
                    awkward += made
                else:
                    yield from made
            yield from _finally(scene, act, loss, place, find)
    yield from awkward


def _ends(scene: Scene, level: Level) -> Iterator[Level]:
    """Yield a block's writes, then all that follows them in it too, where the file is used on."""
    yield level
    block = scene.layout.block_of(level.last)
    last = len(block.statements) - 1 - isinstance(block.statements[-1], (cst.Return, cst.Raise))
    if last > block.index:
        yield level._replace(last=block.statements[last])


def _end_of(scene: Scene, level: Level) -> str:
    if level.function is None:
        return "after the last write"
    name = level.function.name.value
    block = statements_of(scene, level.function)
    return (
        f"at the end of `{name}`"
        if block[-1] is level.last
        else f"after the last write of `{name}`"
    )


def _finally(scene: Scene, act: Act, loss: Loss, level: Level, find: Find) -> Iterator[Proposal]:
    """Save it whatever happens: by `with` what the process owns, else by `finally`.

    A flush that stands there already moves into the `finally`.
    """
    of = "" if level.function is None else f" of `{level.function.name.value}`"
    wrap = partial(scene.layout.wrap, level.first, level.last)
    own = loss.stream.process == loss.process and act.log.processes[loss.process].kind == "process"
    for saving in find((level.first, "before"))[:1]:
        if saving.imports:
            continue
        if saving.verb == "close" and own and len(saving.lines) == 1:
            edits = wrap(f"with {saving.expression}:", ())
            yield from _made(scene, edits, saving, f"at the end{of}")
        footer = ("finally:", *(f"\t{line}" for line in saving.lines))
        following = _following(scene, level.last)
        if following is not None and (scene.code(following),) == saving.lines:
            edits = wrap("try:", ("finally:",), moved=following)
        elif _lacks_finally(level):
            edits = scene.layout.after(level.last, footer)
        else:
            edits = wrap("try:", footer)
        yield from _made(scene, edits, saving, f"in a `finally`{of}")


def _lacks_finally(level: Level) -> bool:
    """Say whether a level is one `try` statement to which a `finally` can be added."""
    statement = level.first
    return isinstance(statement, cst.Try) and statement is level.last and not statement.finalbody


def _following(scene: Scene, statement: Statement) -> Statement | None:
    block = scene.layout.block_of(statement)
    rest = block.statements[block.index + 1 :]
    return rest[0] if rest else None


def _finalized(scene: Scene, act: Act, loss: Loss, find: Find) -> Iterator[Proposal]:
    """Let a worker close what it has opened when it leaves: its tasks go on using it."""
    opened = loss.stream.opened
    is_worker = act.log.processes[loss.process].kind == "worker"
    if not is_worker or opened is None or not knows(scene.layout, opened):
        return
    statement = scene.layout.enclosing(opened)
    for saving in find((statement, "after"))[:1]:
        if saving.verb == "close" and len(saving.lines) == 1:
            close = saving.lines[0].removesuffix("()")
            line = f"{_FINALIZE}(None, {close}, exitpriority=10)"
            edits = scene.layout.after(statement, (line,))
            module = _FINALIZE.rpartition(".")[0]
            made = saving._replace(lines=(line,), imports=module)
            yield from _made(scene, edits, made, "when the worker ends")


def _guaranteed(scene: Scene, act: Act, loss: Loss) -> Iterator[Proposal]:
    """Save it whatever exception comes, at once or at the end."""
    find = partial(savings, scene, act, loss.write, (loss.layer, loss.stream))
    writings = _writings(act, loss)
    yield from _at_ends(scene, act, loss, writings, find)


def _after_writes(
    scene: Scene, act: Act, loss: Loss, writings: Sequence[Writing], find: Find
) -> Iterator[Proposal]:
    """Save it right after the statement that writes, or the row of those; else after its call."""
    process = act.log.processes[loss.write.process]
    own = [w for w in writings if w.node is loss.write.node]
    nodes: list[cst.CSTNode] = [loss.write.node]
    for writing in own[:1]:
        nodes += [a.call for a in reversed(writing.path[process.depth + 1 :]) if a.call is not None]
    for node in nodes:
        if not knows(scene.layout, node):
            continue
        statement = _last_of_row(scene, node, writings)
        for saving in find((statement, "after"))[:_MOST_SAVINGS]:
            where = f"after {_quoted(scene, node)}"
            yield from _made(scene, scene.layout.after(statement, saving.lines), saving, where)


def _asked_again(scene: Scene, loss: Loss, method: str) -> Iterator[Proposal]:
    """Save it by the very call that has returned the file: `get_log(name).flush()`."""
    node = loss.write.node
    function = node.func if isinstance(node, cst.Call) else None
    if not (isinstance(function, cst.Attribute) and isinstance(function.value, cst.Call)):
        return
    receiver = scene.code(function.value)
    if "\n" not in receiver and knows(scene.layout, node):
        line = f"{receiver}.{method}()"
        edits = scene.layout.after(scene.layout.enclosing(node), (line,))
        if edits is not None:
            why = f"`{receiver}` is called once more"
            yield Proposal(edits, method, f"`{receiver}`", f"after {_quoted(scene, node)}", why)


def _last_of_row(scene: Scene, node: cst.CSTNode, writings: Sequence[Writing]) -> Statement:
    """Return the last of the statements that write one after the other, from a node's on."""
    statement = scene.layout.enclosing(node)
    block = scene.layout.block_of(statement)
    for following in block.statements[block.index + 1 :]:
        if not any(index_in(scene.layout, (following,), w.node) == 0 for w in writings):
            break
        statement = following
    return statement


# -- killed, torn, doubled -----------------------------------------------------------------------


def _against_kill(scene: Scene, act: Act, halt: Halt) -> Iterator[Proposal]:
    """Save it at once: when it has told others that it has written, it may be killed."""
    loss = halt.loss
    find = partial(savings, scene, act, loss.write, (loss.layer, loss.stream))
    writings = _writings(act, loss)
    yield from _after_writes(scene, act, loss, writings, find)
    yield from line_buffered(scene, act, loss.write.stream, writings)
    yield from _before(scene, act, find, halt.node)


def _under_lock(scene: Scene, act: Act, exposed: Guarded) -> Iterator[Proposal]:
    """Save it before the lock is released: at the end of its `with`, or after the write."""
    write = Write(exposed.node, exposed.process, exposed.stream)
    find = partial(savings, scene, act, write, None)
    layout = scene.layout
    writings = of_stream(act.trace, exposed.stream, exposed.process)
    if knows(layout, exposed.node):
        for held in exposed.held:
            block = locked_by(scene, held.node)
            if not block:
                continue
            tops = [index_in(layout, block, w.node) for w in writings]
            last = max((top for top in tops if top is not None), default=None)
            if last is not None:
                for saving in find((block[last], "after"))[:_MOST_SAVINGS]:
                    edits = layout.after(block[last], saving.lines)
                    yield from _made(scene, edits, saving, "before the lock is released")
        statement = layout.enclosing(exposed.node)
        for saving in find((statement, "after"))[:_MOST_SAVINGS]:
            edits = layout.after(statement, saving.lines)
            yield from _made(scene, edits, saving, "before the lock is released")
    yield from line_buffered(scene, act, exposed.stream, writings)


def _against_doubling(scene: Scene, act: Act, doubling: Doubling) -> Iterator[Proposal]:
    """Empty the buffer before it is copied: before the loop that starts, the start, or at once."""
    write = doubling.write
    find = partial(savings, scene, act, write, None)
    start = act.log.processes[doubling.process].start
    writings = of_stream(act.trace, write.stream, write.process)
    if start is not None and knows(scene.layout, start):
        where = f"before {_quoted(scene, start)}"
        for statement in callers(scene.layout, act.trace, start):
            for place in hoisted(scene.layout, statement, writings):
                for saving in find((place, "before"))[:1]:
                    if saving.verb != "close":
                        edits = scene.layout.before(place, saving.lines)
                        yield from _made(scene, edits, saving, where)
    if knows(scene.layout, write.node):
        statement = scene.layout.enclosing(write.node)
        for saving in find((statement, "after"))[:1]:
            edits = scene.layout.after(statement, saving.lines)
            yield from _made(scene, edits, saving, f"after {_quoted(scene, write.node)}")
    yield from line_buffered(scene, act, write.stream, writings)
