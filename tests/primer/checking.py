"""Runs flushlint over a directory as a user does, and says what came of it and how long it took."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Checked", "Found", "Step", "check", "lines_of", "slowest"]

# Everything that there is, what is off by default too: each finding has to be true.
_COMMAND = (
    *("-m", "flushlint", "check", "--isolated", "--select", "ALL"),
    *("--output-format", "json", "--verbose"),
)
_DROPPED = re.compile(r"(?P<path>.+): nothing that starts, forks or ends a process")
_ANALYSED = re.compile(r"(?P<path>.+): \d+ of \d+ findings shown")
_PASSED_OVER = re.compile(r".+: warning: .+|\d+ files checked, \d+ findings")
_LONGEST_SOURCE = 100


@dataclass(frozen=True)
class Step:
    """One step of a witness."""

    kind: str
    process: str
    path: str
    line: int
    text: str


@dataclass(frozen=True)
class Found:
    """A finding, or a bound of the machine (FLU901). `source` is its line, without the indent."""

    path: str
    line: int
    code: str
    source: str
    message: str
    steps: tuple[Step, ...] = ()

    @property
    def is_bound(self) -> bool:
        return self.code == "FLU901"


@dataclass
class Checked:
    """What a run over one package has said.

    `seconds` holds the time of each file that was analysed. `refused` are files that can't be
    decoded or parsed, `failures` whatever must never happen: crashes, and running out of time.
    """

    files: int = 0
    found: list[Found] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    total: float = 0.0


def check(directory: Path, limit: int) -> Checked:
    """Check the sources below `directory`, for at most `limit` seconds."""
    made = Checked()
    before = time.perf_counter()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        process = subprocess.Popen(
            # Not run from there: a package's modules would stand in for those of the library.
            [sys.executable, *_COMMAND, directory],
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        timer = threading.Timer(limit, process.kill)
        timer.start()
        try:
            last = _follow(process, made, os.path.join(directory, ""))
        finally:
            timer.cancel()
            process.wait()
        made.total = time.perf_counter() - before
        output.seek(0)
        written = output.read()
    if process.returncode in (0, 1, 2) and written:
        made.found = [_found(directory, one) for one in json.loads(written)]
    elif made.total >= limit:
        made.failures.append(f"not done after {limit} s; the last file was {last}")
    else:
        made.failures.append(f"ended with status {process.returncode} after {last}")
    return made


def _follow(process: subprocess.Popen[str], made: Checked, base: str) -> str:
    """Read what is said of each file when it is done, until the end; return the last one.

    The time between two such lines is the time of a file.
    """
    last, before = "the start", time.perf_counter()
    assert process.stderr is not None
    with process.stderr as lines:
        for line in lines:
            now = time.perf_counter()
            said = line.rstrip("\n").removeprefix(base)
            match = _ANALYSED.fullmatch(said)
            if match:
                made.seconds[match["path"]] = now - before
            elif not (match := _DROPPED.fullmatch(said)):
                _keep(said, made)
            if match:
                made.files += 1
                last = match["path"]
            before = now
    return last


def _keep(said: str, made: Checked) -> None:
    """Keep a line of standard error that speaks of no file that went well."""
    if _PASSED_OVER.fullmatch(said):
        return
    if ": error: " in said and "internal error" not in said:
        made.files += 1
        made.refused.append(said)
    else:
        made.failures.append(said)


def _found(directory: Path, one: dict[str, Any]) -> Found:
    def relative(path: str) -> str:
        return path.removeprefix(os.path.join(directory, ""))

    path, line = relative(one["filename"]), one["location"]["row"]
    steps = tuple(
        Step(s["kind"], s["process"], relative(s["filename"]), s["location"]["row"], s["text"])
        for s in one["witness"]
    )
    return Found(path, line, one["code"], _source(directory, path, line), one["message"], steps)


def _source(directory: Path, path: str, line: int) -> str:
    """Return a line (1-based) of a source without what is around it; cut off where it is long."""
    text = " ".join(lines_of(directory, path)[line - 1].split())
    return text if len(text) <= _LONGEST_SOURCE else f"{text[:_LONGEST_SOURCE]}..."


def lines_of(directory: Path, path: str) -> list[str]:
    """Return the lines of a source; what is no UTF-8 shows as a replacement character."""
    return (directory / path).read_text("utf-8", "replace").split("\n")


def slowest(checked: Checked, count: int) -> list[tuple[str, float]]:
    """Return the files that took longest, with their seconds."""
    return sorted(checked.seconds.items(), key=lambda one: -one[1])[:count]
