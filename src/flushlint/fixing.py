"""Fixing a module: apply what mends its findings, until nothing is left that can be mended.

Bytes in, bytes out: nothing is written here. Each fix is proven on the text that the ones before
have made. What does not come to an end, or would change other code, leaves the bytes as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from flushlint.engine import check_source
from flushlint.model import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from flushlint.fixes.search import Search
    from flushlint.model import AnalysisOptions, Diagnostic, Fix
    from flushlint.source import Source

__all__ = ["Applied", "Fixed", "fix_source"]

Select: TypeAlias = "Callable[[bytes, Sequence[Diagnostic]], Collection[Diagnostic]]"
Allow: TypeAlias = "Callable[[Diagnostic, Fix], bool]"

_MOST_FIXES = 100


class Applied(NamedTuple):
    """A fix that was made, and the finding that it has taken away, as it stood in that text."""

    diagnostic: Diagnostic
    fix: Fix


@dataclass(frozen=True, slots=True)
class Fixed:
    """What has come of a module: its bytes, and what was done to them.

    With `trouble`, one line without the file's name, nothing was done, and the bytes are the old.
    """

    data: bytes
    applied: tuple[Applied, ...] = ()
    trouble: str = ""


def fix_source(
    data: bytes, path: str, options: AnalysisOptions, select: Select, allow: Allow
) -> Fixed:
    """Apply the fixes that are allowed, of findings that are selected, and say what was done.

    `select` returns those of the findings in some bytes that count. What can't be analysed is left
    alone: checking it says why.
    """
    work = _Work(data, path, options, select, allow)
    trouble = work.run()
    return Fixed(data, trouble=trouble) if trouble else Fixed(work.data, tuple(work.applied))


class _Work:
    """The fixing of one module, and how far it has come."""

    def __init__(
        self, data: bytes, path: str, options: AnalysisOptions, select: Select, allow: Allow
    ) -> None:
        self.data = data
        self.applied: list[Applied] = []
        self._path = path
        self._options = options
        self._select = select
        self._allow = allow
        self._seen = {data}

    def run(self) -> str:
        """Apply fixes until none is left; return why that can't be done, or nothing."""
        search: Search | None = None
        failed: set[object] = set()
        while True:
            found = check_source(self.data, self._path, self._options).diagnostics
            if not found:
                return ""
            source, search = self._search(search)
            if source is None or search is None:
                return ""
            chosen = self._next(search, self._select(self.data, found), failed)
            if chosen is None:
                if not failed or not self.applied or None in failed:
                    return ""
                failed = {None}  # what could not be mended before may be mended now: once more
                continue
            trouble = self._apply(source, chosen)
            if trouble:
                return trouble

    def _search(self, before: Search | None) -> tuple[Source | None, Search | None]:
        from flushlint.fixes.edits import is_exact
        from flushlint.fixes.search import Search
        from flushlint.source import read_source

        source = read_source(self.data, self._path)
        if isinstance(source, InputError) or not is_exact(source, self.data):
            return None, None
        return source, Search.of(source, self._options, before)

    def _next(
        self, search: Search, selected: Collection[Diagnostic], failed: set[object]
    ) -> Applied | None:
        """Return the first fix that may be applied."""
        for diagnostic in selected:
            key = (diagnostic.code, diagnostic.message)
            if key in failed:
                continue
            for fix in search.fixes(diagnostic.code, diagnostic.span, diagnostic.subject):
                if self._allow(diagnostic, fix):
                    return Applied(diagnostic, fix)
            failed.add(key)
        return None

    def _apply(self, source: Source, chosen: Applied) -> str:
        from flushlint.fixes.edits import TextEdit, encode
        from flushlint.fixes.soundness import is_sound

        edits = [
            TextEdit(source.offset(e.span.start), source.offset(e.span.end), e.text)
            for e in chosen.fix.edits
        ]
        try:
            data = encode(source, edits)
        except UnicodeEncodeError:
            return f"the fix of {chosen.diagnostic.code} can't be written in {source.encoding}"
        if not is_sound(source, edits):
            return (
                f"the fix of {chosen.diagnostic.code} would change other code; nothing is written"
            )
        if data in self._seen or len(self.applied) >= _MOST_FIXES:
            return "the fixes do not come to an end; nothing is written"
        self._seen.add(data)
        self.data = data
        self.applied.append(chosen)
        return ""
