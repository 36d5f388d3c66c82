"""A stand-in for the engine, so that the faces can be tested without the machine.

A source line that ends in ``# finds CODE`` has a finding with that code on its first word, with
``# finds CODE?`` one that is opt-in. The
witness opens at the first line of the file and ends at the finding. A plus behind the code gives it
a safe fix, a minus an unsafe one, an equals sign one that is display-only: it takes the code away.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from flushlint import engine, fixing
from flushlint.cli import main
from flushlint.fixing import Applied, Fixed
from flushlint.model import (
    Analysis,
    Applicability,
    Diagnostic,
    Edit,
    Fix,
    InputError,
    Position,
    Span,
    WitnessStep,
)
from flushlint.rules.registry import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flushlint.engine import Wanted
    from flushlint.fixing import Allow, Select
    from flushlint.model import AnalysisOptions
    from flushlint.unit import Unit

HEADER = "from sys import stdout; from multiprocessing import Process\n"
"""A first line with which a source passes the gate."""

_MARKER = re.compile(r"(?P<first>\s*)(?P<word>\w+).*# finds (?P<codes>[A-Z0-9?+=\- ]+)$")
_APPLICABILITIES: dict[str, Applicability] = {"+": "safe", "-": "unsafe", "=": "display-only"}


def span(line: int, start: int, end: int) -> Span:
    return Span(Position(line, start), Position(line, end))


def check_source(
    data: bytes, path: str, options: AnalysisOptions, *, wanted: Wanted | None = None
) -> Analysis:
    """Find what the markers say; `raises` and `broken` in the text do what they say.

    So do `exits` and `killed`, which end the process, and `sleeps`.
    """
    text = data.decode("utf-8", "replace")
    _end_or_wait(text)
    if "raises" in text:
        raise KeyError("a name")
    if "broken" in text:
        return Analysis(error=InputError(path, 2, "it is broken"))
    found = _found(text, path, options)
    bare = [replace(one, fixes=()) for one in found]
    kept = () if wanted is None else wanted(bare)
    return Analysis(tuple(f if b in kept else b for f, b in zip(found, bare, strict=True)))


def _end_or_wait(text: str) -> None:
    if "exits" in text:
        os._exit(3)
    if "killed" in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if "sleeps" in text:
        time.sleep(600)


def check_unit(unit: Unit, options: AnalysisOptions, *, wanted: Wanted | None = None) -> Analysis:
    """Find what the markers in the main module say."""
    return check_source(unit.main.data, unit.main.path, options, wanted=wanted)


def fix_unit(unit: Unit, options: AnalysisOptions, select: Select, allow: Allow) -> Fixed:
    """Apply what the markers say, last line first; `endless` in the text has no end."""
    path, data = unit.main.path, unit.main.data
    text = data.decode()
    found = _found(text, path, options)
    selected = select({path: data}, [replace(one, fixes=()) for one in found])
    applied = [
        Applied(one, fix)
        for one in found
        if replace(one, fixes=()) in selected
        for fix in one.fixes
        if allow(one, fix)
    ]
    if applied and "endless" in text:
        return Fixed(trouble="the fixes do not come to an end; nothing is written")
    lines = text.splitlines(keepends=True)
    for _, fix in reversed(applied):
        (edit,) = fix.edits
        start, end = edit.span.start, edit.span.end
        line = lines[start.line - 1]
        lines[start.line - 1] = line[: start.column] + edit.text + line[end.column :]
    return Fixed({path: "".join(lines).encode()}, tuple(applied))


def _found(text: str, path: str, options: AnalysisOptions) -> Sequence[Diagnostic]:
    diagnostics: list[Diagnostic] = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _MARKER.match(line)
        if match is not None:
            word = span(number, *match.span("word"))
            statement = span(number, match.start("word"), len(line))
            for code in re.finditer(r"\S+", match["codes"]):
                name = code[0].rstrip("+-=")
                one = _diagnostic(name, path, word, statement, options)
                start = match.start("codes") + code.start()
                place = span(number, start, start + len(code[0]))
                diagnostics.append(replace(one, fixes=_fixes(code[0], path, place)))
    return diagnostics


def _fixes(code: str, path: str, place: Span) -> tuple[Fix, ...]:
    signs = code.lstrip("FLU0123456789?")
    return tuple(
        Fix(
            f"take `{code}` away",
            _APPLICABILITIES[sign],
            (Edit(path, place, ""),),
            "more changes than when bytes reach the file" if sign == "-" else "",
        )
        for sign in signs
    )


def _diagnostic(
    code: str, path: str, word: Span, statement: Span, options: AnalysisOptions
) -> Diagnostic:
    opt_in = code.endswith("?")
    rule = RULES[code.rstrip("?")]
    version = options.python_version and ".".join(map(str, options.python_version))
    message = f"lost under {options.start_method} on {version}, {options.platform}"
    witness = (
        WitnessStep("opened", "main process", path, span(1, 0, 4), "`log` is opened"),
        WitnessStep("ended", "child `put`", path, word, "the child ends"),
    )
    return Diagnostic(
        rule.code,
        rule.name,
        message,
        rule.severity,
        path,
        word,
        statement,
        "log",
        witness,
        opt_in=opt_in or rule.opt_in,
    )


if __name__ == "__main__":
    engine.check_unit = check_unit
    fixing.fix_unit = fix_unit
    sys.exit(main(sys.argv[1:]))
