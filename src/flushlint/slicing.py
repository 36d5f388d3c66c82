"""The part of a program that the machine may run: the rest need not be parsed.

LibCST takes ten times as long for a line as it takes to see from its words that nothing that
matters calls the function it stands in. The body of such a function is left out, and all else stays
in its line and column.

What is kept is the code outside functions, each function of the main module behind which a process
may start, fork or end, and whatever one of these mentions, class or function, and so on. All goes
by words: of two functions of one name both are kept. That is more than can run, save what is called
by a name that is put together at run time, or that only the library knows; the machine says when it
comes to such a function, and all is then parsed as a whole.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from flushlint.knowledge.blocking import KILLING_WORDS
from flushlint.knowledge.processes import (
    FORKS,
    HARD_EXITS,
    PARALLEL,
    POOL_TYPES,
    PROCESS_STARTERS,
    PROCESS_TYPES,
)
from flushlint.outline import outline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flushlint.outline import Definition, Outline

__all__ = ["LEFT_OUT", "sliced", "sliced_program"]

# The body of a function that is left out.
LEFT_OUT = "__flushlint_left_out__"
_STUB = f" {LEFT_OUT}"

# Below this share of the text, in code points, it does not pay.
_LEAST_GAIN = 0.4
_SHORTEST = 4_000
_ACTIVE = frozenset(
    name.rpartition(".")[2]
    for name in (
        *FORKS, *HARD_EXITS, *POOL_TYPES, *PROCESS_STARTERS, *PARALLEL, *PROCESS_TYPES,
        "os.kill", "signal.raise_signal",
    )
)  # fmt: skip
# What the machine asks of a module whether or not it is ever run.
_ASKED = KILLING_WORDS | {"finalize", "Finalize", "__name__", "__del__", "__set_name__"}
_NO_LINE_END = re.compile(r"[^\r\n]")


def sliced(text: str, spawners: Iterable[str] = ()) -> str | None:
    """Return the text of a module without what can't matter, None where little of it can't.

    `spawners` are the words that start a process by the user's tables. Whether what is left out
    is valid Python is not looked at.
    """
    found = sliced_program([text], spawners)
    return None if found is None else found[0]


def sliced_program(texts: Sequence[str], spawners: Iterable[str] = ()) -> list[str] | None:
    """Return the texts of a program's modules without what can't matter, the main module first.

    Of those that it imports only what is mentioned may run. None where little can't matter.
    """
    length = sum(map(len, texts))
    if length < _SHORTEST or any(LEFT_OUT in text for text in texts):
        return None
    outlines = [_outline(text) for text in texts]
    kept = _Kept(outlines, _ACTIVE.union(spawners)).definitions()
    out = [
        list(_left_out(one.definitions, starts)) for one, starts in zip(outlines, kept, strict=True)
    ]
    if sum(one.end - one.body for each in out for one in each) < _LEAST_GAIN * length:
        return None
    return [_without(text, each) for text, each in zip(texts, out, strict=True)]


@lru_cache(maxsize=256)
def _outline(text: str) -> Outline:
    return outline(text)


def _without(text: str, out: Iterable[Definition]) -> str:
    """Return a text without the bodies of some functions."""
    parts: list[str] = []
    last = 0
    for one in out:
        body = text[one.body : one.end]
        parts += (text[last : one.body], _STUB, _NO_LINE_END.sub("", body))
        last = one.end
    parts.append(text[last:])
    return "".join(parts)


def _left_out(definitions: Iterable[Definition], kept: set[int]) -> Iterator[Definition]:
    """Yield the functions outside functions that are not kept."""
    for one in definitions:
        if one.kind == "class":
            yield from _left_out(one.inner, kept)
        elif one.start not in kept:
            yield one


class _Kept:
    """Finds out which definitions are kept. Each is known by where it starts in its module."""

    def __init__(self, outlines: Sequence[Outline], active: Iterable[str]) -> None:
        self._outlines = outlines
        self._every = [
            (number, definition) for number, one in enumerate(outlines) for definition in one.walk()
        ]
        self._words = {
            (number, one.start): one.all_words() | one.header_words for number, one in self._every
        }
        self._active = self._closure(set(active))
        self._mentioned = set[str]().union(*(one.toplevel_words for one in outlines))
        self._starts: list[set[int]] = [set() for _ in outlines]

    def definitions(self) -> list[set[int]]:
        """Return where the definitions start that are kept, for each module."""
        for number, one in self._every:
            if number:
                continue  # functions of imported modules are no beginnings
            if one.kind == "class":
                self._keep_what_runs(number, one)
            elif self._is_active(number, one):
                self._keep(number, one)
        size = -1
        while size != sum(map(len, self._starts)):
            size = sum(map(len, self._starts))
            for number, one in self._every:
                if one.name in self._mentioned:
                    self._keep(number, one)
        return self._starts

    def _closure(self, active: set[str]) -> set[str]:
        """Return the names behind which one of the words stands; see `scope.closure`."""
        aliases = {pair for one in self._outlines for pair in one.aliases}
        size = 0
        while len(active) != size:
            size = len(active)
            active.update(
                one.name
                for number, one in self._every
                if not self._words[number, one.start].isdisjoint(active)
            )
            active.update(name for name, other in aliases if other in active)
        return active

    def _is_active(self, number: int, one: Definition) -> bool:
        words = self._words[number, one.start]
        return not (words.isdisjoint(self._active) and words.isdisjoint(_ASKED))

    def _keep_what_runs(self, number: int, one: Definition) -> None:
        """Keep a class with a method that is active, and `run`, which the library calls."""
        for method in one.inner:
            if self._is_active(number, method) or self._is_run(method, one):
                self._mentioned.add(one.name)
                self._keep(number, method)

    def _is_run(self, method: Definition, of: Definition) -> bool:
        return method.name == "run" and of.name in self._active

    def _keep(self, number: int, one: Definition) -> None:
        """Keep a function with all that is in it, of a class what Python calls by itself."""
        if one.start in self._starts[number]:
            return
        self._starts[number].add(one.start)
        is_class = one.kind == "class"
        self._mentioned |= one.words if is_class else self._words[number, one.start]
        for inner in one.inner:
            is_special = inner.name.startswith("__") or self._is_run(inner, one)
            if not is_class or inner.kind == "class" or is_special:
                self._keep(number, inner)
