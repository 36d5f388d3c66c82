"""Where a fix may stand: the functions on the way to a write, and the calls under way at an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flushlint.fixes.layout import Statement
    from flushlint.fixes.pages import Pages
    from flushlint.fixes.scene import Scene
    from flushlint.machine.trace import Path, Trace, Writing

__all__ = [
    "Level",
    "callers",
    "hoisted",
    "index_in",
    "knows",
    "levels",
    "locked_by",
    "statements_of",
]


class Level(NamedTuple):
    """A function, or a module, that is on the way to some writes; None is the main module.

    The statements of its body from `first` to `last` are those in which they are made.
    """

    function: cst.FunctionDef | cst.Module | None
    first: Statement
    last: Statement


def knows(layout: Pages, node: cst.CSTNode) -> bool:
    """Say whether a node stands in the text, and not in what the machine has made of it."""
    return node in layout.parents


def statements_of(scene: Scene, code: cst.CSTNode | None) -> tuple[Statement, ...]:
    """Return the statements in the body of a function, of the module if there is none."""
    body = getattr(scene.module if code is None else code, "body", None)
    holder = getattr(body, "body", body)
    if not isinstance(holder, (list, tuple)) or not holder or not knows(scene.layout, holder[0]):
        return ()
    return scene.layout.block_of(scene.layout.enclosing(holder[0])).statements


def index_in(layout: Pages, block: Sequence[Statement], node: cst.CSTNode | None) -> int | None:
    """Return which of some statements a node is part of, None if it is part of none."""
    while node is not None:
        for index, statement in enumerate(block):
            if statement is node:
                return index
        node = layout.parents.get(node)
    return None


def locked_by(scene: Scene, taken: cst.CSTNode) -> tuple[Statement, ...]:
    """Return the statements that a `with` holds a lock for, none if it is taken otherwise."""
    if not isinstance(taken, cst.WithItem) or not knows(scene.layout, taken):
        return ()
    return statements_of(scene, scene.layout.parents[taken])


def levels(scene: Scene, writings: Sequence[Writing], depth: int) -> Iterator[Level]:
    """Yield the functions on the way to all writes, outermost first, from this depth on.

    Each is followed by the blocks in it, except those of loops, in which all writes are made.
    """
    height = min((len(w.path) for w in writings), default=0)
    for level in range(depth, height):
        codes = {w.path[level].code for w in writings}
        if len(codes) > 1:
            return
        code = codes.pop()
        if code is None or isinstance(code, (cst.FunctionDef, cst.Module)):
            steps = [_next(w, level) for w in writings]
            yield from _in_block(scene, code, statements_of(scene, code), steps)


class _Next(NamedTuple):
    """The node by which a call leads on to a write, and whether it is made at once."""

    node: cst.CSTNode | None
    at_once: bool


def _next(writing: Writing, level: int) -> _Next:
    path = writing.path
    if level + 1 == len(path):
        return _Next(writing.node, at_once=True)
    call, code = path[level + 1].call, path[level + 1].code
    name = code.name.value if isinstance(code, cst.FunctionDef) else ""
    # What starts a thread or is given a callback runs the function at some later time.
    direct = not isinstance(call, cst.Call) or name.startswith("__")
    return _Next(call, at_once=direct or _word(call) == name)


def _word(call: cst.CSTNode | None) -> str:
    """Return the last part of the name under which something is called."""
    function = getattr(call, "func", None)
    return str(getattr(getattr(function, "attr", function), "value", ""))


def _in_block(
    scene: Scene,
    code: cst.FunctionDef | cst.Module | None,
    block: Sequence[Statement],
    steps: Sequence[_Next],
) -> Iterator[Level]:
    """Yield the statements of a block in which all writes are made, then of the blocks in them."""
    found: list[int] = []
    for step in steps:
        index = index_in(scene.layout, block, step.node)
        if index is None:
            return
        found.append(index)
    first, last = min(found), max(found)
    if any(_is_left_alone(scene, step, block) for step in steps):
        return
    if not all(step.at_once for step in steps):
        is_return = isinstance(block[-1], (cst.Return, cst.Raise))
        last = max(last, len(block) - 1 - is_return)
    yield Level(code, block[first], block[last])
    if first == last and isinstance(block[first], (cst.If, cst.With, cst.Try)):
        for inner in _blocks(scene, block[first]):
            yield from _in_block(scene, code, inner, steps)


def _is_left_alone(scene: Scene, step: _Next, block: Sequence[Statement]) -> bool:
    """Say whether a thread is started here that nobody waits for: it may write to the last."""
    if step.at_once or _word(step.node) != "start":
        return False
    return not any(".join(" in scene.code(statement) for statement in block)


def _blocks(scene: Scene, statement: cst.CSTNode) -> Iterator[tuple[Statement, ...]]:
    """Yield the blocks of a compound statement and of its clauses."""
    yield statements_of(scene, statement)
    clauses = [*getattr(statement, "handlers", ()), getattr(statement, "orelse", None)]
    for clause in (*clauses, getattr(statement, "finalbody", None)):
        if clause is not None:
            yield from _blocks(scene, clause)


def callers(layout: Pages, trace: Trace, node: cst.CSTNode) -> Iterator[Statement]:
    """Yield the statement of a node, then those that have called the function that it is in."""
    if not knows(layout, node):
        return
    statement = layout.enclosing(node)
    yield statement
    paths = trace.paths(statement)
    if not paths:
        return
    for active in reversed(_common(paths)):
        if active is None or not knows(layout, active):
            return
        yield layout.enclosing(active)


def _common(paths: Sequence[Path]) -> list[cst.CSTNode | None]:
    """Return the calls that lead to a place by every way, outermost first."""
    shortest = min(paths, key=len)
    calls = [active.call for active in shortest[1:]]
    if len(paths) == 1:
        return calls
    same = len(calls)
    for path in paths:
        other = [active.call for active in path[1:]]
        while same and other[-same:] != calls[-same:]:
            same -= 1
    return calls[len(calls) - same :]


def hoisted(
    layout: Pages, statement: Statement, writings: Sequence[Writing]
) -> Iterator[Statement]:
    """Yield the loops around a statement in which nothing is written, outermost first; then it."""
    loops: list[Statement] = []
    node: cst.CSTNode | None = statement
    while node is not None and not isinstance(node, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
        if isinstance(node, (cst.For, cst.While)):
            if any(_is_made_in(layout, node, w) for w in writings):
                break
            loops.append(node)
        node = layout.parents.get(node)
    yield from reversed(loops)
    yield statement


def _is_made_in(layout: Pages, node: Statement, writing: Writing) -> bool:
    """Say whether a write is made in a statement, by a call in it if not by itself."""
    nodes = [writing.node, *(a.call for a in writing.path if a.call is not None)]
    return any(index_in(layout, (node,), inner) is not None for inner in nodes)
