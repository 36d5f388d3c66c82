"""FLU4xx: calls that look like a remedy and are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.rules.advice import remedy
from flushlint.rules.finding import (
    Finding,
    Step,
    called,
    code_of,
    file_variable,
    process_name,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst as cst

    from flushlint.machine.log import Log, Loss

__all__ = ["check"]


def check(module: cst.Module, log: Log) -> Iterator[Finding]:
    """Find FLU401, FLU402 and FLU403."""
    seen: set[object] = set()
    for finding in (*_unbuffered_text(module, log), *_beside_losses(module, log)):
        if (finding.code, finding.node) not in seen:
            seen.add((finding.code, finding.node))
            yield finding


def _unbuffered_text(module: cst.Module, log: Log) -> Iterator[Finding]:
    for misuse in log.misuses:
        subject = code_of(module, misuse.node)
        message = (
            f"`{subject}` raises ValueError: a text file can't be unbuffered; use buffering=1 "
            f"and end each write with a newline, or call flush() after each write"
        )
        step = Step("opened", "main process", misuse.node, "this call raises ValueError")
        yield Finding("FLU401", misuse.node, message, subject, [step], cause=misuse)


def _beside_losses(module: cst.Module, log: Log) -> Iterator[Finding]:
    for loss in log.losses:
        stream = loss.stream
        subject = file_variable(module, loss.write.node)
        written = Step(
            "written",
            process_name(log, loss.write.process),
            loss.write.node,
            "this write stays in the buffer",
        )
        if stream.binary_line_buffering and stream.opened is not None:
            saved = remedy(module, log, loss.write, stream)
            message = (
                f"what is written to {quoted(subject)} is lost: buffering=1 does nothing in "
                f"binary mode, the file is fully buffered; use buffering=0, or "
                f"{saved.verb} {_last(loss)}"
            )
            opener = process_name(log, stream.process)
            opened = Step("opened", opener, stream.opened, "the file is opened here")
            yield Finding("FLU402", stream.opened, message, subject, [opened, written], cause=loss)
        if stream.synced is not None:
            saved = remedy(module, log, loss.write, stream)
            when = _last(loss) if saved.closes else "before this call"
            message = (
                f"what is written to {quoted(subject)} is lost: {called(module, stream.synced)} "
                f"does not reach what is still in its buffer; {saved.verb} {when}"
            )
            synced = Step(
                "ended", process_name(log, loss.process), stream.synced, "nothing is flushed here"
            )
            yield Finding("FLU403", stream.synced, message, subject, [written, synced], cause=loss)


def _last(loss: Loss) -> str:
    """Say when the remedy is due."""
    if loss.node is not None:
        return "before the process ends"
    return "after the last write in the child"
