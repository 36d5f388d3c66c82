"""Which findings in a file count, and which of their fixes may be applied.

Selected by the settings, not ignored for this file, and suppressed by no comment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flushlint.fixability import Fixability, fixability
from flushlint.selection import chosen_codes, enabled_codes
from flushlint.source import Source, read_source
from flushlint.suppression import may_suppress, suppress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flushlint.config import Settings
    from flushlint.discovery import SourceFile
    from flushlint.fixability import FixLayer
    from flushlint.model import Diagnostic, Fix
    from flushlint.selection import Layer
    from flushlint.suppression import Malformed

__all__ = ["Choice", "Choices", "choice", "module_text"]


class Choice(NamedTuple):
    """What counts in one file: codes that are on, codes that show opt-in findings, and fixes.

    `settings` is the path of the file that says so besides the command line.
    """

    path: str
    settings: str | None
    enabled: frozenset[str]
    chosen: frozenset[str]
    fixability: Fixability
    unsafe: bool

    def findings(
        self, data: bytes, diagnostics: Sequence[Diagnostic]
    ) -> tuple[list[Diagnostic], list[Malformed]]:
        """Return those of the findings in `data` that count, and comments there that fail to."""
        kept = [
            self.fixability.judged(finding)
            for finding in diagnostics
            if finding.code in (self.chosen if finding.opt_in else self.enabled)
        ]
        if not kept or not may_suppress(data):
            return kept, []
        return suppress(kept, module_text(data, self.path))

    def fixable(self, data: bytes, diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
        """Return those of the findings in `data` that count and may be fixed."""
        codes = self.fixability.fixable
        return [one for one in self.findings(data, diagnostics)[0] if one.code in codes]

    def allows(self, diagnostic: Diagnostic, fix: Fix) -> bool:
        """Return whether a fix may be applied."""
        applicability = self.fixability.applicability(diagnostic.code, fix)
        return applicability == "safe" or (self.unsafe and applicability == "unsafe")


def choice(
    file: SourceFile, settings: Settings, layer: Layer, fix_layer: FixLayer, *, unsafe: bool
) -> Choice:
    """Return what counts in `file` by its settings, and above them by those of the command line."""
    layers = (settings.layer, layer)
    ignored: frozenset[str] = frozenset()
    if settings.per_file_ignores:
        ignored = settings.ignored_codes(file.absolute)
    return Choice(
        file.path,
        settings.path,
        enabled_codes(layers) - ignored,
        chosen_codes(layers) - ignored,
        fixability((settings.fix_layer, fix_layer)),
        unsafe,
    )


def module_text(data: bytes, path: str) -> str:
    """Return a module with findings as text, to be shown and searched for comments."""
    source = read_source(data, path)
    # What can't be decoded has an error and no findings.
    return source.text if isinstance(source, Source) else ""


class Choices(NamedTuple):
    """What counts in each of the files that are checked, by their paths."""

    by_path: Mapping[str, Choice]

    def fixable(
        self, contents: Mapping[str, bytes], diagnostics: Sequence[Diagnostic]
    ) -> list[Diagnostic]:
        """Return those of the findings in some files that count and may be fixed."""
        found: list[Diagnostic] = []
        for path, each in self.by_path.items():
            here = [one for one in diagnostics if one.path == path]
            if here:
                found += each.fixable(contents[path], here)
        return found

    def allows(self, diagnostic: Diagnostic, fix: Fix) -> bool:
        """Return whether a fix may be applied: it edits files only that are checked."""
        if any(edit.path not in self.by_path for edit in fix.edits):
            return False
        return self.by_path[diagnostic.path].allows(diagnostic, fix)
