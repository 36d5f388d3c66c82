"""FLU4xx: calls that look like a remedy and are none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flushlint.rules.finding import Finding, Step, code_of, file_variable, process_name
from flushlint.rules.lost import real_losses

if TYPE_CHECKING:
    import libcst as cst

    from flushlint.machine.log import Log

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
            "text can't be unbuffered: open() raises ValueError for buffering=0 in text mode; "
            "use buffering=1 and end each write with a newline, or flush after each write"
        )
        step = Step("opened", "main process", misuse.node, "this call raises ValueError")
        yield Finding("FLU401", misuse.node, message, subject, [step])


def _beside_losses(module: cst.Module, log: Log) -> Iterator[Finding]:
    for loss in real_losses(log):
        stream = loss.stream
        subject = file_variable(module, loss.write.node)
        written = Step(
            "written",
            process_name(log, loss.write.process),
            loss.write.node,
            "this write stays in the buffer",
        )
        if stream.binary_line_buffering and stream.opened is not None:
            message = (
                f"buffering=1 does nothing in binary mode: `{subject}` is fully buffered and "
                f"its data are lost; use buffering=0, or flush after the last write"
            )
            opener = process_name(log, stream.process)
            opened = Step("opened", opener, stream.opened, "the file is opened here")
            yield Finding("FLU402", stream.opened, message, subject, [opened, written])
        if stream.synced is not None:
            message = (
                f"os.fsync() syncs what has reached the operating system; what is pending in "
                f"the buffer of `{subject}` has not, and is lost; call `{subject}.flush()` "
                f"before it"
            )
            synced = Step(
                "ended", process_name(log, loss.process), stream.synced, "nothing is flushed here"
            )
            yield Finding("FLU403", stream.synced, message, subject, [written, synced])
