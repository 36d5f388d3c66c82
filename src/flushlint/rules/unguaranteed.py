"""FLU106: writes that are flushed on every path in sight, but not if a call raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from flushlint.rules.advice import remedy
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
from flushlint.rules.killed import killed_there
from flushlint.rules.lost import opened_and_started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flushlint.machine.log import Log, Unguaranteed

__all__ = ["check"]


def check(module: cst.Module, log: Log) -> Iterator[Finding]:
    """Find FLU106, where nothing else is lost of the same file in the same process."""
    if not log.unguaranteed:
        return
    seen = {(loss.stream.opened, loss.process) for loss in log.losses}
    seen |= {(halt.loss.stream.opened, halt.loss.process) for halt, _ in killed_there(log)}
    for case in log.unguaranteed:
        loss = case.loss
        key = (loss.stream.opened, loss.process)
        if key not in seen:
            seen.add(key)
            yield _finding(module, log, case)


def _finding(module: cst.Module, log: Log, case: Unguaranteed) -> Finding:
    loss = case.loss
    subject = file_variable(module, loss.write.node)
    saved = remedy(module, log, loss.write, loss.stream)
    node = case.node or loss.write.node
    raises = (
        f"{called(module, node)}" if isinstance(node, cst.Call) else f"`{code_of(module, node)}`"
    )
    doing = "closed" if saved.closes else "flushed"
    message = (
        f"what is written to {quoted(subject)} is lost if {raises} raises: "
        f"{the_process(log, loss.process)} then ends before the file is {doing}; "
        f"{saved.verb} in a `finally`"
    )
    child = process_name(log, loss.process)
    steps = [*opened_and_started(log, loss, child)]
    steps.append(Step("written", child, loss.write.node, "this write is still in the buffer"))
    steps.append(Step("ended", child, node, "an exception from here leaves out the flush"))
    return Finding("FLU106", loss.write.node, message, subject, steps, opt_in=True, cause=case)
