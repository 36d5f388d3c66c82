"""What `.gitignore` files ignore, where git itself can't be asked.

What only git knows is not known here: its files outside the tree (`.git/info/exclude` and the
user's own), and which of the ignored files are tracked.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathspec.pattern import Pattern

__all__ = ["IgnoreRules"]

_FILE_NAME = ".gitignore"
_BYTE_ORDER_MARK = "\ufeff"
_EVERYTHING = frozenset({"*", "/*", "**", "/**"})


class _Rule(NamedTuple):
    """One pattern: what the whole path must match, how many parts it must have, and its last part.

    None where that does not matter. A library's pattern matches what is below a directory that it
    matches as well, which must not count: another pattern may have the last word on the directory.
    One that is for what is `inside` of a directory does not match the directory.
    """

    ignores: bool
    path: Pattern | None = None
    depth: int | None = None
    name: Pattern | None = None
    inside: bool = False

    def matches(self, path: str, end: str) -> bool:
        """Return whether the pattern matches `path` itself, which is followed by `end`."""
        if self.depth is not None and path.count("/") + 1 != self.depth:
            return False
        if self.name is not None and not self.name.match_file(path.rpartition("/")[2] + end):
            return False
        return self.path is None or bool(self.path.match_file(path + ("" if self.inside else end)))


class _File(NamedTuple):
    """One `.gitignore`: its rules, last first, for ``prefix + path[cut:]`` of absolute paths."""

    cut: int
    prefix: str
    rules: tuple[_Rule, ...]


class IgnoreRules:
    """The `.gitignore` files that hold in a directory, the outermost first."""

    def __init__(self, files: tuple[_File, ...] = ()) -> None:
        self._files = files

    @classmethod
    def above(cls, top: str, directory: str) -> IgnoreRules:
        """Return the rules from `top`, a real path, that hold in `directory`, its own left out.

        None, where they ignore the directory itself: it is to be looked into all the same.
        """
        real = os.path.realpath(directory)
        rules = cls()
        passed = top
        for part in os.path.relpath(real, top).split(os.sep) if real != top else ():
            rules = rules.within(passed)
            passed = os.path.join(passed, part)
            if rules.ignores(passed, is_directory=True):
                return cls()
        return rules.moved(real, directory)

    def ignores(self, path: str, *, is_directory: bool) -> bool:
        """Return whether `path`, an absolute one, is ignored, if no directory above it is."""
        end = "/" if is_directory else ""
        for file in reversed(self._files):
            relative = file.prefix + path[file.cut :]
            for rule in file.rules:
                if rule.matches(relative, end):
                    return rule.ignores
        return False

    def within(self, directory: str, *, named: bool = False) -> IgnoreRules:
        """Return these rules and those of the `.gitignore` in `directory`, if there is one.

        It does not count if it makes git ignore the whole directory, and that was `named`.
        """
        lines = _lines(os.path.join(directory, _FILE_NAME))
        if not lines or (named and _ignores_everything(lines)):
            return self
        cut = len(os.path.join(directory, ""))
        return IgnoreRules((*self._files, _File(cut, "", _compiled(lines))))

    def moved(self, real: str, directory: str) -> IgnoreRules:
        """Return the same rules for `directory`, which is another name of `real`."""
        cut = len(os.path.join(directory, ""))
        return IgnoreRules(
            tuple(_File(cut, f"{real[one.cut :]}/", one.rules) for one in self._files)
        )


def _ignores_everything(lines: list[str]) -> bool:
    patterns = {line.rstrip() for line in lines}
    return not patterns.isdisjoint(_EVERYTHING) and not any(line[0] == "!" for line in patterns)


def _lines(path: str) -> list[str]:
    """Return the lines that hold a pattern; none of a file that git would not read either."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return []
        with open(path, "rb", buffering=0) as file:
            text = os.fsdecode(file.read())
    except OSError:
        return []
    lines = (line.removesuffix("\r") for line in text.removeprefix(_BYTE_ORDER_MARK).split("\n"))
    return [line for line in lines if line.strip() and not line.startswith("#")]


def _compiled(lines: list[str]) -> tuple[_Rule, ...]:
    """Return the rules, last first. A malformed one matches nothing, as in git."""
    return tuple(rule for rule in map(_rule_of, reversed(lines)) if rule is not None)


def _rule_of(line: str) -> _Rule | None:
    try:
        return _rule(line)
    except (ValueError, re.error):
        return None


def _rule(line: str) -> _Rule:
    """Return what a line means. Raises ValueError or re.error for one that is malformed."""
    pattern = _pattern(line)
    ignores = bool(pattern.include)
    glob = line.rstrip().removeprefix("!")
    directory = "/" if glob.endswith("/") else ""
    glob = glob.removesuffix("/")
    if "/" not in glob.removeprefix("**/"):
        return _Rule(ignores, name=pattern)
    if "**" not in glob:
        return _Rule(ignores, pattern, depth=glob.removeprefix("/").count("/") + 1)
    last = glob.rpartition("/")[2]
    if last == "**":
        return _Rule(ignores, pattern, inside=True)
    return _Rule(ignores, pattern, name=_pattern(f"**/{last}{directory}"))


def _pattern(line: str) -> Pattern:
    from pathspec import GitIgnoreSpec

    for pattern in GitIgnoreSpec.from_lines((line,)).patterns:
        if pattern.include is not None:
            return pattern
    raise ValueError("no pattern")
