"""FLU201: writes that more than one process writes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine.log import Doubling, compatible
from flushlint.machine.outcomes import prefix
from flushlint.rules.advice import before, remedy, under_others
from flushlint.rules.finding import Finding, Step, file_variable, process_name, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst as cst

    from flushlint.machine.log import Emission, Log

__all__ = ["check"]


def check(module: cst.Module, log: Log) -> Iterator[Finding]:
    """Find FLU201: pending at a fork, and emitted by two processes that held a copy."""
    seen: set[cst.CSTNode] = set()
    for emissions in _by_write(log):
        write = emissions[0].write
        pair = None if write.node in seen else _pair(emissions)
        if pair is not None:
            seen.add(write.node)
            yield _finding(module, log, *pair)


def _by_write(log: Log) -> list[list[Emission]]:
    """Group the emissions of what was one write before the forks."""
    groups: dict[object, list[Emission]] = {}
    for emission in log.emissions:
        write = emission.write
        groups.setdefault((write.node, write.process, write.stream), []).append(emission)
    return list(groups.values())


def _pair(emissions: list[Emission]) -> tuple[Emission, Emission] | None:
    """Return two copies of a write that both come out, the writer's own if it is one of them."""
    found = None
    for index, one in enumerate(emissions):
        for other in emissions[index + 1 :]:
            if _twice(one, other):
                found = found or (one, other)
                if one.write.process in (one.process, other.process):
                    return one, other
        if found is not None:
            break
    return found


def _twice(one: Emission, other: Emission) -> bool:
    return (
        one.process != other.process
        and prefix(one.write.forks, other.write.forks)
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
    is_open = start.kind in ("process", "worker") and not start.chosen
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
    cause = Doubling(write, write.forks[0])
    return Finding("FLU201", write.node, message, subject, steps, cause=cause)
