"""Applying fixes to the files of a run: written to them, or shown as a diff, and counted.

A file is written through one name only, however many it has, and only while it still holds what
was read. What can't be written is an error of that file alone.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from flushlint.diffs import unified_diff
from flushlint.documents import is_notebook
from flushlint.fixing import fix_source
from flushlint.report.fixes import fixed, fixed_by_file
from flushlint.writing import replace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flushlint.choosing import Choice
    from flushlint.discovery import SourceFile
    from flushlint.fixability import FixOptions
    from flushlint.fixing import Allow, Fixed, Select
    from flushlint.model import AnalysisOptions, Diagnostic
    from flushlint.streams import Streams

__all__ = ["Applying"]


class Applying:
    """What has been done to the files so far. `say` takes a path and an error of that file."""

    def __init__(
        self, options: FixOptions, streams: Streams, say: Callable[[str, str], None]
    ) -> None:
        self._options = options
        self._streams = streams
        self._say = say
        self._seen: set[tuple[int, int] | None] = set()
        self._counts: dict[str, Counter[str]] = {}

    @property
    def changed(self) -> bool:
        """Whether any file has been fixed, or would be."""
        return bool(self._counts)

    def is_repeated(self, file: SourceFile) -> bool:
        """Return whether the file has been dealt with under another name, and remember this one."""
        if file.is_stdin:
            return False
        identity = _identity(file.absolute)
        if identity is not None and identity in self._seen:
            return True
        self._remember(identity)
        return False

    def fix(self, file: SourceFile, data: bytes, options: AnalysisOptions, choice: Choice) -> bytes:
        """Fix what may be fixed in `data`, the contents of `file`; return what it holds now.

        With `--diff` that is what it would hold.
        """
        done = _fixing(file.path)(data, file.path, options, choice.fixable, choice.allows)
        if done.trouble:
            self._say(file.path, f"not fixed: {done.trouble}")
        if done.data == data:
            return data
        if self._options.diff:
            self._streams.write_bytes(unified_diff(data, done.data, file.path))
        elif not file.is_stdin and not self._write(file, data, done.data):
            return data
        self._counts[file.path] = Counter(one.diagnostic.code for one in done.applied)
        return done.data

    def count(self, path: str, before: Sequence[Diagnostic], after: Sequence[Diagnostic]) -> None:
        """Note the findings in a file that are gone: one fix may take away several."""
        gone = Counter(one.code for one in before) - Counter(one.code for one in after)
        self._counts[path] = gone or self._counts[path]

    def summary(self) -> str:
        """Return lines that say what was fixed, none if nothing was."""
        if not self._counts:
            return ""
        line = fixed(self._counts, would=self._options.diff)
        rows = [f"{line}:", *fixed_by_file(self._counts)] if self._options.show else [line]
        return "".join(f"{row}\n" for row in rows)

    def _write(self, file: SourceFile, before: bytes, after: bytes) -> bool:
        """Write a file, and return whether that could be done."""
        old = _identity(file.absolute)
        outcome = replace_file(file.absolute, before, after)
        if not outcome.written:
            self._say(file.path, f"not fixed: {outcome.cause}")
            return False
        # It may be another file now, under the same names. Who comes to have the number of the old
        # one has nothing to do with it.
        self._seen.discard(old)
        self._remember(_identity(file.absolute))
        if outcome.cause is not None:
            self._streams.error(f"{file.path}: warning: {outcome.cause}")
        return True

    def _remember(self, identity: tuple[int, int] | None) -> None:
        if identity is not None:
            self._seen.add(identity)


def _fixing(path: str) -> Callable[[bytes, str, AnalysisOptions, Select, Allow], Fixed]:
    """Return what fixes the bytes of such a file."""
    if not is_notebook(path):
        return fix_source
    from flushlint.notebook_fixing import fix_notebook

    return fix_notebook


def _identity(path: str) -> tuple[int, int] | None:
    """Return what all names of a file have in common, None where there is nothing to be had."""
    try:
        seen = os.stat(path)
    except OSError:
        return None
    return seen.st_dev, seen.st_ino
