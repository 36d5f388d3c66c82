"""A proposal: what could be done about a finding, in edits and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from flushlint.fixes.edits import TextEdit

__all__ = ["Proposal"]


class Proposal(NamedTuple):
    """Edits of a scene's text, and what they do in words: `verb` `file` `where`.

    `unsafe` says why they change more than when bytes reach the file, "" where they do not.
    """

    edits: list[TextEdit]
    verb: str
    file: str
    where: str
    unsafe: str = ""
