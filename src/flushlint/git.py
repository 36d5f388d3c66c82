"""What git knows of a directory: the files that it tracks, and the others that it does not ignore.

git starts in some milliseconds, and the module that starts it is imported in ten more. So ask only
where there is a work tree.
"""

from __future__ import annotations

import os
import sys

__all__ = ["Listing", "work_tree"]

# Without an own fsmonitor, which is a program that the repository's configuration may name.
_ARGUMENTS = ("-c", "core.fsmonitor=", "ls-files", "-co", "--exclude-standard", "-z")
# git sets these for its hooks. Each would have it look at something else than the directory.
_REDIRECTING = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_NAMESPACE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_WORK_TREE",
    }
)
# Warnings have the words that `Listing` looks for, and nothing in the repository is locked.
_SETTINGS = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
# File systems that find `a.py` by the name `A.py`, where git may list the one for the other.
_FOLDS_NAMES = sys.platform in {"darwin", "win32", "cygwin"}


class Listing:
    """Which files and directories below `top`, an absolute path, git lists.

    `output` is what `git ls-files -z` printed there, and `warnings` what it wrote besides. A
    repository in the work tree is listed, what is in it is not.
    """

    def __init__(self, top: str, output: bytes, warnings: bytes = b"") -> None:
        self._cut = len(os.path.join(top, ""))
        self._warnings = warnings
        self._listed: set[bytes] = set()
        for entry in output.split(b"\0"):
            path = _key(entry.rstrip(b"/"))
            # The directories above as well, up to one that is known.
            while path and path not in self._listed:
                self._listed.add(path)
                path = path.rpartition(b"/")[0]

    @classmethod
    def of(cls, directory: str) -> Listing | None:
        """Ask git; None if it can't say or lists nothing."""
        asked = _ask(directory)
        return cls(directory, *asked) if asked is not None and asked[0] else None

    def ignores(self, path: str, *, is_directory: bool) -> bool:
        """Return whether git does not list `path`, an absolute one below the top."""
        relative = os.fsencode(path[self._cut :])
        if os.sep != "/":
            relative = relative.replace(os.fsencode(os.sep), b"/")
        if _key(relative) in self._listed:
            return False
        # One that git could not open is the caller's to try, and to report; so are those above it.
        # git names them by a path from the top of the work tree on, in quotes.
        return not is_directory or not any(
            quote + relative + b"/" in self._warnings for quote in (b"'", b"/")
        )

    def within(self, directory: str, *, named: bool) -> Listing:  # noqa: ARG002 - see IgnoreRules
        """Return what holds in `directory`: git has read the `.gitignore` file there."""
        return self


def work_tree(directory: str) -> str | None:
    """Return the nearest directory from `directory` upwards that has a `.git`, as a real path."""
    parent = os.path.realpath(directory)
    while not os.path.lexists(os.path.join(parent, ".git")):
        directory, parent = parent, os.path.dirname(parent)
        if parent == directory:
            return None
    return parent


def _ask(directory: str) -> tuple[bytes, bytes] | None:
    """Return what git prints and warns of; None without git, or if it fails.

    It fails, among others, in a repository that belongs to somebody else.
    """
    program = _program()
    if program is None:
        return None
    import subprocess

    environment = {name: os.environ[name] for name in os.environ if name not in _REDIRECTING}
    try:
        done = subprocess.run(  # noqa: S603 - with constant arguments
            (program, *_ARGUMENTS),
            cwd=directory,
            env=environment | _SETTINGS,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError:
        return None
    return (done.stdout, done.stderr) if done.returncode == 0 else None


def _program() -> str | None:
    """Return the path of git. The current directory, which may be anybody's, is not searched."""
    name = "git.exe" if os.name == "nt" else "git"
    for directory in os.get_exec_path():
        path = os.path.join(directory, name)
        if os.path.isabs(directory) and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def _key(path: bytes) -> bytes:
    """Return what is the same for all names of a file, where it may have several."""
    return _folded(path) if _FOLDS_NAMES else path


def _folded(path: bytes) -> bytes:
    """Return `path` without the difference of case, and of composed and decomposed letters."""
    from unicodedata import normalize

    folded = normalize("NFC", path.decode(errors="surrogateescape")).casefold()
    return folded.encode(errors="surrogateescape")
