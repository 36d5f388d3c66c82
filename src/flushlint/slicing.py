"""The part of a module that the machine may run: the rest need not be parsed.

LibCST takes ten times as long for a line as it takes to see from its words that nothing that
matters calls the function it stands in. The body of such a function is left out, and all else stays
in its line and column.

What is kept is the code outside functions, each function behind which a process may start, fork or
end, and whatever one of these mentions, class or function, and so on. All goes by words: of two
functions of one name both are kept. That is more than can run, save what is called by a name that
is put together at run time, or that only the library knows; the machine says when it comes to such
a function, and the module is then parsed as a whole.
"""

from __future__ import annotations

import re
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
    from collections.abc import Iterable, Iterator

    from flushlint.outline import Definition, Outline

__all__ = ["LEFT_OUT", "sliced"]

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
    if len(text) < _SHORTEST or LEFT_OUT in text:
        return None
    found = outline(text)
    kept = _Kept(found, _ACTIVE.union(spawners)).definitions()
    out = list(_left_out(found.definitions, kept))
    if sum(one.end - one.body for one in out) < _LEAST_GAIN * len(text):
        return None
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
    """Finds out which definitions are kept. Each is known by where it starts."""

    def __init__(self, found: Outline, active: Iterable[str]) -> None:
        self._outline = found
        self._every = list(found.walk())
        self._words = {one.start: one.all_words() | one.header_words for one in self._every}
        self._active = self._closure(set(active))
        self._mentioned = set(found.toplevel_words)
        self._starts: set[int] = set()

    def definitions(self) -> set[int]:
        for one in self._every:
            if one.kind == "class":
                self._keep_what_runs(one)
            elif self._is_active(one):
                self._keep(one)
        size = -1
        while size != len(self._starts):
            size = len(self._starts)
            for one in self._every:
                if one.name in self._mentioned:
                    self._keep(one)
        return self._starts

    def _closure(self, active: set[str]) -> set[str]:
        """Return the names behind which one of the words stands; see `scope.closure`."""
        size = 0
        while len(active) != size:
            size = len(active)
            active.update(
                one.name for one in self._every if not self._words[one.start].isdisjoint(active)
            )
            active.update(name for name, other in self._outline.aliases if other in active)
        return active

    def _is_active(self, one: Definition) -> bool:
        words = self._words[one.start]
        return not (words.isdisjoint(self._active) and words.isdisjoint(_ASKED))

    def _keep_what_runs(self, one: Definition) -> None:
        """Keep a class with a method that is active, and `run`, which the library calls."""
        for method in one.inner:
            if self._is_active(method) or (method.name == "run" and one.name in self._active):
                self._mentioned.add(one.name)
                self._keep(method)

    def _keep(self, one: Definition) -> None:
        """Keep a function with all that is in it, of a class what Python calls by itself."""
        if one.start in self._starts:
            return
        self._starts.add(one.start)
        self._mentioned |= one.words if one.kind == "class" else self._words[one.start]
        for inner in one.inner:
            if one.kind == "def" or inner.kind == "class" or inner.name.startswith("__"):
                self._keep(inner)
