"""The last look at a fix before it is made: outside its edits the tree is what it was.

An edit that lands in a string, or makes two statements of one, parses as well as any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from flushlint.fixes.edits import Patch
from flushlint.machine.scope import children
from flushlint.model import InputError
from flushlint.positions import Positions
from flushlint.source import Source, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flushlint.fixes.edits import TextEdit

__all__ = ["is_sound"]

_STATEMENTS = (cst.BaseSmallStatement, cst.BaseCompoundStatement)


def is_sound(source: Source, edits: Iterable[TextEdit]) -> bool:
    """Say whether the edited text parses, and has each statement that the edits do not touch.

    A statement is compared by what it is, where it stood and in which other one.
    """
    patch = Patch(source.text).edit(edits)
    before = _statements(source, Patch(source.text))
    edited = _statements(Source(source.path, patch.text), patch)
    if before is None or edited is None:
        return False
    after = {place: one for place, (_, one) in edited.items()}
    made = patch.edits()
    return all(
        after.get(place) == one
        for place, (end, one) in before.items()
        if not any(edit.start < end and place < max(edit.end, edit.start) for edit in made)
    )


class _Statement(NamedTuple):
    """A statement: where the one around it stood, its kind, and its text without blanks."""

    within: int | None
    kind: str
    text: str


def _statements(source: Source, patch: Patch) -> dict[int, tuple[int, _Statement]] | None:
    """Return the statements by where they stood, with their ends; None if it does not parse."""
    module = parse(source)
    if isinstance(module, InputError):
        return None
    positions = Positions(module, source)
    found: dict[int, tuple[int, _Statement]] = {}
    todo: list[tuple[cst.CSTNode, int | None]] = [(module, None)]
    while todo:
        node, within = todo.pop()
        if isinstance(node, _STATEMENTS):
            start, end = positions.offsets(node)
            body = getattr(node, "body", None)
            if isinstance(body, cst.SimpleStatementSuite):
                end = positions.offsets(body.body[0])[0]  # what follows the colon has its own turn
            origin = patch.origin(start)
            if origin is not None:
                text = "".join(source.text[start:end].split())
                found[origin] = (end, _Statement(within, type(node).__name__, text))
                within = origin
        todo.extend((child, within) for child in children(node))
    return found
