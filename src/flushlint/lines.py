"""Text and its lines: what is a line of Python source, and what fits on one line of output."""

from __future__ import annotations

import re

__all__ = ["internal_error", "one_line", "split_lines"]

_LONGEST_CAUSE = 200
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


def internal_error(error: BaseException) -> str:
    """Return what is said of an error of flushlint's own: it may speak of a whole tree."""
    cause = f"{error}".partition("\n")[0]
    if len(cause) > _LONGEST_CAUSE:
        cause = f"{cause[:_LONGEST_CAUSE]}..."
    return f"internal error: {type(error).__name__}: {cause}"
