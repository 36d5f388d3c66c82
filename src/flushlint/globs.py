"""Path patterns of the configuration: what `exclude` and `per-file-ignores` match.

`*`, `?` and `[...]` as in a shell, except that `*` crosses directories, and `**/` stands for any
number of directories, none included. A pattern without a slash matches the last part of a path
wherever it is, one with a slash the path from the configuration's directory on.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PathPatterns"]

_TOKEN = re.compile(r"\*\*/|\*+|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)


class PathPatterns:
    """Patterns that are relative to `base`, an absolute directory.

    Raises ValueError for one that is malformed.
    """

    def __init__(self, patterns: Iterable[str], base: str) -> None:
        names: list[str] = []
        paths: list[str] = []
        prefix = re.escape(_with_slashes(base).rstrip("/"))
        for pattern in patterns:
            glob = _with_slashes(pattern).removeprefix("./").rstrip("/")
            if "/" not in glob:
                names.append(_regex(glob))
            elif glob.startswith("/"):
                paths.append(_regex(glob))
            else:
                paths.append(f"{prefix}/{_regex(glob)}")
        self._name = _compiled(names)
        self._path = _compiled(paths)
        self._base = base
        self._inside = os.path.join(base, "")

    def __bool__(self) -> bool:
        return self._name is not None or self._path is not None

    def matches(self, path: str) -> bool:
        """Return whether a pattern matches `path`, an absolute one, itself."""
        path = _with_slashes(path)
        return bool(
            (self._name and self._name.fullmatch(path.rpartition("/")[2]))
            or (self._path and self._path.fullmatch(path))
        )

    def covers(self, path: str) -> bool:
        """Return whether a pattern matches `path` or a directory between it and the base."""
        while path != self._base:
            if self.matches(path):
                return True
            path = os.path.dirname(path)
            if not path.startswith(self._inside):
                return False
        return False


def _with_slashes(path: str) -> str:
    return path.replace(os.sep, "/")


def _compiled(regexes: list[str]) -> re.Pattern[str] | None:
    try:
        return re.compile("|".join(regexes), re.DOTALL) if regexes else None
    except re.error as error:
        raise ValueError(f"malformed pattern: {error}") from None


def _regex(glob: str) -> str:
    return _TOKEN.sub(_translate, glob)


def _translate(token: re.Match[str]) -> str:
    text = token[0]
    if text == "**/":
        return "(?:.*/)?"
    if text.startswith("*"):
        return ".*"
    if text == "?":
        return "[^/]"
    if text.startswith("[") and len(text) > 1:
        inside = re.sub(r"[^\w-]", r"\\\g<0>", text[1:-1].removeprefix("!"))
        return f"[^{inside}]" if text[1] == "!" else f"[{inside}]"
    return re.escape(text)
