"""Modules are found where Python finds them, and nowhere else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from flushlint.project.folders import Folders, Found, Roots

if TYPE_CHECKING:
    from pathlib import Path


def make(root: Path, *paths: str) -> str:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return str(root)


def path_of(root: Path, name: str, *directories: str) -> str | None:
    found = Folders().find(name, Roots(directories or (str(root),)))
    return None if found is None or found.path is None else os.path.relpath(found.path, root)


def test_modules_packages_and_what_is_in_them(tmp_path: Path) -> None:
    make(tmp_path, "a.py", "p/__init__.py", "p/b.py", "p/q/__init__.py", "p/q/c.py")
    names = {"a": "a.py", "p": "p/__init__.py", "p.b": "p/b.py", "p.q.c": "p/q/c.py"}
    assert {name: path_of(tmp_path, name) for name in names} == names
    for name in ("b", "p.c", "a.b", "p.q.d", "", "P"):
        assert path_of(tmp_path, name) is None


def test_a_package_comes_before_a_module_and_a_namespace_last(tmp_path: Path) -> None:
    make(tmp_path, "a.py", "a/__init__.py", "b.py", "b/c.py", "n/d.py")
    assert path_of(tmp_path, "a") == "a/__init__.py"
    assert path_of(tmp_path, "b") == "b.py"
    found = Folders().find("n", Roots((str(tmp_path),)))
    assert found == Found(None, is_package=True, places=(str(tmp_path / "n"),))
    assert path_of(tmp_path, "n.d") == "n/d.py"


def test_a_namespace_may_have_several_portions(tmp_path: Path) -> None:
    make(tmp_path, "one/n/a.py", "two/n/b.py")
    roots = (str(tmp_path / "one"), str(tmp_path / "two"))
    assert path_of(tmp_path, "n.a", *roots) == "one/n/a.py"
    assert path_of(tmp_path, "n.b", *roots) == "two/n/b.py"


@pytest.mark.parametrize("name", ["os", "io", "sys", "multiprocessing", "gzip"])
def test_no_file_stands_for_what_the_tables_know(name: str, tmp_path: Path) -> None:
    make(tmp_path, f"{name}.py")
    assert path_of(tmp_path, name) is None
    listed = Roots((str(tmp_path),), own=frozenset({name}))
    assert Folders().find(name, listed) is not None


def test_other_modules_of_the_library_have_the_names_of_own_ones(tmp_path: Path) -> None:
    make(tmp_path, "p/__init__.py", "p/types.py", "p/main.py", "code.py")
    beside = Roots((str(tmp_path),), beside=(str(tmp_path / "p"),))
    assert Folders().find("code", beside) is not None
    assert Folders().find("types", beside) is None
    assert Folders().find("main", beside) is not None


def test_links_do_not_lead_out_of_the_project(tmp_path: Path) -> None:
    make(tmp_path, "outside/secret.py", "outside/p/__init__.py", "in/a.py")
    (tmp_path / "in" / "secret.py").symlink_to(tmp_path / "outside" / "secret.py")
    (tmp_path / "in" / "p").symlink_to(tmp_path / "outside" / "p")
    (tmp_path / "in" / "b.py").symlink_to(tmp_path / "in" / "a.py")
    root = str(tmp_path / "in")
    assert path_of(tmp_path, "secret", root) is None
    assert path_of(tmp_path, "p", root) is None
    assert path_of(tmp_path, "b", root) == "in/b.py"


def test_loops_of_links_end(tmp_path: Path) -> None:
    make(tmp_path, "p/__init__.py")
    (tmp_path / "p" / "q").symlink_to(tmp_path / "p")
    assert path_of(tmp_path, "p.q.q.q") == "p/q/q/q/__init__.py"


def test_names(tmp_path: Path) -> None:
    make(tmp_path, "src/p/__init__.py", "src/p/a.py", "tools/run-it.py")
    folders = Folders()
    roots = Roots((str(tmp_path), str(tmp_path / "src")))
    assert folders.name_of(str(tmp_path / "src/p/a.py"), Roots((str(tmp_path / "src"),))) == "p.a"
    assert folders.name_of(str(tmp_path / "src/p/__init__.py"), roots) == "src.p"
    assert folders.name_of(str(tmp_path / "tools/run-it.py"), roots) == ""


def test_installed_packages_and_the_library(tmp_path: Path) -> None:
    make(tmp_path, "site-packages/p/a.py", "lib/os.py", "lib/site.py", "lib/x/b.py", "own/c.py")
    folders = Folders()
    installed = {
        name: folders.is_installed(str(tmp_path / name))
        for name in ("site-packages/p", "lib", "lib/x", "own")
    }
    assert installed == {"site-packages/p": True, "lib": True, "lib/x": True, "own": False}
