"""What a run says, and where: findings, errors, warnings, and what there is to say at the end.

Findings go to standard output, everything else to standard error. Where standard output is taken,
by a diff or by a fixed text, findings stand `apart` from it, on standard error as well.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Literal, TextIO

from flushlint.fixability import applicable_fix
from flushlint.report import line_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from flushlint.fixability import FixOptions
    from flushlint.model import Diagnostic, InputError
    from flushlint.report import Reporter
    from flushlint.streams import Streams

__all__ = ["OutputFormat", "Report"]

OutputFormat = Literal["concise", "full", "json"]

# The width of a report that goes to no terminal, and the limits within which one is readable.
_DEFAULT_WIDTH = 100
_NARROWEST = 40
_WIDEST = 120


class Report:
    """The report of one run, and what it has counted so far."""

    def __init__(
        self,
        streams: Streams,
        output_format: OutputFormat,
        fixes: FixOptions,
        *,
        apart: bool,
        quiet: bool,
        verbose: bool,
    ) -> None:
        self.errors: set[InputError] = set()
        self.found = False
        """Whether there are findings that count for the exit status."""
        self._streams = streams
        self._format = output_format
        self._fixes = fixes
        self._apart = apart
        self._quiet = quiet
        self._verbose = verbose
        self._reporter: Reporter | None = None
        self._counts: dict[str, int] = {}
        self._safe = 0
        self._unsafe = 0

    @property
    def findings(self) -> int:
        """How many findings have been reported."""
        return sum(self._counts.values())

    def add(self, diagnostics: list[Diagnostic], text: Callable[[int | None], str]) -> None:
        """Report the findings of one file, if any are to be, and count what could be fixed."""
        for diagnostic in diagnostics:
            if applicable_fix(diagnostic, unsafe=False) is not None:
                self._safe += 1
            elif applicable_fix(diagnostic, unsafe=True) is not None:
                self._unsafe += 1
        if not self._fixes.report:
            return
        for diagnostic in diagnostics:
            self._counts[diagnostic.code] = self._counts.get(diagnostic.code, 0) + 1
            self.found = self.found or diagnostic.severity == "error"
        self._show(self._formatted().add(diagnostics, text))

    def finish(self, fixed: str) -> None:
        """Write the end of the report, what was `fixed`, and what could be."""
        if self._counts or (self._is_json and not self._apart):
            self._show(self._formatted().finish())
        if self._quiet:
            return
        if fixed:
            self._show_beside(fixed)
        if self._safe or self._unsafe:
            self._show_beside(self._available(more=bool(fixed)))

    def statistics(self) -> None:
        """Write how often each rule was found."""
        from flushlint.report.statistics import statistics

        self._show_beside("".join(f"{line}\n" for line in statistics(self._counts)))

    def error_in(self, path: str, cause: str) -> None:
        """Report an error of a file, in which no line can be named."""
        from flushlint.model import InputError

        self.error(InputError(path, None, cause))

    def error(self, error: InputError) -> None:
        """Report an error, once if several files run into it."""
        if error not in self.errors:
            self.errors.add(error)
            place = error.path
            if error.line is not None:
                place = line_place(error.path, error.line, error.cell)
            self._streams.error(f"{place}: error: {error.cause}")

    def warn(self, line: str) -> None:
        """Write a line that is no error and no finding."""
        if not self._quiet:
            self._streams.error(line)

    def verbose(self, line: str) -> None:
        """Write a line for those who want to know what is done."""
        if self._verbose:
            self._streams.error(line)

    def _available(self, *, more: bool) -> str:
        """Return how many of the findings could be fixed, as a line, or nothing."""
        from flushlint.report.fixes import available, left

        if self._fixes.apply:
            line = left(0 if self._fixes.unsafe else self._unsafe, more=more)
        elif self._is_json:
            line = ""  # who reads JSON finds them there
        else:
            line = available(self._safe, self._unsafe, with_unsafe=self._fixes.unsafe)
        return f"{line}\n" if line else ""

    @property
    def _is_json(self) -> bool:
        return self._format == "json"

    def _formatted(self) -> Reporter:
        """Return the output format, imported when there is something to format."""
        if self._reporter is None:
            stream = sys.stderr if self._apart else sys.stdout
            self._reporter = _reporter(self._format, stream, unsafe=self._fixes.unsafe)
        return self._reporter

    def _show(self, text: str) -> None:
        """Write a part of the report."""
        (self._streams.tell if self._apart else self._streams.write)(text)

    def _show_beside(self, text: str) -> None:
        """Write lines for people: standard output is one JSON document or lines, not both."""
        if self._is_json:
            self._streams.tell(text)
        else:
            self._show(text)


def _reporter(output_format: OutputFormat, stream: TextIO | None, *, unsafe: bool) -> Reporter:
    """Return a format for what goes to `stream`; `unsafe` says that unsafe fixes are asked for."""
    if output_format == "json":
        from flushlint.report.json import JsonReporter

        return JsonReporter()
    if output_format == "concise":
        from flushlint.report.concise import ConciseReporter

        return ConciseReporter(unsafe=unsafe)

    import shutil

    from flushlint.report.full import FullReporter

    columns = shutil.get_terminal_size((_DEFAULT_WIDTH, 0)).columns
    width = min(max(columns, _NARROWEST), _WIDEST)
    return FullReporter(width=width, color=_wants_color(stream), unsafe=unsafe)


def _wants_color(stream: TextIO | None) -> bool:
    """Return whether to write colours: to a terminal that has them, unless NO_COLOR is set."""
    terminal = stream is not None and stream.isatty()
    return terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
