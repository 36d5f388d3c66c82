"""How far a long run has come, as a line on a terminal that is gone before anything else is said.

Nothing of it is imported or written before a second has passed. It is drawn by whoever waits, and
not by a thread: a process with several is not to be forked.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from flushlint.streams import Streams

__all__ = ["ProgressBar"]

# In seconds: how long a run is silent, and how long a line stays as it is.
_SILENT = 1.0
_BETWEEN = 0.1


class ProgressBar:
    """A bar on standard error, if that is a terminal and `wanted`."""

    def __init__(self, streams: Streams, *, wanted: bool) -> None:
        self._is_on = wanted and _is_terminal()
        self._next = time.monotonic() + _SILENT
        self._state: tuple[str, int, int | None] = ("", 0, None)
        self._bar: Progress | None = None
        self._line: TaskID | None = None
        self._is_shown = False
        if self._is_on:
            streams.before_writing = self.hide

    def at(self, what: str, done: int, total: int | None) -> None:
        """Say what is done, and how far that is. The `total` is None if nobody knows it."""
        if self._is_on:
            self._state = (what, done, total)
            self.tick()

    def tick(self) -> None:
        """Draw the bar if it is time."""
        if self._is_on and time.monotonic() >= self._next:
            self._draw()
            self._next = time.monotonic() + _BETWEEN

    def hide(self) -> None:
        """Take the bar away, until it is drawn again."""
        if self._is_shown and self._bar is not None:
            self._is_shown = False
            self._bar.stop()

    def _draw(self) -> None:
        if self._bar is None:
            self._bar = _new_bar()
            self._line = self._bar.add_task("", total=None)
        what, done, total = self._state
        if self._line is not None:
            self._bar.update(self._line, description=what, completed=done, total=total)
        if self._is_shown:
            self._bar.refresh()
        else:
            self._is_shown = True
            self._bar.start()


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _new_bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True),
        transient=True,
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
    )
