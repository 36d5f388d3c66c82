"""The `check` command: from paths to reported findings and an exit status.

A file that can't be read or analysed costs itself alone: one line on standard error, and the others
are still checked.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple, TextIO

from flushlint import gate
from flushlint.config import ConfigError, Configuration
from flushlint.discovery import SourceFile, discover, read_bytes, read_cause
from flushlint.fixability import FixOptions, applicable_fix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flushlint.applying import Applying
    from flushlint.choosing import Choice
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
    fixes: FixOptions = FixOptions()


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
        self._made: Applying | None = None
        self._counts: dict[str, int] = {}
        self._fixable = {"safe": 0, "unsafe": 0}
        self._errors: set[InputError] = set()
        self._files = 0
        self._found = False
        # What is fixed in standard input goes to standard output, and nothing else.
        self._apart = options.fixes.diff or (options.fixes.apply and _STDIN in _paths(options))

    @property
    def _is_json(self) -> bool:
        return self._options.output_format == "json"

    def run(self) -> int:
        """Check all files, in the order of the command line, and return the exit status."""
        for item in self._items():
            if isinstance(item, SourceFile):
                self._check(item)
            else:
                self._say(item)
            if self._streams.closed and not self._options.fixes.apply:
                break
        self._finish()
        return self._status()

    def _status(self) -> int:
        fixes = self._options.fixes
        if self._errors:
            return 2
        if self._options.exit_zero:
            return 0
        if (fixes.diff or fixes.exit_non_zero) and self._made is not None and self._made.changed:
            return 1
        return int(self._found and fixes.report)

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
        paths = _paths(options)
        if _STDIN in paths:
            name = options.stdin_filename or _STDIN
            yield SourceFile(name, os.path.abspath(name), is_stdin=True)
        named = [path for path in paths if path != _STDIN]
        yield from discover(named, self._configuration, force_exclude=options.force_exclude)

    def _check(self, file: SourceFile) -> None:
        """Check one file and report its findings, or why that can't be done."""
        self._files += 1
        fixes = self._options.fixes
        try:
            data = read_bytes(file)
            fixed = data
            try:
                fixed = self._checked(file, data)
            finally:
                if file.is_stdin and fixes.apply and not fixes.diff:
                    self._streams.write_bytes(fixed)
        except OSError as error:
            self._say_unread(file.path, read_cause(file.path, error))
        except ConfigError as error:
            self._say(error.as_input_error())
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - LibCST's native panics are no Exception
            self._say_unread(file.path, f"internal error: {type(error).__name__}: {error}")

    def _checked(self, file: SourceFile, data: bytes) -> bytes:
        """Check, fix and report one file that holds `data`, and return what it holds now."""
        directory = os.path.dirname(file.absolute)
        settings = self._configuration.settings(directory)
        if not gate.passes(data, settings.tables):
            self._verbose(f"{file.path}: nothing that starts, forks or ends a process")
            return data

        from flushlint.choosing import choice, module_text

        fixes = self._options.fixes
        applying = self._applying() if fixes.apply else None
        if applying is not None and applying.is_repeated(file):
            self._verbose(f"{file.path}: another name of a file that was checked already")
            return data
        chosen = choice(file, settings, self._options.layer, fixes.layer, unsafe=fixes.unsafe)
        options = self._analysis_options(directory)
        found = self._findings(data, chosen, options, final=applying is None)
        if found and applying is not None:
            before, data = data, applying.fix(file, data, options, chosen)
            left = self._findings(data, chosen, options, final=True)
            if data != before:
                applying.count(file.path, found, left)
            found = left
        if found:
            self._report(found, lambda: module_text(data, file.path))
        return data

    def _findings(
        self, data: bytes, choice: Choice, options: AnalysisOptions, *, final: bool
    ) -> list[Diagnostic]:
        """Return the findings in `data` that count; the `final` ones are those that are reported.

        Of these fixes are looked for, and of comments that fail to suppress them the user is
        warned.
        """
        from flushlint.engine import check_source

        wanted = partial(choice.fixable, data) if final else None
        analysis = check_source(data, choice.path, options, wanted=wanted)
        if analysis.error is not None:
            self._say(analysis.error)
            return []
        kept, malformed = choice.findings(data, analysis.diagnostics)
        for comment in malformed if final else ():
            self._warn(
                f"{choice.path}:{comment.line}: warning: `{comment.text}` suppresses nothing; "
                "write `# noqa`, or `# noqa: CODE` with the codes in capitals"
            )
        if final or not kept:
            by = f", settings of {choice.settings}" if choice.settings is not None else ""
            shown = f"{len(kept)} of {len(analysis.diagnostics)} findings shown"
            self._verbose(f"{choice.path}: {shown}{by}")
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

    def _report(self, diagnostics: list[Diagnostic], text: Callable[[], str]) -> None:
        """Report the findings of one file, and count them and what could be fixed."""
        for diagnostic in diagnostics:
            if applicable_fix(diagnostic, unsafe=False) is not None:
                self._fixable["safe"] += 1
            elif applicable_fix(diagnostic, unsafe=True) is not None:
                self._fixable["unsafe"] += 1
        if not self._options.fixes.report:
            return
        for diagnostic in diagnostics:
            self._counts[diagnostic.code] = self._counts.get(diagnostic.code, 0) + 1
            self._found = self._found or diagnostic.severity == "error"
        self._show(self._formatted().add(diagnostics, text))

    def _applying(self) -> Applying:
        """Return what applies fixes, imported when there is a file that may need them."""
        if self._made is None:
            from flushlint.applying import Applying

            self._made = Applying(self._options.fixes, self._streams, self._say_unread)
        return self._made

    def _formatted(self) -> Reporter:
        """Return the output format, imported when there is something to format."""
        if self._reporter is None:
            self._reporter = _reporter(
                self._options.output_format,
                sys.stderr if self._apart else sys.stdout,
                unsafe=self._options.fixes.unsafe,
            )
        return self._reporter

    def _finish(self) -> None:
        """Write what comes after the last file."""
        if self._files == 0 and not self._errors:
            self._warn("flushlint: warning: no Python files found")
        if self._counts or (self._is_json and not self._apart):
            self._show(self._formatted().finish())
        if self._counts or self._made is not None:
            self._finish_fixes()
        if self._options.statistics:
            from flushlint.report.statistics import statistics

            self._show_beside("".join(f"{line}\n" for line in statistics(self._counts)))
        self._verbose(f"{self._files} files checked, {sum(self._counts.values())} findings")

    def _finish_fixes(self) -> None:
        """Say what was fixed, what could be, and what was left behind earlier."""
        if self._made is None:
            from flushlint.report.fixes import available

            line = available(**self._fixable, with_unsafe=self._options.fixes.unsafe)
            summary = f"{line}\n" if line else ""
        else:
            for path, cause, hurts in self._made.leftovers():
                if hurts:
                    self._say_unread(path, cause)
                else:
                    self._streams.error(f"{path}: warning: {cause}")
            unsafe = 0 if self._options.fixes.unsafe else self._fixable["unsafe"]
            summary = self._made.summary(unsafe)
        # Who reads JSON finds the fixes there.
        if not self._options.quiet and not (self._made is None and self._is_json):
            self._show_beside(summary)

    def _show(self, text: str) -> None:
        """Write a part of the report."""
        (self._streams.tell if self._apart else self._streams.write)(text)

    def _show_beside(self, text: str) -> None:
        """Write lines for people: standard output is one JSON document or lines, not both."""
        if self._is_json:
            self._streams.tell(text)
        else:
            self._show(text)

    def _say_unread(self, path: str, cause: str) -> None:
        from flushlint.model import InputError

        self._say(InputError(path, None, cause))

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


def _paths(options: CheckOptions) -> tuple[str, ...]:
    """Return what to check, also where the command line leaves that open."""
    return options.paths or (os.curdir if options.stdin_filename is None else _STDIN,)


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
