"""FLU105: writes that are in a buffer where a child is killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from flushlint.machine.outcomes import killer
from flushlint.rules.advice import remedy, unflushed
from flushlint.rules.finding import (
    Finding,
    Step,
    called,
    code_of,
    file_variable,
    process_name,
    quoted,
    the_process,
)
from flushlint.rules.lost import opened_and_started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flushlint.machine.log import Halt, Kill, Log

__all__ = ["check", "killed_there"]


def check(module: cst.Module, log: Log) -> Iterator[Finding]:
    """Find FLU105: pending at a blocking point of a child that its parent kills."""
    for halt, kill in killed_there(log):
        yield _finding(module, log, halt, kill)


def killed_there(log: Log) -> list[tuple[Halt, Kill]]:
    """Return where children are killed with a write in a buffer, once for each cause."""
    if not log.kills:
        return []
    known = {(loss.stream.opened, loss.process) for loss in log.losses}
    found: dict[object, tuple[Halt, Kill]] = {}
    for halt in log.halts:
        loss = halt.loss
        if (loss.stream.opened, loss.process) in known:
            continue
        kill = killer(
            log, loss.process, loss.facts, on=halt.on, given=halt.given, handled=halt.handled
        )
        if kill is None:
            continue
        cause = (loss.stream.opened, log.processes[loss.process].name)
        before = found.get(cause)
        if before is None or (before[1].conditional and not kill.conditional):
            found[cause] = (halt, kill)
    return list(found.values())


def _finding(module: cst.Module, log: Log, halt: Halt, kill: Kill) -> Finding:
    loss = halt.loss
    subject = file_variable(module, loss.write.node)
    saved = remedy(module, log, loss.write, loss.stream)
    child = the_process(log, loss.process)
    is_worker = log.processes[loss.process].kind == "worker"
    if kill.node is None and is_worker:
        who = f"the program ends without waiting for the task, which kills {child}"
    elif kill.node is None:
        who = f"{child} is a daemon that nobody joins, so it is killed when its parent ends"
    elif isinstance(kill.node, cst.WithItem):
        who = f"leaving `with {code_of(module, kill.node.item)}` kills {child}"
    else:
        who = f"{called(module, kill.node)} kills {child}"
    wait = "ask for the task's result" if is_worker else "tell the child to end and join it"
    what = (
        f"{wait} first, so that the file is closed"
        if loss.trailer or saved.closes
        else f"{saved.verb} before {child} waits, or {wait} first"
    )
    short = "without the end of the file" if loss.trailer else unflushed(log)
    message = f"what is written to {quoted(subject)} is lost: {who} {short}; {what}"
    steps = _steps(log, halt, kill)
    return Finding(
        "FLU105", loss.write.node, message, subject, steps, opt_in=kill.conditional, cause=halt
    )


def _steps(log: Log, halt: Halt, kill: Kill) -> list[Step]:
    loss = halt.loss
    process = log.processes[loss.process]
    child, parent = process_name(log, loss.process), process_name(log, process.parent)
    steps = [*opened_and_started(log, loss, child)]
    left = "needs a close() after it" if loss.trailer else "stays in the buffer"
    steps.append(Step("written", child, loss.write.node, f"this write {left}"))
    steps.append(Step("written", child, halt.node, f"here {child} may stand when it is killed"))
    if kill.node is not None:
        steps.append(
            Step("ended", parent, kill.node, f"this kills {child}, and nothing is flushed")
        )
    elif process.start is not None:
        text = f"{parent} ends without a join(), which kills {child}"
        steps.append(Step("ended", parent, process.start, text))
    return steps
