"""Running the programs that the documentation shows: extraction, interpreters, results."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(
    r"^```(?P<language>[\w-]*)(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
# On interpreters whose default is another start method, the programs of the pages are run
# under the one that they describe. Programs that choose for themselves are not touched.
_FORK_BY_DEFAULT = """\
import multiprocessing
multiprocessing.set_start_method("fork")
"""
_OUTLIVES_EVERY_EXAMPLE_S = 60


@dataclass(frozen=True)
class Block:
    """A fenced block of a Markdown text, with the heading that it stands under."""

    language: str
    text: str
    heading: str


@dataclass(frozen=True)
class Run:
    """How a program ended, and the files that it left behind."""

    status: int
    files: dict[str, str]
    stderr: str


def blocks(markdown: str) -> list[Block]:
    """Return the fenced blocks of a Markdown text in order."""
    found = []
    for match in _FENCE.finditer(markdown):
        headings = re.findall(r"^#+ (.*)$", _FENCE.sub("", markdown[: match.start()]), re.MULTILINE)
        found.append(Block(match["language"], match["text"], headings[-1] if headings else ""))
    return found


@functools.cache
def interpreters() -> tuple[str, ...]:
    """Return the interpreter in use and another one of 3.8 or newer, if there is one."""
    candidates = [shutil.which(f"python3.{minor}") for minor in range(20, 7, -1)]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates += [str(path) for path in sorted(pyenv.glob("3.*/bin/python"))]
    for candidate in candidates:
        version = _version(candidate) if candidate else None
        if candidate and version and version >= (3, 8) and version != sys.version_info[:2]:
            return sys.executable, candidate
    return (sys.executable,)


@functools.cache
def _version(python: str) -> tuple[int, ...] | None:
    # A pyenv shim may exist for a version that is not installed, hence the trial.
    query = "import sys; print(*sys.version_info[:2])"
    answer = subprocess.run([python, "-c", query], capture_output=True, text=True, check=False)
    return tuple(map(int, answer.stdout.split())) if answer.returncode == 0 else None


def run_program(text: str, directory: Path, python: str = sys.executable) -> Run:
    """Run a program in an empty directory and return what became of it."""
    program = directory / "program"
    program.mkdir()
    script = program / "example.py"
    script.write_text(text, encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    version = _version(python)
    if version and version >= (3, 14):
        (program / "sitecustomize.py").write_text(_FORK_BY_DEFAULT, encoding="utf-8")
        environment["PYTHONPATH"] = str(program)
    work = directory / "work"
    work.mkdir()
    done = subprocess.run(
        [python, str(script)],
        cwd=work,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_OUTLIVES_EVERY_EXAMPLE_S,
        check=False,
    )
    files = {path.name: path.read_text(encoding="utf-8") for path in work.iterdir()}
    return Run(done.returncode, files, done.stderr)
