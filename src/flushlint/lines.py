"""Text and its lines: what is a line of Python source, and what fits on one line of output."""

from __future__ import annotations

import re

__all__ = ["one_line", "split_lines"]

_NEWLINE = re.compile(r"\r\n?|\n")


def split_lines(text: str) -> list[str]:
    """Return the lines of a Python source without their ends: form feeds and the like end none."""
    return _NEWLINE.split(text)


def one_line(text: str) -> str:
    """Return `text` with what would not print, or break the line, written as an escape."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
