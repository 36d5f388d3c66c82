"""The guard: what LibCST's native parser would not survive is refused before it is tried.

The parser recurses on the stack of the process, so that deep or wide input ends in a segmentation
fault, takes time cubic in the length of a chain of calls and exponential in the depth of a pattern,
and keeps a copy of what it has parsed for each bracket around it. The guard scans the tokens of the
text once and adds up what they will cost. Measured with LibCST 1.9 on CPython 3.10 to 3.13 (the
figures don't differ), per unit of stack:

=====================================  ==========  ==============================
what                                   stack       limit
=====================================  ==========  ==============================
a block                                25 KB       50, half of what Python allows
a bracket                              7.5 KB      100
an `elif`                              1.1 KB      500
an operator, attribute, call           1.4 KB      500
a word beside a word (`not`, `"" ""`)  0.9 KB      1,000
=====================================  ==========  ==============================

All limits together come to less than half of the 8 MB that a thread has on Linux, and each alone to
about the 1 MB that it has elsewhere. The weight of a text is the number of its tokens, each counted
once more for every bracket around it. Memory is 1.0 to 2.3 KB and time 10 to 60 µs for each unit.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from flushlint.tokens import (
    CLOSING,
    COLON,
    EQUALS,
    LAMBDA,
    NEWLINE,
    OPENING,
    OPERATOR,
    SEPARATOR,
    STRING,
    WORD,
    matched,
    past_blanks,
    tokens,
)

__all__ = ["Refusal", "refusal"]

MAX_BLOCKS = 50
MAX_BRACKETS = 100
MAX_ELIFS = 500
# In half operators. From the second limit on, each token of the chain weighs more.
MAX_CHAIN = 1_000
LONG_CHAIN = 250
# In halves as well: the weight of a token outside all brackets, and what a bracket adds to it.
MAX_WEIGHT = 1_300_000
_LEVEL = 3
_LEVEL_STEP = 2

# Words that stand in no expression.
_STATEMENTS = frozenset(
    {
        "assert", "class", "continue", "def", "del", "elif", "except", "finally", "global",
        "import", "nonlocal", "pass", "raise", "return", "try", "while", "with",
    }
)  # fmt: skip


_WORD = re.compile(r"\w*")
_BLANKS = re.compile(r"[ \t\f]*")
_END_OF_LINE = re.compile(r"\r\n?|\n")


class Refusal(NamedTuple):
    """Why a text is not parsed, in one line without a final full stop, and the 1-based line."""

    line: int
    why: str


def refusal(text: str) -> Refusal | None:
    """Return why LibCST had better not see `text`, or None if it may."""
    found = _Costs(text).add_up()
    if found is None:
        return None
    position, why = found
    return Refusal(len(_END_OF_LINE.findall(text, 0, position)) + 1, why)


# -- what it costs --------------------------------------------------------------------------------


class _Bracket(NamedTuple):
    """An open bracket, and what holds after it.

    The parameters of a lambda, up to the colon, are nested in it as if in brackets.
    """

    chain: int
    start: int
    level: int
    level_inside: int
    is_lambda: bool


class _Costs:
    """Adds up the costs of a text, token by token.

    `level` is the weight of a token at this place. `chain` counts, in half operators, what is
    on the path from the root of the tree to here, `start` what of it lies outside the element
    (of a list, of arguments) that is being read.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._blocks = [0]
        self._elifs = [0]
        self._is_pattern = False

    def add_up(self) -> tuple[int, str] | None:  # noqa: C901, PLR0912 - a call costs as much as a token
        """Return the position at which a limit is passed, and which one it is."""
        brackets: list[_Bracket] = []
        level, chain, start, weight = _LEVEL, 0, 0, 0
        follows_operand = False
        begins_line = True
        for kind, position in tokens(self._text):
            weight += level
            if begins_line and kind != NEWLINE:
                begins_line = False
                if brackets and self._starts_statement(position):
                    # A bracket was never closed: the parser will get no further than this.
                    brackets.clear()
                    level, chain, start = _LEVEL, 0, 0
                if not brackets and (why := self._begin_line(position)) is not None:
                    return position, why
            if WORD <= kind <= STRING:
                chain += follows_operand
                follows_operand = True
            elif kind == OPERATOR or (kind == COLON and not (brackets and brackets[-1].is_lambda)):
                chain += 2
                follows_operand = False
            elif kind == SEPARATOR:
                chain = start
                follows_operand = False
            elif kind == NEWLINE:
                begins_line = True
                if not brackets:
                    chain = 0
                    follows_operand = False
            elif OPENING <= kind <= LAMBDA:
                brackets.append(self._bracket(kind, position, level, chain, start))
                if len(brackets) > MAX_BRACKETS:
                    return position, f"brackets nested more than {MAX_BRACKETS} deep"
                start = chain
                level = brackets[-1].level_inside
                follows_operand = False
            elif kind == EQUALS:
                follows_operand = False
            elif brackets:
                chain, start, level = brackets.pop()[:3]
                follows_operand = kind == CLOSING
            if chain > LONG_CHAIN:
                weight += 2 * level
                if chain > MAX_CHAIN:
                    return position, f"a chain of more than {MAX_CHAIN // 2} operators or calls"
            if weight > MAX_WEIGHT:
                return position, "too much code: parsing it would take gigabytes of memory"
        return None

    def _bracket(self, kind: int, position: int, level: int, chain: int, start: int) -> _Bracket:
        """Return the record of a bracket, or `lambda`, that opens at `position`.

        Patterns are parsed anew for each alternative of the grammar, at each level.
        """
        inside = level + _LEVEL_STEP
        if self._is_pattern:
            is_mapping = self._text.startswith("{", past_blanks(self._text, position))
            inside = level * (4 if is_mapping else 2)
        return _Bracket(chain + 2, start, level, inside, kind == LAMBDA)

    def _starts_statement(self, position: int) -> bool:
        """Return whether a word that only a statement begins with stands at `position`."""
        return matched(_WORD, self._text, past_blanks(self._text, position)) in _STATEMENTS

    def _begin_line(self, position: int) -> str | None:
        """Take up the first token of a logical line, blanks before it included."""
        blanks = matched(_BLANKS, self._text, position)
        word = matched(_WORD, self._text, position + len(blanks))
        indentation = len(blanks.expandtabs())
        while indentation < self._blocks[-1]:
            self._blocks.pop()
            self._elifs.pop()
        if indentation > self._blocks[-1]:
            self._blocks.append(indentation)
            self._elifs.append(0)
            if len(self._blocks) > MAX_BLOCKS:
                return f"blocks nested more than {MAX_BLOCKS} deep"
        self._is_pattern = word == "case"
        if word == "elif":
            self._elifs[-1] += 1
            if sum(self._elifs) > MAX_ELIFS:
                return f"a chain of more than {MAX_ELIFS} `elif`s"
        else:
            self._elifs[-1] = 0
        return None
