"""Finds the comments of a module, and nothing that only looks like one.

An own scanner, because `tokenize` knows the syntax of the interpreter that runs it and no other,
and the answer must not depend on that. It needs no valid module: an unterminated string ends with
its line.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flushlint.tokens import STRING_OR_COMMENT

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["comments_by_line"]

_NEWLINE = re.compile(r"\r\n?|\n")
_CODE = re.compile(
    rf"{STRING_OR_COMMENT}"
    r"|(?<!\w)(?:[fFtT][rR]?|[rR][fFtT])(?P<quote>'''|\"\"\"|'|\")"
    r"|(?P<unterminated>['\"][^\r\n]*)"
    r"|(?P<bracket>[\[\](){}:])",
    re.DOTALL,
)
# What can end or interrupt the literal part of an f-string or of a format specification.
_IN_LITERAL = re.compile(
    r"\\N\{[^}]*\}|\\(?:\r\n|[^{}])|\{\{|\}\}|[{}]|'''|\"\"\"|['\"]|[\r\n]", re.DOTALL
)


def comments_by_line(text: str) -> dict[int, str]:
    """Return each comment of `text`, from its ``#`` on, by its 1-based line."""
    ends = [match.end() for match in _NEWLINE.finditer(text)]
    return {bisect_right(ends, start) + 1: comment for start, comment in _Scanner(text).comments()}


@dataclass(slots=True)
class _Literal:
    """The scanner is in the literal part of an f-string that began with `quote`."""

    quote: str


@dataclass(slots=True)
class _Field:
    """The scanner is in the expression of a replacement field, in `depth` brackets."""

    depth: int = 0


@dataclass(slots=True)
class _Specification:
    """The scanner is in a format specification of an f-string that began with `quote`."""

    quote: str


class _Scanner:
    """A stack automaton: f-strings hold fields, which hold code, which may hold f-strings."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._contexts: list[_Literal | _Field | _Specification] = []

    def comments(self) -> Iterator[tuple[int, str]]:
        """Yield the offset and the text of each comment."""
        while True:
            context = self._contexts[-1] if self._contexts else None
            if isinstance(context, (_Literal, _Specification)):
                if not self._literal(context):
                    return
                continue
            match = _CODE.search(self._text, self._position)
            if match is None:
                return
            self._position = match.end()
            if match["comment"] is not None:
                yield match.start(), match["comment"]
            elif match["quote"] is not None:
                self._contexts.append(_Literal(match["quote"]))
            elif match["bracket"] is not None and context is not None:
                self._bracket(context, match["bracket"])

    def _bracket(self, field: _Field, bracket: str) -> None:
        """Follow brackets in a replacement field up to its end or its format specification."""
        if bracket in "([{":
            field.depth += 1
        elif bracket in ")]}" and field.depth:
            field.depth -= 1
        elif bracket == "}":
            self._contexts.pop()
        elif bracket == ":" and not field.depth:
            self._contexts.append(_Specification(self._enclosing_quote()))

    def _literal(self, context: _Literal | _Specification) -> bool:
        """Go on to the next field, or to the end of the string; False at the end of the text."""
        match = _IN_LITERAL.search(self._text, self._position)
        if match is None:
            return False
        self._position = match.end()
        found = match[0]
        in_specification = isinstance(context, _Specification)
        if found == "{":
            self._contexts.append(_Field())
        elif found[0] in "{}" and in_specification:
            # No escapes here: of two braces each counts.
            self._position = match.start() + 1
            if found[0] == "{":
                self._contexts.append(_Field())
            else:
                del self._contexts[-2:]
        elif found[0] in "'\"":
            self._quote(context, match.start())
        elif found in {"\r", "\n"} and len(context.quote) == 1:
            self._leave_string()
        return True

    def _quote(self, context: _Literal | _Specification, start: int) -> None:
        """End the string if the quote at `start` is its own; otherwise pass over one character."""
        if self._text.startswith(context.quote, start):
            self._position = start + len(context.quote)
            self._leave_string()
        else:
            self._position = start + 1

    def _leave_string(self) -> None:
        while self._contexts:
            if isinstance(self._contexts.pop(), _Literal):
                return

    def _enclosing_quote(self) -> str:
        for context in reversed(self._contexts):
            if isinstance(context, _Literal):
                return context.quote
        return ""
