"""The Python interpreters at hand: the one in use, and those on PATH and in pyenv."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Interpreter", "ask", "chosen_interpreters", "describe", "found_interpreters"]

OLDEST: Final = (3, 8)
_EXECUTABLE: Final = re.compile(r"python3(\.\d+)?$")
_QUESTION: Final = "import sys; print(sys.implementation.name, *sys.version_info[:4])"


@dataclass(frozen=True, order=True)
class Interpreter:
    """A CPython: its version with micro part, and the file to run."""

    version: tuple[int, int, int]
    path: str

    @property
    def minor(self) -> tuple[int, int]:
        """The version without its micro part."""
        return self.version[:2]

    def __str__(self) -> str:
        return ".".join(map(str, self.minor))


def chosen_interpreters() -> list[Interpreter]:
    """Return the interpreters of an ordinary run: in use, oldest, newest; in order of version."""
    found = found_interpreters()
    return sorted({found[0], _in_use(), found[-1]})


def describe() -> str:
    """Name the chosen interpreters, and the others, which belong to the whole matrix."""
    chosen = chosen_interpreters()
    others = [str(one) for one in found_interpreters() if one not in chosen]
    line = "programs run on CPython " + ", ".join(".".join(map(str, one.version)) for one in chosen)
    return f"{line}; the whole matrix adds {', '.join(others)}" if others else line


@functools.cache
def found_interpreters() -> tuple[Interpreter, ...]:
    """Return one CPython per minor version from 3.8 on, oldest first.

    The interpreter in use stands for its own version; of others the highest micro version does.
    """
    best: dict[tuple[int, int], Interpreter] = {}
    seen: set[Path] = set()
    for path in _candidates():
        target = path.resolve()
        if target in seen or _is_script(target):
            continue
        seen.add(target)
        found = ask(path)
        if found and found.minor >= OLDEST and found > best.get(found.minor, _NONE):
            best[found.minor] = found
    in_use = _in_use()
    best[in_use.minor] = in_use
    return tuple(sorted(best.values()))


_NONE: Final = Interpreter((0, 0, 0), "")


def _in_use() -> Interpreter:
    # A virtual environment adds .pth files of its packages; programs get the bare interpreter.
    base = getattr(sys, "_base_executable", None) or sys.executable
    path = base if Path(base).is_file() else sys.executable
    return Interpreter(sys.version_info[:3], path)


def _candidates() -> Iterator[Path]:
    yield from _executables(Path(part) for part in os.environ.get("PATH", "").split(os.pathsep))
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from _executables(sorted(pyenv.glob("versions/*/bin")))


def _executables(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        try:
            entries = sorted(folder.iterdir())
        except OSError:
            continue
        yield from (one for one in entries if _EXECUTABLE.match(one.name) and one.is_file())


def _is_script(path: Path) -> bool:
    """Tell a shim (a shell script that looks for an interpreter) from an interpreter."""
    try:
        with path.open("rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return True


def ask(path: Path) -> Interpreter | None:
    """Return the interpreter at `path`, or None if it doesn't work or isn't a released CPython."""
    try:
        answer = subprocess.run(
            [path, "-I", "-S", "-c", _QUESTION],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        ).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return None
    name, major, minor, micro, release = answer
    if name != "cpython" or release != "final":
        return None
    return Interpreter((int(major), int(minor), int(micro)), str(path))
