"""The analysis of one program as a piece of work: what it needs goes in, what is said comes out.

It reads no file and writes none, so that it can be done in any process, on any machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from flushlint.lines import internal_error
from flushlint.model import AnalysisOptions, Diagnostic, InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from flushlint.choosing import Choices
    from flushlint.unit import Unit

__all__ = ["Outcome", "Task", "analyse", "size"]


_ELSEWHERE = "it edits a file that is not checked"


@dataclass(frozen=True, slots=True)
class Task:
    """A program, what to assume of it, and what counts in those of its files that are checked."""

    unit: Unit
    options: AnalysisOptions
    choices: Choices
    with_fixes: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """The findings in a program that may count, with fixes of those that do, or why it has none."""

    diagnostics: tuple[Diagnostic, ...] = ()
    error: InputError | None = None


def analyse(task: Task) -> Outcome:
    """Analyse a program. An error of flushlint itself is one of the file in which it begins."""
    from flushlint import engine

    unit = task.unit
    wanted = partial(_wanted, task) if task.with_fixes else None
    try:
        analysis = engine.check_unit(unit, task.options, wanted=wanted)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - LibCST's native panics are no Exception
        return Outcome(error=InputError(unit.main.path, None, internal_error(error)))
    checked = task.choices.by_path
    found = (one for one in analysis.diagnostics if one.path in checked)
    return Outcome(tuple(_within(one, checked) for one in found), analysis.error)


def _within(diagnostic: Diagnostic, checked: Collection[str]) -> Diagnostic:
    """Return a finding whose fixes of files that are not checked are for people to read."""
    fixes = tuple(
        fix
        if all(edit.path in checked for edit in fix.edits)
        else replace(fix, applicability="display-only", reason=_ELSEWHERE)
        for fix in diagnostic.fixes
    )
    return diagnostic if fixes == diagnostic.fixes else replace(diagnostic, fixes=fixes)


def size(task: Task) -> int:
    """Return how many bytes of source a task holds."""
    return sum(len(file.data) for file in task.unit.files().values())


def _wanted(task: Task, diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    contents = {path: file.data for path, file in task.unit.files().items()}
    return task.choices.fixable(contents, diagnostics)
