"""Every project three ways: what its run does, what its markers say, what flushlint finds.

tests/projects/README.md describes projects.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.oracle import (
    Interpreter,
    Marker,
    Project,
    chosen_interpreters,
    classes_of,
    expected_verdict,
    findings_of_project,
    fixed_project,
    found_interpreters,
    judge,
    judge_fixed,
    load_projects,
    shown_verdict,
)
from tests.oracle.project import PROJECTS as FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.mark import ParameterSet

    from flushlint.model import StartMethod

PROJECTS = load_projects()
NEWEST = chosen_interpreters()[-1]
"""Buffers differ by version, which single files show; imports do not."""

projects = pytest.mark.parametrize("project", [pytest.param(one, id=one.name) for one in PROJECTS])


def runs() -> Iterator[ParameterSet]:
    for project in PROJECTS:
        for method in project.start_methods:
            for interpreter in found_interpreters():
                if project.runs_on(interpreter.minor):
                    marks = () if interpreter == NEWEST else (pytest.mark.matrix,)
                    name = f"{project.name}-{method}-{interpreter}"
                    yield pytest.param(project, method, interpreter, id=name, marks=marks)


def analyses() -> Iterator[ParameterSet]:
    for project in PROJECTS:
        for method in project.start_methods:
            yield pytest.param(project, method, id=f"{project.name}-{method}")


@pytest.mark.parametrize(("project", "method", "interpreter"), list(runs()))
def test_run_shows_what_the_markers_say(
    project: Project, method: StartMethod, interpreter: Interpreter
) -> None:
    results = [judge(job) for job in project.jobs(method, interpreter.path)]
    expected = expected_verdict(project, method, interpreter.minor)
    assert expected in (None, shown_verdict(project, method, results)), results
    unexpected = [line for result in results for line in result.exceptions]
    if not project.crash and "crash" not in classes_of(project.codes(method)):
        assert not unexpected, "a traceback that nothing announces"


@pytest.mark.parametrize(("project", "method"), list(analyses()))
def test_findings_are_the_markers(project: Project, method: StartMethod) -> None:
    assert findings_of_project(project, method) == project.markers[method]


@projects
def test_order_of_the_files_changes_nothing(project: Project) -> None:
    method = project.start_methods[0]
    modules = project.modules()
    forwards = findings_of_project(project, method, modules)
    assert forwards == findings_of_project(project, method)
    assert forwards == findings_of_project(project, method, modules[::-1])
    assert forwards == findings_of_project(project, method, [*modules[1::2], *modules[::2]])


@projects
def test_one_file_alone_agrees_with_the_project(project: Project) -> None:
    """Who imports a file is looked up in both cases."""
    method = project.start_methods[0]
    whole = findings_of_project(project, method)
    for module in project.modules():
        assert findings_of_project(project, method, [module]) == _in_file(module, whole)


def losing() -> Iterator[ParameterSet]:
    for project in PROJECTS:
        for method in project.start_methods:
            if project.markers[method]:
                yield pytest.param(project, method, id=f"{project.name}-{method}")


# No fix of these is safe: what a child imports, or is sent, would be another.
NEVER_SAFE = frozenset({"FLU203", "FLU301", "FLU302", "FLU303", "FLU304"})


@pytest.mark.parametrize(("project", "method"), list(losing()))
def test_what_is_fixed_loses_nothing(project: Project, method: StartMethod) -> None:
    """A project with nothing left to find leaves what it was meant to leave; none gets worse."""
    fixed, is_clean = fixed_project(project, method)
    assert (fixed == project.tree) is (project.codes(method) <= NEVER_SAFE)
    allowed = frozenset() if is_clean else classes_of(project.codes(method))
    for job in project.jobs(method, NEWEST.path) if fixed != project.tree else ():
        assert judge_fixed(job, fixed).verdict <= allowed


def _in_file(path: str, found: frozenset[Marker]) -> frozenset[Marker]:
    return frozenset(one for one in found if one.path == path)


def test_there_are_many_and_at_least_half_are_look_alikes() -> None:
    assert len(PROJECTS) >= 40
    assert 2 * sum(project.is_look_alike for project in PROJECTS) >= len(PROJECTS)


def test_every_project_has_several_modules() -> None:
    assert not [one.name for one in PROJECTS if len(one.modules()) < 2]


def test_every_form_of_import_is_shown_both_ways() -> None:
    """The table of README.md names projects that are there, in the column where they belong."""
    known = {project.name: project for project in PROJECTS}
    rows = [line.split("|")[1:4] for line in _table()]
    assert len(rows) >= 30
    for _, finding, harmless in rows:
        names = [re.findall(r"\w+", cell) for cell in (finding, harmless)]
        assert all(names)
        assert not [name for name in names[0] if known[name].is_look_alike]
        assert not [name for name in names[1] if not known[name].is_look_alike]


def _table() -> list[str]:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    _, _, last = text.partition("\n## ")
    return [line for line in last.splitlines() if line.startswith("|")][2:]
