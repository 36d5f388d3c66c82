"""Tokens of Python source text, for what reads it without a parser or beside one.

No version of Python is asked, so that no syntax is too young, and nothing is an error: what
makes no sense becomes tokens that make none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

__all__ = [
    "CLOSING",
    "COLON",
    "EQUALS",
    "LAMBDA",
    "NEWLINE",
    "OPENING",
    "OPERATOR",
    "SEPARATOR",
    "STRING",
    "STRING_OR_COMMENT",
    "WORD",
    "matched",
    "past_blanks",
    "strings",
    "tokens",
]

_COMMENT = r"\#[^\r\n]*"
# From quote to quote, prefixes left out: a backslash keeps a quote from ending a raw string, too.
_STRING = (
    r"\"\"\"[^\"\\]*(?:(?:\\.|\"(?!\"\"))[^\"\\]*)*\"\"\""
    r"|'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''"
    r"|\"[^\"\\\r\n]*(?:\\(?:\r\n|.)[^\"\\\r\n]*)*\""
    r"|'[^'\\\r\n]*(?:\\(?:\r\n|.)[^'\\\r\n]*)*'"
)
# To be compiled with DOTALL, for text or (encoded) for bytes.
STRING_OR_COMMENT = rf"(?P<comment>{_COMMENT})|(?P<string>{_STRING})"

# The order of the groups is that of the constants.
_TOKEN = re.compile(
    r"[ \t\f]*(?:"
    r"((?:[fFtT][rR]?|[rR][fFtT])(?=[\"']))"
    r"|([(\[{])"
    r"|(lambda\b)"
    r"|(\w+)"
    rf"|({_STRING})"
    r"|([)\]}])"
    r"|([,;])"
    r"|(\r\n?|\n)"
    rf"|({_COMMENT}|\\(?:\r\n?|\n))"
    r"|(=(?!=))"
    r"|(:(?!=))"
    r"|([=!<>:]=|\*\*|//|<<|>>|->|[^ \t\f]))",
    re.DOTALL,
)
(
    _FORMATTED,
    OPENING,
    LAMBDA,
    WORD,
    STRING,
    CLOSING,
    SEPARATOR,
    NEWLINE,
    _SKIPPED,
    EQUALS,
    COLON,
    OPERATOR,
) = range(1, 13)

_BLANKS = re.compile(r"[ \t\f]*")
_QUOTE = re.compile(r"\"\"\"|'''|\"|'")
# The text of a formatted string, up to a field or to the closing quote.
_FORMATTED_TEXT = {
    quote: re.compile(
        rf"(?:[^{{{quote[0]}\\{newline}]|{{{{|\\[^{{}}]|\\(?=[{{}}]){more})*", re.DOTALL
    )
    for quote, newline, more in (
        ('"', r"\r\n", ""),
        ("'", r"\r\n", ""),
        ('"""', "", r'|"(?!"")'),
        ("'''", "", r"|'(?!'')"),
    )
}
# What follows the colon in a field, up to a field in it or the end of the field around it.
_FORMAT = re.compile(r"[^{}\r\n]*")

_Formatted: TypeAlias = "Generator[tuple[int, int], None, int]"


def tokens(text: str, offset: int = 0) -> Iterator[tuple[int, int]]:
    """Yield the kind and the offset of each token, the blanks before it included.

    Comments and line continuations are left out. A formatted string is a STRING up to its
    opening quote and, for each field, an OPENING, the tokens in it and a CLOSING. Never more
    is looked at than is asked for, so that whoever asks bounds how deep such strings nest.
    """
    while offset < len(text):
        for match in _TOKEN.finditer(text, offset):
            kind = match.lastindex or 0
            if kind == _FORMATTED:
                yield STRING, match.start()
                offset = yield from _fields(text, match.end())
                break
            if kind != _SKIPPED:
                yield kind, match.start()
        else:
            return


def strings(text: str, offset: int = 0) -> Iterator[tuple[int, int]]:
    """Yield where each string begins and ends, its prefix left out.

    A formatted string is one, from its prefix on, with the fields and all strings in them.
    """
    while offset < len(text):
        for match in _TOKEN.finditer(text, offset):
            if match.lastindex == STRING:
                yield match.start(STRING), match.end()
            elif match.lastindex == _FORMATTED:
                offset = _end_of(_fields(text, match.end()))
                yield match.start(_FORMATTED), offset
                break
        else:
            return


def _end_of(string: _Formatted) -> int:
    """Return where a formatted string ends, its tokens not asked for."""
    ends: list[int] = []

    def tokens_of() -> Iterator[tuple[int, int]]:
        ends.append((yield from string))

    for _ in tokens_of():
        pass
    return ends[0]


def past_blanks(text: str, offset: int) -> int:
    """Return the offset of what follows the blanks at `offset`, of which there may be none."""
    return offset + len(matched(_BLANKS, text, offset))


def matched(pattern: re.Pattern[str], text: str, offset: int) -> str:
    """Return what a pattern that may match nothing matches at `offset`."""
    match = pattern.match(text, offset)
    return match[0] if match is not None else ""


def _fields(text: str, offset: int) -> _Formatted:
    """Yield the tokens in the fields of the string that opens at `offset`; return its end."""
    quote = matched(_QUOTE, text, offset)
    offset += len(quote)
    while True:
        offset += len(matched(_FORMATTED_TEXT[quote], text, offset))
        if text.startswith(quote, offset):
            return offset + len(quote)
        if not text.startswith("{", offset):
            return offset + 1
        offset = yield from _field(text, offset)


def _field(text: str, offset: int) -> _Formatted:
    """Yield the tokens of a field that opens at `offset`; return where it ends."""
    yield OPENING, offset
    offset += 1
    open_kinds: list[int] = []
    for kind, start in tokens(text, offset):
        offset = past_blanks(text, start) + 1
        if kind in (OPENING, LAMBDA):
            open_kinds.append(kind)
        elif open_kinds:
            if kind == (COLON if open_kinds[-1] == LAMBDA else CLOSING):
                open_kinds.pop()
        elif kind == COLON:
            offset = yield from _format(text, offset)
            break
        elif kind == CLOSING:
            break
        yield kind, start
    yield CLOSING, offset - 1
    return offset


def _format(text: str, offset: int) -> _Formatted:
    """Yield the tokens of what follows the colon in a field; return the end of the field."""
    while True:
        offset += len(matched(_FORMAT, text, offset))
        if not text.startswith("{", offset):
            return offset + 1
        offset = yield from _field(text, offset)
