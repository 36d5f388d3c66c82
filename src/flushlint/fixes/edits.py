"""Edits: stretches of a text replaced by others, several at once, and one after the other.

Offsets are 0-based and count the code points of `Source.text`, which has no byte order mark.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flushlint.source import Source

__all__ = ["Patch", "TextEdit", "apply", "encode", "is_exact"]


class TextEdit(NamedTuple):
    """The half-open stretch from `start` to `end` becomes `text`; an empty one is an insertion."""

    start: int
    end: int
    text: str


def apply(text: str, edits: Iterable[TextEdit]) -> str:
    """Return the edited text. Insertions at one offset stand in the order they are given in.

    Raises ValueError for edits that overlap or leave the text.
    """
    return "".join(
        text[piece.start : piece.end] if isinstance(piece, _Kept) else piece
        for piece in _pieces(text, edits)
    )


def is_exact(source: Source, data: bytes) -> bool:
    """Whether `encode` keeps the bytes of a file, which `source` has been read from.

    It does not where the encoding has several forms for one text, or none for what it has read.
    """
    try:
        return encode(source, ()) == data
    except Exception:  # noqa: BLE001 - a codec may raise whatever it likes
        return False


def encode(source: Source, edits: Iterable[TextEdit]) -> bytes:
    """Return the bytes of the edited file, in its encoding, after its byte order mark.

    Outside the edits they are those of the file if `is_exact` says so. Raises ValueError as
    `apply` does, and of those UnicodeEncodeError where the encoding has no form for a text.
    """
    mark = codecs.BOM_UTF8 if source.bom else b""
    return mark + apply(source.text, edits).encode(source.encoding)


# -- one after the other --------------------------------------------------------------------------


class _Kept(NamedTuple):
    """A stretch of the text that edits have left alone."""

    start: int
    end: int


class Patch:
    """All edits that have been made to a text, each counting in what the ones before had made."""

    def __init__(self, text: str) -> None:
        self._original = text
        self._pieces: list[_Kept | str] = [_Kept(0, len(text))]
        self.text = text

    def edit(self, edits: Iterable[TextEdit]) -> Patch:
        """Return this patch with further edits, whose offsets count in `self.text`.

        Raises ValueError as `apply` does.
        """
        patch = Patch(self._original)
        patch._pieces = []
        for piece in _pieces(self.text, edits):
            if isinstance(piece, _Kept):
                patch._pieces.extend(self._cut(*piece))
            else:
                patch._pieces.append(piece)
        patch.text = "".join(patch._text_of(piece) for piece in patch._pieces)
        return patch

    def edits(self) -> tuple[TextEdit, ...]:
        """Return the fewest and shortest edits that make `self.text` of the original text."""
        return tuple(self._edits())

    def origin(self, offset: int) -> int | None:
        """Return where the text at an offset of `self.text` stood, None if it has been inserted.

        The end of the text stands at the end of the original.
        """
        for piece in self._pieces:
            length = len(self._text_of(piece))
            if offset < length:
                return piece.start + offset if isinstance(piece, _Kept) else None
            offset -= length
        return len(self._original) if offset == 0 else None

    def _edits(self) -> Iterator[TextEdit]:
        start = 0
        inserted = ""
        for piece in (*self._pieces, _Kept(len(self._original), len(self._original))):
            if isinstance(piece, str):
                inserted += piece
                continue
            edit = _trimmed(self._original, TextEdit(start, piece.start, inserted))
            if edit.text or edit.start < edit.end:
                yield edit
            start, inserted = piece.end, ""

    def _text_of(self, piece: _Kept | str) -> str:
        return self._original[piece.start : piece.end] if isinstance(piece, _Kept) else piece

    def _cut(self, start: int, end: int) -> Iterator[_Kept | str]:
        """Yield the pieces of a stretch of `self.text`."""
        offset = 0
        for piece in self._pieces:
            text = self._text_of(piece)
            first, last = max(start - offset, 0), min(end - offset, len(text))
            if first < last:
                if isinstance(piece, _Kept):
                    yield _Kept(piece.start + first, piece.start + last)
                else:
                    yield text[first:last]
            offset += len(text)


def _pieces(text: str, edits: Iterable[TextEdit]) -> Iterator[_Kept | str]:
    """Yield what is kept of a text, and what is put between."""
    place = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if not place <= edit.start <= edit.end <= len(text):
            raise ValueError(f"edit of {edit.start}:{edit.end} overlaps one up to {place}")
        start, end, inserted = _trimmed(text, edit)
        if place < start:
            yield _Kept(place, start)
        if inserted:
            yield inserted
        if end < edit.end:
            yield _Kept(end, edit.end)
        place = edit.end
    if place < len(text):
        yield _Kept(place, len(text))


def _trimmed(text: str, edit: TextEdit) -> TextEdit:
    """Return an edit without what it would leave as it is."""
    start, end, inserted = edit
    while start < end and inserted and text[start] == inserted[0]:
        start, inserted = start + 1, inserted[1:]
    while start < end and inserted and text[end - 1] == inserted[-1]:
        end, inserted = end - 1, inserted[:-1]
    return TextEdit(start, end, inserted)
