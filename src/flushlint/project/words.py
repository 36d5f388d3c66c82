"""The words of a module, top-level definition by definition: told from its bytes, without a parser.

A word in a string or comment counts as one in code, since a name may be looked up by it.
"""

from __future__ import annotations

import itertools
import re
from typing import NamedTuple

__all__ = ["Block", "Words", "is_passed_on", "words"]

_WORD = re.compile(rb"[^\W\d]\w*")
_DEFINITION = re.compile(rb"(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)")
# A line of the module's own: nothing that continues a bracket, and no comment.
_OWN_LINE = re.compile(rb"^[^\s#)\]}]", re.MULTILINE)
_BOUND = re.compile(rb"([^\W\d]\w*)\s*(?::[^=\n]*)?=(?!=)")


_IMPORT = re.compile(rb"(?:from|import)(?!\w)")


class Block(NamedTuple):
    """A stretch of a module: the names that it binds at the top level, and all words in it."""

    names: frozenset[bytes]
    words: frozenset[bytes]
    is_import: bool
    is_definition: bool


Words = tuple[Block, ...]


def words(data: bytes) -> Words:
    """Take a module apart into its top-level definitions and the statements between them."""
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


def is_passed_on(name: bytes, data: bytes) -> bool:
    """Say whether a module uses a name otherwise than for its attributes, and to import it."""
    bare = re.compile(rb"(?<![\w.])%b(?!\w|\s*\.)" % re.escape(name))
    return any(
        not _IMPORT.match(data, data.rfind(b"\n", 0, match.start()) + 1)
        for match in bare.finditer(data)
    )
