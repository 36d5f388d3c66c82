"""FLU1xx: writes that are thrown away when a process ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import libcst as cst

from flushlint.rules.advice import (
    Remedy,
    before,
    elsewhere,
    flush_first,
    is_the_parents,
    must_reopen,
    remedy,
    unflushed,
)
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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flushlint.machine.log import HandOver, Log, Loss

__all__ = ["check", "ending_call", "opened_and_started"]

_CALLS = {
    "exit": "os._exit()", "exec": "os.exec*()", "abort": "os.abort()", "kill": "SIGKILL",
    "thread": "the end of its thread", "signal": "a signal",
}  # fmt: skip


def check(module: cst.Module, log: Log) -> Iterator[Finding]:
    """Find FLU101 to FLU104."""
    seen: set[object] = set()
    for loss in log.losses:
        finding = _finding(module, log, loss)
        finding.cause = loss
        key = _cause(finding, loss, log)
        if key not in seen:
            seen.add(key)
            yield finding


def _cause(finding: Finding, loss: Loss, log: Log) -> object:
    if finding.code in ("FLU102", "FLU103") and loss.hand_over is None:
        return (finding.code, loss.stream.opened, log.enclosing(loss.process).name)
    if finding.code == "FLU104":
        # One call may throw away what several files hold, and each must be flushed.
        return (finding.code, finding.node, loss.stream.opened or loss.stream.kind)
    return (finding.code, finding.node)


def _finding(module: cst.Module, log: Log, loss: Loss) -> Finding:
    process = log.enclosing(loss.process)
    if loss.trailer:
        return _unclosed(module, log, loss)
    clean_end = process.kind in ("process", "worker") and not loss.survives
    if clean_end and process.kind == "worker":
        return _of_worker(module, log, loss)
    if clean_end and loss.hand_over is not None:
        return _passed(module, log, loss)
    if clean_end:
        return _inherited(module, log, loss)
    return _at_exit(module, log, loss)


def _passed(module: cst.Module, log: Log, loss: Loss) -> Finding:
    assert loss.hand_over is not None
    subject = _handed_over(module, log, loss, loss.hand_over)
    message = _at_end(module, log, loss, subject)
    return Finding("FLU101", loss.hand_over.node, message, subject, _steps(log, loss))


def _of_worker(module: cst.Module, log: Log, loss: Loss) -> Finding:
    """FLU103, at the initial argument if the file is one, else at the write."""
    if loss.hand_over is not None:
        passed = _passed(module, log, loss)
        return replace(passed, code="FLU103")
    return replace(_inherited(module, log, loss), code="FLU103")


def _handed_over(module: cst.Module, log: Log, loss: Loss, hand_over: HandOver) -> str:
    """Return the source of what the child is given, or writes to where that says more."""
    node = hand_over.node
    if _is_written_by_start(log, loss):
        if isinstance(node, cst.Attribute) and not hand_over.own:
            node = node.value
        return code_of(module, node)
    if hand_over.own and isinstance(node, (cst.Name, cst.Attribute, cst.Subscript)):
        return code_of(module, node)
    return file_variable(module, loss.write.node)


def _is_written_by_start(log: Log, loss: Loss) -> bool:
    """Say whether the target itself writes: `print`, or the `write` of a file."""
    return loss.write.node is log.processes[loss.process].start


def _inherited(module: cst.Module, log: Log, loss: Loss) -> Finding:
    subject = file_variable(module, loss.write.node)
    message = _at_end(module, log, loss, subject)
    return Finding("FLU102", loss.write.node, message, subject, _steps(log, loss))


def _at_end(module: cst.Module, log: Log, loss: Loss, subject: str) -> str:
    """Say what a child loses that ends when its target has returned, and what saves it."""
    process = log.enclosing(loss.process)
    if loss.std:
        name = loss.stream.kind
        return (
            f"what `{process.name}` writes to `sys.{name}` is lost when it is not a terminal: "
            f"the child binds `sys.{name}` to something else and ends in os._exit(), so nothing "
            f"flushes the old one; call `sys.{name}.flush()` before"
        )
    saved = remedy(module, log, loss.write, loss.stream)
    if _is_written_by_start(log, loss):
        what = "let the target be a function that writes and then flushes the file"
    elif _is_held_by_daemon(loss):
        what = "let the thread end and join it, so that the file is closed, or flush each write"
    else:
        what = _last_of_child(loss, saved)
    if process.kind == "worker":
        return (
            f"what a worker writes to {quoted(subject)} is lost: {_end_of_worker(loss)} "
            f"{_shortfall(log, saved)}; {_last_of_task(loss, saved)}{elsewhere(log, loss)}"
        )
    why = f"the child ends in os._exit() {_shortfall(log, saved)}"
    if is_the_parents(loss):
        why = "the parent, which opened it, writes over it when it closes its own copy"
    return (
        f"what `{process.name}` writes to {quoted(subject)} is lost: {why}; "
        f"{what}{elsewhere(log, loss)}"
    )


def _end_of_worker(loss: Loss) -> str:
    if loss.how == "signal":
        return "the pool terminates its workers"
    return "the pool's workers end in os._exit()"


def _last_of_task(loss: Loss, saved: Remedy) -> str:
    if must_reopen(loss, saved):
        return "open the file in the task"
    first = "flush it before the workers start, and " if flush_first(loss) else ""
    return f"{first}let each task end {saved.ending}"


def _last_of_child(loss: Loss, saved: Remedy) -> str:
    if must_reopen(loss, saved):
        return "open the file in the child"
    first = "flush it before start(), and " if flush_first(loss) else ""
    return f"{first}let the child end {saved.ending}"


def _is_held_by_daemon(loss: Loss) -> bool:
    """Say whether a daemon thread of the process itself still waits with the file open."""
    waits = any(isinstance(key, tuple) and key[0] == "waits" for key in loss.facts)
    return waits and loss.hand_over is None and loss.stream.process == loss.process


def _shortfall(log: Log, saved: Remedy) -> str:
    if saved.method:
        return f"without {saved.method}(), which would write the rest"
    return "without close(), which would write the rest" if saved.closes else unflushed(log)


def _unclosed(module: cst.Module, log: Log, loss: Loss) -> Finding:
    saved = remedy(module, log, loss.write, loss.stream)
    child = the_process(log, loss.process)
    if loss.node is None:
        is_worker = log.processes[loss.process].kind == "worker"
        last = _last_of_task if is_worker else _last_of_child
        when, what = f"is never closed in {child}", last(loss, saved)
    else:
        call = ending_call(module, loss)
        when = f"is not closed before {call} ends {child}"
        what = _before_exit(log, loss, saved, call)
    lacks = "leaves out the end of the file, without which it can't be read"
    if saved.method:
        lacks = f"is not enough, {saved.method}() writes the rest"
    message = f"{saved.file} {when}: flush() {lacks}; {what}{elsewhere(log, loss)}"
    subject = file_variable(module, loss.write.node)
    return Finding("FLU405", loss.write.node, message, subject, _steps(log, loss))


def ending_call(module: cst.Module, loss: Loss) -> str:
    """Return the call that ends the process, as the program has it."""
    node = loss.node
    if loss.how in ("kill", "thread") or not isinstance(node, cst.Call):
        return _CALLS[loss.how]
    is_named = isinstance(node.func, (cst.Name, cst.Attribute))
    return called(module, node) if is_named else _CALLS[loss.how]


def _at_exit(module: cst.Module, log: Log, loss: Loss) -> Finding:
    assert loss.node is not None
    call, ending = ending_call(module, loss), the_process(log, loss.process)
    if loss.std:
        subject = "sys.stdout" if loss.stream.kind == "stdout" else "sys.stderr"
        saved = Remedy(f"`{subject}`", f"call `{subject}.flush()`", "", closes=False)
        lost = f"is lost when it is not a terminal: {call} ends {ending} without flushing it"
    else:
        subject = file_variable(module, loss.write.node)
        saved = remedy(module, log, loss.write, loss.stream)
        lost = f"is lost: {call} ends {ending} {_shortfall(log, saved)}"
    what = _before_exit(log, loss, saved, call)
    message = f"what is written to {quoted(subject)} {lost}; {what}{elsewhere(log, loss)}"
    return Finding("FLU104", loss.node, message, subject, _steps(log, loss))


def _before_exit(log: Log, loss: Loss, saved: Remedy, call: str) -> str:
    process = log.processes[loss.process]
    if must_reopen(loss, saved):
        return f"open the file after {before(process)}, and {saved.verb} before {call}"
    first = f"flush it before {before(process)}, and " if flush_first(loss) else ""
    return f"{first}{saved.verb} before {call}"


def _steps(log: Log, loss: Loss) -> list[Step]:
    """Tell how it comes about: opened, handed over, written, ended."""
    child = process_name(log, loss.process)
    process = log.processes[loss.process]
    steps = [*opened_and_started(log, loss, child)]
    writer = process_name(log, loss.write.process)
    stays = "needs a close() after it" if loss.trailer else "stays in the buffer"
    steps.append(Step("written", writer, loss.write.node, f"this write {stays}"))
    ended = loss.node if loss.node is not None else process.start
    if ended is not None:
        call = _CALLS.get(loss.how, "os._exit()")
        left = "the file not closed" if loss.trailer else "the write still in its buffer"
        text = (
            f"{child} ends in {call} with {left}"
            if loss.node is None or loss.trailer
            else f"{call} throws the buffer away"
        )
        steps.append(Step("ended", child, ended, text))
    return steps


def opened_and_started(log: Log, loss: Loss, child: str) -> Iterator[Step]:
    """Tell how the process got at the file; one that opens it has been started before."""
    process = log.processes[loss.process]
    opened = []
    if loss.stream.opened is not None:
        opener = process_name(log, loss.stream.process)
        opened = [Step("opened", opener, loss.stream.opened, "the file is opened here")]
    is_own = loss.stream.process == loss.process
    if not is_own:
        yield from opened
    parent = process_name(log, process.parent)
    if loss.hand_over is not None:
        text = f"it is handed to {child} here"
        yield Step("handed-over", parent, loss.hand_over.node, text)
    elif process.start is not None:
        text = f"{child} is started {'' if is_own else 'with a copy of it '}here"
        yield Step("handed-over", parent, process.start, text)
    if is_own:
        yield from opened
