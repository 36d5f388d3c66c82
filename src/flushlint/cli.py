"""The command line: its arguments, and what every command has in common.

Exit status: 0 nothing found, 1 something found, 2 an error, which wins over 1. Only what every run
needs is imported here; bare Python starts in about 15 ms, and this must stay below five times that.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NoReturn

from flushlint import __version__
from flushlint.fixability import FixLayer, FixOptions
from flushlint.lines import internal_error, one_line
from flushlint.python_version import parse_version
from flushlint.rules.registry import RULES
from flushlint.selection import Layer, unknown_prefixes
from flushlint.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flushlint.checking import CheckOptions
    from flushlint.executors import Factory
    from flushlint.model import Platform, StartMethodOption

__all__ = ["main"]

_ERROR = 2
_INTERRUPTED = 130
_HELP_WIDTH = 90
# The values of the model's types, which is not imported for a file that the gate drops.
_START_METHODS: tuple[StartMethodOption, ...] = ("fork", "spawn", "forkserver", "all")
_PLATFORMS: tuple[Platform, ...] = ("linux", "darwin", "win32")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv`, by default the process's arguments, names; return the status."""
    streams = Streams()
    try:
        status = _run(argv, streams)
        # What argparse printed, help or the version, is still to be written out.
        streams.write("")
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a user never sees a traceback
        streams.error(f"flushlint: {internal_error(error)}")
        return _ERROR
    if streams.failure is not None:
        streams.error(f"flushlint: error: cannot write the output: {streams.failure}")
        return _ERROR
    return status


def _run(argv: Sequence[str] | None, streams: Streams) -> int:
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as exit_:
        # argparse has printed what there was to say: help and version with 0, an error with 2.
        return exit_.code if isinstance(exit_.code, int) else _ERROR
    command: Callable[[argparse.Namespace, Streams], int] = arguments.command
    return command(arguments, streams)


