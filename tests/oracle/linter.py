"""The linter's side of the comparison: its findings for a fixture, in the form of markers."""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from flushlint import cli
from flushlint.engine import check_source
from flushlint.model import AnalysisOptions, StartMethod
from tests.oracle.fixture import OLDEST_PYTHON, Fixture, Marker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.oracle.project import Project
    from tests.oracle.run import Tree

__all__ = ["findings", "findings_of_project", "fixed_project", "options_for"]


def options_for(fixture: Fixture, start_method: StartMethod | None) -> AnalysisOptions:
    """Return what the analysis of a fixture is told: its start method and its lowest Python."""
    version = fixture.min_python if fixture.min_python > OLDEST_PYTHON else None
    return AnalysisOptions(start_method=start_method, python_version=version)


def findings(fixture: Fixture, start_method: StartMethod | None) -> frozenset[Marker]:
    """Return flushlint's findings for a fixture, None standing for an unset start method.

    What is opt-in counts where the fixture selects its code.

    Raises AssertionError if the fixture is not analysed at all.
    """
    options = options_for(fixture, start_method)
    analysis = check_source(fixture.path.read_bytes(), fixture.path.name, options)
    assert analysis.error is None, analysis.error
    return frozenset(
        Marker(one.span.start.line, one.code)
        for one in analysis.diagnostics
        if not one.opt_in or one.code in fixture.selected
    )


def findings_of_project(
    project: Project, start_method: StartMethod | None, paths: Sequence[str] = (".",)
) -> frozenset[Marker]:
    """Return what `flushlint check PATHS` finds in a copy of the project's folder.

    `paths` are relative to the folder, which is the current directory of the command. Of
    configurations only the project's own counts.

    Raises AssertionError if the command fails, or says anything about an error.
    """
    with _copy(project):
        status, out, err = _run(["check", *_options(project, start_method), *paths])
    assert status in (0, 1), err
    assert not err, err
    return frozenset(
        Marker(one["location"]["row"], one["code"], _relative(one["filename"]))
        for one in json.loads(out)
    )


def fixed_project(project: Project, start_method: StartMethod | None) -> tuple[Tree, bool]:
    """Return what `flushlint check --fix .` makes of a project, and whether nothing is left.

    Raises AssertionError if the command fails, or says anything about an error.
    """
    with _copy(project):
        status, _, err = _run(["check", "--fix", *_options(project, start_method), "."])
        files = {name: Path(name).read_bytes() for name in project.tree.files}
    assert status in (0, 1), err
    return replace(project.tree, files=files), status == 0


def _options(project: Project, start_method: StartMethod | None) -> list[str]:
    options = ["--output-format", "json", "--quiet"]
    if "pyproject.toml" not in project.tree.files:
        options.append("--isolated")
    if start_method is not None:
        options += ["--start-method", start_method]
    if project.min_python > OLDEST_PYTHON:
        options += ["--python-version", ".".join(map(str, project.min_python))]
    if project.selected:
        options += ["--extend-select", ",".join(project.selected)]
    return options


@contextlib.contextmanager
def _copy(project: Project) -> Iterator[None]:
    """Have a copy of the project's folder for the current directory."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="project-") as scratch:
        # A folder further down: modules that lie about in TMPDIR are not beside it.
        folder = Path(scratch, project.name)
        for name, data in project.tree.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def _run(arguments: Sequence[str]) -> tuple[int, str, str]:
    """Run the command in this process; return its status and what it writes."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = cli.main(arguments)
    return status, _text(out), _text(err)


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def _relative(path: str) -> str:
    return os.path.normpath(path).replace(os.sep, "/")
