"""The `check` command: from paths to reported findings and an exit status.

A file that can't be read or analysed costs itself alone: one line on standard error, and the others
are still checked.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Literal, NamedTuple

from flushlint import gate
from flushlint.config import ConfigError, Configuration
from flushlint.discovery import SourceFile, discover, read_bytes, read_cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flushlint.model import AnalysisOptions, Diagnostic, InputError, Platform, StartMethodOption
    from flushlint.report import Reporter
    from flushlint.selection import Layer
    from flushlint.streams import Streams

__all__ = ["CheckOptions", "check"]

OutputFormat = Literal["concise", "full", "json"]

_STDIN = "-"
# The width of a report that goes to no terminal, and the limits within which one is readable.
_DEFAULT_WIDTH = 100
_NARROWEST = 40
_WIDEST = 120


class CheckOptions(NamedTuple):
    """What the command line says. What it leaves open is None, and the configuration's to say."""

    paths: tuple[str, ...]
    layer: Layer
    start_method: StartMethodOption | None = None
    python_version: tuple[int, int] | None = None
    platform: Platform | None = None
    stdin_filename: str | None = None
    force_exclude: bool = False
    config: str | None = None
    isolated: bool = False
    output_format: OutputFormat = "concise"
    statistics: bool = False
    exit_zero: bool = False
    quiet: bool = False
    verbose: bool = False


def check(options: CheckOptions, streams: Streams) -> int:
    """Check what `options` name, report it, and return the exit status."""
    return _Run(options, streams).run()


