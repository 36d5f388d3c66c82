"""The programs and other blocks that the documentation shows."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Block", "blocks"]

_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a Markdown text, with the heading that it stands under."""

    language: str
    text: str
    heading: str


def blocks(markdown: str) -> list[Block]:
    """Return the fenced blocks of a Markdown text in order."""
    found = []
    for match in _FENCE.finditer(markdown):
        headings = _HEADING.findall(_FENCE.sub("", markdown[: match.start()]))
        found.append(Block(match["language"], match["text"], headings[-1] if headings else ""))
    return found