class _Formatter(argparse.HelpFormatter):
    """Writes help in a fixed width: to ask the terminal for its own imports shutil in every run."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_HELP_WIDTH)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong on one line, without the usage."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - handed on as they are
        super().__init__(allow_abbrev=False, formatter_class=_Formatter, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(_ERROR, f"flushlint: error: {one_line(message)}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="flushlint",
        description="Finds data that a Python program loses at a process boundary.",
    )
    parser.add_argument("--version", action="version", version=f"flushlint {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_check(commands.add_parser("check", help="check files and directories"))
    _add_rule(commands.add_parser("rule", help="explain a rule"))
    return parser


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_check)
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        type=_path,
        help="a file, a directory, or - for standard input (default: the current directory)",
    )
    rules = parser.add_argument_group("rules (comma-separated codes, by prefix; ALL is every rule)")
    for option, meaning in (
        ("--select", "rules to report instead of the default"),
        ("--extend-select", "rules to report besides"),
        ("--ignore", "rules not to report; the longer prefix wins"),
    ):
        rules.add_argument(option, metavar="CODES", action="extend", type=_codes, help=meaning)

    _add_fixes(parser.add_argument_group("fixes"))

    programs = parser.add_argument_group("what is assumed where the program does not say")
    programs.add_argument(
        "--start-method", choices=_START_METHODS, help="all: say of each finding under which"
    )
    programs.add_argument("--python-version", metavar="VERSION", type=_version, help="as 3.12")
    programs.add_argument("--platform", choices=_PLATFORMS)

    files = parser.add_argument_group("files and configuration")
    files.add_argument("--stdin-filename", metavar="FILE", help="the name of standard input")
    for option, meaning in (
        ("--exclude", "files and directories to pass over, instead of the default"),
        ("--extend-exclude", "files and directories to pass over besides"),
    ):
        files.add_argument(
            option, metavar="PATTERNS", action="extend", type=_patterns, help=meaning
        )
    files.add_argument(
        "--force-exclude",
        action="store_true",
        help="pass over excluded files also where they are named",
    )
    files.add_argument(
        "--respect-gitignore",
        action=argparse.BooleanOptionalAction,
        help="pass over what git ignores in directories (default: yes)",
    )
    source = files.add_mutually_exclusive_group()
    source.add_argument("--config", metavar="FILE", help="use this TOML file's [tool.flushlint]")
    source.add_argument("--isolated", action="store_true", help="read no pyproject.toml")

    work = parser.add_argument_group("how the work is shared out")
    work.add_argument(
        "--jobs",
        metavar="N",
        type=_jobs,
        help="processes at most; few files need but one (default: the cores there are)",
    )
    work.add_argument("--no-cache", action="store_true", help="analyse all programs anew")
    work.add_argument(
        "--cache-dir",
        metavar="DIR",
        type=_path,
        help="where to keep what has come of many programs (default: .flushlint_cache)",
    )
    work.add_argument(
        "--executor",
        metavar="MODULE:FACTORY",
        help="analyse on the concurrent.futures.Executor that this function returns",
    )

    output = parser.add_argument_group("output")
    output.add_argument("--output-format", choices=("concise", "full", "json"), default="concise")
    output.add_argument("--statistics", action="store_true", help="count the findings by rule")
    output.add_argument("--exit-zero", action="store_true", help="exit with 0 despite findings")
    volume = output.add_mutually_exclusive_group()
    volume.add_argument("-q", "--quiet", action="store_true", help="findings and errors only")
    volume.add_argument(
        "-v", "--verbose", action="store_true", help="say what is done to each file"
    )


def _add_fixes(fixes: argparse._ArgumentGroup) -> None:
    for option, meaning in (
        ("--fix", "apply safe fixes, and report what is left"),
        ("--fix-only", "apply them, and report nothing"),
        ("--diff", "print what --fix would change, and write nothing"),
        ("--unsafe-fixes", "with these: apply unsafe fixes, too"),
        ("--show-fixes", "say of each file what was fixed"),
        ("--exit-non-zero-on-fix", "exit with 1 if anything was fixed"),
    ):
        fixes.add_argument(option, action="store_true", help=meaning)
    for option, meaning in (
        ("--fixable", "rules whose findings may be fixed (default: ALL)"),
        ("--unfixable", "rules whose findings are not to be fixed; the longer prefix wins"),
    ):
        fixes.add_argument(option, metavar="CODES", action="extend", type=_codes, help=meaning)


def _add_rule(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_rule)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("code", metavar="CODE", nargs="?", type=_code)
    which.add_argument("--all", action="store_true", help="every rule's page")


def _path(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("an empty path")
    return text


def _codes(text: str) -> list[str]:
    codes = [code for part in text.split(",") if (code := part.strip())]
    for code in unknown_prefixes(codes):
        raise argparse.ArgumentTypeError(f"unknown code {code!r}")
    return codes


def _patterns(text: str) -> list[str]:
    from flushlint.globs import PathPatterns

    patterns = [pattern for part in text.split(",") if (pattern := part.strip())]
    try:
        PathPatterns(patterns, "/")
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return patterns


def _code(text: str) -> str:
    if text.upper() not in RULES:
        raise argparse.ArgumentTypeError(f"unknown code {text!r} (known: {', '.join(RULES)})")
    return text.upper()


def _version(text: str) -> tuple[int, int]:
    try:
        return parse_version(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _jobs(text: str) -> int:
    # int() takes more than digits: blanks, signs, underscores.
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"not a number of processes: {text!r}")
    return number


def _rule(arguments: argparse.Namespace, streams: Streams) -> int:
    codes = list(RULES) if arguments.all else [arguments.code]
    streams.write("\n".join(RULES[code].page() for code in codes))
    return 0


def _check(arguments: argparse.Namespace, streams: Streams) -> int:
    from flushlint.checking import check

    if arguments.stdin_filename is not None and set(arguments.paths) - {"-"}:
        streams.error("flushlint: error: --stdin-filename names standard input (-), not a path")
        return _ERROR
    if arguments.executor is None:
        return check(_check_options(arguments, None), streams)

    from flushlint.executors import ExecutorError, load

    try:
        return check(_check_options(arguments, load(arguments.executor)), streams)
    except ExecutorError as error:
        streams.error(f"flushlint: error: --executor: {error}")
        return _ERROR


def _check_options(arguments: argparse.Namespace, executor: Factory | None) -> CheckOptions:
    from flushlint.checking import CheckOptions
    from flushlint.discovery import FileOptions

    return CheckOptions(
        paths=tuple(arguments.paths),
        layer=Layer(
            select=None if arguments.select is None else tuple(arguments.select),
            extend_select=tuple(arguments.extend_select or ()),
            ignore=tuple(arguments.ignore or ()),
        ),
        start_method=arguments.start_method,
        python_version=arguments.python_version,
        platform=arguments.platform,
        stdin_filename=arguments.stdin_filename,
        files=FileOptions(
            exclude=None if arguments.exclude is None else tuple(arguments.exclude),
            extend_exclude=tuple(arguments.extend_exclude or ()),
            force_exclude=arguments.force_exclude,
            respect_gitignore=arguments.respect_gitignore,
        ),
        config=arguments.config,
        isolated=arguments.isolated,
        output_format=arguments.output_format,
        statistics=arguments.statistics,
        exit_zero=arguments.exit_zero,
        quiet=arguments.quiet,
        verbose=arguments.verbose,
        fixes=FixOptions(
            fix=arguments.fix,
            only=arguments.fix_only,
            diff=arguments.diff,
            unsafe=arguments.unsafe_fixes,
            show=arguments.show_fixes,
            exit_non_zero=arguments.exit_non_zero_on_fix,
            layer=FixLayer(
                fixable=None if arguments.fixable is None else tuple(arguments.fixable),
                unfixable=tuple(arguments.unfixable or ()),
            ),
        ),
        jobs=arguments.jobs,
        cache_dir=arguments.cache_dir,
        no_cache=arguments.no_cache,
        executor=executor,
    )
