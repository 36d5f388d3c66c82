"""Projects: fixtures that are folders of modules. tests/projects/README.md describes them."""

from __future__ import annotations

import posixpath
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.oracle.fixture import Directives, Fixture, FixtureError, read_lines, read_markers
from tests.oracle.run import Job, Tree

if TYPE_CHECKING:
    from flushlint.model import StartMethod
    from tests.oracle.fixture import Marker

__all__ = ["PROJECTS", "Project", "load_project", "load_projects"]

PROJECTS: Final = Path(__file__).resolve().parent.parent / "projects"


@dataclass(frozen=True)
class Project(Fixture):
    """A program of several files. `path` is its folder, `tree` what is run of it."""

    tree: Tree

    @property
    def entry(self) -> str:
        """The file that is run, relative to the folder."""
        is_module = self.tree.command[0] == "-m"
        name = self.tree.command[is_module]
        if not is_module:
            return posixpath.normpath(posixpath.join(self.tree.directory, name))
        stem = name.replace(".", "/")
        candidates = [
            posixpath.normpath(posixpath.join(root, stem + end))
            for root in (self.tree.directory, *self.tree.roots)
            for end in (".py", "/__main__.py")
        ]
        return next(one for one in candidates if one in self.tree.files)

    def modules(self) -> list[str]:
        """Return the Python files, relative to the folder, in order of their names."""
        return sorted(name for name in self.tree.files if name.endswith(".py"))

    def jobs(self, start_method: StartMethod, python: str) -> list[Job]:
        """Return the runs that the project asks for under one start method."""
        ordered = self.ordered or "FLU202" in self.codes(start_method)
        return [
            Job(self.tree, python, self.name, start_method, arguments, self.stdin, ordered)
            for arguments in self.argument_lists
        ]


def load_projects(root: Path = PROJECTS) -> list[Project]:
    """Read all projects in `root`, in order of their names."""
    return [load_project(path) for path in sorted(root.iterdir()) if path.is_dir()]


def load_project(folder: Path) -> Project:
    """Read one project.

    Raises FixtureError on a directive or a marker that can't be understood, and where several
    files have directives.
    """
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    lines = {name: read_lines(data) for name, data in files.items() if name.endswith(".py")}
    try:
        directives = _read_directives(lines)
        markers = _markers(lines, directives.start_methods)
    except FixtureError as error:
        message = f"{folder}: {error}"
        raise FixtureError(message) from None
    return Project(
        name=folder.name,
        path=folder,
        start_methods=directives.start_methods,
        markers=markers,
        argument_lists=tuple(directives.argument_lists) or ((),),
        min_python=directives.min_python,
        max_python=directives.max_python,
        stdin=directives.stdin,
        crash=directives.crash,
        ordered=directives.ordered,
        overflow=directives.overflow,
        selected=directives.selected,
        tree=Tree(
            files,
            directives.command,
            directives.directory,
            directives.roots,
        ),
    )


class _Directives(Directives):
    """Those of a project also say what is run, and where."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.command: tuple[str, ...] = ("main.py",)
        self.directory = "."
        self.roots: tuple[str, ...] = ()

    def apply(self, key: str, value: str) -> None:
        self.count += 1
        if key == "run":
            self.command = tuple(shlex.split(value))
        elif key == "directory":
            self.directory = value
        elif key == "roots":
            self.roots = tuple(item.strip() for item in value.split(","))
        else:
            super().apply(key, value)


def _read_directives(lines: dict[str, list[str]]) -> _Directives:
    found = _Directives()
    for text in lines.values():
        before = found.count
        found.read(text)
        if 0 < before < found.count:
            message = "directives in more than one file"
            raise FixtureError(message)
    return found


def _markers(
    lines: dict[str, list[str]], start_methods: tuple[StartMethod, ...]
) -> dict[StartMethod, frozenset[Marker]]:
    """Collect the markers of all files."""
    of_files = [read_markers(text, start_methods, name) for name, text in lines.items()]
    return {
        method: frozenset().union(*(markers[method] for markers in of_files))
        for method in start_methods
    }
