"""What is installed, and how `make` finds a Python to install it with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import flushlint
from flushlint.rules.registry import RULES

ROOT = Path(__file__).parents[1]


@pytest.fixture
def distribution() -> metadata.Distribution:
    try:
        return metadata.distribution("flushlint")
    except metadata.PackageNotFoundError:
        pytest.skip("runs on the sources, nothing is installed")


class TestInstalled:
    def test_the_version_is_that_of_the_package(self, distribution: metadata.Distribution) -> None:
        assert distribution.version == flushlint.__version__

    def test_the_faces_can_be_found(self, distribution: metadata.Distribution) -> None:
        found = {(entry.group, entry.name): entry.value for entry in distribution.entry_points}
        assert found == {
            ("console_scripts", "flushlint"): "flushlint.cli:main",
            ("flake8.extension", "FLU"): "flushlint.flake8_plugin:FlushlintPlugin",
        }
        for entry in distribution.entry_points:
            assert callable(entry.load())

    def test_the_command_runs(self) -> None:
        for command in (
            [Path(sys.executable).with_name("flushlint")],
            [sys.executable, "-m", "flushlint"],
        ):
            done = subprocess.run(
                [*command, "--version"], capture_output=True, text=True, check=True
            )
            assert done.stdout == f"flushlint {flushlint.__version__}\n"

    def test_what_is_no_code_is_there_too(self, distribution: metadata.Distribution) -> None:
        files = {str(path) for path in distribution.files or ()}
        assert "flushlint/py.typed" in files
        assert {f"flushlint/rules/pages/{code}.md" for code in RULES} <= files
        assert any(path.endswith("LICENSE") for path in files)
        assert not any(path.startswith("tests") for path in files)


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
class TestMake:
    @pytest.fixture(autouse=True)
    def _interpreters(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put on the PATH what a machine may have: old, broken, missing, and last a good one."""
        self.bin = tmp_path / "bin"
        self.bin.mkdir()
        for name in ("bash", "sh", "sed", "find", "env", "touch", "rm", "make"):
            (self.bin / name).symlink_to(shutil.which(name) or name)
        # An old one says no to the question for its version, a shim of a version manager to all.
        for name in ("python3", "python3.13"):
            (self.bin / name).write_text("#!/bin/sh\nexit 1\n")
            (self.bin / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(self.bin))

    def make(self, target: str, directory: Path) -> subprocess.CompletedProcess[str]:
        environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        return subprocess.run(
            ["make", f"VENV={directory}", f"{directory}/{target}"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def test_the_first_usable_interpreter_is_taken(self, tmp_path: Path) -> None:
        good = self.bin / "python3.11"
        good.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        good.chmod(0o755)
        done = self.make("environment.stamp", tmp_path / "env")
        assert done.returncode == 0, done.stderr
        assert "(python3.11)" in done.stdout
        assert (tmp_path / "env" / "bin" / "python").exists()

    def test_without_one_it_says_so(self, tmp_path: Path) -> None:
        done = self.make("environment.stamp", tmp_path / "env")
        assert done.returncode != 0
        assert "no Python 3.10 or newer with venv and ensurepip among: python3 " in done.stderr
        assert not (tmp_path / "env" / "environment.stamp").exists()
