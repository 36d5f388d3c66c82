"""What is said of fixes at the end of a run: how many there are, and what has been fixed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.lines import one_line
from flushlint.report import counted
from flushlint.rules.registry import RULES

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["available", "fixed", "fixed_by_file", "left"]


def available(safe: int, unsafe: int, *, with_unsafe: bool) -> str:
    """Return how many findings could be fixed, and by which options; nothing if none could.

    `safe` counts those with a safe fix, `unsafe` those that have unsafe ones only. `with_unsafe`
    says that `--unsafe-fixes` is among the options already.
    """
    if with_unsafe:
        option = "--fix --unsafe-fixes" if unsafe else "--fix"
        return f"[*] {safe + unsafe} fixable with {option}" if safe + unsafe else ""
    if not safe:
        return f"{unsafe} fixable with --fix --unsafe-fixes" if unsafe else ""
    more = f" ({unsafe} more with --unsafe-fixes)" if unsafe else ""
    return f"[*] {safe} fixable with --fix{more}"


def left(unsafe: int, *, more: bool) -> str:
    """Return how many of the findings that are left `--unsafe-fixes` would fix, if any.

    That is `more` if others have been fixed.
    """
    return f"{unsafe} {'more ' if more else ''}fixable with --unsafe-fixes" if unsafe else ""


def fixed(counts: Mapping[str, Mapping[str, int]], *, would: bool) -> str:
    """Return how much has been, or would be, fixed. `counts` are by path, then by code."""
    findings = counted(sum(sum(codes.values()) for codes in counts.values()), "finding")
    return f"{findings} {'would be ' if would else ''}fixed in {counted(len(counts), 'file')}"


def fixed_by_file(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return lines that say for each file which findings were fixed: count, code, name."""
    rows: list[str] = []
    for path, codes in counts.items():
        width = max(len(str(count)) for count in codes.values())
        rows.append(f"- {one_line(path)}:")
        rows += [
            f"    {count:>{width}} x {code} ({RULES[code].name})"
            for code, count in sorted(codes.items(), key=lambda item: (-item[1], item[0]))
        ]
    return rows
