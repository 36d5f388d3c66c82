"""Saving a write where a process ends: in the functions that lead to it, outermost first."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import libcst as cst

from flushlint.fixes.places import levels, statements_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flushlint.fixes.case import Case
    from flushlint.fixes.edits import TextEdit
    from flushlint.fixes.layout import Statement
    from flushlint.fixes.places import Level
    from flushlint.fixes.proposal import Proposal
    from flushlint.fixes.saving import Saving
    from flushlint.machine.log import Loss
    from flushlint.machine.trace import Writing

__all__ = ["at_ends", "finalized"]

_FINALIZE = "multiprocessing.util.Finalize"


def at_ends(case: Case, loss: Loss) -> Iterator[Proposal]:
    """Save it in the outermost functions: after the last write, or whatever way they leave."""
    awkward: list[Proposal] = []
    for level in _levels(case):
        ends = list(_ends(case, level))
        for place in ends:
            is_last = place is ends[-1]
            for saving in case.savings(place.last, "after"):
                if saving.closes and not is_last:
                    continue  # what follows may still use the file, where nobody sees it
                edits = case.scene.layout.after(place.last, saving.lines)
                made = case.made(edits, saving, _end_of(case, place))
                if saving.is_awkward:
                    awkward += made
                else:
                    yield from made
            for saving in case.savings(place.first, "before", most=1):
                made = _finally(case, loss, place, saving, is_last=is_last)
                if saving.is_awkward:
                    awkward += made
                else:
                    yield from made
    yield from awkward


def _levels(case: Case) -> Iterator[Level]:
    """Yield the functions in whose body all writes are made, then those of the first one alone."""
    depth = case.process.depth if case.process.kind in ("process", "worker") else 0
    together = _of_one_root(case, depth)
    seen: set[cst.CSTNode | None] = set()
    for level in levels(case.scene, together, depth):
        seen.add(level.function)
        yield level
    alone = [w for w in together if w.node is case.write.node]
    for level in levels(case.scene, alone, depth):
        if level.function not in seen:
            seen.add(level.function)
            yield level


def _of_one_root(case: Case, depth: int) -> list[Writing]:
    """Return the writes that begin with the same call as the one that is to be saved."""
    deep = [w for w in case.writings if len(w.path) > depth]
    own = next((w for w in deep if w.node is case.write.node), None)
    if own is None:
        return []
    return [w for w in deep if w.path[depth].code is own.path[depth].code]


def _ends(case: Case, level: Level) -> Iterator[Level]:
    """Yield a block's writes, then all that follows them in it too, where the file is used on."""
    yield level
    block = case.scene.layout.block_of(level.last)
    last = len(block.statements) - 1 - isinstance(block.statements[-1], (cst.Return, cst.Raise))
    if last > block.index:
        yield level._replace(last=block.statements[last])


def _end_of(case: Case, level: Level) -> str:
    if not isinstance(level.function, cst.FunctionDef):
        return "after the last write"
    is_end = statements_of(case.scene, level.function)[-1] is level.last
    return f"{'at the end' if is_end else 'after the last write'} of `{level.function.name.value}`"


def _finally(
    case: Case, loss: Loss, level: Level, saving: Saving, *, is_last: bool
) -> Iterator[Proposal]:
    """Save it whatever happens: by `with` what the process owns, else by `finally`.

    A flush that stands there already moves into the `finally`.
    """
    if saving.imports or (saving.closes and not is_last):
        return
    function = level.function
    of = f" of `{function.name.value}`" if isinstance(function, cst.FunctionDef) else ""
    wrap = partial(case.scene.layout.wrap, level.first, level.last)
    owns = loss.stream.process == loss.process and case.process.kind == "process"
    if saving.verb == "close" and owns and len(saving.lines) == 1:
        edits = wrap(f"with {saving.expression}:", ())
        yield from case.made(edits, saving, f"at the end{of}")
    following = _following(case, level.last)
    if following is not None and (case.scene.code(following),) == saving.lines:
        edits = wrap("try:", ("finally:",), moved=following)
    elif isinstance(level.first, cst.Try) and level.first is level.last:
        edits = _in_try(case, level.first, saving.lines)
    else:
        edits = wrap("try:", ("finally:", *(f"\t{line}" for line in saving.lines)))
    yield from case.made(edits, saving, f"in a `finally`{of}")


def _in_try(case: Case, statement: cst.Try, lines: tuple[str, ...]) -> list[TextEdit] | None:
    """Put lines at the end of the `finally` of a `try` that is there, or give it one."""
    if statement.finalbody is None:
        return case.scene.layout.after(statement, ("finally:", *(f"\t{line}" for line in lines)))
    return case.scene.layout.after(statements_of(case.scene, statement.finalbody)[-1], lines)


def _following(case: Case, statement: Statement) -> Statement | None:
    block = case.scene.layout.block_of(statement)
    rest = block.statements[block.index + 1 :]
    return rest[0] if rest else None


def finalized(case: Case, loss: Loss) -> Iterator[Proposal]:
    """Let a worker close what it has opened when it leaves: its tasks go on using it."""
    opened = loss.stream.opened
    is_worker = case.act.log.processes[loss.process].kind == "worker"
    if not is_worker or opened is None or not case.knows(opened):
        return
    statement = case.scene.layout.enclosing(opened)
    for saving in case.savings(statement, "after", most=1):
        if saving.verb == "close" and len(saving.lines) == 1:
            close = saving.lines[0].removesuffix("()")
            line = f"{_FINALIZE}(None, {close}, exitpriority=10)"
            edits = case.scene.layout.after(statement, (line,))
            module = _FINALIZE.rpartition(".")[0]
            made = saving._replace(lines=(line,), imports=module)
            yield from case.made(edits, made, "when the worker ends")
