from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from flushlint.config import Configuration
from flushlint.discovery import (
    DEFAULT_EXCLUDES,
    FileOptions,
    SourceFile,
    discover,
    is_passed_over,
    read_bytes,
    read_cause,
)
from flushlint.model import InputError

NO_OPTIONS = FileOptions()
FORCED = FileOptions(force_exclude=True)


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def tree(*paths: str) -> None:
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text("x = 1\n")


def found(*arguments: str, options: FileOptions = NO_OPTIONS) -> list[str | InputError]:
    items = discover(arguments, Configuration(), options)
    return [item.path if isinstance(item, SourceFile) else item for item in items]


def test_a_directory_is_walked_by_name() -> None:
    tree("b.py", "a/z.py", "a/b/c.py", "a.py", "a/a.py", "c.txt", "d.pyi", "e.pyc", "py")
    tree("a/n.ipynb", "a/.ipynb_checkpoints/n-checkpoint.ipynb")
    assert found(".") == ["a/a.py", "a/b/c.py", "a/n.ipynb", "a/z.py", "a.py", "b.py"]


def test_paths_are_written_as_the_user_would() -> None:
    tree("a/b.py")
    assert found("a") == found("a/") == found("./a") == found(".//a/b.py") == ["a/b.py"]
    assert found(os.path.abspath("a")) == [os.path.abspath("a/b.py")]
    Path("c").mkdir()
    os.chdir("c")
    assert found("..") == ["../a/b.py"]


def test_each_file_comes_once() -> None:
    tree("a/b.py", "c.py")
    assert found("a/b.py", "a", ".", os.path.abspath("c.py")) == ["a/b.py", "c.py"]


def test_a_named_file_needs_no_suffix() -> None:
    tree("script", "notes.txt")
    assert found("script", "notes.txt") == ["script", "notes.txt"]


@pytest.mark.parametrize("name", sorted({*DEFAULT_EXCLUDES, "__pycache__"}))
def test_default_excludes(name: str) -> None:
    tree(f"a/{name}/b.py", f"a/{name}x/c.py")
    assert found(".") == [f"a/{name}x/c.py"]


def test_names_that_ruff_does_not_pass_over() -> None:
    tree(".github/a.py", "build/b.py", "env/c.py", ".d.py")
    assert found(".") == [".d.py", ".github/a.py", "build/b.py", "env/c.py"]


def test_a_named_directory_is_checked_with_all_that_is_in_it() -> None:
    tree(".venv/lib/site-packages/a.py", ".venv/dist/b.py", ".venv/lib/site-packages/dist/c.py")
    assert found(".") == []
    everything = [
        ".venv/dist/b.py",
        ".venv/lib/site-packages/a.py",
        ".venv/lib/site-packages/dist/c.py",
    ]
    assert found(".venv") == everything
    assert found(".venv/lib/site-packages") == everything[1:]
    assert found(os.path.abspath(".venv/lib/site-packages")) == [
        os.path.abspath(path) for path in everything[1:]
    ]


def test_excludes_apply_below_a_directory_that_is_none() -> None:
    tree("a/dist/b.py", "a/c.py")
    assert found("a") == ["a/c.py"]


def test_directories_above_do_not_matter() -> None:
    tree("dist/project/.venv/a.py", "dist/project/b.py")
    os.chdir("dist/project")
    assert found(".") == ["b.py"]
    assert found(os.getcwd()) == [os.path.abspath("b.py")]


