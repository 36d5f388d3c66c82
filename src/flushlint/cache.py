"""What has come of programs before: outcomes of analyses, kept by all that they depend on.

The key of an entry is a digest of the version of flushlint, of all that is assumed, and of the
bytes of every module that an analysis reads. So nothing is ever out of date, and there is nothing
to invalidate. Entries are JSON, written to a file of their own that is then renamed: other runs see
them whole or not at all, and what is not whole is no entry.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from typing import TYPE_CHECKING

import flushlint
from flushlint.project.project import MARKERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flushlint.work import Outcome, Task

__all__ = ["Cache", "directory_for"]

_NAME = ".flushlint_cache"
_SUFFIX = ".json"
# What backup programs and git are to leave alone.
_BESIDE = {
    "CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n",
    ".gitignore": "*\n",
}
_MOST_ENTRIES = 20_000


def directory_for(current: str) -> str:
    """Return where a project keeps its cache, for a run in an absolute directory."""
    directory = current
    while True:
        if any(os.path.exists(os.path.join(directory, marker)) for marker in MARKERS):
            return os.path.join(directory, _NAME)
        parent = os.path.dirname(directory)
        if parent == directory:
            return os.path.join(current, _NAME)
        directory = parent


class Cache:
    """The outcomes in one directory. A directory that can't be read or written holds none."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._program = _fingerprint()
        self._is_there = False

    def get(self, key: str) -> Outcome | None:
        """Return what has come of the task with this key, None if that is not known."""
        import msgspec

        from flushlint.work import Outcome

        try:
            with open(self._path(key), "rb") as file:
                found = msgspec.json.decode(file.read(), type=Outcome)
            os.utime(self._path(key))
        except (OSError, msgspec.MsgspecError):
            return None
        return found

    def put(self, key: str, outcome: Outcome) -> None:
        """Remember what has come of a task; errors come anew each time."""
        import msgspec

        if outcome.error is not None:
            return
        with contextlib.suppress(OSError):
            self._make()
            handle, name = tempfile.mkstemp(dir=self._directory)
            try:
                with open(handle, "wb") as file:
                    file.write(msgspec.json.encode(outcome))
                os.replace(name, self._path(key))
            except OSError:
                os.unlink(name)
                raise

    def tidy(self) -> None:
        """Remove the entries that nobody has asked for the longest, if there are too many."""
        with contextlib.suppress(OSError):
            entries = [entry for entry in os.scandir(self._directory) if entry.is_file()]
            entries = [entry for entry in entries if entry.name.endswith(_SUFFIX)]
            if len(entries) > _MOST_ENTRIES:
                entries.sort(key=lambda entry: entry.stat().st_mtime)
                for entry in entries[: len(entries) - _MOST_ENTRIES // 2]:
                    with contextlib.suppress(OSError):
                        os.unlink(entry.path)

    def _make(self) -> None:
        if self._is_there:
            return
        os.makedirs(self._directory, exist_ok=True)
        for name, text in _BESIDE.items():
            path = os.path.join(self._directory, name)
            if not os.path.exists(path):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
        self._is_there = True

    def key(self, task: Task) -> str:
        """Return a digest of all that the outcome of a task depends on."""
        digest = hashlib.blake2b(self._program, digest_size=20)
        for part in _parts(task):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
        return digest.hexdigest()

    def _path(self, key: str) -> str:
        return os.path.join(self._directory, key + _SUFFIX)


def _parts(task: Task) -> Iterator[bytes]:
    """Yield all that an outcome depends on."""
    unit = task.unit
    told = (task.with_fixes, task.options, unit.name, _ordered(task.choices))
    yield repr(told).encode("utf-8", "surrogatepass")
    for name, file in (("", unit.main), *sorted(unit.imported.items())):
        yield repr((name, file.path, file.is_package)).encode("utf-8", "surrogatepass")
        yield file.data


def _ordered(value: object) -> object:
    """Return a value whose text is the same in every process: sets have no order."""
    if isinstance(value, (frozenset, set)):
        return sorted(map(repr, map(_ordered, value)))
    if isinstance(value, dict):
        return sorted((repr(key), _ordered(each)) for key, each in value.items())
    if isinstance(value, (tuple, list)):
        return [_ordered(each) for each in value]
    return value


def _fingerprint() -> bytes:
    """Return what tells this flushlint, also one that is being worked on, from any other."""
    root = os.path.dirname(os.path.abspath(flushlint.__file__))
    digest = hashlib.blake2b(repr((flushlint.__version__, sys.version_info[:2])).encode())
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".py"):
                seen = os.stat(os.path.join(folder, name))
                digest.update(f"{name} {seen.st_size} {seen.st_mtime_ns}\n".encode())
    return digest.digest()