class _Run:
    """One run of the command, and what has come of it so far."""

    def __init__(self, options: CheckOptions, streams: Streams) -> None:
        self._options = options
        self._streams = streams
        self._configuration = Configuration(file=options.config, isolated=options.isolated)
        self._reporter: Reporter | None = None
        self._counts: dict[str, int] = {}
        self._errors: set[InputError] = set()
        self._files = 0
        self._found = False

    def run(self) -> int:
        """Check all files, in the order of the command line, and return the exit status."""
        for item in self._items():
            if isinstance(item, SourceFile):
                self._check(item)
            else:
                self._say(item)
            if self._streams.closed:
                break
        self._finish()
        if self._errors:
            return 2
        return int(self._found and not self._options.exit_zero)

    def _items(self) -> Iterator[SourceFile | InputError]:
        """Yield the files to check, and an error for what can't be looked for."""
        options = self._options
        if options.config is not None:
            # Before anything else: a wrong configuration is an error even if no file needs it.
            try:
                self._configuration.settings(os.getcwd())
            except ConfigError as error:
                yield error.as_input_error()
                return
        paths = options.paths or (os.curdir if options.stdin_filename is None else _STDIN,)
        if _STDIN in paths:
            name = options.stdin_filename or _STDIN
            yield SourceFile(name, os.path.abspath(name), is_stdin=True)
        named = [path for path in paths if path != _STDIN]
        yield from discover(named, self._configuration, force_exclude=options.force_exclude)

    def _check(self, file: SourceFile) -> None:
        """Check one file and report its findings, or why that can't be done."""
        self._files += 1
        try:
            data = read_bytes(file)
            diagnostics = self._findings(file, data)
            if diagnostics:
                self._report(diagnostics, lambda: _text(file, data))
        except OSError as error:
            self._say_unread(file, read_cause(file.path, error))
        except ConfigError as error:
            self._say(error.as_input_error())
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - LibCST's native panics are no Exception
            self._say_unread(file, f"internal error: {type(error).__name__}: {error}")

    def _findings(self, file: SourceFile, data: bytes) -> list[Diagnostic]:
        """Return the findings in one file that are selected and not suppressed."""
        directory = os.path.dirname(file.absolute)
        settings = self._configuration.settings(directory)
        if not gate.passes(data, settings.tables):
            self._verbose(f"{file.path}: nothing that starts, forks or ends a process")
            return []

        from flushlint.engine import check_source
        from flushlint.selection import chosen_codes, enabled_codes

        analysis = check_source(data, file.path, self._analysis_options(directory))
        if analysis.error is not None:
            self._say(analysis.error)
            return []
        layers = (settings.layer, self._options.layer)
        enabled, chosen = enabled_codes(layers), chosen_codes(layers)
        if settings.per_file_ignores:
            ignored = settings.ignored_codes(file.absolute)
            enabled, chosen = enabled - ignored, chosen - ignored
        diagnostics = [
            finding
            for finding in analysis.diagnostics
            if finding.code in (chosen if finding.opt_in else enabled)
        ]
        kept = self._unsuppressed(file, diagnostics, data)
        by = f", settings of {settings.path}" if settings.path is not None else ""
        self._verbose(f"{file.path}: {len(kept)} of {len(analysis.diagnostics)} findings shown{by}")
        return kept

    def _analysis_options(self, directory: str) -> AnalysisOptions:
        """Return what to assume of programs in `directory`, by command line or configuration."""
        from flushlint.model import AnalysisOptions

        configured = self._configuration.analysis_options(directory)
        return AnalysisOptions(
            start_method=self._options.start_method or configured.start_method,
            python_version=self._options.python_version or configured.python_version,
            platform=self._options.platform or configured.platform,
            tables=configured.tables,
        )

    def _unsuppressed(
        self, file: SourceFile, diagnostics: list[Diagnostic], data: bytes
    ) -> list[Diagnostic]:
        """Return the findings that no comment suppresses, and warn of comments that fail to."""
        from flushlint.suppression import may_suppress, suppress

        if not diagnostics or not may_suppress(data):
            return diagnostics
        kept, malformed = suppress(diagnostics, _text(file, data))
        for comment in malformed:
            self._warn(
                f"{file.path}:{comment.line}: warning: `{comment.text}` suppresses nothing; "
                "write `# noqa`, or `# noqa: CODE` with the codes in capitals"
            )
        return kept

    def _report(self, diagnostics: list[Diagnostic], text: Callable[[], str]) -> None:
        for diagnostic in diagnostics:
            self._counts[diagnostic.code] = self._counts.get(diagnostic.code, 0) + 1
            self._found = self._found or diagnostic.severity == "error"
        self._streams.write(self._formatted().add(diagnostics, text))

    def _formatted(self) -> Reporter:
        """Return the output format, imported when there is something to format."""
        if self._reporter is None:
            self._reporter = _reporter(self._options.output_format)
        return self._reporter

    def _finish(self) -> None:
        """Write what comes after the last file."""
        if self._files == 0 and not self._errors:
            self._warn("flushlint: warning: no Python files found")
        if self._counts or self._options.output_format == "json":
            self._streams.write(self._formatted().finish())
        if self._options.statistics:
            from flushlint.report.statistics import statistics

            # Standard output is one JSON document or lines for people, not both.
            for line in statistics(self._counts):
                if self._options.output_format == "json":
                    self._streams.error(line)
                else:
                    self._streams.write(f"{line}\n")
        self._verbose(f"{self._files} files checked, {sum(self._counts.values())} findings")

    def _say_unread(self, file: SourceFile, cause: str) -> None:
        from flushlint.model import InputError

        self._say(InputError(file.path, None, cause))

    def _say(self, error: InputError) -> None:
        """Report an error, once if several files run into it."""
        if error not in self._errors:
            self._errors.add(error)
            place = error.path if error.line is None else f"{error.path}:{error.line}"
            self._streams.error(f"{place}: error: {error.cause}")

    def _warn(self, line: str) -> None:
        if not self._options.quiet:
            self._streams.error(line)

    def _verbose(self, line: str) -> None:
        if self._options.verbose:
            self._streams.error(line)


def _reporter(output_format: OutputFormat) -> Reporter:
    if output_format == "json":
        from flushlint.report.json import JsonReporter

        return JsonReporter()
    if output_format == "concise":
        from flushlint.report.concise import ConciseReporter

        return ConciseReporter()

    import shutil

    from flushlint.report.full import FullReporter

    columns = shutil.get_terminal_size((_DEFAULT_WIDTH, 0)).columns
    width = min(max(columns, _NARROWEST), _WIDEST)
    return FullReporter(width=width, color=_wants_color())


def _wants_color() -> bool:
    """Return whether to write colours: to a terminal that has them, unless NO_COLOR is set."""
    terminal = sys.stdout is not None and sys.stdout.isatty()
    return terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _text(file: SourceFile, data: bytes) -> str:
    """Return a module with findings as text, to be shown and searched for comments."""
    from flushlint.source import Source, read_source

    source = read_source(data, file.path)
    # What can't be decoded has an error and no findings.
    return source.text if isinstance(source, Source) else ""
