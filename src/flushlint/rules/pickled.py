"""FLU301: open files that would have to be pickled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.rules.finding import Finding, Step, called, code_of, process_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst as cst

    from flushlint.machine.log import Log, Pickled

__all__ = ["check"]


def check(module: cst.Module, log: Log) -> Iterator[Finding]:
    """Find FLU301: what a child is given under spawn and forkserver, or what a queue is sent."""
    seen: set[object] = set()
    for event in log.pickled:
        node = event.hand_over.node
        if node not in seen:
            seen.add(node)
            yield _FINDINGS[event.how](module, log, event)


def _started(module: cst.Module, log: Log, event: Pickled) -> Finding:
    node, process = event.hand_over.node, event.process
    subject = code_of(module, node)
    remedy = (
        f"let the child use its own `{subject}`"
        if event.stream.std
        else "pass the path and open the file in the child"
    )
    spec = event.stream.spec
    raised = "TypeError" if spec is None else spec.unpicklable
    of_pool = process.kind == "worker"
    call = "starting the workers" if of_pool else "start()"
    who = "no task ever runs" if of_pool else f"`{process.name}` never runs"
    message = (
        f"passing `{subject}` means pickling an open file: {call} raises {raised} under spawn "
        f"and forkserver, and {who}; {remedy}"
    )
    parent = process_name(log, process.parent)
    steps = _steps(event, parent)
    if process.start is not None:
        steps.append(Step("ended", parent, process.start, f"this start raises {raised}"))
    return Finding("FLU301", node, message, subject, steps, cause=event)


def _sent(module: cst.Module, log: Log, event: Pickled) -> Finding:
    assert event.call is not None
    node, process = event.hand_over.node, event.process
    subject = code_of(module, node)
    call = called(module, event.call)
    what = (
        f"{call} returns, but what it puts never arrives, and only stderr says so"
        if event.later
        else f"{call} raises TypeError, and nothing arrives"
    )
    message = (
        f"sending `{subject}` to another process means pickling an open file: {what}; send the "
        f"path, or what is to be written"
    )
    sender = process_name(log, process.id)
    steps = _steps(event, sender)
    text = "the queue's own thread fails to pickle it" if event.later else "this raises TypeError"
    steps.append(Step("ended", sender, event.call, text))
    return Finding("FLU301", node, message, subject, steps, cause=event)


def _steps(event: Pickled, sender: str) -> list[Step]:
    steps: list[Step] = []
    if event.stream.opened is not None:
        steps.append(Step("opened", sender, event.stream.opened, "the file is opened here"))
    steps.append(Step("handed-over", sender, event.hand_over.node, "it has to be pickled here"))
    return steps


def _in_task(module: cst.Module, log: Log, event: Pickled) -> Finding:
    node, process = event.hand_over.node, event.process
    subject = code_of(module, node)
    remedy = (
        f"let the task use its own `{subject}`"
        if event.stream.std
        else "pass the path and open the file in the task"
    )
    message = (
        f"passing `{subject}` to a task means pickling an open file, which raises TypeError under "
        f"every start method: the task never runs, and where its result is not asked for, nobody "
        f"hears of it; {remedy}"
    )
    return Finding(
        "FLU301", node, message, subject, _steps(event, process_name(log, process.parent))
    )


_FINDINGS = {"start": _started, "task": _in_task, "send": _sent}
