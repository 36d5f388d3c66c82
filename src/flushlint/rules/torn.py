"""FLU202: writes that a lock should keep apart, and does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from flushlint.machine.objects import Write
from flushlint.rules.advice import remedy, under_others
from flushlint.rules.finding import (
    Finding,
    Step,
    code_of,
    file_variable,
    process_name,
    quoted,
    the_process,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flushlint.machine.log import Log
    from flushlint.machine.objects import Guarded

__all__ = ["check"]


def check(module: cst.Module, log: Log) -> Iterator[Finding]:
    """Find FLU202: written under a lock, and emptied when others may hold it."""
    seen: set[object] = set()
    for exposed in log.exposed:
        stream = log.streams.get(exposed.stream)
        causes = {exposed.node, (stream and stream.opened, process_name(log, exposed.process))}
        if seen.isdisjoint(causes):
            rival = next((other for other in log.guarded if _meet(log, exposed, other)), None)
            if rival is not None:
                seen |= causes
                yield _finding(module, log, exposed, rival)


def _meet(log: Log, one: Guarded, other: Guarded) -> bool:
    """Say whether another process may write to the file under the same lock meanwhile."""
    return (
        one.file == other.file
        and not one.locks().isdisjoint(other.locks())
        and (
            other.run in one.beside
            or one.run in other.beside
            or frozenset((one.run, other.run)) in log.together
        )
    )


def _finding(module: cst.Module, log: Log, exposed: Guarded, rival: Guarded) -> Finding:
    write = Write(exposed.node, exposed.process, exposed.stream)
    subject = file_variable(module, write.node)
    shared = next(h for h in reversed(exposed.held) if h.lock in rival.locks())
    lock = _name(module, shared.node)
    saved = remedy(module, log, write)
    process = log.processes[exposed.process]
    is_open = process.kind == "process" and not process.chosen
    others = under_others("not shared") if is_open else ""
    message = (
        f"what {the_process(log, exposed.process)} writes to {quoted(subject)} under {lock} "
        f"leaves the buffer after the lock is released: lines come out torn or in another "
        f"order; {saved.verb} before its release{others}"
    )
    writer = process_name(log, exposed.process)
    steps: list[Step] = []
    stream = log.streams.get(exposed.stream)
    if stream is not None and stream.opened is not None:
        opener = process_name(log, stream.process)
        steps.append(Step("opened", opener, stream.opened, "the file is opened here"))
    if process.start is not None:
        parent = process_name(log, process.parent)
        text = f"{writer} is started with a copy of it here"
        steps.append(Step("handed-over", parent, process.start, text))
    steps.append(Step("written", writer, shared.node, "the lock is taken here"))
    steps.append(Step("written", writer, write.node, "this write is still in the buffer later"))
    if rival.node is not write.node:
        name = process_name(log, rival.process)
        steps.append(Step("written", name, rival.node, f"{name} may write under the lock here"))
    return Finding("FLU202", write.node, message, subject, steps, cause=exposed)


def _name(module: cst.Module, taken: cst.CSTNode) -> str:
    """Return the lock as the program has it where it takes it."""
    node = taken.item if isinstance(taken, cst.WithItem) else taken
    if isinstance(taken, cst.Call):
        function = taken.func
        is_method = isinstance(function, cst.Attribute) and function.attr.value == "acquire"
        node = function.value if is_method and isinstance(function, cst.Attribute) else node
        if not is_method and len(taken.args) == 1:  # `stack.enter_context(lock)`
            node = taken.args[0].value
    return f"`{code_of(module, node)}`" if isinstance(node, cst.BaseExpression) else "the lock"
