"""Writing cells back: a notebook's JSON with other texts in some cells, and nothing else changed.

Only the value of a cell's `source` is replaced, and in it only the lines that differ. It stays what
it was, a string or a list of lines; what is new is laid out and escaped as the rest of the file.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from flushlint.notebook import BOM, SURROGATE, NotebookError, cells_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["with_sources"]

_STRING = r'"(?:[^"\\]|\\.)*"'
_TOKEN = re.compile(rf'{_STRING}|[{{}}\[\],:]|[^\s{{}}\[\],:"]+')
_IN_LIST = re.compile(_STRING)
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
# By the version of the format: `cells`, number, key, or `worksheets`, number, `cells` and so on.
_SOURCES = frozenset({"source", "input"})
_DEEPEST = 5


class _Span(NamedTuple):
    """The half-open stretch of the JSON text that holds a value, in code points."""

    start: int
    end: int


class _Frame:
    """An array or object that the scanner is in: where it began, and the key of what is read."""

    def __init__(self, start: int, *, is_array: bool) -> None:
        self.start = start
        self.is_array = is_array
        self.key: int | str = 0
        self.awaits_key = not is_array


def with_sources(data: bytes, sources: Mapping[int, str]) -> bytes:
    """Return a notebook with other texts in the cells of these numbers, counted from 1.

    Raises NotebookError where that can't be done without changing anything else.
    """
    text = data.decode("utf-8")
    spans = _source_spans(text)
    changed = text
    for number in sorted(sources, reverse=True):
        if number not in spans:
            raise NotebookError(f"cell {number} is not found again")
        start, end = spans[number]
        changed = f"{changed[:start]}{_value(text, spans[number], sources[number])}{changed[end:]}"
    if not _differ_in(text, changed, sources):
        raise NotebookError("more than the text of cells would change")
    return changed.encode("utf-8")


def _differ_in(before: str, after: str, sources: Mapping[int, str]) -> bool:
    """Return whether two JSON texts are the same but for these texts of cells."""
    one, other = (
        json.loads(text.removeprefix(BOM), parse_constant=str) for text in (before, after)
    )
    for number, (old, new) in enumerate(zip(cells_of(one), cells_of(other), strict=True), 1):
        if number in sources:
            key = "source" if "source" in new else "input"
            if "".join(new[key]) != sources[number] or type(new[key]) is not type(old[key]):
                return False
            new[key] = old[key]
    return bool(one == other)


# -- finding --------------------------------------------------------------------------------------


def _source_spans(text: str) -> dict[int, _Span]:
    """Return where the text of each cell stands, by the number of the cell."""
    cells: set[tuple[int | str, ...]] = set()
    spans: dict[tuple[int | str, ...], _Span] = {}
    for path, span in _values(text):
        if isinstance(path[-1], int) and path[-2:-1] == ("cells",):
            cells.add(path)
        elif path[-1] in _SOURCES and path[-3:-2] == ("cells",):
            # Of two values with one key the last counts.
            spans[path[:-1]] = span
    return {number: spans[cell] for number, cell in enumerate(_in_order(cells), 1) if cell in spans}


def _in_order(cells: set[tuple[int | str, ...]]) -> list[tuple[int | str, ...]]:
    """Return the paths of all cells in their order; those below worksheets if there are no others.

    The paths are ("cells", 3) or ("worksheets", 0, "cells", 3).
    """
    length = min(map(len, cells), default=0)
    return sorted(
        (path for path in cells if len(path) == length),
        key=lambda path: tuple(part for part in path if isinstance(part, int)),
    )


def _values(text: str) -> Iterator[tuple[tuple[int | str, ...], _Span]]:
    """Yield the path and the place of each value that is not too deep for a cell's text.

    The text is known to be JSON.
    """
    frames: list[_Frame] = []
    for match in _TOKEN.finditer(text):
        sign = match[0]
        start = match.start()
        if sign in "{[":
            frames.append(_Frame(start, is_array=sign == "["))
            continue
        if sign == ":":
            continue
        if sign == ",":
            _next(frames[-1])
            continue
        if sign in "}]":
            start = frames.pop().start
        elif frames and frames[-1].awaits_key:
            frames[-1].key = json.loads(sign)
            frames[-1].awaits_key = False
            continue
        if 0 < len(frames) <= _DEEPEST:
            yield tuple(frame.key for frame in frames), _Span(start, match.end())


def _next(frame: _Frame) -> None:
    if isinstance(frame.key, int):
        frame.key += 1
    frame.awaits_key = not frame.is_array


# -- writing --------------------------------------------------------------------------------------


def _value(text: str, span: _Span, source: str) -> str:
    """Return the JSON of a cell's new text in the form that the old one has."""
    old = text[span.start : span.end]
    if SURROGATE.search("".join(json.loads(old))) is not None:
        raise NotebookError("half of a character stands in a cell")
    if not old.startswith("["):
        return _quoted(source, text)
    items = [(match.start(), match.end(), match[0]) for match in _IN_LIST.finditer(old)]
    if not items:
        raise NotebookError("an empty cell would be filled")
    written = {json.loads(item): item for _, _, item in items}
    lines = _split(source, [json.loads(item) for _, _, item in items])
    before, after = old[: items[0][0]], old[items[-1][1] :]
    between = old[items[0][1] : items[1][0]] if len(items) > 1 else f",{before[1:] or ' '}"
    return before + between.join(written.get(ln) or _quoted(ln, text) for ln in lines) + after


def _split(source: str, before: list[str]) -> list[str]:
    """Return a text in lines as the old ones were divided."""
    lines = source.splitlines(keepends=True)
    return lines if before == "".join(before).splitlines(keepends=True) else _LINE.findall(source)


def _quoted(line: str, text: str) -> str:
    """Return a string as JSON: what is not ASCII is escaped unless the file has some."""
    return json.dumps(line, ensure_ascii=text.isascii())
