"""The hooks, by a real pre-commit in a scratch repository, installed from a copy of this one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import blocks

ROOT = Path(__file__).resolve().parent.parent
LOSING = (ROOT / "examples" / "blog_post.py").read_text(encoding="utf-8")
IN_THE_PACKAGE = ["LICENSE", "README.md", ".pre-commit-hooks.yaml", "pyproject.toml", "src"]
TAG = "v0.1.0"


def run(*command: str, directory: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    # git tells hooks where they are by variables that would lead pre-commit astray.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    identity = {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (("NAME", "Tester"), ("EMAIL", "tester@example.org"))
    }
    return subprocess.run(
        command,
        cwd=directory,
        env={**kept, **identity, "GIT_CONFIG_NOSYSTEM": "1", **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=600,
        check=False,
    )


def git(directory: Path, *arguments: str) -> None:
    done = run("git", "-c", "init.defaultBranch=main", *arguments, directory=directory)
    assert done.returncode == 0, done.stdout


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Path:
    """Return a repository with this one's files as they are now, tagged as released."""
    repository = tmp_path / "flushlint"
    repository.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in IN_THE_PACKAGE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, repository / name, ignore=ignored)
        else:
            shutil.copy(source, repository / name)
    git(repository, "init", "--quiet")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "Release")
    git(repository, "tag", TAG)
    return repository


@pytest.fixture(name="project")
def _project(tmp_path: Path, repository: Path) -> Path:
    """Return a scratch repository that uses both hooks, one as the README says."""
    (snippet,) = [
        block.text
        for block in blocks((ROOT / "README.md").read_text(encoding="utf-8"))
        if block.heading == "pre-commit"
    ]
    settings, replaced = re.subn(r"https://\S+", str(repository), snippet)
    assert replaced == 1
    settings += "      - id: flushlint-fix\n        stages: [manual]\n"
    project = tmp_path / "project"
    project.mkdir()
    (project / ".pre-commit-config.yaml").write_text(settings, encoding="utf-8")
    git(project, "init", "--quiet")
    return project


def add(project: Path, name: str, text: str) -> None:
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    git(project, "add", name)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_hooks(project: Path, tmp_path: Path) -> None:
    """One test, because the hook's environment is made once: that takes long."""
    home = str(tmp_path / "home")

    def pre_commit(*arguments: str) -> tuple[int, str]:
        command = (sys.executable, "-m", "pre_commit", "run", "--all-files", "--color=never")
        done = run(*command, *arguments, directory=project, PRE_COMMIT_HOME=home)
        return done.returncode, done.stdout

    add(project, ".pre-commit-config.yaml", (project / ".pre-commit-config.yaml").read_text())
    add(project, "notes.txt", LOSING)
    add(project, "stub.pyi", "def put(fd): ...\n")
    status, output = pre_commit()
    assert status == 0, output
    assert "(no files to check)Skipped" in output

    add(project, "harmless.py", 'print("hello")\n')
    status, output = pre_commit()
    assert status == 0, output
    assert "Passed" in output

    add(project, "src/losing.py", LOSING)
    add(project, "script", f"#!/usr/bin/env python3\n{LOSING}")
    (project / "script").chmod(0o755)
    git(project, "add", "script")
    status, output = pre_commit()
    assert status == 1, output
    found = re.findall(r"^(\S+):\d+:\d+: (FLU\d+) ", output, re.MULTILINE)
    assert sorted(found) == [("script", "FLU101"), ("src/losing.py", "FLU101")]

    fix = ("flushlint-fix", "--hook-stage", "manual")
    add(project, "pyproject.toml", '[tool.flushlint]\nexclude = ["src", "script"]\n')
    for arguments in ((), fix):
        status, output = pre_commit(*arguments)
        assert status == 0, output
    assert (project / "script").read_text().endswith(LOSING)

    add(project, "pyproject.toml", "")
    status, output = pre_commit(*fix)
    assert status == 1, output
    assert "files were modified by this hook" in output
    assert "2 findings fixed in 2 files" in output
    assert os.access(project / "script", os.X_OK)
    assert (project / "notes.txt").read_text() == LOSING
    git(project, "add", "--update")
    for arguments in (fix, ()):
        status, output = pre_commit(*arguments)
        assert status == 0, output


def test_the_manifest_is_valid() -> None:
    done = run(
        sys.executable,
        "-m",
        "pre_commit",
        "validate-manifest",
        str(ROOT / ".pre-commit-hooks.yaml"),
        directory=ROOT,
    )
    assert done.returncode == 0, done.stdout
