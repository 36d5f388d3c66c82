"""The flake8 face: a plugin that is registered as `FLU`.

flake8 decides what to do with an entry point by the names of its parameters, loses all
findings of a run if a plugin raises, and imports every plugin at start-up, in each worker again
where workers don't fork. Hence: nothing that can wait is imported before a file has passed the
gate, and nothing but an interrupt leaves `run`.

Suppression and selection are flake8's own business; the one exception is `_is_wanted`.
"""

from __future__ import annotations

import functools
import logging
import os
import re
import sys
from typing import TYPE_CHECKING, Final, TypeVar, get_args

from flushlint import gate
from flushlint.fixability import fixability, in_words
from flushlint.rules.registry import RULES
from flushlint.user_tables import NO_TABLES

if TYPE_CHECKING:
    import argparse
    import ast
    from collections.abc import Iterator, Sequence

    from flake8.options.manager import OptionManager

    from flushlint.config import ConfigError, Configuration
    from flushlint.fixability import Fixability
    from flushlint.model import Analysis, AnalysisOptions, Diagnostic
    from flushlint.project.project import Project
    from flushlint.unit import Unit
    from flushlint.user_tables import UserTables

__all__ = ["FlushlintPlugin", "one_line"]

# Below flake8's own logger, which is heard with -v.
_LOG: Final = logging.getLogger("flake8.flushlint")
_OFF_BY_DEFAULT: Final = tuple(
    code for code, rule in RULES.items() if rule.opt_in or rule.severity == "warning"
)
_DESTINATIONS: Final = (
    "flushlint_start_method",
    "flushlint_python_version",
    "flushlint_platform",
)
# python-lsp-server looks for "path:line:column: CODE text" greedily, in the message too.
_LOOKS_LIKE_A_PLACE: Final = re.compile(r":(?=\d*:\d*: )")


# What flake8 calls the files that it has named so far, by their absolute paths.
_NAMES: Final[dict[str, str]] = {}


