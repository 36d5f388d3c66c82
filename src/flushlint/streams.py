"""Standard output and error of a command that may be cut off at any time.

A reader that went away is no error, a stream that was closed from the start neither, and nothing
that a path or a message holds can fail to be written.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

from flushlint.lines import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Streams"]


class Streams:
    """Writes to standard output and error, and remembers how that went.

    `closed` says that nobody reads the output any more; `failure` why it could not be written.
    """

    def __init__(self) -> None:
        self.closed = False
        self.failure: str | None = None
        self.before_writing: Callable[[], None] | None = None
        """Clears a terminal of what is not to stay there."""
        for stream in (sys.stdout, sys.stderr):
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:
                reconfigure(errors="backslashreplace")

    def write(self, text: str) -> None:
        """Write to standard output, and through: a reader sees each file's findings at once."""
        if self.closed or sys.stdout is None:
            return
        if self.before_writing is not None:
            self.before_writing()
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError as error:
            self._give_up(error)

    def write_bytes(self, data: bytes) -> None:
        """Write bytes to standard output as they are, behind all that was written before."""
        self.write("")
        if sys.stdout is None:
            self.failure = "it is closed"  # what these bytes are for is lost with them
        if self.closed or sys.stdout is None:
            return
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except OSError as error:
            self._give_up(error)

    def error(self, line: str) -> None:
        """Write one line to standard error, if there is anybody to read it."""
        self.tell(f"{one_line(line)}\n")

    def tell(self, text: str) -> None:
        """Write to standard error, if there is anybody to read it."""
        if sys.stderr is None:
            return
        if self.before_writing is not None:
            self.before_writing()
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            _discard(sys.stderr)

    def _give_up(self, error: OSError) -> None:
        self.closed = True
        if not isinstance(error, BrokenPipeError):
            self.failure = error.strerror or str(error)
        _discard(sys.stdout)


def _discard(stream: TextIO) -> None:
    """Let what `stream` still holds go nowhere when the interpreter flushes it at exit."""
    try:
        target = stream.fileno()
    except OSError:
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, target)
    os.close(null)
