"""Imports as they stand in a module's bytes: found without a parser, and not one too few.

What stands in a string or behind `if TYPE_CHECKING` is found as well: a module more is no harm.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from flushlint.module_names import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Import", "imports"]

_BLANK = rb"(?:[^\S\r\n]|\\\r?\n)"
_STATEMENT = re.compile(
    rb"%(blank)s*(?:"
    rb"from(?:%(blank)s+(?=\w)|(?P<dots>(?:%(blank)s|\.)+))(?P<module>[\w.]*)%(blank)s*"
    rb"(?<![\w])import(?!\w)%(blank)s*(?P<names>\([^)]*\)|(?:[^\r\n;#\\]|\\\r?\n)*)"
    rb"|import%(blank)s+(?P<modules>(?:[^\r\n;#\\]|\\\r?\n)*)"
    rb")" % {b"blank": _BLANK}
)
_WORD = b"import"
_CALLS = tuple(word.encode() for word in BY_NAME)
# A handler of `logging` is named by its class, in a table that may stand anywhere.
_NAMING = (*_CALLS, b'"class"', b"'class'")
# A dotted name in a string, or what such a name begins with when it is put together.
_NAMED = re.compile(rb"[\"'](\.*[^\W\d][\w.]*)(?:[\"']|(?<=\.)[{%])")
_COMMENT = re.compile(rb"#[^\r\n]*")
_ALIAS = re.compile(r"([\w.]+|\*)(?:\s+as\s+(\w+))?")


class Import(NamedTuple):
    """One imported name: `module` with its leading dots counted in `level`.

    `name` is None for ``import module``, and "*" for all names. `bound` is the name that it gets.
    """

    module: str
    level: int
    name: str | None
    bound: str


def imports(data: bytes) -> Iterator[Import]:
    """Yield what a module may import, whenever it does."""
    place = data.find(_WORD)
    end = 0
    while place >= 0:
        match = _STATEMENT.match(data, _start(data, place)) if place >= end else None
        if match is not None:
            end = match.end()
            yield from _imported(match)
        place = data.find(_WORD, place + len(_WORD))
    if any(word in data for word in _NAMING):
        for match in _NAMED.finditer(data):
            module = match[1].decode("utf-8", "replace")
            stripped = module.lstrip(".")
            level = len(module) - len(stripped)
            name = "*" if stripped.endswith(".") else None
            yield Import(stripped.rstrip("."), level, name, "")


def _start(data: bytes, place: int) -> int:
    """Return where the statement around an offset may begin."""
    while True:
        start = max(data.rfind(end, 0, place) for end in (b"\n", b"\r", b";", b":")) + 1
        before = start - 1
        while before > 0 and data[before] in b"\r\n" and start - before < 3:
            before -= 1
        if before <= 0 or data[before : before + 1] != b"\\":
            return start
        place = before


def _imported(match: re.Match[bytes]) -> Iterator[Import]:
    if match["modules"] is not None:
        for module, bound in _aliases(match["modules"]):
            yield Import(module, 0, None, bound or module.partition(".")[0])
        return
    level = (match["dots"] or b"").count(b".")
    module = match["module"].decode("utf-8", "replace")
    for name, bound in _aliases(match["names"]):
        yield Import(module, level, name, bound or name)


def _aliases(names: bytes) -> Iterator[tuple[str, str]]:
    """Yield the names in a list, and what each is bound to, "" where that is not said."""
    text = _COMMENT.sub(b"", names).replace(b"\\", b" ").strip(b"() \t\r\n")
    for part in text.decode("utf-8", "replace").split(","):
        match = _ALIAS.fullmatch(part.strip())
        if match is not None:
            yield match[1], match[2] or ""