class FlushlintPlugin:
    """Finds data that a program loses at a process boundary.

    flake8 fills the parameters by their names. `tree` makes it call the plugin once for each
    file, and is not used. `lines` are decoded, their ends normalised to a line feed.
    """

    def __init__(
        self,
        tree: ast.AST | None,
        filename: str = "stdin",
        lines: Sequence[str] = (),
        options: argparse.Namespace | None = None,
    ) -> None:
        del tree
        self._filename = filename
        self._lines = lines
        self._options = options

    @classmethod
    def add_options(cls, option_manager: OptionManager) -> None:
        """Register the options, on the command line and in flake8's configuration."""
        option_manager.extend_default_ignore(_OFF_BY_DEFAULT)
        for name, metavar, meaning in (
            ("start-method", "METHOD", "fork, spawn, forkserver or all"),
            ("python-version", "VERSION", "the Python it runs on, such as 3.12"),
            ("platform", "PLATFORM", "linux, darwin or win32"),
        ):
            option_manager.add_option(
                f"--flushlint-{name}",
                metavar=metavar,
                default=None,
                parse_from_config=True,
                help=f"{meaning}; for programs that do not choose (default: from pyproject.toml)",
            )

    @classmethod
    def parse_options(cls, options: argparse.Namespace) -> None:
        """Check the values, as flake8 does not check those from its configuration.

        Raises flake8's ExecutionError, which flake8 prints without a traceback.
        """
        if all(getattr(options, name, None) is None for name in _DESTINATIONS):
            return
        try:
            _given_options(options)
        except ValueError as error:
            from flake8.exceptions import ExecutionError

            raise ExecutionError(str(error)) from None

    def run(self) -> Iterator[tuple[int, int, str, type]]:
        """Yield findings as flake8 takes them: 1-based line, 0-based column, "CODE text", type."""
        try:
            findings = [self._as_flake8(finding) for finding in self._findings()]
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - LibCST's native panics are no Exception
            _LOG.warning("flushlint failed on %s: %r", self._filename, error)
            findings = []
            if self._is_chosen("FLU901"):
                findings = [(1, 0, f"FLU901 not analysed: {type(error).__name__} in flushlint")]
        for line, column, text in findings:
            yield line, column, text, type(self)

    def _findings(self) -> Iterator[Diagnostic]:
        """Yield the findings in the file, of all programs of its project that it takes part in."""
        text = "".join(self._lines)
        data = text.encode("utf-8", "replace")
        path = os.path.abspath(self._filename)
        project = _project()
        _NAMES[path] = self._filename
        project.unsaved[path] = data
        shown: set[object] = set()
        for program in self._programs(path, data):
            # Errors stay unsaid: flake8 reports what can't be read or parsed itself (E902, E999).
            found = self._analysis(project, program, path, text).diagnostics
            mine = [one for one in found if one.path == self._filename and self._is_wanted(one)]
            new = [one for one in mine if (one.span, one.code, one.subject) not in shown]
            shown.update((one.span, one.code, one.subject) for one in new)
            yield from new

    def _programs(self, path: str, data: bytes) -> list[str]:
        """Return the files in which programs begin that this one takes part in, itself first."""
        from flushlint.config import ConfigError

        if self._filename in ("-", "stdin"):
            return [path] if gate.passes(data) or self._passes_by_tables(data) else []
        try:
            return _project().programs(path, data)
        except ConfigError as error:
            _say_wrong(error)
            return [path] if gate.passes(data) else []

    def _analysis(self, project: Project, program: str, path: str, text: str) -> Analysis:
        from flushlint.engine import check_text, check_unit
        from flushlint.model import Analysis

        options = self._analysis_options()
        unit = None if self._filename in ("-", "stdin") else _unit(project, program)
        if program == path:
            return check_text(text, self._filename, options, wanted=self._seen, unit=unit)
        return Analysis() if unit is None else check_unit(unit, options, wanted=self._seen)

    def _seen(self, findings: Sequence[Diagnostic]) -> list[Diagnostic]:
        """Return the findings whose fixes somebody will read, as far as that can be foreseen."""
        codes = self._fixability().fixable
        here = (one for one in findings if one.path == self._filename and one.code in codes)
        wanted = (one for one in here if self._is_wanted(one))
        return [one for one in wanted if not self._is_dropped(one)]

    def _is_dropped(self, finding: Diagnostic) -> bool:
        """Tell whether flake8 is going to drop a finding that it is told of.

        Its own machinery is asked, which is not made for plugins: what fails here is no matter.
        """
        try:
            from flake8.style_guide import Decision, DecisionEngine
            from flake8.violation import Violation

            if self._options is None:
                return False
            if DecisionEngine(self._options).decision_for(finding.code) is Decision.Ignored:
                return True
            lines = self._lines[finding.statement.start.line - 1 : finding.statement.end.line]
            violation = Violation(finding.code, self._filename, 1, 0, "", "".join(lines))
            return violation.is_inline_ignored(bool(self._options.disable_noqa))
        except (AttributeError, ImportError, TypeError):
            return False

    def _fixability(self) -> Fixability:
        return _configured_fixability(os.path.dirname(os.path.abspath(self._filename)))

    def _passes_by_tables(self, data: bytes) -> bool:
        """Tell whether the module has to be analysed because of the user's own tables."""
        tables = _configured_tables(os.path.dirname(os.path.abspath(self._filename)))
        return tables is not NO_TABLES and gate.passes(data, tables)

    def _is_wanted(self, finding: Diagnostic) -> bool:
        """Tell whether flake8 may see a finding.

        flake8's default-ignore list alone doesn't keep a rule off: any `ignore` replaces it,
        and `select = F` overrides it. So a rule that is off by default needs an entry of ours.
        Of the opt-in findings of other rules flake8 knows nothing.
        """
        is_off = finding.opt_in or finding.code in _OFF_BY_DEFAULT
        return not is_off or self._is_chosen(finding.code)

    def _is_chosen(self, code: str) -> bool:
        """Tell whether flake8's own settings select this code as one of ours."""
        chosen = [
            *(getattr(self._options, "select", None) or ()),
            *(getattr(self._options, "extend_select", None) or ()),
        ]
        return any(entry.startswith("FLU") and code.startswith(entry) for entry in chosen)

    def _as_flake8(self, finding: Diagnostic) -> tuple[int, int, str]:
        """Turn a finding into flake8's terms, at a place that exists and on one line."""
        line = min(max(finding.span.start.line, 1), max(len(self._lines), 1))
        width = len(self._lines[line - 1].rstrip("\n")) if self._lines else 0
        column = min(finding.span.start.column, width)
        text = f"{finding.code} {one_line(finding.message)}"
        fixes = self._fixability().judged(finding).fixes if finding.fixes else ()
        # flake8 has no fixes of its own, so that they are told in words.
        return line, column, f"{text} [{one_line(in_words(fixes[0]))}]" if fixes else text

    def _analysis_options(self) -> AnalysisOptions:
        """Return flake8's options, completed from the configuration that governs the file."""
        from flushlint.model import AnalysisOptions

        given = _given_options(self._options)
        configured = _configured_options(os.path.dirname(os.path.abspath(self._filename)))
        return AnalysisOptions(
            start_method=given.start_method or configured.start_method,
            python_version=given.python_version or configured.python_version,
            platform=given.platform or configured.platform,
            tables=configured.tables,
        )


