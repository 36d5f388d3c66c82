"""Which files to check: what the command line names, and the `*.py` files below named directories.

What is named is always checked. A directory that would be passed over in a walk (`.venv`, or one
that the configuration excludes) and is named is checked with all that is in it. The order is that
of the command line, and by name within a directory.
"""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING, NamedTuple

from flushlint.config import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flushlint.config import Configuration
    from flushlint.globs import PathPatterns
    from flushlint.model import InputError

__all__ = ["DEFAULT_EXCLUDES", "SourceFile", "discover", "read_bytes", "read_cause"]

# The names that ruff passes over by default, so that both look at the same files.
DEFAULT_EXCLUDES = frozenset(
    {
        ".bzr",
        ".direnv",
        ".eggs",
        ".git",
        ".git-rewrite",
        ".hg",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".nox",
        ".pants.d",
        ".pyenv",
        ".pytest_cache",
        ".pytype",
        ".ruff_cache",
        ".svn",
        ".tox",
        ".venv",
        ".vscode",
        "__pypackages__",
        "_build",
        "buck-out",
        "dist",
        "node_modules",
        "site-packages",
        "venv",
    }
)
# Holds no sources, and doubles the number of directories of an installed tree.
_BYTECODE = "__pycache__"
_READ_ONLY = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_CHUNK = 1 << 16
# Emacs marks a file being edited with a dangling link of this prefix.
_LOCK_PREFIX = ".#"


class SourceFile(NamedTuple):
    """A file to check: its path as the user would write it, and the absolute one.

    Standard input has the name that the user gives it.
    """

    path: str
    absolute: str
    is_stdin: bool = False


class _Directory(NamedTuple):
    """A directory to walk. In one with `everything` no exclusion applies."""

    path: str
    absolute: str
    everything: bool


def discover(
    paths: Iterable[str], configuration: Configuration, *, force_exclude: bool = False
) -> Iterator[SourceFile | InputError]:
    """Yield each file below `paths` once, and an error for each directory that can't be walked.

    That a file exists and can be read is for `read_bytes` to find out. With `force_exclude`
    what is excluded is passed over even where it is named.
    """
    seen: set[str] = set()
    for argument in paths:
        path = _without_dot(argument)
        absolute = os.path.abspath(path)
        try:
            excluded = _is_excluded(path, absolute, configuration)
        except ConfigError as error:
            yield error.as_input_error()
            continue
        found: Iterable[SourceFile | InputError]
        if excluded and force_exclude:
            found = ()
        elif os.path.isdir(absolute):
            found = _walk(_Directory(path, absolute, everything=excluded), configuration)
        else:
            found = (SourceFile(path, absolute),)
        for item in found:
            if isinstance(item, SourceFile):
                if item.absolute in seen:
                    continue
                seen.add(item.absolute)
            yield item


def read_bytes(file: SourceFile) -> bytes:
    """Return the bytes of a file. Raises OSError, for which `read_cause` has the words."""
    if file.is_stdin:
        return b"" if sys.stdin is None else sys.stdin.buffer.read()
    # Half as long as with a file object, for a file that one or two calls empty.
    descriptor = os.open(file.absolute, _READ_ONLY)
    try:
        chunks: list[bytes] = []
        while chunk := os.read(descriptor, _CHUNK):
            chunks.append(chunk)
    finally:
        os.close(descriptor)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def read_cause(path: str, error: OSError) -> str:
    """Say in a few words why `path` can't be read."""
    if isinstance(error, FileNotFoundError) and os.path.islink(path):
        return "dangling symbolic link"
    reason = error.strerror or str(error)
    return f"{reason[:1].lower()}{reason[1:]}"


def _is_excluded(path: str, absolute: str, configuration: Configuration) -> bool:
    """Return whether a walk of the current directory would pass over a path that is named.

    Only what the argument names is looked at, not the directories that happen to lie above.
    """
    parts = path.split(os.sep) if not os.path.isabs(path) else [os.path.basename(absolute)]
    if not DEFAULT_EXCLUDES.isdisjoint(parts) or _BYTECODE in parts:
        return True
    return configuration.settings(os.path.dirname(absolute)).exclude.covers(absolute)


def _without_dot(path: str) -> str:
    """Return `path` without a leading ``./``; the current directory is the empty string."""
    while path.startswith(f".{os.sep}"):
        path = path[2:].lstrip(os.sep)
    return "" if path == os.curdir else path


def _walk(root: _Directory, configuration: Configuration) -> Iterator[SourceFile | InputError]:
    """Yield the sources below a named directory. Links to directories are not followed."""
    # An explicit stack: a path may have more parts than Python has frames.
    stack: list[_Directory | SourceFile] = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, SourceFile):
            yield item
            continue
        try:
            stack.extend(_children(item, configuration))
        except ConfigError as error:
            yield error.as_input_error()
        except OSError as error:
            from flushlint.model import InputError

            yield InputError(item.path or os.curdir, None, read_cause(item.path, error))


def _children(directory: _Directory, configuration: Configuration) -> list[_Directory | SourceFile]:
    """Return what to look at in `directory`, in reverse order. Raises ConfigError, OSError."""
    exclude: PathPatterns | None = None
    if not directory.everything:
        exclude = configuration.settings(directory.absolute).exclude
    with os.scandir(directory.absolute) as entries:
        names = sorted(entries, key=lambda entry: entry.name, reverse=True)
    children: list[_Directory | SourceFile] = []
    for entry in names:
        name = entry.name
        is_directory = entry.is_dir(follow_symlinks=False)
        if not is_directory and not (name.endswith(".py") and _may_be_source(entry)):
            continue
        if exclude is not None and (name in DEFAULT_EXCLUDES or exclude.matches(entry.path)):
            continue
        path = os.path.join(directory.path, name)
        if not is_directory:
            children.append(SourceFile(path, entry.path))
        elif name != _BYTECODE:
            children.append(_Directory(path, entry.path, directory.everything))
    return children


def _may_be_source(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry that is no directory is, or links to, a file that can be read.

    True for a dangling link as well, so that its reader reports it.
    """
    if entry.name.startswith(_LOCK_PREFIX):
        return False
    if not entry.is_symlink():
        return entry.is_file()
    try:
        return stat.S_ISREG(os.stat(entry.path).st_mode)
    except OSError:
        return True
