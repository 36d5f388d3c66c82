"""Fixtures: their directives and markers. The format is described in tests/fixtures/README.md."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast, get_args

from flushlint.model import StartMethod
from flushlint.rules.registry import RULES
from tests.oracle.run import Job

__all__ = [
    "FIXTURES",
    "Directives",
    "Fixture",
    "FixtureError",
    "Marker",
    "Overflow",
    "load_fixture",
    "load_fixtures",
    "read_lines",
    "read_markers",
]

FIXTURES: Final = Path(__file__).resolve().parent.parent / "fixtures"
OLDEST_PYTHON: Final = (3, 8)

_CODE: Final = r"FLU\d{3}(?:\[[a-z, ]+\])?"
_MARKERS: Final = re.compile(rf"#\s*({_CODE}(?:\s+{_CODE})*)\s*$")
_LOOSE_MARKER: Final = re.compile(r"#.*\bFLU\d")
_MARKER: Final = re.compile(r"(FLU\d{3})(?:\[([a-z, ]+)\])?")
_DIRECTIVE: Final = re.compile(r"#\s*oracle:\s*([a-z-]+)\s*(?:=(.*))?$")
_OVERFLOW: Final = re.compile(r"(lost|kept)(?: from (\d+)\.(\d+))?$")
_ESCAPES: Final = {r"\n": "\n", r"\t": "\t", r"\\": "\\"}


class FixtureError(ValueError):
    """A fixture whose directives or markers can't be understood."""


@dataclass(frozen=True, order=True)
class Marker:
    """A finding that the fixture announces: 1-based line and code.

    `path` is empty in a program of one file; in a project it is that of the file, relative to the
    project's folder and with slashes.
    """

    line: int
    code: str
    path: str = ""


@dataclass(frozen=True)
class Overflow:
    """What the run of a program that fills the buffer shows: all kept from this version on.

    None means that no version keeps everything.
    """

    kept_from: tuple[int, int] | None

    def is_kept(self, version: tuple[int, int]) -> bool:
        """Tell whether the run on this Python version is expected to lose nothing."""
        return self.kept_from is not None and version >= self.kept_from


@dataclass(frozen=True)
class Fixture:
    """One program with what its text announces about its runs."""

    name: str
    path: Path
    start_methods: tuple[StartMethod, ...]
    markers: dict[StartMethod, frozenset[Marker]]
    argument_lists: tuple[tuple[str, ...], ...]
    min_python: tuple[int, int]
    max_python: tuple[int, int] | None
    stdin: str
    crash: bool
    ordered: bool
    overflow: Overflow | None
    selected: tuple[str, ...]

    @property
    def is_look_alike(self) -> bool:
        """Whether no start method makes a finding here."""
        return not any(self.markers.values())

    def jobs(self, start_method: StartMethod, python: str) -> list[Job]:
        """Return the runs that the fixture asks for under one start method."""
        program = self.path.read_bytes()
        ordered = self.ordered or "FLU202" in self.codes(start_method)
        return [
            Job(program, python, self.path.name, start_method, arguments, self.stdin, ordered)
            for arguments in self.argument_lists
        ]

    def codes(self, start_method: StartMethod) -> frozenset[str]:
        """Return the codes announced under a start method, without their lines."""
        return frozenset(marker.code for marker in self.markers[start_method])

    def runs_on(self, version: tuple[int, int]) -> bool:
        """Tell whether the program is meant for this Python version."""
        return self.min_python <= version and (
            self.max_python is None or version <= self.max_python
        )


def load_fixtures(root: Path = FIXTURES) -> list[Fixture]:
    """Read all fixtures below `root`, in order of their names; not what --fix makes of them."""
    paths = [path for path in root.rglob("*.py") if not path.name.endswith(".fixed.py")]
    return [load_fixture(path, root) for path in sorted(paths)]


def load_fixture(path: Path, root: Path = FIXTURES) -> Fixture:
    """Read one fixture. Raises FixtureError on a directive or a marker that can't be understood."""
    lines = read_lines(path.read_bytes())
    name = path.relative_to(root).with_suffix("").as_posix() if root in path.parents else path.stem
    try:
        directives = Directives()
        directives.read(lines)
        return Fixture(
            name=name,
            path=path,
            start_methods=directives.start_methods,
            markers=read_markers(lines, directives.start_methods),
            argument_lists=tuple(directives.argument_lists) or ((),),
            min_python=directives.min_python,
            max_python=directives.max_python,
            stdin=directives.stdin,
            crash=directives.crash,
            ordered=directives.ordered,
            overflow=directives.overflow,
            selected=directives.selected,
        )
    except FixtureError as error:
        message = f"{path}: {error}"
        raise FixtureError(message) from None