def one_line(message: str) -> str:
    """Return a message that no reader of flake8's output takes for two, or for another place."""
    return _LOOKS_LIKE_A_PLACE.sub(": ", " ".join(message.split()))


def _given_options(options: argparse.Namespace | None) -> AnalysisOptions:
    """Return what flake8 was given. Raises ValueError that names the option."""
    from flushlint.model import AnalysisOptions, Platform, StartMethodOption
    from flushlint.python_version import parse_version

    version = getattr(options, "flushlint_python_version", None)
    try:
        python_version = parse_version(version) if version is not None else None
    except ValueError as error:
        raise ValueError(f"--flushlint-python-version: {error}") from None
    return AnalysisOptions(
        start_method=_choice(options, "start-method", get_args(StartMethodOption)),
        python_version=python_version,
        platform=_choice(options, "platform", get_args(Platform)),
    )


_Choice = TypeVar("_Choice", bound=str)


def _choice(
    options: argparse.Namespace | None, name: str, choices: tuple[_Choice, ...]
) -> _Choice | None:
    value = getattr(options, f"flushlint_{name.replace('-', '_')}", None)
    for choice in choices:
        if value == choice:
            return choice
    if value is None:
        return None
    raise ValueError(f"--flushlint-{name}: {value!r} is none of {', '.join(choices)}")


@functools.cache
def _configuration() -> Configuration:
    """Return the reader of `pyproject.toml` files, one for each process."""
    from flushlint.config import Configuration

    return Configuration()


@functools.cache
def _project() -> Project:
    """Return what is known of the projects that are checked, for each process."""
    from flushlint.project.project import Project

    return Project(_configuration(), {}, lambda path: _NAMES.get(path, path))


def _unit(project: Project, program: str) -> Unit | None:
    """Return a program, None where the configuration is wrong or a file is gone."""
    from flushlint.config import ConfigError

    try:
        return project.unit(program)
    except ConfigError as error:
        _say_wrong(error)
    except OSError as error:
        _LOG.warning("flushlint can't read %s: %s", program, error)
    return None


@functools.cache
def _configured_options(directory: str) -> AnalysisOptions:
    """Return what the configuration says, nothing where it is wrong.

    flake8 offers no way to report an error from here that leaves the other findings alive. So
    it goes to stderr.
    """
    from flushlint.config import ConfigError
    from flushlint.model import AnalysisOptions

    try:
        return _configuration().analysis_options(directory)
    except ConfigError as error:
        _say_wrong(error)
        return AnalysisOptions()


@functools.cache
def _configured_tables(directory: str) -> UserTables:
    """Return the user's tables, none where they widen no gate or the configuration is wrong."""
    from flushlint.config import ConfigError

    configuration = _configuration()
    try:
        if configuration.may_widen_gate(directory):
            return configuration.settings(directory).tables
    except ConfigError as error:
        _say_wrong(error)
    return NO_TABLES


@functools.cache
def _configured_fixability(directory: str) -> Fixability:
    """Return which fixes may be applied: all where the configuration is wrong."""
    from flushlint.config import ConfigError

    try:
        return fixability((_configuration().settings(directory).fix_layer,))
    except ConfigError as error:
        _say_wrong(error)
        return fixability(())


def _say_wrong(error: ConfigError) -> None:
    place = error.path if error.line is None else f"{error.path}:{error.line}"
    _say_once(f"flushlint: {place}: {error.cause}\n")


@functools.cache
def _say_once(line: str) -> None:
    """Write a line to stderr, once in each process."""
    sys.stderr.write(line)
