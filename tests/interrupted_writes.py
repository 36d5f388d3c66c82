"""Writes a file again and again, and sends a signal to the writer one step later each time.

Run with a directory, a way and the name of a signal, this prints a list of `Seen` as JSON. A step
is the begin or end of a call to the operating system, by whatever code it is made: a new one needs
no mention here. For a signal that Python code handles each line of the module under test is a step
as well. Each write is done by a process of its own.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from flushlint import writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

Way = Literal["atomic", "linked", "unwritable"]
WAYS: list[Way] = ["atomic", "linked", "unwritable"]
Ending = Literal["never reached", "went on", "interrupted", "killed", "left handlers behind"]

BEFORE = b"old = 1\n" * 6
AFTER = b"new = 22\n" * 8
CHUNK = 40
"""The most that one call writes, so that half a file is among what may be found."""
NOBODY = 65534
SYSTEM = {"posix", "_signal"}
"""The modules whose functions ask the operating system for something."""


class Seen(NamedTuple):
    """What is found after a signal at one step."""

    step: str
    ending: Ending
    text: str
    same_inode: bool
    strays: dict[str, str]
    """The contents of the stray files, by name, that are there."""
    reported: list[str]
    """The names of those that are reported."""


def seen_from_json(text: str) -> list[Seen]:
    return [Seen(*item) for item in json.loads(text)]


class Scene:
    """A source file below `base`, to be written in one of the ways."""

    def __init__(self, base: Path, way: Way) -> None:
        self.way = way
        self.directory = base / "sources"
        self.temporary = base / "temporary"
        self.path = self.directory / "a.py"
        self.expected = {"a.py"}
        self.directory.mkdir()
        self.temporary.mkdir()
        self.path.touch()
        if way == "linked":
            (self.directory / "b.py").hardlink_to(self.path)
            self.expected.add("b.py")
        if way == "unwritable":
            self.directory.chmod(0o555)
            if os.geteuid() == 0:
                os.chown(self.path, NOBODY, NOBODY)
            self.temporary.chmod(0o777)
        tempfile.tempdir = str(self.temporary)

    def reset(self) -> None:
        self.path.write_bytes(BEFORE)
        for stray in self.strays():
            stray.unlink()

    def strays(self) -> list[Path]:
        beside = [path for path in self.directory.iterdir() if path.name not in self.expected]
        return [*beside, *self.temporary.iterdir()]

    def enter(self) -> None:
        """Become who writes the file, for good. Root could write the directory all the same."""
        if self.way == "unwritable" and os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)


class Steps:
    """Counts the steps of the process, and calls `action` at the one with the number `target`."""

    def __init__(self, target: int, action: Callable[[str], None], *, lines: bool) -> None:
        self._left = target
        self._action = action
        self._lines = lines

    @property
    def reached(self) -> bool:
        return self._left < 0

    def watch(self) -> None:
        if self._lines:
            sys.settrace(self._trace)
        sys.setprofile(self._profile)

    def unwatch(self) -> None:
        sys.setprofile(None)
        sys.settrace(None)

    def _trace(self, frame: FrameType, event: str, _argument: object) -> Any:  # noqa: ANN401 - typeshed has no better
        if frame.f_code.co_filename != writing.__file__:
            return None
        if event == "line":
            self._count(f"{frame.f_code.co_name}, line {frame.f_lineno}")
        return self._trace

    def _profile(self, _frame: FrameType, event: str, argument: Any) -> None:  # noqa: ANN401 - see _trace
        if event.startswith("c_") and argument.__module__ in SYSTEM:
            self._count(f"{event} {argument.__name__}")

    def _count(self, step: str) -> None:
        self._left -= 1
        if self._left == -1:
            self._action(step)


ENDINGS: list[Ending] = [
    "never reached", "went on", "interrupted", "killed", "left handlers behind",
]  # fmt: skip


def write_once(scene: Scene, number: signal.Signals, target: int, pipe: int) -> Ending:
    """Write the file, and send `number` to this process at the step `target`."""

    def send(step: str) -> None:
        os.write(pipe, step.encode())
        os.kill(os.getpid(), number)

    handlers = [signal.getsignal(one) for one in signal.valid_signals()]
    write = os.write
    os.write = lambda file, data: write(file, memoryview(data)[:CHUNK])
    steps = Steps(target, send, lines=number == signal.SIGINT)
    interrupted = False
    try:
        steps.watch()
        writing.replace_file(str(scene.path), BEFORE, AFTER)
        steps.unwatch()
    except KeyboardInterrupt:
        interrupted = True
    if [signal.getsignal(one) for one in signal.valid_signals()] != handlers:
        return "left handlers behind"
    if interrupted:
        return "interrupted"
    return "went on" if steps.reached else "never reached"


def observe(scene: Scene, number: signal.Signals, target: int) -> Seen:
    """Let another process write the file, send it a signal at a step, and look at what is left."""
    scene.reset()
    inode = scene.path.stat().st_ino
    reading, pipe = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            scene.enter()
            os._exit(ENDINGS.index(write_once(scene, number, target, pipe)))
        finally:
            os._exit(70)
    os.close(pipe)
    with open(reading, encoding="utf-8") as labels:
        step = labels.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == number
        ending: Ending = "killed"
    else:
        ending = ENDINGS[os.WEXITSTATUS(status)]
    return Seen(
        step,
        ending,
        scene.path.read_text(),
        scene.path.stat().st_ino == inode,
        {stray.name: stray.read_text() for stray in scene.strays()},
        [os.path.basename(stray) for stray in writing.stray_files(str(scene.path))],
    )


def interrupt_every_step(base: Path, way: Way, number: signal.Signals) -> list[Seen]:
    """Return what is seen after each step, the last of them one that is never reached."""
    scene = Scene(base, way)
    # What is imported on first use is so before the steps are counted.
    scene.reset()
    writing.replace_file(str(scene.path), BEFORE, AFTER)
    seen: list[Seen] = []
    while not seen or seen[-1].ending != "never reached":
        seen.append(observe(scene, number, len(seen)))
    return seen


if __name__ == "__main__":
    base, name, signal_name = sys.argv[1:]
    way = WAYS[WAYS.index(cast("Way", name))]
    json.dump(interrupt_every_step(Path(base), way, signal.Signals[signal_name]), sys.stdout)
