"""What belongs under the main guard: files that each child would empty, processes it would start.

Both change what the import of the module does elsewhere, so neither is safe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from flushlint.fixes.places import index_in, knows, statements_of
from flushlint.fixes.proposal import Proposal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flushlint.fixes.scene import Scene

__all__ = ["opened_under_guard", "started_under_guard"]

_GUARD = 'if __name__ == "__main__":'
_DEFINITIONS = (cst.FunctionDef, cst.ClassDef, cst.Import, cst.ImportFrom)


def opened_under_guard(scene: Scene, opener: cst.CSTNode) -> Iterator[Proposal]:
    """Move the statement that opens a file into the main guard that is there."""
    if not knows(scene.layout, opener):
        return
    statement = scene.layout.enclosing(opener)
    module = statements_of(scene, None)
    guard = next((s for s in module if isinstance(s, cst.If) and scene.is_main_guard(s)), None)
    if guard is None or statement not in module:
        return
    removed = scene.layout.cut(statement)
    line = scene.code(statement)
    put = scene.layout.before(statements_of(scene, guard)[0], (line,))
    if removed is not None and put is not None and "\n" not in line:
        why = "a module that imports this one no longer finds the file open"
        yield Proposal([removed, *put], "open", "the file", f"under `{_GUARD}`", why)


def started_under_guard(scene: Scene, start: cst.CSTNode) -> Iterator[Proposal]:
    """Put what starts processes under a main guard, with all that follows, and what leads to it."""
    module = statements_of(scene, None)
    index = index_in(scene.layout, module, start)
    if index is None:
        return
    why = "a module that imports this one no longer runs it"
    first = index
    while first > 0 and not isinstance(module[first - 1], _DEFINITIONS):
        first -= 1
    for statement in module[first : index + 1]:
        edits = scene.layout.wrap(statement, module[-1], _GUARD, ())
        if edits is not None:
            yield Proposal(edits, "put", "what starts processes", f"under `{_GUARD}`", why)
