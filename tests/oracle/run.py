"""Running one program once, in a directory and a process group of its own, with a time limit."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.oracle.output import Output, collect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flushlint.model import StartMethod

__all__ = ["Job", "ProgramTimeoutError", "Run", "Tree", "run_program"]

SITE: Final = Path(__file__).resolve().parent / "site"
TIME_LIMIT: Final = 20.0
"""Seconds, for the program and all its descendants together."""

_POLL_SECONDS: Final = 0.01
_RUN_ID: Final = "FLUSHLINT_ORACLE_RUN"


class ProgramTimeoutError(Exception):
    """The program or one of its descendants still ran when its time was up."""


@dataclass(frozen=True)
class Tree:
    """A program of several files: their contents by path, and what is run of them.

    The paths are relative to the tree's root, with slashes. `command` is what follows `python`,
    `directory` the current directory; `roots` are on PYTHONPATH.
    """

    files: Mapping[str, bytes]
    command: tuple[str, ...]
    directory: str = "."
    roots: tuple[str, ...] = ()


@dataclass(frozen=True)
class Job:
    """A program and how it is run.

    `start_method` is what its multiprocessing starts from; a choice of its own wins. `ordered`
    says that the order counts in which its processes write.
    """

    program: bytes | Tree
    python: str
    name: str = "program.py"
    start_method: StartMethod = "fork"
    arguments: tuple[str, ...] = ()
    stdin: str = ""
    ordered: bool = False


@dataclass(frozen=True)
class Run:
    """What one run of a program left behind."""

    output: Output
    status: int
    """As `subprocess` tells it: negative for a signal."""


def run_program(job: Job, *, intent: bool = False, time_limit: float = TIME_LIMIT) -> Run:
    """Run a program, with the harness around it if `intent`, and return what it left behind.

    Raises ProgramTimeoutError. Nothing of the program survives the call.
    """
    with tempfile.TemporaryDirectory(prefix="oracle-", ignore_cleanup_errors=True) as scratch:
        place = _Place(Path(scratch))
        command = place.put(job)
        run_id = uuid.uuid4().hex
        process = subprocess.Popen(
            [job.python, "-s", *command, *job.arguments],
            cwd=place.directory,
            env=_environment(place, run_id, job.start_method, intent=intent),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        deadline = time.monotonic() + time_limit
        try:
            stdout, stderr = process.communicate(job.stdin.encode(), timeout=time_limit)
            _wait_for_descendants(run_id, deadline)
        except subprocess.TimeoutExpired:
            message = f"{job.name}: still running after {time_limit:g} seconds"
            raise ProgramTimeoutError(message) from None
        finally:
            _kill(process, run_id)
        return Run(
            output=collect(
                place.work, place.log if intent else None, stdout, stderr, place.sources
            ),
            status=process.returncode,
        )


class _Place:
    """The directories of one run: the program's, its current one, its TMPDIR, the harness's log.

    `sources` are the files of the program below the current one, `roots` what it imports from.
    """

    def __init__(self, root: Path) -> None:
        self.program = root / "program"
        self.work = root / "work"
        self.temporary = root / "tmp"
        self.log = root / "log"
        for folder in (self.program, self.work, self.temporary, self.log):
            folder.mkdir()
        self.directory = self.work
        self.sources: Mapping[str, bytes] = {}
        self.roots: tuple[str, ...] = ()

    def put(self, job: Job) -> list[str]:
        """Write the program to its place and return its arguments of the interpreter."""
        if isinstance(job.program, bytes):
            path = self.program / job.name
            path.write_bytes(job.program)
            return [str(path)]
        for name, data in job.program.files.items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        self.sources = job.program.files
        self.directory = self.work / job.program.directory
        self.roots = tuple(str(self.work / root) for root in job.program.roots)
        return list(job.program.command)


def _environment(
    place: _Place, run_id: str, start_method: StartMethod, *, intent: bool
) -> dict[str, str]:
    """Build an environment from nothing, so that no PYTHONUNBUFFERED or the like gets in."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(place.temporary),
        "TMPDIR": str(place.temporary),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join([str(SITE), *place.roots]),
        "FLUSHLINT_ORACLE_START_METHOD": start_method,
        _RUN_ID: run_id,
    }
    if intent:
        environment["FLUSHLINT_ORACLE_LOG"] = str(place.log)
    return environment


def _wait_for_descendants(run_id: str, deadline: float) -> None:
    """Wait for processes that outlive the program, daemons that left its session included."""
    while _descendants(run_id):
        if time.monotonic() > deadline:
            raise subprocess.TimeoutExpired(run_id, deadline)
        time.sleep(_POLL_SECONDS)


def _descendants(run_id: str) -> list[int]:
    """Find the processes of a run by the environment that they were started with."""
    needle = f"{_RUN_ID}={run_id}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if needle in (entry / "environ").read_bytes() and not _is_zombie(entry):
                    found.append(int(entry.name))
    return found


def _is_zombie(entry: Path) -> bool:
    return re.search(rb"\) [ZX] ", (entry / "stat").read_bytes()) is not None


def _kill(process: subprocess.Popen[bytes], run_id: str) -> None:
    """End everything that the run started and that is still there."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
    for descendant in _descendants(run_id):
        with contextlib.suppress(ProcessLookupError):
            os.kill(descendant, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=5)
