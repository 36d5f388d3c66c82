"""Fixing a program: apply what mends its findings, until nothing is left that can be mended.

Bytes in, bytes out: nothing is written here. Each fix is proven on the texts that the ones before
have made. What does not come to an end, or would change other code, leaves the bytes as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from flushlint.engine import check_unit
from flushlint.model import InputError
from flushlint.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from flushlint.fixes.search import Search
    from flushlint.model import AnalysisOptions, Diagnostic, Edit, Fix
    from flushlint.source import Source
    from flushlint.unit import ModuleFile

__all__ = ["Applied", "Fixed", "fix_unit"]

Select: TypeAlias = "Callable[[Mapping[str, bytes], Sequence[Diagnostic]], Collection[Diagnostic]]"
Allow: TypeAlias = "Callable[[Diagnostic, Fix], bool]"

_MOST_FIXES = 100


class Applied(NamedTuple):
    """A fix that was made, and the finding that it has taken away, as it stood in that text."""

    diagnostic: Diagnostic
    fix: Fix


@dataclass(frozen=True, slots=True)
class Fixed:
    """What has come of a program: the files that are changed, by their paths, and what was done.

    With `trouble`, one line without a file's name, nothing was done.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    applied: tuple[Applied, ...] = ()
    trouble: str = ""


def fix_unit(unit: Unit, options: AnalysisOptions, select: Select, allow: Allow) -> Fixed:
    """Apply the fixes that are allowed, of findings that are selected, and say what was done.

    `select` returns those of the findings in some files that count. What can't be analysed is left
    alone: checking it says why.
    """
    work = _Work(unit, options, select, allow)
    trouble = work.run()
    return Fixed(trouble=trouble) if trouble else Fixed(work.changed, tuple(work.applied))


class _Work:
    """The fixing of one program, and how far it has come."""

    def __init__(self, unit: Unit, options: AnalysisOptions, select: Select, allow: Allow) -> None:
        self.unit = unit
        self.changed: dict[str, bytes] = {}
        self.applied: list[Applied] = []
        self._options = options
        self._select = select
        self._allow = allow
        self._seen = {self._contents()}

    def run(self) -> str:
        """Apply fixes until none is left; return why that can't be done, or nothing."""
        search: Search | None = None
        failed: set[object] = set()
        while True:
            found = check_unit(self.unit, self._options).diagnostics
            if not found:
                return ""
            search = self._search(search)
            if search is None:
                return ""
            contents = {path: file.data for path, file in self.unit.files().items()}
            chosen = self._next(search, self._select(contents, found), failed)
            if chosen is None:
                if not failed or not self.applied or None in failed:
                    return ""
                failed = {None}  # what could not be mended before may be mended now: once more
                continue
            trouble = self._apply(chosen)
            if trouble:
                return trouble

    def _contents(self) -> tuple[bytes, ...]:
        return tuple(file.data for file in self.unit.files().values())

    def _search(self, before: Search | None) -> Search | None:
        from flushlint.fixes.search import Search
        from flushlint.parsed import ParsedProgram, parse_program
        from flushlint.source import read_source

        source = read_source(self.unit.main.data, self.unit.main.path)
        parsed = None if isinstance(source, InputError) else parse_program(source, self.unit)
        if not isinstance(parsed, ParsedProgram):
            return None
        return Search.of(parsed, self._options, before)

    def _next(
        self, search: Search, selected: Collection[Diagnostic], failed: set[object]
    ) -> Applied | None:
        """Return the first fix that may be applied."""
        for diagnostic in selected:
            key = (diagnostic.path, diagnostic.code, diagnostic.message)
            if key in failed:
                continue
            for fix in search.fixes(diagnostic):
                if self._allow(diagnostic, fix) and self._can_be_written(fix):
                    return Applied(diagnostic, fix)
            failed.add(key)
        return None

    def _can_be_written(self, fix: Fix) -> bool:
        """Say whether all other bytes of the files that a fix edits would stay."""
        from flushlint.fixes.edits import is_exact

        files = self.unit.files()
        return all(
            (source := self._source(path)) is not None and is_exact(source, files[path].data)
            for path in {edit.path for edit in fix.edits}
        )

    def _source(self, path: str) -> Source | None:
        from flushlint.source import read_source

        source = read_source(self.unit.files()[path].data, path)
        return None if isinstance(source, InputError) else source

    def _apply(self, chosen: Applied) -> str:
        """Make all edits of a fix; return why that can't be done, or nothing."""
        made: dict[str, bytes] = {}
        for path in sorted({edit.path for edit in chosen.fix.edits}):
            mine = (edit for edit in chosen.fix.edits if edit.path == path)
            edited = self._edited(path, mine, chosen.diagnostic.code)
            if isinstance(edited, str):
                return edited
            made[path] = edited
        self.unit = _with_files(self.unit, made)
        if self._contents() in self._seen or len(self.applied) >= _MOST_FIXES:
            return "the fixes do not come to an end; nothing is written"
        self._seen.add(self._contents())
        self.changed |= made
        self.applied.append(chosen)
        return ""

    def _edited(self, path: str, edits: Iterable[Edit], code: str) -> bytes | str:
        """Return the bytes of an edited file, or why they can't be had."""
        from flushlint.fixes.edits import TextEdit, encode
        from flushlint.fixes.soundness import is_sound

        source = self._source(path)
        if source is None:
            return f"{path} can't be read any more; nothing is written"
        made = [
            TextEdit(source.offset(e.span.start), source.offset(e.span.end), e.text) for e in edits
        ]
        try:
            data = encode(source, made)
        except UnicodeEncodeError:
            return f"the fix of {code} can't be written in {source.encoding}"
        if not is_sound(source, made):
            return f"the fix of {code} would change other code; nothing is written"
        return data


def _with_files(unit: Unit, made: Mapping[str, bytes]) -> Unit:
    """Return a program some of whose files hold other bytes."""

    def current(file: ModuleFile) -> ModuleFile:
        return file._replace(data=made[file.path]) if file.path in made else file

    imported = {name: current(file) for name, file in unit.imported.items()}
    return Unit(current(unit.main), unit.name, imported)