class TestConfigured:
    def test_patterns_apply_to_files_and_directories(self) -> None:
        tree("a/x.py", "a/gen/y.py", "b/gen/z.py", "c_pb2.py", "d.py")
        write_config('exclude = ["a/gen", "*_pb2.py"]')
        assert found(".") == ["a/x.py", "b/gen/z.py", "d.py"]
        assert found("a", "b") == ["a/x.py", "b/gen/z.py"]

    def test_exclude_stands_instead_of_the_defaults(self) -> None:
        tree("dist/a.py", "b.py", "c.py", "c/__pycache__/d.py", ".git/e.py")
        write_config('exclude = ["c.py"]')
        assert found(".") == ["b.py", "dist/a.py"]
        assert found("dist", options=FORCED) == ["dist/a.py"]
        write_config("exclude = []")
        assert found(".") == ["b.py", "c.py", "dist/a.py"]

    def test_extend_exclude_adds_to_them(self) -> None:
        tree("dist/a.py", "b.py", "c.py", "d.py")
        write_config('extend-exclude = ["c.py"]')
        assert found(".") == ["b.py", "d.py"]
        assert found("b.py", "c.py", "dist/a.py", options=FORCED) == ["b.py"]
        write_config('exclude = ["b.py"]\nextend-exclude = ["c.py"]')
        assert found(".") == ["d.py", "dist/a.py"]

    def test_what_is_named_is_checked_all_the_same(self) -> None:
        tree("vendor/a.py", "vendor/deep/b.py", "c_pb2.py")
        write_config('exclude = ["vendor", "vendor/deep", "*_pb2.py"]')
        assert found("vendor", "c_pb2.py") == ["vendor/a.py", "vendor/deep/b.py", "c_pb2.py"]
        assert found("vendor/deep") == ["vendor/deep/b.py"]

    def test_unless_exclusion_is_forced(self) -> None:
        tree("vendor/a.py", ".venv/b.py", "c.py", "d/e.py")
        write_config('extend-exclude = ["vendor"]')
        arguments = ("vendor", "vendor/a.py", ".venv", ".venv/b.py", "c.py", "d")
        assert found(*arguments, options=FORCED) == ["c.py", "d/e.py"]

    def test_each_directory_has_its_own(self) -> None:
        tree("a/x.py", "a/y.py", "b/x.py", "b/y.py")
        write_config('exclude = ["x.py"]', "a")
        write_config('exclude = ["y.py"]')
        assert found(".") == ["a/y.py", "b/x.py"]

    def test_a_wrong_one_costs_its_own_directory(self) -> None:
        tree("a/x.py", "b/x.py")
        write_config("exclude = 1", "a")
        error, path = found(".")
        assert isinstance(error, InputError)
        assert (error.path, path) == (os.path.join("a", "pyproject.toml"), "b/x.py")


class TestOnTheCommandLine:
    def test_exclude_stands_instead_of_the_others(self) -> None:
        tree("dist/a.py", "b.py", "c.py", "d.py")
        options = FileOptions(exclude=("b.py",))
        assert found(".", options=options) == ["c.py", "d.py", "dist/a.py"]
        write_config('exclude = ["c.py"]\nextend-exclude = ["d.py"]')
        assert found(".", options=options) == ["c.py", "dist/a.py"]

    def test_extend_exclude_adds_to_them(self) -> None:
        tree("dist/a.py", "b.py", "c.py", "d.py")
        options = FileOptions(extend_exclude=("b.py",))
        assert found(".", options=options) == ["c.py", "d.py"]
        write_config('exclude = ["c.py"]\nextend-exclude = ["d.py"]')
        assert found(".", options=options) == ["dist/a.py"]

    def test_patterns_are_relative_to_the_current_directory(self) -> None:
        tree("p/a/x.py", "p/b/x.py", "p/b/a/x.py")
        write_config("", "p")
        os.chdir("p/b")
        assert found("..", options=FileOptions(extend_exclude=("a/*",))) == [
            "../a/x.py",
            "../b/x.py",
        ]

    def test_what_is_named_is_checked_unless_exclusion_is_forced(self) -> None:
        tree("a/x.py", "b.py")
        options = FileOptions(extend_exclude=("a", "b.py"))
        assert found("a", "b.py", options=options) == ["a/x.py", "b.py"]
        forced = options._replace(force_exclude=True)
        assert found("a", "a/x.py", "b.py", options=forced) == []
        for name in ("a/x.py", "b.py"):
            assert is_passed_over(name, Configuration(), forced)
            assert not is_passed_over(name, Configuration(), options)
        assert not is_passed_over("c.py", Configuration(), forced)

    def test_a_wrong_configuration_is_left_to_the_reader(self) -> None:
        write_config("exclude = 1")
        assert not is_passed_over("c.py", Configuration(), FORCED)


