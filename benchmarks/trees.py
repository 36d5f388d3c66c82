"""Trees of real code to measure with: found on this machine, or installed on request."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
import sysconfig
from typing import NamedTuple

__all__ = [
    "ENOUGH",
    "Tree",
    "candidates",
    "dropped",
    "installed",
    "site_packages",
    "stdlib",
    "tree",
]

# An installed site-packages is to have as many files.
ENOUGH = 10_000
# Large, of many hands, and without dependencies that matter here.
_PACKAGES = (
    "awscli<2",
    "django<6",
    "matplotlib<4",
    "moto<6",
    "networkx<4",
    "pandas<3",
    "plotly<6",
    "scikit-learn<2",
    "scipy<2",
    "sqlalchemy<3",
    "sympy<2",
    "twisted<26",
)


class Tree(NamedTuple):
    """A directory, and the Python files that a check of it looks at."""

    name: str
    path: str
    files: tuple[str, ...]
    megabytes: float


def tree(name: str, path: str) -> Tree:
    """Return the tree below `path`, without what linters leave out by default."""
    from flushlint.config import Configuration
    from flushlint.discovery import SourceFile, discover

    found = discover([path], Configuration(isolated=True))
    files = tuple(item.absolute for item in found if isinstance(item, SourceFile))
    return Tree(name, path, files, sum(map(os.path.getsize, files)) / 1e6)


def stdlib() -> Tree:
    """Return the standard library in use, its test suite included."""
    return tree("standard library", sysconfig.get_path("stdlib"))


def site_packages() -> Tree:
    """Return the largest site-packages of the interpreters on this machine."""
    patterns = [
        sysconfig.get_path("purelib"),
        f"{sysconfig.get_path('stdlib')}/site-packages",
        *(f"{folder}/lib/python3*/site-packages" for folder in _prefixes()),
        "/usr/lib/python3/dist-packages",
    ]
    paths = {os.path.realpath(path) for pattern in patterns for path in glob.glob(pattern)}
    return max((tree("site-packages", path) for path in paths), key=lambda tree: len(tree.files))


def _prefixes() -> list[str]:
    """Return where the interpreters on the PATH and those of pyenv are installed."""
    pyenv = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    prefixes = [os.path.dirname(folder) for folder in os.get_exec_path()]
    return [*prefixes, *glob.glob(f"{pyenv}/versions/*")]


def installed(cache: str) -> Tree:
    """Return a large set of packages, installed into a directory if they aren't there yet."""
    path = os.path.join(cache, "flushlint-bench", "packages")
    if not os.path.isdir(path):
        fresh = f"{path}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
        subprocess.run([*pip, "--only-binary=:all:", "--target", fresh, *_PACKAGES], check=True)
        os.rename(fresh, path)
    return tree("installed packages", path)


def candidates(files: tuple[str, ...]) -> list[str]:
    """Return the files that are analysed: the gate and the guard let them pass, and they parse."""
    from flushlint import gate
    from flushlint.guard import refusal
    from flushlint.model import InputError
    from flushlint.source import parse, read_source

    def is_candidate(data: bytes, path: str) -> bool:
        if not gate.passes(data):
            return False
        source = read_source(data, path)
        if isinstance(source, InputError) or refusal(source.text) is not None:
            return False
        return not isinstance(parse(source), InputError)

    return [path for path in files if is_candidate(_bytes(path), path)]


def dropped(files: tuple[str, ...], wanted: int) -> list[str]:
    """Return files of ordinary length that the gate drops, from all over a tree."""
    from flushlint import gate

    ordinary = [path for path in files if 2_000 < os.path.getsize(path) < 40_000]
    step = max(len(ordinary) // wanted, 1)
    chosen = []
    for path in ordinary[::step]:
        data = _bytes(path)
        if not gate.passes(data) and _compiles(data):
            chosen.append(path)
    return chosen[:wanted]


def _compiles(data: bytes) -> bool:
    """Return whether flake8 has a tree to show to its plugins."""
    import ast
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(data)
        except (SyntaxError, ValueError):
            return False
    return True


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
