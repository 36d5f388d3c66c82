"""FLU1xx: writes that are thrown away when a process ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from flushlint.rules.finding import (
    Finding,
    Step,
    code_of,
    file_variable,
    process_name,
    remedy_size,
)

if TYPE_CHECKING:
    from flushlint.machine.log import Log, Loss

__all__ = ["check", "compatible", "prefix", "real_losses"]

_CALLS = {"exit": "os._exit()", "exec": "os.exec*()", "abort": "os.abort()", "kill": "SIGKILL"}


def real_losses(log: Log) -> Iterator[Loss]:
    """Yield the writes that every process which held them has thrown away."""
    for loss in log.losses:
        if not loss.write.forks or _thrown_away_by_all(log, loss):
            yield loss


def prefix(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Say whether one copy of a write descends from the other."""
    short, long = sorted((a, b), key=len)
    return long[: len(short)] == short


def compatible(a: dict[object, object], b: dict[object, object]) -> bool:
    """Say whether two paths can be those of one run: they decided nothing differently."""
    return all(b.get(key, value) == value for key, value in a.items())


def _thrown_away_by_all(log: Log, loss: Loss) -> bool:
    write = loss.write
    holders = {write.process}
    for number in write.forks:
        process = log.processes[number]
        holders |= {number, process.parent}
    for emission in log.emissions:
        same = (emission.write.node, emission.write.process, emission.write.stream) == (
            write.node, write.process, write.stream,
        )  # fmt: skip
        if same and prefix(emission.write.forks, write.forks):
            if emission.process != loss.process and compatible(emission.facts, loss.facts):
                return False
    droppers = {
        other.process
        for other in log.losses
        if other.write.node is write.node and prefix(other.write.forks, write.forks)
    }
    return holders <= droppers


def check(module: cst.Module, log: Log) -> Iterator[Finding]:
    """Find FLU101, FLU102 and FLU104."""
    seen: set[object] = set()
    for loss in real_losses(log):
        finding = _finding(module, log, loss)
        key = _cause(finding, loss, log)
        if key not in seen:
            seen.add(key)
            yield finding


def _cause(finding: Finding, loss: Loss, log: Log) -> object:
    if finding.code == "FLU102":
        return (finding.code, loss.stream.opened, log.processes[loss.process].name)
    return (finding.code, finding.node)


def _finding(module: cst.Module, log: Log, loss: Loss) -> Finding:
    process = log.processes[loss.process]
    if loss.trailer:
        return _unclosed(module, log, loss)
    clean_end = process.kind == "process" and not loss.survives
    if clean_end and loss.hand_over is not None:
        return _passed(module, log, loss)
    if clean_end:
        return _inherited(module, log, loss)
    return _at_exit(module, log, loss)


def _passed(module: cst.Module, log: Log, loss: Loss) -> Finding:
    hand_over = loss.hand_over
    assert hand_over is not None
    process = log.processes[loss.process]
    written = file_variable(module, loss.write.node)
    subject = code_of(module, hand_over.node) if hand_over.own else written
    under = (
        ""
        if process.chosen
        else "; under spawn and forkserver, the default from Python 3.14 on, "
        "passing it raises TypeError instead"
    )
    message = (
        f"what `{process.name}` writes to `{subject}` is lost: the child ends in os._exit(), "
        f"which discards its copy of the buffer, {remedy_size()}; `with` or flush() in the "
        f"parent can't save it: call `{written}.flush()` in the child after its last write, "
        f"and flush before start(){under}"
    )
    return Finding("FLU101", hand_over.node, message, subject, _steps(log, loss))


def _inherited(module: cst.Module, log: Log, loss: Loss) -> Finding:
    process = log.processes[loss.process]
    subject = file_variable(module, loss.write.node)
    message = (
        f"what `{process.name}` writes to `{subject}` is lost: the child ends in os._exit(), "
        f"which discards its copy of the buffer, {remedy_size()}, and nothing closes the file "
        f"there; call `{subject}.flush()` or close it in the child after its last write"
    )
    return Finding("FLU102", loss.write.node, message, subject, _steps(log, loss))


def _unclosed(module: cst.Module, log: Log, loss: Loss) -> Finding:
    subject = file_variable(module, loss.write.node)
    message = (
        f"`{subject}` is written to but never closed before {process_name(log, loss.process)} "
        f"ends: flush() is not enough for a compressed stream or an archive, whose trailer is "
        f"written by close(), so the file can't be read back; call `{subject}.close()`"
    )
    return Finding("FLU405", loss.write.node, message, subject, _steps(log, loss))


def _at_exit(module: cst.Module, log: Log, loss: Loss) -> Finding:
    assert loss.node is not None
    subject = file_variable(module, loss.write.node)
    call = _CALLS[loss.how]
    if loss.std:
        name = "sys.stdout" if loss.stream.kind == "stdout" else "sys.stderr"
        message = (
            f"what was written to `{name}` is lost here when it is not a terminal: {call} "
            f"ends the process without flushing; call `{name}.flush()` before it"
        )
        subject = name
    else:
        message = (
            f"what was written to `{subject}` is lost here: {call} ends the process without "
            f"flushing, {remedy_size()}; flush or close `{subject}` before it"
        )
    return Finding("FLU104", loss.node, message, subject, _steps(log, loss))


def _steps(log: Log, loss: Loss) -> list[Step]:
    """Tell how it comes about: opened, handed over, written, ended."""
    steps: list[Step] = []
    child = process_name(log, loss.process)
    process = log.processes[loss.process]
    if loss.stream.opened is not None:
        opener = process_name(log, loss.stream.process)
        steps.append(Step("opened", opener, loss.stream.opened, "the file is opened here"))
    if loss.hand_over is not None:
        parent = process_name(log, process.parent)
        steps.append(
            Step("handed-over", parent, loss.hand_over.node, f"it is handed to {child} here")
        )
    elif process.start is not None:
        parent = process_name(log, process.parent)
        text = f"{child} is started with a copy of it here"
        steps.append(Step("handed-over", parent, process.start, text))
    writer = process_name(log, loss.write.process)
    steps.append(
        Step("written", writer, loss.write.node, "this write stays in the buffer")
    )
    ended = loss.node if loss.node is not None else process.start
    if ended is not None:
        call = _CALLS.get(loss.how)
        text = (
            f"{child} ends in os._exit() with the write still in its buffer"
            if call is None
            else f"{call} throws the buffer away"
        )
        steps.append(Step("ended", child, ended, text))
    return steps
