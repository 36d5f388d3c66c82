"""The list of packages: which release of each, and the file that is checked."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["LIST", "Package", "load", "pinned"]

LIST = Path(__file__).with_name("packages.toml")


@dataclass(frozen=True)
class Package:
    """One release: `file` is the name of its wheel, or of its sdist where it has no wheel.

    The `small` ones belong to `make test`. `seconds` is how long a check may take.
    """

    name: str
    version: str
    file: str
    sha256: str
    small: bool = False
    seconds: int = 900

    @property
    def title(self) -> str:
        """The name and the version, as the table has them."""
        return f"{self.name} {self.version}"


def load(text: str) -> list[Package]:
    """Read the list. Raises ValueError for one that names a package twice or leaves out a key."""
    try:
        packages = [Package(**entry) for entry in tomllib.loads(text)["package"]]
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a list of packages: {error}") from error
    names = [package.name for package in packages]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"listed twice: {', '.join(twice)}")
    return packages


def pinned(text: str, release: Package) -> str:
    """Return the list with `release` in place of the one it has of this package.

    All else stays as it is, comments too. A package that is not listed comes to the end.
    """
    values = {"version": release.version, "file": release.file, "sha256": release.sha256}
    head = f'[[package]]\nname = "{release.name}"\n'
    lines = "".join(f'{key} = "{value}"\n' for key, value in values.items())
    if head not in text:
        return f"{text.rstrip()}\n\n{head}{lines}"
    before, _, rest = text.partition(head)
    rest = re.sub(r'\A(?:(?:version|file|sha256) = ".*"\n)*', lambda _: lines, rest)
    return before + head + rest
