"""Which fixes may be applied: by rule, and by how safe they are held to be.

`fixable` and `unfixable` switch the fixes of rules on and off as `select` and `ignore` do the rules
themselves. `extend-safe-fixes` and `extend-unsafe-fixes` say of rules how safe their fixes are; the
longer prefix wins. A fix that is for people to read stays that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flushlint.lines import one_line
from flushlint.selection import Layer, fixable_codes, matching_codes, prefix_length

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flushlint.model import Applicability, Diagnostic, Fix

__all__ = ["FixLayer", "FixOptions", "Fixability", "applicable_fix", "fixability", "in_words"]

_KINDS: Mapping[Applicability, str] = {
    "safe": "fix",
    "unsafe": "unsafe fix",
    "display-only": "suggestion",
}
_ORDER: Mapping[Applicability, int] = {"safe": 0, "unsafe": 1, "display-only": 2}


class FixLayer(NamedTuple):
    """What one source of settings says of fixes. `fixable` is None where it says nothing."""

    fixable: tuple[str, ...] | None = None
    unfixable: tuple[str, ...] = ()
    extend_safe: tuple[str, ...] = ()
    extend_unsafe: tuple[str, ...] = ()


class FixOptions(NamedTuple):
    """What the command line says of fixes.

    With `only` and with `diff` what is left is not reported; with `diff` nothing is written.
    """

    fix: bool = False
    only: bool = False
    diff: bool = False
    unsafe: bool = False
    show: bool = False
    exit_non_zero: bool = False
    layer: FixLayer = FixLayer()

    @property
    def apply(self) -> bool:
        """Whether fixes are made, be it only to show what would come of them."""
        return self.fix or self.only or self.diff

    @property
    def report(self) -> bool:
        """Whether findings are reported."""
        return not (self.only or self.diff)


class Fixability(NamedTuple):
    """What the settings say of the fixes of each rule, by code."""

    fixable: frozenset[str]
    safe: frozenset[str]
    unsafe: frozenset[str]

    def applicability(self, code: str, fix: Fix) -> Applicability:
        """Return how safe a fix of a finding with this code is held to be."""
        if fix.applicability == "display-only":
            return "display-only"
        if code in self.safe:
            return "safe"
        return "unsafe" if code in self.unsafe else fix.applicability

    def judged(self, diagnostic: Diagnostic) -> Diagnostic:
        """Return a finding with the fixes that it may have, as safe as they are held to be."""
        if not diagnostic.fixes:
            return diagnostic
        from dataclasses import replace

        fixes: Sequence[Fix] = ()
        if diagnostic.code in self.fixable:
            fixes = [
                replace(fix, applicability=self.applicability(diagnostic.code, fix))
                for fix in diagnostic.fixes
            ]
        ordered = sorted(fixes, key=lambda fix: _ORDER[fix.applicability])
        return replace(diagnostic, fixes=tuple(ordered))


def fixability(layers: Sequence[FixLayer]) -> Fixability:
    """Return what `layers` say together, the first of which lies lowest."""
    return Fixability(
        fixable_codes(Layer(layer.fixable, ignore=layer.unfixable) for layer in layers),
        *_safety(layers),
    )


def applicable_fix(diagnostic: Diagnostic, *, unsafe: bool) -> Fix | None:
    """Return the first fix that would be applied, with or without `--unsafe-fixes`."""
    for fix in diagnostic.fixes:
        if fix.applicability == "safe" or (unsafe and fix.applicability == "unsafe"):
            return fix
    return None


def in_words(fix: Fix, *, with_reason: bool = False) -> str:
    """Return what a fix does, on one line, and how far it may be trusted."""
    reason = f" ({fix.reason})" if with_reason and fix.reason else ""
    return one_line(f"{_KINDS[fix.applicability]}: {fix.title}{reason}")


def _safety(layers: Iterable[FixLayer]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the codes whose fixes are all safe, and those whose fixes are all unsafe."""
    choices = [(prefix, True) for layer in layers for prefix in layer.extend_safe]
    choices += [(prefix, False) for layer in layers for prefix in layer.extend_unsafe]
    said: dict[str, bool] = {}
    for prefix, is_safe in sorted(
        choices, key=lambda choice: (prefix_length(choice[0]), choice[1])
    ):
        said.update(dict.fromkeys(matching_codes(prefix), is_safe))
    return (
        frozenset(code for code, is_safe in said.items() if is_safe),
        frozenset(code for code, is_safe in said.items() if not is_safe),
    )
