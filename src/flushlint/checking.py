"""The `check` command: from paths to reported findings and an exit status.

A file that can't be read or analysed costs itself alone: one line on standard error, and the others
are still checked.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from flushlint import gate
from flushlint.config import ConfigError, Configuration
from flushlint.discovery import SourceFile, discover, read_bytes, read_cause
from flushlint.documents import is_notebook, read_document
from flushlint.fixability import FixOptions
from flushlint.report import line_place
from flushlint.reporting import Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flushlint.applying import Applying
    from flushlint.choosing import Choice
    from flushlint.documents import Document
    from flushlint.model import AnalysisOptions, Diagnostic, InputError, Platform, StartMethodOption
    from flushlint.reporting import OutputFormat
    from flushlint.selection import Layer
    from flushlint.streams import Streams
    from flushlint.user_tables import UserTables

__all__ = ["CheckOptions", "check"]

_STDIN = "-"


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
        fixes = options.fixes
        self._report = Report(
            streams,
            options.output_format,
            fixes,
            # What is fixed in standard input goes to standard output, and nothing else.
            apart=fixes.diff or (fixes.apply and _STDIN in _paths(options)),
            quiet=options.quiet,
            verbose=options.verbose,
        )
        self._made: Applying | None = None
        self._files = 0
        # The files that are, or could be, written.
        self._written: list[str] = []

    def run(self) -> int:
        """Check all files, in the order of the command line, and return the exit status."""
        for item in self._items():
            if isinstance(item, SourceFile):
                self._check(item)
            else:
                self._report.error(item)
            if self._streams.closed and not self._options.fixes.apply:
                break
        self._finish()
        return self._status()

    def _status(self) -> int:
        fixes = self._options.fixes
        if self._report.errors:
            return 2
        if self._options.exit_zero:
            return 0
        if (fixes.diff or fixes.exit_non_zero) and self._made is not None and self._made.changed:
            return 1
        return int(self._report.found)

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
        if fixes.apply and not file.is_stdin:
            self._written.append(file.absolute)
        try:
            data = read_bytes(file)
            fixed = data
            try:
                fixed = self._checked(file, data)
            finally:
                if file.is_stdin and fixes.apply and not fixes.diff:
                    self._streams.write_bytes(fixed)
        except OSError as error:
            self._report.error_in(file.path, read_cause(file.path, error))
        except ConfigError as error:
            self._report.error(error.as_input_error())
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - LibCST's native panics are no Exception
            self._report.error_in(file.path, f"internal error: {type(error).__name__}: {error}")

    def _checked(self, file: SourceFile, data: bytes) -> bytes:
        """Check, fix and report one file that holds `data`, and return what it holds now."""
        directory = os.path.dirname(file.absolute)
        settings = self._configuration.settings(directory)
        document = self._document(file.path, data, settings.tables)
        if document is None:
            return data

        from flushlint.choosing import choice

        fixes = self._options.fixes
        applying = self._applying() if fixes.apply else None
        if applying is not None and applying.is_repeated(file):
            self._report.verbose(f"{file.path}: another name of a file that was checked already")
            return data
        chosen = choice(file, settings, self._options.layer, fixes.layer, unsafe=fixes.unsafe)
        options = self._analysis_options(directory)
        found = self._findings(document, chosen, options, final=applying is None)
        if found and applying is not None:
            before, data = data, applying.fix(file, data, options, chosen)
            document = self._document(file.path, data, settings.tables)
            left = self._findings(document, chosen, options, final=True) if document else []
            if data != before:
                applying.count(file.path, found, left)
            found = left
        if found and document is not None:
            self._report.add(found, document.text)
        return data

    def _document(self, path: str, data: bytes, tables: UserTables) -> Document | None:
        """Return what is to be analysed of a file, None if nothing is, which is said."""
        in_cells = is_notebook(path)
        if (gate.may_pass if in_cells else gate.passes)(data, tables):
            from flushlint.model import InputError

            document = read_document(data, path)
            if isinstance(document, InputError):
                self._report.error(document)
                return None
            if document is None:
                self._report.verbose(f"{path}: a notebook in another language than Python")
                return None
            if not in_cells or gate.passes(document.program, tables):
                return document
        self._report.verbose(f"{path}: nothing that starts, forks or ends a process")
        return None

    def _findings(
        self, document: Document, choice: Choice, options: AnalysisOptions, *, final: bool
    ) -> list[Diagnostic]:
        """Return the findings in `document` that count; the `final` ones are to be reported.

        Of these fixes are looked for, and of comments that fail to suppress them the user is
        warned.
        """
        from flushlint.engine import check_source

        program = document.program
        wanted = partial(choice.fixable, program) if final else None
        analysis = check_source(program, choice.path, options, wanted=wanted)
        if analysis.error is not None:
            self._report.error(document.error(analysis.error))
            return []
        kept, malformed = choice.findings(program, document.found(analysis.diagnostics))
        for comment in malformed if final else ():
            cell, line = document.place(comment.line)
            place = line_place(choice.path, line, cell)
            self._report.warn(
                f"{place}: warning: `{comment.text}` suppresses nothing; "
                "write `# noqa`, or `# noqa: CODE` with the codes in capitals"
            )
        if final or not kept:
            by = f", settings of {choice.settings}" if choice.settings is not None else ""
            shown = f"{len(kept)} of {len(analysis.diagnostics)} findings shown"
            self._report.verbose(f"{choice.path}: {shown}{by}")
        return document.located(kept)

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

    def _applying(self) -> Applying:
        """Return what applies fixes, imported when there is a file that may need them."""
        if self._made is None:
            from flushlint.applying import Applying

            self._made = Applying(self._options.fixes, self._streams, self._report.error_in)
        return self._made

    def _finish(self) -> None:
        """Write what comes after the last file."""
        if self._files == 0 and not self._report.errors:
            self._report.warn("flushlint: warning: no Python files found")
        if self._options.fixes.apply:
            self._report_strays()
        self._report.finish(self._made.summary() if self._made is not None else "")
        if self._options.statistics:
            self._report.statistics()
        self._report.verbose(f"{self._files} files checked, {self._report.findings} findings")

    def _report_strays(self) -> None:
        """Report what earlier, interrupted writes of the files have left behind."""
        from flushlint.writing import stray_files

        base = os.path.join(os.path.realpath(os.getcwd()), "")
        for stray in stray_files(*self._written):
            path = stray.removeprefix(base)
            if stray.endswith(".backup"):
                cause = "the old contents of a file whose writing was interrupted"
                self._report.error_in(path, cause)
            else:
                cause = "left by a write that was interrupted; it may be removed"
                self._streams.error(f"{path}: warning: {cause}")


def _paths(options: CheckOptions) -> tuple[str, ...]:
    """Return what to check, also where the command line leaves that open."""
    return options.paths or (os.curdir if options.stdin_filename is None else _STDIN,)
