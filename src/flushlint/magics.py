"""What IPython reads besides Python: magics, shell commands, requests for help.

Here a cell is made into Python without moving anything in it. A line that is no Python becomes one
that does nothing; of ``%time f()`` and ``x = %time f()`` the Python is kept, in its columns. A cell
whose magic hands its text to somebody else (``%%bash``, ``%%writefile``) is no Python at all.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from flushlint.tokens import (
    CLOSING,
    EQUALS,
    NEWLINE,
    OPENING,
    OPERATOR,
    matched,
    past_blanks,
    tokens,
)

__all__ = ["Replaced", "Translation"]

# Their text is run in the kernel, in the namespace of all other cells.
_PYTHON_CELLS = frozenset({"capture", "debug", "ipytest", "prun", "time", "timeit"})
# Commands that IPython takes without a percent sign where they are all that a cell holds.
_BARE_COMMANDS = frozenset(
    {
        "alias", "cat", "cd", "clear", "conda", "cp", "env", "ls", "lsmagic", "mamba", "man",
        "matplotlib", "micromamba", "mkdir", "more", "mv", "pip", "pwd", "pylab", "reset", "rm",
        "rmdir", "run", "uv", "who", "whos",
    }
)  # fmt: skip
# What no Python statement begins with.
_ESCAPES = tuple("%!?/,;")

_CELL_MAGIC = re.compile(
    r"(?:[ \t]*(?:\#[^\r\n]*)?(?:\r\n?|\n))*(?P<sign>%%)(?P<name>\w+)(?P<help>\?)?"
)
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)?")
_NEWLINE = re.compile(r"\r\n?|\n")
_BARE = re.compile(r"\s*(?P<name>\w+)(?:[ \t]+(?P<rest>[^\r\n]*))?\s*")
# What follows a name in Python.
_GOES_ON = re.compile(
    r"(?:[-+*/%&|^@<>=!]=?|//|\*\*|<<|>>)(?!\S)|[=(\[.,:;]|(?:in|is|and|or|if|not)\b"
)
_MAGIC = re.compile(r"[ \t]*(?:!|%{1,2}[A-Za-z_])")
# A magic that runs the statement behind its options: a letter, for some of them with a value.
_RUNS = re.compile(
    r"%(?:time[ \t]+(?:--no-raise-error[ \t]+)?"
    r"|timeit[ \t]+(?:-(?:[nr][ \t]*\d+|[tcqov]|p[ \t]*\d+)[ \t]+)*"
    r"|prun[ \t]+(?:-(?:[rq]|[lsTD][ \t]*\S+)[ \t]+)*)"
    r"(?P<code>[^\s%!?-][^\r\n]*)"
)
# What can't follow a colon, and what holds a magic of its own.
_NOT_SIMPLE = re.compile(
    r"(?:async|class|def|for|if|match|try|while|with)\b|@|[^\r\n]*(?:=[ \t]*[!%]|\\$)"
)
_ON_CONDITION = "if 1:"
_NOTHING = "pass"
_UNKNOWN = "get_ipython()"


class Replaced(NamedTuple):
    """The beginning of a line that was replaced: what it was, and the Python that stands there.

    `rest` says whether Python follows that the line has had before.
    """

    original: str
    python: str
    rest: bool


class Translation:
    """The cells of one notebook as Python. Replaced lines end in `mark` and a number.

    The mark begins with a number sign and stands nowhere in the notebook.
    """

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self._replaced: list[Replaced] = []

    def python(self, cell: str) -> str | None:
        """Return a cell with as many lines in Python, None if it is in another language."""
        start = 0
        head = ""
        while (magic := _CELL_MAGIC.match(cell, start)) is not None:
            if magic["help"] is None and magic["name"] not in _PYTHON_CELLS:
                return None
            end = magic.end() + len(matched(_LINE, cell, magic.end()))
            head += cell[start : magic.start("sign")] + self._comment(
                cell[magic.start("sign") : end]
            )
            start = end
        if not head and _is_bare_command(cell):
            return None
        return head + "".join(self._lines(cell, start))

    def original(self, line: str) -> str | None:
        """Return a line, its end included, as the notebook has it.

        Return None for one that was replaced and has been changed where it was.
        """
        text, mark, number = line.rpartition(self.mark)
        if not mark:
            return line
        ending = number.lstrip("0123456789")
        if len(ending) == len(number) or ending.strip("\r\n"):
            return None
        replaced = self._replaced[int(number.removesuffix(ending))]
        if not text.startswith(replaced.python):
            return None
        rest = text.removeprefix(replaced.python)
        if not replaced.rest:
            return None if rest else replaced.original + ending
        return replaced.original + rest + ending

    def _lines(self, cell: str, start: int) -> list[str]:
        """Return stretches of a cell from `start` on, where a logical line begins."""
        found: list[str] = []
        while start < len(cell):
            if cell.startswith(_ESCAPES, past_blanks(cell, start)):
                end = _command_end(cell, start)
                found.append(self._command(cell[start:end]))
            else:
                magic, end = _logical_line(cell, start)
                found.append(
                    cell[start:end] if magic is None else self._assignment(cell, start, magic, end)
                )
            start = end
        return found

    def _command(self, text: str) -> str:
        """Return what stands for a command, which may go on behind backslashes."""
        blanks = text[: past_blanks(text, 0)]
        runs = _RUNS.match(text, len(blanks))
        if runs is not None and _NOT_SIMPLE.match(runs["code"]) is None:
            original = text[: runs.start("code")]
            condition = f"{blanks}{_ON_CONDITION}"
            python = condition + " " * (len(original) - len(condition))
            line = text[runs.start("code") :]
            return python + self._marked(line, Replaced(original, python, rest=True))
        first, *others = _split(text)
        head = self._nothing(first, f"{blanks}{_NOTHING}")
        return head + "".join(map(self._comment, others))

    def _assignment(self, cell: str, start: int, magic: int, end: int) -> str:
        """Return a logical line that assigns what the magic at an offset returns.

        One whose magic asks for help is the whole line.
        """
        line = max(start, cell.rfind("\n", start, magic) + 1, cell.rfind("\r", start, magic) + 1)
        if cell.startswith("?", magic):
            blanks = cell[start : past_blanks(cell, start)]
            first, *others = _split(cell[start:end])
            return self._nothing(first, f"{blanks}{_NOTHING}") + "".join(map(self._comment, others))
        head, target = cell[start:line], cell[line:magic]
        runs = _RUNS.match(cell, magic)
        is_time = cell.startswith("%time", magic) and not cell.startswith("%timeit", magic)
        if runs is not None and is_time and _NOT_SIMPLE.match(runs["code"]) is None:
            original = cell[line : runs.start("code")]
            python = target + " " * (runs.start("code") - magic)
            text = cell[runs.start("code") : end]
            return head + python + self._marked(text, Replaced(original, python, rest=True))
        first, *others = _split(cell[line:end])
        tail = "".join(map(self._comment, others))
        return head + self._nothing(first, f"{target}{_UNKNOWN}") + tail

    def _nothing(self, line: str, python: str) -> str:
        """Return a line that is replaced by `python` altogether."""
        text = line.rstrip("\r\n")
        return python + self._marked(line[len(text) :], Replaced(text, python, rest=False))

    def _comment(self, line: str) -> str:
        return self._nothing(line, "")

    def _marked(self, line: str, replaced: Replaced) -> str:
        """Return the rest of a replaced line with its mark."""
        text = line.rstrip("\r\n")
        self._replaced.append(replaced)
        return f"{text}{self.mark}{len(self._replaced) - 1}{line[len(text) :]}"


def _split(text: str) -> list[str]:
    """Return the physical lines of a text, with their ends."""
    return [match[0] for match in _LINE.finditer(text) if match[0]]


def _command_end(text: str, offset: int) -> int:
    """Return where a command ends: with its line, or that after a backslash at the end of it."""
    while True:
        line = matched(_LINE, text, offset)
        offset += len(line)
        if not line.rstrip("\r\n").endswith("\\") or offset >= len(text):
            return offset


def _logical_line(text: str, offset: int) -> tuple[int | None, int]:
    """Return where the logical line at an offset ends, and where there is a magic in it.

    The offset of a magic is that of its first sign, or of the question mark at the end.
    """
    depth = 0
    after_equals = -1
    question: int | None = None
    for kind, start in tokens(text, offset):
        place = past_blanks(text, start)
        if kind == NEWLINE:
            if depth <= 0:
                return question, place + len(matched(_NEWLINE, text, place))
            continue
        if kind == OPENING:
            depth += 1
        elif kind == CLOSING:
            depth -= 1
        elif kind == EQUALS and depth == 0:
            after_equals = place + 1
        elif kind == OPERATOR:
            if start == after_equals and _MAGIC.match(text, start) is not None:
                return place, _command_end(text, place)
            if depth == 0 and text.startswith("?", place):
                question = place
                continue
        question = None
    return question, len(text)


def _is_bare_command(cell: str) -> bool:
    """Return whether a cell is one line that IPython runs as a magic for want of anything else."""
    match = _BARE.fullmatch(cell)
    if match is None or match["name"] not in _BARE_COMMANDS:
        return False
    return match["rest"] is None or _GOES_ON.match(match["rest"]) is None