def write_config(line: str, directory: str = ".") -> None:
    Path(directory, "pyproject.toml").write_text(f"[tool.flushlint]\n{line}\n")


class TestOddThings:
    def test_a_directory_with_the_name_of_a_module_is_walked(self) -> None:
        tree("x.py/a.py", "y/z.py/b.py")
        assert found(".") == found("x.py", "y") == ["x.py/a.py", "y/z.py/b.py"]

    def test_a_link_loop_ends(self) -> None:
        tree("a/b.py")
        Path("a/loop").symlink_to("..")
        Path("a/self").symlink_to("self")
        Path("a/dir.py").symlink_to(".")
        assert found(".") == ["a/b.py"]

    def test_a_named_link_to_a_directory_is_followed(self) -> None:
        tree("a/b.py")
        Path("link").symlink_to("a")
        assert found("link") == ["link/b.py"]

    def test_a_link_to_a_file_is_a_file(self) -> None:
        tree("a.txt")
        Path("b.py").symlink_to("a.txt")
        assert found(".") == ["b.py"]

    @pytest.mark.parametrize("target", ["nowhere", "x.py"])
    def test_a_dangling_link_is_left_to_its_reader(self, target: str) -> None:
        Path("x.py").symlink_to(target)
        assert found(".") == found("x.py") == ["x.py"]
        with pytest.raises(OSError, match=r".") as caught:
            read_bytes(SourceFile("x.py", os.path.abspath("x.py")))
        assert read_cause("x.py", caught.value) in {
            "dangling symbolic link",
            "too many levels of symbolic links",
        }

    def test_an_editors_lock_is_no_source(self) -> None:
        Path(".#x.py").symlink_to("user@host.1234")
        assert found(".") == []

    def test_a_pipe_is_no_source(self) -> None:
        os.mkfifo("x.py")
        Path("y.py").symlink_to("x.py")
        assert found(".") == []

    def test_a_missing_path_is_left_to_its_reader(self) -> None:
        assert found("none.py", "none") == ["none.py", "none"]
        with pytest.raises(FileNotFoundError) as caught:
            read_bytes(SourceFile("none.py", os.path.abspath("none.py")))
        assert read_cause("none.py", caught.value) == "no such file or directory"

    def test_a_directory_that_cannot_be_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        tree("a/b.py", "c.py")
        scandir = os.scandir

        def refuse(path: str) -> object:
            if path.endswith("a"):
                raise PermissionError(13, "Permission denied")
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refuse)
        assert found(".") == [InputError("a", None, "permission denied"), "c.py"]

    def test_a_tree_deeper_than_pythons_stack(self) -> None:
        depth = 1200
        for _ in range(depth):
            os.mkdir("d")
            os.chdir("d")
        tree("x.py")
        for _ in range(depth):
            os.chdir("..")
        deep = "d/" * depth
        assert found(".") == [f"{deep}x.py"]
        # pytest's own cleaning up is not made for this.
        os.remove(f"{deep}x.py")
        os.removedirs(deep)


def test_ten_thousand_files_take_well_under_a_second() -> None:
    for package in range(500):
        os.mkdir(f"p{package}")
        for module in range(20):
            os.close(os.open(f"p{package}/m{module}.py", os.O_CREAT | os.O_WRONLY))
    begin = time.perf_counter()
    assert len(found(".")) == 10_000
    assert time.perf_counter() - begin < 1
