"""FLU301: open files that would have to be pickled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.rules.finding import Finding, Step, code_of, process_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst as cst

    from flushlint.machine.log import Log

__all__ = ["check"]


def check(module: cst.Module, log: Log) -> Iterator[Finding]:
    """Find FLU301: under spawn and forkserver what a child is given is pickled."""
    seen: set[object] = set()
    for event in log.pickled:
        node = event.hand_over.node
        if node in seen:
            continue
        seen.add(node)
        subject = code_of(module, node)
        process = event.process
        remedy = (
            f"let the child use its own `{subject}`"
            if event.stream.std
            else "pass the path and open the file in the child"
        )
        spec = event.stream.spec
        raised = "TypeError" if spec is None else spec.unpicklable
        message = (
            f"passing `{subject}` means pickling an open file: start() raises {raised} under "
            f"{process.method}, and `{process.name}` never runs; {remedy}"
        )
        steps: list[Step] = []
        parent = process_name(log, process.parent)
        if event.stream.opened is not None:
            steps.append(Step("opened", parent, event.stream.opened, "the file is opened here"))
        steps.append(Step("handed-over", parent, node, "it has to be pickled here"))
        if process.start is not None:
            steps.append(Step("ended", parent, process.start, "this start raises TypeError"))
        yield Finding("FLU301", node, message, subject, steps)
