"""`# noqa` comments: which findings they suppress, and which of them are written wrongly.

    # noqa                    suppresses every finding
    # noqa: FLU101, FLU2      suppresses codes, and what begins with them
    # noqa: FLU101 because    the same: what follows the codes is a remark
    # noqa because            suppresses every finding: without a colon it is a remark, too
    # noqa: because           suppresses nothing: the colon promises codes. So do lower-case codes

A comment counts on the finding's line, and on the first and the last line of its statement. What
looks like one and suppresses nothing (also `#noqa`, `# noqas`) is reported where its line carries a
finding. In flake8, suppression is flake8's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flushlint.comments import comments_by_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flushlint.model import Diagnostic

__all__ = ["Malformed", "may_suppress", "suppress"]

_DIRECTIVE = re.compile(r"#(?P<space>\s*)noqa(?P<rest>[^#]*)", re.IGNORECASE)
# Joined codes (`E501FLU101`) are separate ones, as for ruff. Letters alone are a code to nobody;
# the family's own name is taken for what it says.
_CODE = re.compile(r"[A-Z]+[0-9]+|FLU(?![A-Za-z])")
_SEPARATOR = re.compile(r"[,\s]*")


@dataclass(frozen=True, slots=True)
class Malformed:
    """A comment on a finding's line (1-based) that was meant to suppress and does not."""

    line: int
    text: str


def may_suppress(data: bytes) -> bool:
    """Return whether the bytes of a module can hold a comment that matters here."""
    return b"noqa" in data.lower()


def suppress(
    diagnostics: Iterable[Diagnostic], text: str
) -> tuple[list[Diagnostic], list[Malformed]]:
    """Return the findings that no comment in `text` suppresses, and malformed comments at these."""
    comments = comments_by_line(text)
    kept: list[Diagnostic] = []
    malformed: dict[int, Malformed] = {}
    for diagnostic in diagnostics:
        lines = _lines(diagnostic)
        if any(_suppresses(comments.get(line, ""), diagnostic.code) for line in lines):
            continue
        kept.append(diagnostic)
        for line in lines:
            wrong = _malformed(comments.get(line, ""))
            if wrong is not None:
                malformed[line] = Malformed(line, wrong)
    return kept, [malformed[line] for line in sorted(malformed)]


def _lines(diagnostic: Diagnostic) -> tuple[int, int, int]:
    statement = diagnostic.statement
    return diagnostic.span.start.line, statement.start.line, statement.end.line


def _suppresses(comment: str, code: str) -> bool:
    for directive in _DIRECTIVE.finditer(comment):
        codes = _codes(directive)
        if codes is not None and (not codes or code.startswith(tuple(codes))):
            return True
    return False


def _malformed(comment: str) -> str | None:
    """Return the first directive of `comment` that suppresses nothing at all."""
    for directive in _DIRECTIVE.finditer(comment):
        if _codes(directive) is None:
            return directive[0].strip()
    return None


def _codes(directive: re.Match[str]) -> Sequence[str] | None:
    """Return the codes of a directive, none for a bare one; None if it is malformed."""
    rest = directive["rest"]
    if directive["space"] != " ":
        return None
    before, colon, after = rest.partition(":")
    if not colon or before.strip():
        # Without a colon right behind it, a bare one with or without a remark, if it ends there.
        return () if rest[:1] in {"", " ", "\t"} else None
    codes: list[str] = []
    position = 0
    while (separator := _SEPARATOR.match(after, position)) is not None:
        code = _CODE.match(after, separator.end())
        if code is None:
            break
        codes.append(code[0])
        position = code.end()
    return codes or None
