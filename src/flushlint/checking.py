"""The `check` command: from paths to reported findings and an exit status.

A file that can't be read or analysed costs itself alone: one line on standard error, and the others
are still checked.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from flushlint import gate
from flushlint.ahead import Ahead
from flushlint.config import ConfigError, Configuration
from flushlint.discovery import (
    FileOptions,
    SourceFile,
    discover,
    is_passed_over,
    read_bytes,
    read_cause,
)
from flushlint.documents import is_notebook, read_module, read_notebook
from flushlint.executors import ExecutorError
from flushlint.fixability import FixOptions
from flushlint.lines import internal_error
from flushlint.progress import ProgressBar
from flushlint.project.project import Project
from flushlint.report import line_place
from flushlint.reporting import Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flushlint.applying import Applying
    from flushlint.choosing import Choice
    from flushlint.documents import Document
    from flushlint.executors import Factory
    from flushlint.model import AnalysisOptions, Diagnostic, InputError, Platform, StartMethodOption
    from flushlint.reporting import OutputFormat
    from flushlint.selection import Layer
    from flushlint.streams import Streams
    from flushlint.work import Outcome, Task

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
    files: FileOptions = FileOptions()
    config: str | None = None
    isolated: bool = False
    output_format: OutputFormat = "concise"
    statistics: bool = False
    exit_zero: bool = False
    quiet: bool = False
    verbose: bool = False
    fixes: FixOptions = FixOptions()
    jobs: int | None = None
    cache_dir: str | None = None
    no_cache: bool = False
    executor: Factory | None = None


def check(options: CheckOptions, streams: Streams) -> int:
    """Check what `options` name, report it, and return the exit status. Raises ExecutorError."""
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
        # The files that are checked, by their absolute paths, and what counts in each.
        self._files: dict[str, SourceFile] = {}
        self._choices: dict[str, Choice] = {}
        self._unsaved: dict[str, bytes] = {}
        self._changed: dict[str, bytes] = {}
        self._project = Project(self._configuration, self._unsaved, self._shown)
        self._progress = ProgressBar(streams, wanted=not options.quiet)
        is_alone = _is_for_one(options)
        self._ahead = Ahead(
            self._project,
            self._configuration,
            self._task,
            jobs=1 if is_alone else options.jobs,
            executor=None if is_alone else options.executor,
            progress=self._progress,
            cache=None if options.no_cache else options.cache_dir or "",
        )
        # The files that are, or could be, written.
        self._written: list[str] = []

    def run(self) -> int:
        """Check all files, in the order of the command line, and return the exit status."""
        try:
            items = self._ahead.look(self._items())
            self._files = {item.absolute: item for item in items if isinstance(item, SourceFile)}
            self._ahead.plan(self._files.values())
            self._report_all(items)
        except BaseException:
            self._ahead.kill()
            raise
        finally:
            self._progress.hide()
        # Nobody waits for what nobody reads.
        (self._ahead.kill if self._streams.closed else self._ahead.close)()
        self._finish()
        return self._status()

    def _report_all(self, items: list[SourceFile | InputError]) -> None:
        for number, item in enumerate(items):
            if self._ahead.is_idle:
                self._progress.at("Checking files", number, len(items))
            if isinstance(item, SourceFile):
                self._check(item)
            else:
                self._report.error(item)
            if self._streams.closed and not self._options.fixes.apply:
                break

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
            file = SourceFile(name, os.path.abspath(name), is_stdin=True)
            if options.stdin_filename is None or not is_passed_over(
                name, self._configuration, options.files
            ):
                yield file
            elif options.fixes.apply and not options.fixes.diff:
                self._streams.write_bytes(read_bytes(file))
        named = [path for path in paths if path != _STDIN]
        yield from discover(named, self._configuration, options.files)

    def _check(self, file: SourceFile) -> None:
        """Check one file and report its findings, or why that can't be done."""
        fixes = self._options.fixes
        if fixes.apply and not file.is_stdin:
            self._written.append(file.absolute)
        try:
            programs = self._ahead.programs(file.absolute)
            if programs is not None and not programs:
                self._drop(file)
                return
            data = self._read(file, known=programs is not None)
            fixed = data
            try:
                fixed = self._checked(file, data, programs)
            finally:
                if file.is_stdin and fixes.apply and not fixes.diff:
                    self._streams.write_bytes(fixed)
        except OSError as error:
            self._report.error_in(file.path, read_cause(file.path, error))
        except ConfigError as error:
            self._report.error(error.as_input_error())
        except (KeyboardInterrupt, SystemExit, ExecutorError):
            raise
        except BaseException as error:  # noqa: BLE001 - LibCST's native panics are no Exception
            self._report.error_in(file.path, internal_error(error))

    def _read(self, file: SourceFile, *, known: bool) -> bytes:
        """Return what a file holds, with what a fix of another one has changed in it."""
        if file.absolute in self._changed:
            return self._changed[file.absolute]
        data = self._project.data(file.absolute) if known else read_bytes(file)
        if file.is_stdin:
            self._unsaved[file.absolute] = data
        return data

    def _drop(self, file: SourceFile) -> None:
        self._report.verbose(f"{file.path}: nothing that starts, forks or ends a process")

    def _checked(self, file: SourceFile, data: bytes, programs: list[str] | None) -> bytes:
        """Check, fix and report one file that holds `data`, and return what it holds now."""
        document = self._document(file, data)
        if document is None:
            return data
        if programs is None:
            programs = self._project.programs(file.absolute, document.program)
        if not programs:
            self._drop(file)
            return data

        applying = self._applying() if self._options.fixes.apply else None
        if applying is not None and applying.is_repeated(file):
            self._report.verbose(f"{file.path}: another name of a file that was checked already")
            return data
        found = self._findings(file, document, programs, final=applying is None)
        if found and applying is not None:
            before, data = data, self._fixed(file, data, programs, applying)
            document = self._document(file, data)
            left = self._findings(file, document, programs, final=True) if document else []
            if data != before:
                applying.count(file.path, found, left)
            found = left
        if found and document is not None:
            self._report.add(found, document.text)
        return data

    def _document(self, file: SourceFile, data: bytes) -> Document | None:
        """Return what is to be analysed of a file, None if nothing is, which is said."""
        if not is_notebook(file.path):
            return read_module(data, file.path)
        tables = self._configuration.settings(os.path.dirname(file.absolute)).tables
        if not gate.may_pass(data, tables):
            self._drop(file)
            return None
        from flushlint.model import InputError

        document = read_notebook(data, file.path)
        if isinstance(document, InputError):
            self._report.error(document)
            return None
        if document is None:
            self._report.verbose(f"{file.path}: a notebook in another language than Python")
            return None
        self._unsaved[file.absolute] = document.program
        return document

    def _fixed(
        self, file: SourceFile, data: bytes, programs: list[str], applying: Applying
    ) -> bytes:
        """Apply the fixes of the findings in a file, and return what it holds now."""
        files = {each.path: each for each in self._files.values()}
        for program in programs:
            for path, contents in applying.fix(self._task(program), data, files).items():
                self._changed[files[path].absolute] = contents
                if not is_notebook(path):
                    self._project.changed(files[path].absolute, contents)
                self._ahead.forget()
                data = contents if path == file.path else data
        return data

    def _findings(
        self, file: SourceFile, document: Document, programs: list[str], *, final: bool
    ) -> list[Diagnostic]:
        """Return the findings in a file that count; the `final` ones are those that are reported.

        Of these fixes are looked for, and of comments that fail to suppress them the user is
        warned.
        """
        diagnostics = self._diagnostics(file, document, programs, with_fixes=final)
        if diagnostics is None:
            return []
        choice = self._choice(file)
        kept, malformed = choice.findings(document.program, document.found(diagnostics))
        for comment in malformed if final else ():
            cell, line = document.place(comment.line)
            place = line_place(choice.path, line, cell)
            self._report.warn(
                f"{place}: warning: `{comment.text}` suppresses nothing; "
                "write `# noqa`, or `# noqa: CODE` with the codes in capitals"
            )
        if final or not kept:
            by = f", settings of {choice.settings}" if choice.settings is not None else ""
            shown = f"{len(kept)} of {len(diagnostics)} findings shown"
            self._report.verbose(f"{choice.path}: {shown}{by}")
        return document.located(kept)

    def _diagnostics(
        self, file: SourceFile, document: Document, programs: list[str], *, with_fixes: bool
    ) -> list[Diagnostic] | None:
        """Return the findings in a file of all programs that it takes part in, each once.

        None if it can't be analysed, which is said.
        """
        found: dict[object, list[Diagnostic]] = {}
        for program in programs:
            outcome = self._outcome(program, with_fixes=with_fixes)
            if outcome.error is not None and outcome.error.path == file.path:
                self._report.error(document.error(outcome.error))
                return None
            for key, same in _by_key(outcome.diagnostics, file.path).items():
                # One that is opt-in in this program may count in another.
                if key not in found or all(one.opt_in for one in found[key]):
                    found[key] = same
        every = (one for same in found.values() for one in same)
        return sorted(every, key=lambda one: (one.span, one.code, one.message))

    def _outcome(self, program: str, *, with_fixes: bool) -> Outcome:
        if with_fixes:
            return self._ahead.outcome(program)

        from flushlint.work import analyse

        return analyse(self._task(program, with_fixes=False))

    def _task(self, program: str, *, with_fixes: bool = True) -> Task:
        """Return the analysis of the program that begins in a file. Raises ConfigError, OSError."""
        from flushlint.choosing import Choices
        from flushlint.work import Task

        unit = self._project.unit(program)
        options = self._analysis_options(os.path.dirname(program))
        members = self._project.members(program)
        checked = [self._files[path] for path in members if path in self._files]
        choices = Choices({file.path: self._choice(file) for file in checked})
        return Task(unit, options, choices, with_fixes)

    def _choice(self, file: SourceFile) -> Choice:
        """Return what counts in a file. Raises ConfigError."""
        known = self._choices.get(file.absolute)
        if known is None:
            from flushlint.choosing import choice

            settings = self._configuration.settings(os.path.dirname(file.absolute))
            fixes = self._options.fixes
            known = choice(file, settings, self._options.layer, fixes.layer, unsafe=fixes.unsafe)
            self._choices[file.absolute] = known
        return known

    def _shown(self, path: str) -> str:
        """Return a path as the user would write it."""
        file = self._files.get(path)
        if file is not None:
            return file.path
        return path.removeprefix(os.path.join(os.getcwd(), ""))

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
        if not self._files and not self._report.errors:
            self._report.warn("flushlint: warning: no Python files found")
        if self._options.fixes.apply:
            self._report_strays()
        self._report.finish(self._made.summary() if self._made is not None else "")
        if self._options.statistics:
            self._report.statistics()
        self._report.verbose(f"{len(self._files)} files checked, {self._report.findings} findings")

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


def _by_key(diagnostics: Iterable[Diagnostic], path: str) -> dict[object, list[Diagnostic]]:
    """Return the findings in a file by what they have in common in all programs."""
    found: dict[object, list[Diagnostic]] = {}
    for one in diagnostics:
        if one.path == path:
            found.setdefault((one.span, one.code, one.subject), []).append(one)
    return found


def _paths(options: CheckOptions) -> tuple[str, ...]:
    """Return what to check, also where the command line leaves that open."""
    return options.paths or (os.curdir if options.stdin_filename is None else _STDIN,)


def _is_for_one(options: CheckOptions) -> bool:
    """Return whether one process does it all, whatever the jobs.

    Fixes are made file after file, and what can be read only once is not looked at ahead.
    """
    paths = _paths(options)
    return options.fixes.apply or any(
        path == _STDIN or (os.path.exists(path) and not _is_on_disk(path)) for path in paths
    )


def _is_on_disk(path: str) -> bool:
    return os.path.isfile(path) or os.path.isdir(path)