def read_lines(data: bytes) -> list[str]:
    """Return the lines of a program, without their ends."""
    # Latin-1 gives every byte a meaning: directives and markers are ASCII in every encoding.
    text = data.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    return re.split(r"\r\n|\r|\n", text)


class Directives:
    """The `# oracle:` lines at the head of a program."""

    def __init__(self) -> None:
        self.start_methods: tuple[StartMethod, ...] = ("fork",)
        self.argument_lists: list[tuple[str, ...]] = []
        self.min_python: tuple[int, int] = OLDEST_PYTHON
        self.max_python: tuple[int, int] | None = None
        self.stdin = ""
        self.crash = False
        self.ordered = False
        self.overflow: Overflow | None = None
        self.selected: tuple[str, ...] = ()

    def read(self, lines: list[str]) -> None:
        """Take in the directives of a program. Raises FixtureError."""
        in_head = True
        for line in lines:
            found = _DIRECTIVE.match(line.strip())
            if found is None:
                in_head = in_head and (not line.strip() or line.startswith("#"))
            elif not in_head:
                message = f"a directive after the program's first line of code: {line.strip()}"
                raise FixtureError(message)
            else:
                self.apply(found[1], (found[2] or "").strip())

    def apply(self, key: str, value: str) -> None:
        """Take in one directive. Raises FixtureError."""
        if key == "start-methods":
            self.start_methods = tuple(_start_method(item) for item in value.split(","))
        elif key == "min-python":
            self.min_python = _version(value)
        elif key == "max-python":
            self.max_python = _version(value)
        elif key == "args":
            self.argument_lists.append(tuple(shlex.split(value)))
        elif key == "stdin":
            self.stdin = re.sub(r"\\[nt\\]", lambda escape: _ESCAPES[escape[0]], value)
        elif key == "crash":
            self.crash = True
        elif key == "ordered":
            self.ordered = True
        elif key == "overflow":
            self.overflow = _overflow(value)
        elif key == "select":
            self.selected = tuple(_code(item) for item in value.split(","))
        else:
            message = f"unknown directive: {key}"
            raise FixtureError(message)


def _start_method(text: str) -> StartMethod:
    method = text.strip()
    if method not in get_args(StartMethod):
        message = f"unknown start method: {method}"
        raise FixtureError(message)
    return cast("StartMethod", method)


def _code(text: str) -> str:
    code = text.strip()
    if code not in RULES:
        message = f"unknown code: {code}"
        raise FixtureError(message)
    return code


def _version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    try:
        return int(major), int(minor)
    except ValueError:
        message = f"not a Python version: {text}"
        raise FixtureError(message) from None


def _overflow(text: str) -> Overflow:
    found = _OVERFLOW.match(text)
    if found is None or (found[1] == "lost" and found[2]):
        message = f"neither `lost` nor `kept` nor `kept from X.Y`: {text}"
        raise FixtureError(message)
    if found[1] == "lost":
        return Overflow(None)
    return Overflow((int(found[2]), int(found[3])) if found[2] else OLDEST_PYTHON)


def read_markers(
    lines: list[str], start_methods: tuple[StartMethod, ...], path: str = ""
) -> dict[StartMethod, frozenset[Marker]]:
    """Collect the markers, each under the start methods for which it counts."""
    markers: dict[StartMethod, set[Marker]] = {method: set() for method in start_methods}
    for number, line in enumerate(lines, start=1):
        found = _MARKERS.search(line)
        if found is None:
            if _LOOSE_MARKER.search(line) and not _DIRECTIVE.match(line.strip()):
                message = f"line {number}: not a marker, but looks like one: {line.strip()}"
                raise FixtureError(message)
            continue
        for code, condition in _MARKER.findall(found[1]):
            methods = start_methods
            if condition:
                methods = tuple(_start_method(item) for item in condition.split(","))
            for method in methods:
                if method not in markers:
                    message = f"line {number}: {method} is not among the start methods"
                    raise FixtureError(message)
                markers[method].add(Marker(number, code, path))
    return {method: frozenset(found) for method, found in markers.items()}
