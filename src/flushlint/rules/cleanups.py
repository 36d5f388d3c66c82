"""FLU404: cleanups that a process leaves behind without running them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from flushlint.rules.finding import (
    Finding,
    Step,
    file_variable,
    process_name,
    quoted,
    the_process,
)
from flushlint.rules.lost import ending_call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flushlint.machine.log import Cleanup, Log, Loss

__all__ = ["check"]

_IN_CHILD = (
    "register `multiprocessing.util.Finalize` in the child, or use try/finally in the target"
)


def check(module: cst.Module, log: Log) -> Iterator[Finding]:
    """Find FLU404: it would have saved what is lost, had it run."""
    seen: set[cst.CSTNode] = set()
    for loss in log.losses:
        for cleanup in loss.cleanups:
            if cleanup.node not in seen:
                seen.add(cleanup.node)
                yield _finding(module, log, loss, cleanup)


def _finding(module: cst.Module, log: Log, loss: Loss, cleanup: Cleanup) -> Finding:
    node = cleanup.node.decorator if isinstance(cleanup.node, cst.Decorator) else cleanup.node
    subject = file_variable(module, loss.write.node)
    why, what = _why(module, log, loss, cleanup)
    message = f"what is written to {quoted(subject)} is lost: {why}; {what}"
    writer = process_name(log, loss.write.process)
    registrar = process_name(log, cleanup.process)
    steps = [
        Step("handed-over", registrar, node, "the cleanup is registered here"),
        Step("written", writer, loss.write.node, "this write stays in the buffer"),
    ]
    end = loss.node or log.processes[loss.process].start
    if end is not None:
        name = process_name(log, loss.process)
        steps.append(Step("ended", name, end, f"{name} ends without running it"))
    return Finding("FLU404", node, message, subject, steps, cause=loss)


def _why(module: cst.Module, log: Log, loss: Loss, cleanup: Cleanup) -> tuple[str, str]:
    """Say why a cleanup does not run where the write is lost, and what to do instead."""
    process = the_process(log, loss.process)
    if loss.node is not None:
        call = ending_call(module, loss)
        return (
            f"this cleanup never runs, since {call} ends {process} without any",
            f"flush the file before {call}",
        )
    weak = ", which relies on atexit," if cleanup.kind == "weakref.finalize" else ""
    if cleanup.kind == "multiprocessing.util.Finalize":
        why = "never runs this cleanup, since a forked child forgets those of its parent"
    elif cleanup.process != loss.process and log.processes[loss.process].method == "fork":
        why = (
            f"never runs this cleanup{weak or ','} since a fork leaves its parent's handlers behind"
        )
    else:
        why = f"runs this cleanup{weak} from Python 3.13 on only"
    return f"{process} {why}", _IN_CHILD
