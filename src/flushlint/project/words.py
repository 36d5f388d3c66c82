"""The words of a module, top-level definition by definition: told from its bytes, without a parser.

A word in a string counts as one in code, since a name may be looked up by it.
"""

from __future__ import annotations

import itertools
import re
from typing import NamedTuple

from flushlint.tokens import STRING_OR_COMMENT

__all__ = ["Block", "Words", "attributes", "code", "is_passed_on", "words"]

_STRING_OR_COMMENT = re.compile(STRING_OR_COMMENT.encode(), re.DOTALL)
_TRIPLE = (b'"""', b"'''")
_FORMATTED = re.compile(rb"(?:[fFtT][rR]?|[rR][fFtT])\Z")
_WORD = re.compile(rb"[^\W\d]\w*")
_DEFINITION = re.compile(rb"(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)")
# A line of the module's own: nothing that continues a bracket, and no comment.
_OWN_LINE = re.compile(rb"^[^\s#)\]}]", re.MULTILINE)
_BOUND = re.compile(rb"([^\W\d]\w*)\s*(?::[^=\n]*)?=(?!=)")
_IMPORT = re.compile(rb"(?:from|import)(?!\w)")
# An attribute of a name, or of another attribute: the next one may begin within it.
_ATTRIBUTE = re.compile(rb"([^\W\d]\w*)\s*\.\s*(?=([^\W\d]\w*))")


class Block(NamedTuple):
    """A stretch of a module: the names that it binds at the top level, and all words in it."""

    names: frozenset[bytes]
    words: frozenset[bytes]
    is_import: bool
    is_definition: bool


Words = tuple[Block, ...]


def code(data: bytes) -> bytes:
    """Return a module without comments and texts of several lines, where no name is looked up."""
    return _STRING_OR_COMMENT.sub(_kept, data)


def _kept(match: re.Match[bytes]) -> bytes:
    found = match[0]
    if found.startswith(b"#"):
        return b""
    is_prose = found.startswith(_TRIPLE)
    start = match.start()
    return b"" if is_prose and not _FORMATTED.search(match.string[start - 2 : start]) else found


def words(data: bytes) -> Words:
    """Take the code of a module apart into top-level definitions and what stands between them."""
    starts = [match.start() for match in _OWN_LINE.finditer(data)]
    found: list[Block] = []
    decorators: frozenset[bytes] = frozenset()
    for start, end in itertools.pairwise([*starts, len(data)]):
        here = frozenset(_WORD.findall(data, start, end))
        if data.startswith(b"@", start):
            decorators |= here
            continue
        definition = _DEFINITION.match(data, start, end)
        bound = _BOUND.match(data, start, end) if definition is None else definition
        names = frozenset({bound[1]}) if bound is not None else frozenset[bytes]()
        is_import = _IMPORT.match(data, start, end) is not None
        found.append(Block(names, here | decorators, is_import, definition is not None))
        decorators = frozenset()
    return tuple(found)


def attributes(data: bytes) -> dict[bytes, set[bytes]]:
    """Return which attributes the code of a module uses of which names."""
    found: dict[bytes, set[bytes]] = {}
    for owner, attribute in _ATTRIBUTE.findall(data):
        found.setdefault(owner, set()).add(attribute)
    return found


def is_passed_on(name: bytes, data: bytes) -> bool:
    """Say whether the code of a module uses a name but for its attributes, and to import it."""
    bare = re.compile(rb"(?<![\w.])%b(?!\w|\s*\.)" % re.escape(name))
    return any(
        not _IMPORT.match(data, data.rfind(b"\n", 0, match.start()) + 1)
        for match in bare.finditer(data)
    )
