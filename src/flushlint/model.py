"""The values that every part of flushlint speaks in: places, witnesses, diagnostics, errors.

Frozen and, but for the user's tables, free of imports from the rest of the package, so that any
module may use them.
Lines are 1-based. Columns are 0-based and count code points, as flake8 plugins and LibCST
count them; each face converts once, when it writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flushlint.user_tables import NO_TABLES, UserTables

__all__ = [
    "Analysis",
    "AnalysisOptions",
    "Applicability",
    "Diagnostic",
    "Edit",
    "Fix",
    "InputError",
    "Platform",
    "Position",
    "Severity",
    "Span",
    "StartMethod",
    "StartMethodOption",
    "StepKind",
    "WitnessStep",
]

Severity = Literal["error", "warning"]
Applicability = Literal["safe", "unsafe", "display-only"]
StepKind = Literal["opened", "handed-over", "written", "ended"]
StartMethod = Literal["fork", "spawn", "forkserver"]
StartMethodOption = Literal["fork", "spawn", "forkserver", "all"]
Platform = Literal["linux", "darwin", "win32"]


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A point in a source text: 1-based line, 0-based column in code points.

    In a notebook the line is that of a `cell`, which is 1-based, too.
    """

    line: int
    column: int
    cell: int | None = None


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The half-open stretch of source from `start` up to, and without, `end`."""

    start: Position
    end: Position


@dataclass(frozen=True, slots=True)
class WitnessStep:
    """One step on the way of a write to its loss.

    `process` names where it happens as a reader would say it: ``main process`` or
    ``child `put` ``. `text` is one sentence without a final full stop.
    """

    kind: StepKind
    process: str
    path: str
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """The replacement of a stretch of a file by `text`; an insertion where the stretch is empty."""

    path: str
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """What takes a finding away: edits that are made together or not at all.

    A `safe` one changes nothing but when bytes reach a file, as far as the machine can tell, which
    has run what comes of it. An `unsafe` one changes more, for which `reason` is one sentence
    without a final full stop. One that is `display-only` is for people to read.
    `title` is a command in a few words.
    """

    title: str
    applicability: Applicability
    edits: tuple[Edit, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding: what is lost, where one would change it, and how it comes about.

    `span` is the expression a person would change; `statement` is the whole (logical)
    statement around it, on whose first and last line a suppression comment is honoured.
    One that is `opt_in` is shown only where its code is selected, not where it is on by default.
    `message` is one line that holds no ``path:line:col`` text. `subject` is the source text
    of the file variable that the message speaks of. `start_methods` are those under which it
    holds, where all have been tried. `fixes` are those that were looked for, best first.
    """

    code: str
    name: str
    message: str
    severity: Severity
    path: str
    span: Span
    statement: Span
    subject: str = ""
    witness: tuple[WitnessStep, ...] = ()
    opt_in: bool = False
    start_methods: tuple[StartMethod, ...] = ()
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True, slots=True)
class InputError:
    """A file that can't be read, decoded or parsed: an error, never a finding (exit status 2).

    `line` is 1-based, or None where no line can be named; in a notebook it is that of a `cell`,
    if there is one to name. `cause` is one line without the file's name and without a final full
    stop.
    """

    path: str
    line: int | None
    cause: str
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """What the machine assumes where the program itself does not say.

    None means unset: the start method is then fork's, with a message that says what
    happens under the others; `platform` takes the values of `sys.platform`. The start method
    ``all`` asks for what would happen under each of them.
    """

    start_method: StartMethodOption | None = None
    python_version: tuple[int, int] | None = None
    platform: Platform | None = None
    tables: UserTables = NO_TABLES


@dataclass(frozen=True, slots=True)
class Analysis:
    """The engine's answer for one file: its findings in source order, or why there are none."""

    diagnostics: tuple[Diagnostic, ...] = ()
    error: InputError | None = None
