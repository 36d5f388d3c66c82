"""Imports run one way, and start-up imports nothing heavy."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import flushlint

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(flushlint.__file__).parent

ORDER = [
    "user_tables",
    "model",
    "unit",
    "module_names",
    "lines",
    "tokens",
    "outline",
    "magics",
    "knowledge",
    "gate",
    "guard",
    "source",
    "positions",
    "slicing",
    "notebook",
    "cell_writing",
    "machine",
    "needed",
    "parsed",
    "rules",
    "fixes",
    "engine",
    "fixing",
    "notebook_fixing",
    "python_version",
    "cores",
    "globs",
    "comments",
    "selection",
    "fixability",
    "suppression",
    "config_schema",
    "config",
    "git",
    "gitignore",
    "discovery",
    "project",
    "choosing",
    "documents",
    "work",
    "cache",
    "scanning",
    "executing",
    "workers",
    "executors",
    "report",
    "streams",
    "progress",
    "reporting",
    "writing",
    "diffs",
    "applying",
    "ahead",
    "checking",
    "cli",
    "flake8_plugin",
    "__main__",
]
"""Each module or sub-package may import those before it, at the top or where it is needed."""

HEAVY = {"libcst", "rich", "msgspec", "flake8", "pathspec"}


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_parts(path: Path) -> Iterator[str]:
    """Yield the parts of the package that a module imports, type-checking included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            root, _, rest = name.partition(".")
            if root == "flushlint" and rest and rest != "__version__":
                yield rest.partition(".")[0]


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def test_every_part_has_its_place() -> None:
    assert {part_of(path) for path in MODULES} == set(ORDER)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    part = part_of(path)
    allowed = {part, *ORDER[: ORDER.index(part)]}
    assert set(imported_parts(path)) <= allowed


def modules_after(code: str, directory: Path) -> set[str]:
    """Return the top-level modules that are loaded after `code` has run in a fresh process."""
    report = "import json, sys; sys.stderr.write(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"],
        cwd=directory,
        capture_output=True,
        check=True,
        text=True,
    )
    return {name.partition(".")[0] for name in json.loads(done.stderr)}


def run_of(*arguments: str) -> str:
    return f"from flushlint.cli import main; main({arguments!r})"


@pytest.mark.parametrize("output_format", ["concise", "full", "json"])
def test_a_run_that_the_gate_drops_imports_nothing_heavy(
    tmp_path: Path, output_format: str
) -> None:
    (tmp_path / "a.py").write_text("import multiprocessing\nx = open('a', 'w')\n")
    (tmp_path / "pyproject.toml").write_text("[project]\nrequires-python = '>=3.10'\n")
    loaded = modules_after(run_of("check", "--output-format", output_format, "."), tmp_path)
    assert "flushlint" in loaded
    # Nor what is slow to import and easy to do without.
    slow = {"dataclasses", "inspect", "pathlib", "shutil", "subprocess", "tomllib", "tomli"}
    assert loaded.isdisjoint(HEAVY | slow)


def test_only_a_gitignore_costs_the_library_that_reads_it(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / ".gitignore").write_text("# nothing yet\n")
    assert "pathspec" not in modules_after(run_of("check", "."), tmp_path)
    (tmp_path / ".gitignore").write_text("b.py\n")
    assert "pathspec" in modules_after(run_of("check", "."), tmp_path)
    assert "pathspec" not in modules_after(run_of("check", "a.py"), tmp_path)


def test_fixing_imports_nothing_heavy_either_where_the_gate_drops_all(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import multiprocessing\nx = open('a', 'w')\n")
    assert modules_after(run_of("check", "--fix", "."), tmp_path).isdisjoint(HEAVY)


@pytest.mark.parametrize("command", [("--version",), ("rule", "FLU101"), ("check", "--help")])
def test_so_do_the_other_commands(tmp_path: Path, command: tuple[str, ...]) -> None:
    assert modules_after(run_of(*command), tmp_path).isdisjoint(HEAVY)


def test_the_flake8_plugin_imports_nothing_heavy(tmp_path: Path) -> None:
    loaded = modules_after("import flushlint.flake8_plugin", tmp_path)
    assert loaded.isdisjoint(HEAVY)


def test_a_file_without_findings_costs_no_report_and_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import os\nif os.fork() == 0:\n    os._exit(0)\n")
    loaded = modules_after(run_of("check", "--output-format", "full", "."), tmp_path)
    assert loaded.isdisjoint({"rich", "msgspec", "flake8"})
