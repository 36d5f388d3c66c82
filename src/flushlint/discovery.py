"""Which files to check: what the command line names, and the sources below named directories.

What is named is always checked. A directory that would be passed over in a walk (`.venv`, or one
that the configuration excludes) and is named is checked with all that is in it; one that git
ignores, with what its own `.gitignore` files leave. The order is that of the command line, and by
name within a directory. git only tells what to pass over, so that with it and without it one walk
finds the files, in one order.
"""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING, NamedTuple

from flushlint.config import CONFIG_NAME, ConfigError
from flushlint.globs import PathPatterns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flushlint.config import Configuration
    from flushlint.git import Listing
    from flushlint.gitignore import IgnoreRules
    from flushlint.model import InputError

__all__ = [
    "DEFAULT_EXCLUDES",
    "SOURCE_SUFFIXES",
    "FileOptions",
    "SourceFile",
    "discover",
    "is_passed_over",
    "read_bytes",
    "read_cause",
]

SOURCE_SUFFIXES = (".py", ".ipynb")
"""How the names of files end that are found in directories. Stubs never run."""

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
# Hold no sources whatever is named, and bytecode doubles the number of directories of an installed
# tree.
_NEVER = frozenset({".git", "__pycache__"})
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


class FileOptions(NamedTuple):
    """What the command line says of the files to check, None where it leaves that open.

    Its patterns are relative to the current directory. `exclude` stands instead of the
    configuration's or the default ones, `extend_exclude` adds to all of them. With `force_exclude`
    what is excluded is passed over even where it is named.
    """

    exclude: tuple[str, ...] | None = None
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    respect_gitignore: bool | None = None


_NO_OPTIONS = FileOptions()


def discover(
    paths: Iterable[str], configuration: Configuration, options: FileOptions = _NO_OPTIONS
) -> Iterator[SourceFile | InputError]:
    """Yield each file below `paths` once, and an error for each directory that can't be walked.

    That a file exists and can be read is for `read_bytes` to find out.
    """
    search = _Search(configuration, options)
    arguments = tuple(paths)
    seen: set[str] = set()
    for argument in arguments:
        for item in search.below(argument):
            if len(arguments) > 1 and isinstance(item, SourceFile):
                if item.absolute in seen:
                    continue
                seen.add(item.absolute)
            yield item


def is_passed_over(path: str, configuration: Configuration, options: FileOptions) -> bool:
    """Return whether `path`, a file's, is passed over although it is named.

    False where its configuration is wrong, which is for its reader to report.
    """
    try:
        return options.force_exclude and _Search(configuration, options).excludes(path)
    except ConfigError:
        return False


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


class _Exclusion(NamedTuple):
    """What is excluded in one directory, the default names or others."""

    names: frozenset[str]
    patterns: tuple[PathPatterns, ...]

    def matches(self, name: str, path: str) -> bool:
        """Return whether a file or directory itself is excluded, by its name or absolute path."""
        return name in self.names or any(one.matches(path) for one in self.patterns)


class _Directory(NamedTuple):
    """A directory to walk. In one with `everything` no exclusion applies.

    `ignoring` says what git ignores in the directory above, None where that does not matter.
    """

    path: str
    absolute: str
    everything: bool
    ignoring: Listing | IgnoreRules | None
    is_named: bool = False


