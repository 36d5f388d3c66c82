"""Which files are found inside git work trees, asked of a real git, and without it."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flushlint import git as git_module
from flushlint.config import Configuration
from flushlint.discovery import FileOptions, SourceFile, discover
from flushlint.git import Listing
from flushlint.model import InputError

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go to an empty directory, with a git that nobody has configured."""
    for name in os.environ:
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    (tmp_path / "p").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.chdir(tmp_path / "p")


@pytest.fixture(params=["git", "no git"])
def _with_and_without_git(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "no git":
        monkeypatch.setattr(git_module, "_program", lambda: None)


both_ways = pytest.mark.usefixtures("_with_and_without_git")


def git(*arguments: str, directory: str = ".") -> str:
    identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
    done = subprocess.run(
        ("git", "-c", "protocol.file.allow=always", *identity, *arguments),
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=True,
        text=True,
    )
    return done.stdout


def repository(directory: str, *paths: str, ignored: str = "") -> None:
    """Make a repository with files that are not tracked, and a `.gitignore`."""
    Path(directory).mkdir(parents=True, exist_ok=True)
    git("init", "--quiet", directory=directory)
    tree(*(os.path.join(directory, path) for path in paths))
    if ignored:
        Path(directory, ".gitignore").write_text(ignored)


def tree(*paths: str) -> None:
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text("x = 1\n")


def found(
    *arguments: str, respect_gitignore: bool | None = None, force_exclude: bool = False
) -> list[str | InputError]:
    options = FileOptions(force_exclude=force_exclude, respect_gitignore=respect_gitignore)
    items = discover(arguments, Configuration(), options)
    return [item.path if isinstance(item, SourceFile) else item for item in items]


def write_config(line: str, directory: str = ".") -> None:
    Path(directory, "pyproject.toml").write_text(f"[tool.flushlint]\n{line}\n")


def count_runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list to which the directory of each run of git is added from now on."""
    asked: list[str] = []
    ask = git_module._ask

    def counted(directory: str) -> tuple[bytes, bytes] | None:
        asked.append(directory)
        return ask(directory)

    monkeypatch.setattr(git_module, "_ask", counted)
    return asked


@both_ways
class TestWhatIsIgnored:
    def test_is_passed_over(self) -> None:
        repository(".", "a.py", "gen/b.py", "sub/c.py", "sub/gen/d.py", "e_pb2.py", "n.ipynb")
        Path(".gitignore").write_text("gen/\n*_pb2.py\n")
        assert found(".") == ["a.py", "n.ipynb", "sub/c.py"]

    def test_by_the_files_above_and_below(self) -> None:
        repository(".", "a/x.py", "a/y.py", "a/b/x.py", "a/b/z.py", ignored="x.py\n")
        Path("a/.gitignore").write_text("/y.py\n!b/x.py\n")
        Path("a/b/.gitignore").write_text("z.py\n")
        assert found(".") == found("a") == ["a/b/x.py"]
        assert found("a/b") == ["a/b/x.py"]
        os.chdir("a/b")
        assert found(".") == ["x.py"]
        assert found("..") == ["../b/x.py"]
        tree("../c.py")
        assert found("..") == ["../b/x.py", "../c.py"]

    def test_is_checked_where_it_is_named(self) -> None:
        repository(".", "a.py", "gen/b.py", "gen/c/d.py", "gen/e/f.py", ignored="gen\n")
        Path("gen/.gitignore").write_text("e\n")
        assert found("gen/b.py") == ["gen/b.py"]
        assert found("gen") == ["gen/b.py", "gen/c/d.py"]
        assert found("gen/e", "gen/c") == ["gen/e/f.py", "gen/c/d.py"]
        assert found("gen", "gen/b.py", force_exclude=True) == ["gen/b.py", "gen/c/d.py"]
        os.chdir("gen")
        assert found(".") == ["b.py", "c/d.py"]

    def test_is_checked_where_it_is_named_although_it_ignores_itself(self) -> None:
        repository(".", "env/a.py", "env/lib/b.py", "c.py")
        Path("env/.gitignore").write_text("# Created by a tool\n*\n")
        assert found(".") == ["c.py"]
        assert found("env") == ["env/a.py", "env/lib/b.py"]
        assert found("env/lib") == ["env/lib/b.py"]

    def test_is_no_reason_to_check_what_is_excluded_in_it(self) -> None:
        repository(".", "sandbox/a.py", "sandbox/.venv/b.py", ignored="sandbox/\n")
        os.chdir("sandbox")
        assert found(".") == ["a.py"]

    def test_stays_ignored_where_nothing_else_is_in_a_named_directory(self) -> None:
        repository(".", "a/gen/x.py", ignored="gen/\n")
        assert found("a") == []

    def test_counts_if_that_is_chosen(self) -> None:
        repository(".", "a.py", "gen/b.py", "dist/c.py", ignored="gen/\n")
        assert found(".", respect_gitignore=False) == ["a.py", "gen/b.py"]
        write_config("respect-gitignore = false")
        assert found(".") == ["a.py", "gen/b.py"]
        assert found(".", respect_gitignore=True) == ["a.py"]

    def test_is_known_through_a_link_to_a_named_directory(self) -> None:
        repository("real", "a/x.py", "a/y.py", "a/b/z.py", ignored="/a/y.py\n")
        Path("link").symlink_to("real/a")
        assert found("link") == ["link/b/z.py", "link/x.py"]


@both_ways
class TestOtherRepositories:
    def test_each_has_its_own_rules(self) -> None:
        repository(".", "a.py", "x.py", ignored="x.py\n")
        repository("inner", "b.py", "x.py", "y.py", ignored="y.py\n")
        assert found(".") == ["a.py", "inner/b.py", "inner/x.py"]
        assert found("inner") == ["inner/b.py", "inner/x.py"]

    def test_one_that_is_ignored_is_passed_over(self) -> None:
        repository(".", "a.py", ignored="inner/\n")
        repository("inner", "b.py")
        assert found(".") == ["a.py"]
        assert found("inner") == ["inner/b.py"]

    def test_those_below_a_directory_that_is_none(self) -> None:
        repository("a", "x.py", "y.py", ignored="x.py\n")
        repository("b/c", "x.py", "y.py", ignored="y.py\n")
        tree("b/x.py")
        assert found(".") == ["a/y.py", "b/c/x.py", "b/x.py"]

    def test_submodules(self) -> None:
        repository("library", "l.py", "x.py", ignored="x.py\n")
        git("add", ".", directory="library")
        git("commit", "--quiet", "-m", "Add", directory="library")
        repository("main", "m.py")
        library = os.path.abspath("library")
        git("submodule", "--quiet", "add", library, "third party/lib.rary", directory="main")
        git("commit", "--quiet", "-m", "Add", directory="main")
        tree("main/third party/lib.rary/x.py", "main/third party/lib.rary/n.py")
        os.chdir("main")
        expected = ["third party/lib.rary/l.py", "third party/lib.rary/n.py"]
        assert found(".") == ["m.py", *expected]
        assert found("third party/lib.rary") == expected

    def test_further_work_trees(self) -> None:
        repository("main", "a.py", "x.py", ignored="x.py\n")
        git("add", ".", directory="main")
        git("commit", "--quiet", "-m", "Add", directory="main")
        git("worktree", "add", "--quiet", "../other", directory="main")
        git("worktree", "add", "--quiet", "inside", directory="main")
        tree("other/x.py", "other/b.py", "main/inside/x.py")
        assert found("other") == ["other/a.py", "other/b.py"]
        assert found("main") == ["main/a.py", "main/inside/a.py"]

    @pytest.mark.parametrize("content", ["gitdir: nowhere\n", "", None])
    def test_what_only_looks_like_one(self, content: str | None) -> None:
        tree("a.py", "x.py", "sub/x.py", "sub/y.py")
        Path(".gitignore").write_text("x.py\n")
        if content is None:
            Path("sub/.git").mkdir()
        else:
            Path("sub/.git").write_text(content)
        Path("sub/.gitignore").write_text("y.py\n")
        assert found("sub") == ["sub/x.py"]
        assert found(".") == ["a.py", "sub/x.py"]


class TestGit:
    def test_a_tracked_file_is_checked_although_a_pattern_ignores_it(self) -> None:
        repository(".", "gen/a.py", "gen/b.py", ignored="gen/\n")
        git("add", "--force", "gen/a.py")
        assert found(".") == found("gen") == ["gen/a.py"]

    def test_its_own_lists_of_what_to_ignore_count(self, tmp_path: Path) -> None:
        repository(".", "a.py", "b.py", "c.py")
        Path(".git/info").mkdir(exist_ok=True)
        Path(".git/info/exclude").write_text("a.py\n")
        (tmp_path / "home" / "git").mkdir()
        (tmp_path / "home" / "git" / "ignore").write_text("b.py\n")
        assert found(".") == ["c.py"]

    def test_a_deleted_file_is_passed_over(self) -> None:
        repository(".", "a.py", "b.py", "c/d.py")
        git("add", ".")
        os.remove("a.py")
        shutil.rmtree("c")
        Path("c").symlink_to("..")
        assert found(".") == ["b.py"]

    def test_a_conflict_is_one_file(self) -> None:
        repository(".", "a.py")
        git("add", ".")
        git("commit", "--quiet", "-m", "One")
        git("checkout", "--quiet", "-b", "other")
        Path("a.py").write_text("other\n")
        git("commit", "--quiet", "-a", "-m", "Other")
        git("checkout", "--quiet", "-")
        Path("a.py").write_text("mine\n")
        git("commit", "--quiet", "-a", "-m", "Mine")
        with pytest.raises(subprocess.CalledProcessError):
            git("merge", "other")
        assert found(".") == ["a.py"]

    def test_a_sparse_checkout(self) -> None:
        repository(".", "a/x.py", "b/y.py", "z.py")
        git("add", ".")
        git("commit", "--quiet", "-m", "Add")
        git("config", "index.sparse", "true")
        git("sparse-checkout", "init", "--cone")
        git("sparse-checkout", "set", "a")
        assert not os.path.exists("b")
        assert found(".") == ["a/x.py", "z.py"]

    def test_the_order_is_that_of_the_walk(self) -> None:
        names = ["a-b.py", "a.py", "a/z.py", "a/a.py", "a.b/c.py", "B.py", "a0/x.py", "é.py"]
        repository(".", *names)
        git("add", "a.py", "a/z.py", "é.py")
        assert found(".") == found(".", respect_gitignore=False)
        assert sorted(found(".")) == sorted(names)  # type: ignore[type-var]

    @pytest.mark.parametrize("quoting", ["true", "false"])
    def test_any_name_of_a_file(self, quoting: str) -> None:
        names = ["a\nb.py", "quo\"te'.py", "tab\t.py", "back\\slash.py", " .py", "\udcff.py"]
        names += ["d\udcff/é.py", ":(glob)x.py", "-z.py"]
        repository(".", *names, "x.py", ignored="/x.py\n")
        git("config", "core.quotePath", quoting)
        assert found(".") == sorted(names)
        git("add", "--all")
        assert found(".") == sorted(names)
        assert found("d\udcff") == ["d\udcff/é.py"]

    def test_a_link_to_a_file_is_a_file(self) -> None:
        repository("p", "a.txt")
        Path("p/b.py").symlink_to("a.txt")
        Path("p/c.py").symlink_to("nowhere")
        Path("p/d.py").symlink_to(".")
        Path("p/loop").symlink_to("..")
        git("add", "--all", directory="p")
        Path("p/e.py").symlink_to("b.py")
        assert found("p") == ["p/b.py", "p/c.py", "p/e.py"]

    def test_excluded_names_are_passed_over_although_they_are_tracked(self) -> None:
        repository(".", "dist/a.py", "b.py", "c.py")
        git("add", ".")
        write_config('extend-exclude = ["c.py"]')
        assert found(".") == ["b.py"]
        assert found("dist") == ["dist/a.py"]

    def test_the_variables_that_git_sets_for_hooks_do_not_matter(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repository("other", "o.py")
        repository("p", "a.py", "x.py", ignored="x.py\n")
        git("add", ".", directory="p")
        monkeypatch.setenv("GIT_DIR", os.path.abspath("other/.git"))
        monkeypatch.setenv("GIT_WORK_TREE", os.path.abspath("other"))
        monkeypatch.setenv("GIT_INDEX_FILE", "nowhere")
        monkeypatch.setenv("GIT_PREFIX", "other/")
        asked = count_runs(monkeypatch)
        assert found("p") == ["p/a.py"]
        assert asked == [os.path.abspath("p")]

    def test_in_a_real_hook(self) -> None:
        repository(".", "a.py", "x.py", "b/c.py", ignored="x.py\n")
        hook = Path(".git/hooks/pre-commit")
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\nexec {sys.executable} - <<'E'\n{HOOK}E\n")
        hook.chmod(0o755)
        package = str(Path(git_module.__file__).parents[1])
        hook.write_text(hook.read_text().replace("PACKAGE", package))
        git("add", ".")
        assert git("commit", "--quiet", "-m", "Add").split() == ["a.py", "b/c.py"]

    def test_no_program_of_the_repository_is_run(self) -> None:
        repository(".", "a.py")
        Path("evil").write_text("#!/bin/sh\ntouch ran\n")
        Path("evil").chmod(0o755)
        git("config", "core.fsmonitor", os.path.abspath("evil"))
        git("config", "core.untrackedCache", "true")
        git("add", "a.py")
        Path("ran").unlink(missing_ok=True)
        assert found(".") == ["a.py"]
        assert not os.path.exists("ran")

    def test_git_in_the_current_directory_is_not_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        repository(".", "a.py")
        Path("git").write_text("#!/bin/sh\ntouch ran\n")
        Path("git").chmod(0o755)
        monkeypatch.setenv("PATH", f".{os.pathsep}")
        assert found(".") == ["a.py"]
        assert not os.path.exists("ran")


HOOK = """\
import sys
sys.path.insert(0, "PACKAGE")
from flushlint.config import Configuration
from flushlint.discovery import discover
print(*(item.path for item in discover(["."], Configuration())), sep="\\n")
"""


class TestWhenGitIsStarted:
    def test_once_for_each_named_directory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        repository(".", "a/x.py", "b/y.py", "b/c/z.py")
        asked = count_runs(monkeypatch)
        found("a", "b")
        assert asked == [os.path.abspath("a"), os.path.abspath("b")]

    @pytest.mark.parametrize("arguments", [("a.py", "gen/b.py"), ("none.py",), ("dist",)])
    def test_not_for_files_and_excluded_directories(
        self, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repository(".", "a.py", "gen/b.py", "dist/c.py", ignored="gen/\n")
        asked = count_runs(monkeypatch)
        assert found(*arguments)
        assert asked == []

    def test_not_if_it_is_not_to_be_respected(self, monkeypatch: pytest.MonkeyPatch) -> None:
        repository(".", "a.py")
        asked = count_runs(monkeypatch)
        assert found(".", respect_gitignore=False) == ["a.py"]
        assert asked == []

    def test_not_without_a_work_tree(self, monkeypatch: pytest.MonkeyPatch) -> None:
        tree("a.py")
        asked = count_runs(monkeypatch)
        assert found(".") == ["a.py"]
        assert asked == []


class TestWithoutGit:
    """What `.gitignore` says counts all the same."""

    @pytest.mark.parametrize("script", ["exit 128", "echo a.py; kill -9 $$", None])
    def test_where_it_fails(
        self, script: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repository(".", "a.py", "x.py", ignored="x.py\n")
        Path(tmp_path, "bin").mkdir()
        program = tmp_path / "bin" / "git"
        program.write_text("no program" if script is None else f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        assert found(".") == ["a.py"]

    def test_in_a_repository_of_somebody_else(self, monkeypatch: pytest.MonkeyPatch) -> None:
        repository(".", "a.py", "x.py", "sub/x.py", "sub/y.py", ignored="x.py\n")
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        if subprocess.run(["git", "status"], capture_output=True, check=False).returncode == 0:
            pytest.skip("this git trusts everybody's repositories")
        assert Listing.of(os.getcwd()) is None
        assert found(".") == ["a.py", "sub/y.py"]
        assert found("sub") == ["sub/y.py"]

    def test_in_a_bare_repository(self) -> None:
        Path("p").mkdir()
        git("init", "--quiet", "--bare", "p/.git")
        tree("p/a.py", "p/x.py")
        Path("p/.gitignore").write_text("x.py\n")
        assert found("p") == ["p/a.py"]

    def test_outside_of_work_trees_from_the_current_directory_on(self) -> None:
        tree("p/a/x.py", "p/a/y.py", "p/x.py")
        Path(".gitignore").write_text("a\n")
        Path("p/.gitignore").write_text("x.py\n")
        os.chdir("p")
        assert found(".") == found("a") == ["a/y.py"]
        os.chdir("a")
        assert found(".") == ["x.py", "y.py"]
        assert found("..") == ["../a/y.py"]

    @pytest.mark.parametrize("kind", ["directory", "link", "pipe", "dangling"])
    def test_a_gitignore_that_git_would_not_read(self, kind: str) -> None:
        tree("a.py")
        Path("ignored").write_text("a.py\n")
        if kind == "directory":
            Path(".gitignore").mkdir()
        elif kind == "pipe":
            os.mkfifo(".gitignore")
        else:
            Path(".gitignore").symlink_to("ignored" if kind == "link" else "nowhere")
        assert found(".") == ["a.py"]


@both_ways
@pytest.mark.parametrize(
    ("content", "left"),
    [
        (b"\xef\xbb\xbfa.py\r\nb.py\r\n", ["c.py", "\udcff.py"]),
        (b"!\n\\\n[z-a]\nx/**/[z-a]\n/\na.py\n", ["b.py", "c.py", "\udcff.py"]),
        (b"# a.py\n\n   \nb.py  \n\\#x\n", ["a.py", "c.py", "\udcff.py"]),
        (b"\xff.py\n", ["a.py", "b.py", "c.py"]),
        (b"*.py\n!b.py", ["b.py"]),
        (b"d/**\n!d/d.py\n/*.py\n", ["d/d.py"]),
        (b"/*\n!/d/\nd/*\n!d/e.py\n", ["d/e.py"]),
        (b"*", ["a.py", "b.py", "c.py", "\udcff.py"]),
        (b"/*\n!/c.py\n", ["c.py"]),
        (b"", ["a.py", "b.py", "c.py", "\udcff.py"]),
    ],
)
def test_lines_of_a_gitignore(content: bytes, left: list[str]) -> None:
    repository(".", "a.py", "b.py", "c.py", "\udcff.py")
    if b"d/" in content:
        tree("d/d.py", "d/e.py")
    Path(".gitignore").write_bytes(content)
    assert found(".") == left


def test_patterns_mean_what_they_mean_to_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find the same files by git and without it, in trees and with patterns drawn at random."""
    dice = random.Random(5)  # noqa: S311 - nothing secret
    directories = ["", "a/", "b/", "a/b/", "a/c/", "b/a/", "a/b/c/", "c/d/a/"]
    parts = ["a", "b", "c", "x.py", "y.py", "*", "?", "*.py", "[ab]", "[!a]", "x*"]
    for number in range(40):
        here = f"r{number}"
        repository(here, *(f"{where}{name}" for where in directories for name in ("x.py", "y.py")))
        for where in ("", *dice.sample(directories, 2)):
            lines = [
                dice.choice(("", "", "!"))
                + dice.choice(("", "", "/", "**/", "a/**/"))
                + "/".join(dice.choices(parts, k=dice.choice((1, 1, 2, 3))))
                + dice.choice(("", "", "/", "/**"))
                for _ in range(dice.randint(1, 4))
            ]
            Path(here, where, ".gitignore").write_text("\n".join(lines))
        by_git = found(here)
        with monkeypatch.context() as patched:
            patched.setattr(git_module, "_program", lambda: None)
            rules = {str(p): p.read_text() for p in Path(here).rglob(".gitignore")}
            assert found(here) == by_git, rules


class TestListing:
    def test_a_directory_that_git_could_not_open_is_left_to_the_caller(self) -> None:
        warning = b"warning: could not open directory 'r/sub/a/locked/': Permission denied\n"
        for top in ("/r/sub", "/elsewhere/r/sub"):
            listing = Listing(top, b"x.py\0", warning)
            assert not listing.ignores(f"{top}/a/locked", is_directory=True)
            assert not listing.ignores(f"{top}/a", is_directory=True)
            assert listing.ignores(f"{top}/a/locked", is_directory=False)
            assert listing.ignores(f"{top}/cked", is_directory=True)
            assert listing.ignores(f"{top}/b", is_directory=True)

    def test_the_directories_above_are_listed(self) -> None:
        listing = Listing("/", b"a/b/c.py\0d/e/\0")
        for path in ("/a", "/a/b", "/d", "/d/e"):
            assert not listing.ignores(path, is_directory=True)
        assert not listing.ignores("/a/b/c.py", is_directory=False)
        assert listing.ignores("/a/b/d.py", is_directory=False)
        assert listing.ignores("/b", is_directory=True)

    def test_where_a_file_has_several_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(git_module, "_FOLDS_NAMES", True)
        listing = Listing("/r", "Sub/\u00e9.py\0\udcff.py\0".encode(errors="surrogateescape"))
        assert not listing.ignores("/r/sub", is_directory=True)
        assert not listing.ignores("/r/sub/E\u0301.py", is_directory=False)
        assert not listing.ignores("/r/\udcff.PY", is_directory=False)
        assert listing.ignores("/r/sub/e.py", is_directory=False)


def test_an_unreadable_directory_is_an_error() -> None:
    repository(".", "a.py", "b/locked/b.py", "gone/c.py", ignored="gone/\n")
    for name in ("b/locked", "gone"):
        Path(name).chmod(0)
    try:
        if os.access("b/locked", os.R_OK):
            pytest.skip("nothing is unreadable to root")
        assert found(".") == ["a.py", InputError("b/locked", None, "permission denied")]
    finally:
        for name in ("b/locked", "gone"):
            Path(name).chmod(0o755)
