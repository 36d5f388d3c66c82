"""A stand-in for the engine, so that the faces can be tested without the machine.

A source line that ends in ``# finds CODE`` has a finding with that code on its first word, with
``# finds CODE?`` one that is opt-in. The
witness opens at the first line of the file and ends at the finding.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from flushlint import engine
from flushlint.cli import main
from flushlint.model import Analysis, Diagnostic, InputError, Position, Span, WitnessStep
from flushlint.rules.registry import RULES

if TYPE_CHECKING:
    from flushlint.model import AnalysisOptions

HEADER = "from sys import stdout; from multiprocessing import Process\n"
"""A first line with which a source passes the gate."""

_MARKER = re.compile(r"(?P<first>\s*)(?P<word>\w+).*# finds (?P<codes>[A-Z0-9? ]+)$")


def span(line: int, start: int, end: int) -> Span:
    return Span(Position(line, start), Position(line, end))


def check_source(data: bytes, path: str, options: AnalysisOptions) -> Analysis:
    """Find what the markers say; `raises` and `broken` in the text do what they say."""
    text = data.decode("utf-8", "replace")
    if "raises" in text:
        raise KeyError("a name")
    if "broken" in text:
        return Analysis(error=InputError(path, 2, "it is broken"))
    diagnostics: list[Diagnostic] = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _MARKER.match(line)
        if match is not None:
            word = span(number, *match.span("word"))
            statement = span(number, match.start("word"), len(line))
            codes = match["codes"].split()
            diagnostics += (_diagnostic(code, path, word, statement, options) for code in codes)
    return Analysis(tuple(diagnostics))


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
    engine.check_source = check_source  # type: ignore[assignment]  # looks for no fixes
    sys.exit(main(sys.argv[1:]))