class _Search:
    """How files are looked for: by the configuration, and by the command line."""

    def __init__(self, configuration: Configuration, options: FileOptions) -> None:
        self._configuration = configuration
        self._options = options
        here = os.getcwd() if options.exclude or options.extend_exclude else os.sep
        self._exclude = None if options.exclude is None else PathPatterns(options.exclude, here)
        self._extend_exclude = PathPatterns(options.extend_exclude, here)

    def below(self, argument: str) -> Iterator[SourceFile | InputError]:
        """Yield what is found below `argument`, or itself."""
        path = _without_dot(argument)
        absolute = os.path.abspath(path)
        ignoring: Listing | IgnoreRules | None = None
        try:
            excluded = self.excludes(path)
            if excluded and self._options.force_exclude:
                return
            if not os.path.isdir(absolute):
                yield SourceFile(path, absolute)
                return
            if not excluded and self._respects_gitignore(absolute):
                ignoring = _ignoring(absolute)
        except ConfigError as error:
            yield error.as_input_error()
            return
        yield from self._walk(_Directory(path, absolute, excluded, ignoring, is_named=True))

    def excludes(self, path: str) -> bool:
        """Return whether a walk of the current directory would pass over a path that is named.

        Only what the argument names is looked at, not the directories that happen to lie above.
        Raises ConfigError.
        """
        absolute = os.path.abspath(path)
        exclusion = self._exclusion(os.path.dirname(absolute))
        parts = path.split(os.sep) if not os.path.isabs(path) else [os.path.basename(absolute)]
        if not (_NEVER.isdisjoint(parts) and exclusion.names.isdisjoint(parts)):
            return True
        return any(patterns.covers(absolute) for patterns in exclusion.patterns)

    def _exclusion(self, directory: str) -> _Exclusion:
        """Return what is excluded in `directory`. Raises ConfigError."""
        settings = self._configuration.settings(directory)
        exclude = self._exclude if self._exclude is not None else settings.exclude
        names = DEFAULT_EXCLUDES if exclude is None else frozenset()
        patterns = (exclude, settings.extend_exclude, self._extend_exclude)
        return _Exclusion(names, tuple(one for one in patterns if one))

    def _respects_gitignore(self, directory: str) -> bool:
        """Return whether what git ignores is passed over below a directory. Raises ConfigError."""
        if self._options.respect_gitignore is not None:
            return self._options.respect_gitignore
        return self._configuration.settings(directory).respect_gitignore

    def _walk(self, root: _Directory) -> Iterator[SourceFile | InputError]:
        """Yield the sources below a named directory. Links to directories are not followed."""
        # An explicit stack: a path may have more parts than Python has frames.
        stack: list[_Directory | SourceFile] = [root]
        while stack:
            item = stack.pop()
            if isinstance(item, SourceFile):
                yield item
                continue
            try:
                stack.extend(self._children(item))
            except ConfigError as error:
                yield error.as_input_error()
            except OSError as error:
                from flushlint.model import InputError

                yield InputError(item.path or os.curdir, None, read_cause(item.path, error))

    def _children(self, directory: _Directory) -> list[_Directory | SourceFile]:
        """Return what to look at in a directory, in reverse order. Raises ConfigError, OSError."""
        with os.scandir(directory.absolute) as found:
            entries = {entry.name: entry for entry in found}
        if CONFIG_NAME not in entries:
            self._configuration.has_no_file(directory.absolute)
        exclusion = None if directory.everything else self._exclusion(directory.absolute)
        ignoring = _ignoring_in(directory, entries)
        prefix = os.path.join(directory.path, "")
        children: list[_Directory | SourceFile] = []
        for name in sorted(entries, reverse=True):
            entry = entries[name]
            is_directory = entry.is_dir(follow_symlinks=False)
            if not is_directory and not (name.endswith(SOURCE_SUFFIXES) and _may_be_source(entry)):
                continue
            if exclusion is not None and exclusion.matches(name, entry.path):
                continue
            if ignoring is not None and ignoring.ignores(entry.path, is_directory=is_directory):
                continue
            path = f"{prefix}{name}"
            if not is_directory:
                children.append(SourceFile(path, entry.path))
            elif name not in _NEVER:
                children.append(_Directory(path, entry.path, directory.everything, ignoring))
        return children


def _ignoring(directory: str) -> Listing | IgnoreRules:
    """Return what git ignores in `directory`: what it says itself, if it can and lists anything.

    It lists nothing of a directory that it ignores. Without a work tree, the `.gitignore` files
    count from the current directory on, or from `directory` if that is elsewhere.
    """
    from flushlint.git import Listing, work_tree
    from flushlint.gitignore import IgnoreRules

    top = work_tree(directory)
    if top is None:
        top = os.getcwd()
        real = os.path.realpath(directory)
        if not real.startswith(os.path.join(top, "")):
            top = real
    elif (listing := Listing.of(directory)) is not None:
        return listing
    return IgnoreRules.above(top, directory)


def _ignoring_in(
    directory: _Directory, entries: dict[str, os.DirEntry[str]]
) -> Listing | IgnoreRules | None:
    """Return what git ignores in a directory that holds `entries`."""
    ignoring = directory.ignoring
    if ignoring is None:
        return None
    if ".git" in entries and not directory.is_named:
        # A submodule or another repository, which the one around it knows nothing of.
        ignoring = _ignoring(directory.absolute)
    if ".gitignore" in entries:
        ignoring = ignoring.within(directory.absolute, named=directory.is_named)
    return ignoring


def _without_dot(path: str) -> str:
    """Return `path` without a leading ``./``; the current directory is the empty string."""
    while path.startswith(f".{os.sep}"):
        path = path[2:].lstrip(os.sep)
    return "" if path == os.curdir else path


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
