"""How often each rule was found, for ``--statistics``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.rules.registry import RULES

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["statistics"]


def statistics(counts: Mapping[str, int]) -> list[str]:
    """Return a line for each code, the most frequent first: count, code, name."""
    width = max((len(str(count)) for count in counts.values()), default=0)
    return [
        f"{count:>{width}}  {code}  {RULES[code].name}"
        for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
