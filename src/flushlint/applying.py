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
from flushlint.fixing import fix_unit
from flushlint.report.fixes import fixed, fixed_by_file
from flushlint.writing import replace_file, signals_held_back

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flushlint.discovery import SourceFile
    from flushlint.fixability import FixOptions
    from flushlint.fixing import Fixed
    from flushlint.model import Diagnostic
    from flushlint.streams import Streams
    from flushlint.work import Task

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

    def fix(self, task: Task, data: bytes, files: Mapping[str, SourceFile]) -> dict[str, bytes]:
        """Fix what may be fixed in a program; return what those of its files hold that changed.

        `data` is what the file that is checked holds. `files` are all that are checked, by their
        paths. With `--diff` it is what they would hold.
        """
        main = task.unit.main.path
        done = self._fixed(task, data)
        if done.trouble:
            self._say(main, f"not fixed: {done.trouble}")
        before = {path: file.data for path, file in task.unit.files().items()}
        if is_notebook(main):
            before = {main: data}
        changed = {path: after for path, after in done.files.items() if after != before[path]}
        if self._options.diff:
            for path, after in changed.items():
                self._streams.write_bytes(unified_diff(before[path], after, path))
        elif not self._write_all(changed, before, files):
            return {}
        for applied in done.applied:
            counted = self._counts.setdefault(applied.diagnostic.path, Counter())
            counted[applied.diagnostic.code] += 1
        return changed

    def _fixed(self, task: Task, data: bytes) -> Fixed:
        choices = task.choices
        if not is_notebook(task.unit.main.path):
            return fix_unit(task.unit, task.options, choices.fixable, choices.allows)
        from flushlint.notebook_fixing import fix_notebook

        return fix_notebook(data, task.unit, task.options, choices.fixable, choices.allows)

    def _write_all(
        self,
        changed: Mapping[str, bytes],
        before: Mapping[str, bytes],
        files: Mapping[str, SourceFile],
    ) -> bool:
        """Write all files of a program or none, and return whether that could be done.

        A signal waits for the last one.
        """
        own = {path: data for path, data in changed.items() if not files[path].is_stdin}
        written: list[str] = []
        with signals_held_back():
            for path, data in own.items():
                if not self._write(files[path], before[path], data):
                    for other in written:
                        self._write(files[other], own[other], before[other])
                    return False
                written.append(path)
        return True

    def count(self, path: str, before: Sequence[Diagnostic], after: Sequence[Diagnostic]) -> None:
        """Note the findings in a file that are gone: one fix may take away several."""
        gone = Counter(one.code for one in before) - Counter(one.code for one in after)
        if gone:
            self._counts[path] = gone

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


def _identity(path: str) -> tuple[int, int] | None:
    """Return what all names of a file have in common, None where there is nothing to be had."""
    try:
        seen = os.stat(path)
    except OSError:
        return None
    return seen.st_dev, seen.st_ino
