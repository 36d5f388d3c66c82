"""FLU201: writes that more than one process writes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.rules.advice import before, remedy, under_others
from flushlint.rules.finding import Finding, Step, file_variable, process_name, quoted
from flushlint.rules.lost import compatible, prefix

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst as cst

    from flushlint.machine.log import Emission, Log

__all__ = ["check"]


def check(module: cst.Module, log: Log) -> Iterator[Finding]:
    """Find FLU201: pending at a fork, and emitted by two processes that held a copy."""
    seen: set[object] = set()
    for index, one in enumerate(log.emissions):
        if one.write.node in seen:
            continue
        for other in log.emissions[index + 1 :]:
            if _twice(one, other):
                seen.add(one.write.node)
                yield _finding(module, log, one, other)
                break


def _twice(one: Emission, other: Emission) -> bool:
    a, b = one.write, other.write
    return (
        one.process != other.process
        and a.node is b.node
        and (a.process, a.stream) == (b.process, b.stream)
        and prefix(a.forks, b.forks)
        and compatible(one.facts, other.facts)
    )


def _writers(log: Log, one: Emission, other: Emission) -> str:
    """Say who writes the copies. Children of one target have the same name."""
    names = [process_name(log, emission.process) for emission in (one, other)]
    if names[0] == names[1]:
        return f"every {names[0]} writes it out"
    return f"the {names[0]} and the {names[1]} both write it out"


def _finding(module: cst.Module, log: Log, one: Emission, other: Emission) -> Finding:
    write = one.write
    subject = file_variable(module, write.node)
    stream = log.streams.get(write.stream)
    when = " when it is not a terminal" if stream is None else ""
    start = log.processes[write.forks[0]]
    saved = remedy(module, log, write)
    again = ", and open it again in the child" if saved.closes else ""
    is_open = start.kind == "process" and not start.chosen
    others = under_others("no copy") if is_open else ""
    message = (
        f"what is written to {quoted(subject)} here comes out more than once{when}: the "
        f"fork copies the buffer, and {_writers(log, one, other)}; {saved.verb} before "
        f"{before(start)}{again}{others}"
    )
    writer = process_name(log, write.process)
    steps: list[Step] = []
    if stream is not None and stream.opened is not None:
        opener = process_name(log, stream.process)
        steps.append(Step("opened", opener, stream.opened, "the file is opened here"))
    steps.append(Step("written", writer, write.node, "this write is still in the buffer"))
    if start.start is not None:
        parent = process_name(log, start.parent)
        steps.append(Step("handed-over", parent, start.start, "at the fork the buffer is copied"))
        for emission in (one, other):
            name = process_name(log, emission.process)
            steps.append(Step("ended", name, start.start, f"{name} writes its copy out"))
    return Finding("FLU201", write.node, message, subject, steps)
