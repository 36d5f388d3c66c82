"""Replacing the contents of a source file so that nothing is ever lost.

Whatever ends the process, and whenever: the file holds its old bytes or the new ones, never
anything in between. There are two ways to that.

*Atomically*, wherever possible: the new bytes go to a temporary file in the same directory, which
gets the owner, extended attributes (access control lists among them), flags and mode of the source
file, is synced, and takes the source file's name in one step. Links to it are followed and kept.

*In place*, where that would break something: the file has several names (hard links), no file can
be created beside it, it can't be renamed onto (a mount), or its owner or attributes can't be given
to another file. The old bytes are first stored, complete and synced, in a backup: beside the file,
or in the directory for temporary files where that can't be. Then the file is overwritten, and the
backup removed. An error half-way puts the old bytes back.

SIGINT, SIGTERM and the like wait until a file is done. Nothing can wait for SIGKILL or a power cut:
they may leave one of these behind, which `stray_files` finds.

- ``.NAME.flushlint-*.partial`` may be removed; the file itself is whole.
- ``.NAME.flushlint-*.backup`` holds all the old bytes of a file that was being written in place and
  may be half-written. ``cat BACKUP > FILE`` brings them back and keeps links, owner and mode. As
  long as it exists the file is not written again.

Python can't see the extended attributes of macOS nor the access control lists of Windows: there a
replaced file has those that its directory gives to new files.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import stat
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Outcome", "replace_file", "signals_held_back", "stray_files"]

_PARTIAL = ".partial"
_BACKUP = ".backup"
_STRAY = re.compile(
    r"(?P<stem>.+\.flushlint-(?:[0-9a-f]{16}-)?)[0-9a-f]{16}\.(?:partial|backup)", re.DOTALL
)
# Bytes of a file's name that go into the names of its temporary files. With what is added to them
# they fit into any file system's limit (143 bytes on an encrypted one, 255 elsewhere).
_LONGEST_NAME = 100

# Not through a link, and without waiting for the other end of a pipe.
_OPENING = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
# Answers of a system that forbids to replace a file but may allow to write it.
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY})
# Answers of a file system that has no extended attributes, or syncs no directories.
_UNSUPPORTED = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})

# SIGINT comes last: it is the one whose handler raises, and must not do so among the others.
_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGBREAK", "SIGHUP", "SIGTERM", "SIGINT")
    if hasattr(signal, name)
)


class Outcome(NamedTuple):
    """What has become of a file.

    Where it was not `written`, `cause` says why. Where it was, `cause` is None, or says what the
    user should know all the same. It is one line without the file's name and a final full stop.
    """

    written: bool
    cause: str | None = None


class _SkippedError(Exception):
    """The file is not written. The text is the cause."""


class _HalfWrittenError(_SkippedError):
    """The file is neither old nor new, and its backup has to stay."""


def replace_file(path: str, before: bytes, after: bytes) -> Outcome:
    """Write `after` to the file `path`, provided that it holds exactly `before`.

    Nothing that can happen to a file raises. A signal that arrives meanwhile takes effect at the
    end of the call: a KeyboardInterrupt says nothing about whether the file was written.
    In any thread but the main one no signal can be held back.
    """
    with signals_held_back():
        try:
            return _replace(os.path.realpath(path), before, after)
        except (OSError, _SkippedError) as error:
            if isinstance(error, FileNotFoundError) and os.path.islink(path):
                return Outcome(written=False, cause="dangling symbolic link")
            return Outcome(written=False, cause=_cause(error))


def stray_files(*paths: str) -> list[str]:
    """Return what earlier, interrupted writes of the files `paths` have left behind.

    The module's docstring says what each of them is, and how to get back the contents of a file.
    Those of a write that is just going on in another process are among them. Each directory is
    read once.
    """
    wanted: dict[str, dict[str, str]] = {}
    for path in paths:
        real = os.path.realpath(path)
        for stem in (_stem(real), _foreign_stem(real)):
            if stem is not None:
                directory, name = os.path.split(stem)
                wanted.setdefault(directory, {})[name] = real
    return [stray for directory, stems in wanted.items() for stray in _strays_in(directory, stems)]


# -- names ----------------------------------------------------------------------------------------


def _stem(real: str) -> str:
    """Return how the path of each temporary file beside the file `real` begins."""
    directory, name = os.path.split(real)
    return os.path.join(directory, f".{_short(name)}.flushlint-")


def _foreign_stem(real: str) -> str | None:
    """Return how the path of each backup begins that had to be made elsewhere.

    None where there is no directory for temporary files.
    """
    import tempfile  # slow to import

    try:
        directory = tempfile.gettempdir()
    except FileNotFoundError:
        return None
    name = _short(os.path.basename(real))
    return os.path.join(directory, f"{name}.flushlint-{_digest(real)}-")


def _short(name: str) -> str:
    if len(os.fsencode(name)) <= _LONGEST_NAME:
        return name
    # A character has up to four bytes.
    return f"{name[: _LONGEST_NAME // 4]}~{_digest(name)}"


def _digest(text: str) -> str:
    import hashlib

    return hashlib.sha256(os.fsencode(text)).hexdigest()[:16]


def _strays_in(directory: str, stems: dict[str, str]) -> Iterator[str]:
    """Yield the strays in `directory`. `stems` has the source file for how their names begin."""
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return
    for name in names:
        match = _STRAY.fullmatch(name)
        real = match and stems.get(match["stem"])
        if real:
            stray = os.path.join(directory, name)
            if directory == os.path.dirname(real) or _is_trusted(stray, real):
                yield stray


def _is_trusted(stray: str, real: str) -> bool:
    """Return whether a file in a directory that is everybody's comes from who may write `real`."""
    if not hasattr(os, "geteuid"):
        return True
    owners = {0, os.geteuid()}
    with suppress(OSError):
        owners.add(os.stat(real).st_uid)
    try:
        return os.lstat(stray).st_uid in owners
    except OSError:
        return False


# -- the two ways ---------------------------------------------------------------------------------


def _replace(real: str, before: bytes, after: bytes) -> Outcome:
    """Replace the contents of `real`, a path without links. Raises OSError, _SkippedError."""
    seen = _look(real, before)
    for stray in stray_files(real):
        if stray.endswith(_BACKUP):
            raise _SkippedError(f"an interrupted write has left its old contents in {stray}")
    if seen.st_nlink == 1:
        try:
            return _replace_atomically(real, seen, before, after)
        except OSError as error:
            if error.errno not in _FORBIDDEN:
                raise
    return _write_in_place(real, before, after)


def _look(real: str, before: bytes) -> os.stat_result:
    """Return what `real` is like, provided that it may be written and holds `before`.

    Raises OSError, _SkippedError.
    """
    mode = os.stat(real).st_mode
    if stat.S_ISDIR(mode):
        raise _SkippedError("is a directory")
    if not stat.S_ISREG(mode):
        raise _SkippedError("is not a regular file")
    if not mode & stat.S_IWUSR:
        # That root may write it, or that it could be replaced, doesn't mean that it should be.
        raise _SkippedError("is read-only")
    # Opened for writing as well, to hear of whatever else forbids that.
    with _opened(real, os.O_RDWR) as file:
        _require(file, before)
        return os.fstat(file)


def _replace_atomically(real: str, seen: os.stat_result, before: bytes, after: bytes) -> Outcome:
    """Give the name of `real` to a new file. Raises OSError, _SkippedError: it is the old one."""
    partial = _stem(real) + os.urandom(8).hex() + _PARTIAL
    with _created(partial) as file:
        _write(file, after)
        _keep_metadata(real, seen, partial, file)
        os.fsync(file)
    with _removed_on_error(partial):
        if _identity(_look(real, before)) != _identity(seen):
            raise _SkippedError("changed since it was read")
        os.replace(partial, real)
    try:
        _sync_directory(os.path.dirname(real))
    except OSError as error:
        return Outcome(written=True, cause=f"perhaps not yet on the disk: {_cause(error)}")
    return Outcome(written=True)


def _write_in_place(real: str, before: bytes, after: bytes) -> Outcome:
    """Overwrite `real` while there is a backup. Raises OSError, _SkippedError: it is the old one.

    Raises _HalfWrittenError if it is neither the old one nor the new one.
    """
    backup = _back_up(real, before)
    with _removed_on_error(backup), _opened(real, os.O_RDWR) as file:
        _require(file, before)
        try:
            _overwrite(file, after)
        except BaseException as error:
            try:
                _overwrite(file, before)
            except BaseException:  # noqa: BLE001 - whatever it is, the backup has to stay
                raise _HalfWrittenError(
                    f"half-written ({_cause(error)}); its old contents are in {backup}"
                ) from error
            raise
    try:
        os.unlink(backup)
    except OSError as error:
        cause = f"its old contents are also left in {backup}: {_cause(error)}"
        return Outcome(written=True, cause=cause)
    return Outcome(written=True)


def _back_up(real: str, data: bytes) -> str:
    """Store `data`, the contents of `real`, and return the path of the backup. Raises OSError."""
    try:
        return _store_backup(_stem(real), data)
    except OSError as error:
        foreign = _foreign_stem(real)
        if error.errno not in _FORBIDDEN or foreign is None:
            raise
    return _store_backup(foreign, data)


def _store_backup(stem: str, data: bytes) -> str:
    """Store `data` and return where. What has the name of a backup is always a complete one."""
    base = stem + os.urandom(8).hex()
    partial, backup = base + _PARTIAL, base + _BACKUP
    with _created(partial) as file:
        _write(file, data)
        os.fsync(file)
    with _removed_on_error(partial):
        os.rename(partial, backup)
    with _removed_on_error(backup):
        _sync_directory(os.path.dirname(backup))
    return backup


# -- files ----------------------------------------------------------------------------------------


@contextmanager
def _opened(path: str, flags: int) -> Iterator[int]:
    """Give a descriptor of `path`, which is closed in the end. Raises OSError."""
    file = os.open(path, flags | _OPENING, 0o600)
    try:
        yield file
    finally:
        # All that was written has been synced: closing has no news.
        with suppress(OSError):
            os.close(file)


@contextmanager
def _created(path: str) -> Iterator[int]:
    """Give a descriptor of a new file that only its owner may read. Raises OSError.

    The file is removed on an error.
    """
    with _opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as file, _removed_on_error(path):
        yield file


@contextmanager
def _removed_on_error(path: str) -> Iterator[None]:
    """Remove `path`, a file of ours, if what follows fails.

    Raises _SkippedError, which names the file, if it can't be removed.
    """
    try:
        yield
    except _HalfWrittenError:
        raise  # of the old contents there is nothing but this file
    except BaseException as error:
        try:
            os.unlink(path)
        except OSError as why:
            if isinstance(error, (OSError, _SkippedError)):
                cause = f"{_cause(error)}; {path} is left behind: {_cause(why)}"
                raise _SkippedError(cause) from error
        raise


def _require(file: int, expected: bytes) -> None:
    """Make sure that an open file holds `expected`. Raises OSError, _SkippedError."""
    held = bytearray()
    # One byte more, so that a longer file differs.
    while len(held) <= len(expected) and (chunk := os.read(file, len(expected) + 1 - len(held))):
        held += chunk
    if held != expected:
        raise _SkippedError("changed since it was read")


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def _overwrite(file: int, data: bytes) -> None:
    """Make `data` the contents of an open file, without emptying it in between. Raises OSError."""
    os.lseek(file, 0, os.SEEK_SET)
    _write(file, data)
    os.ftruncate(file, len(data))
    os.fsync(file)


def _sync_directory(directory: str) -> None:
    """Have the names in `directory` on the disk, where the system can do that. Raises OSError."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    try:
        with _opened(directory, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
            os.fsync(descriptor)
    except OSError as error:
        # A directory may be writable without being readable.
        if error.errno not in _UNSUPPORTED | _FORBIDDEN:
            raise


def _identity(seen: os.stat_result) -> tuple[int, ...]:
    """Return all that tells a file, other than its contents, from one that was seen before."""
    return (
        seen.st_dev, seen.st_ino, seen.st_nlink, seen.st_uid, seen.st_gid, seen.st_mode,
    )  # fmt: skip


# -- owner, mode and attributes -------------------------------------------------------------------


def _keep_metadata(source: str, seen: os.stat_result, partial: str, file: int) -> None:
    """Make the new file `partial` like `source`. Raises PermissionError if it can't be made so."""
    try:
        if hasattr(os, "fchown"):
            made = os.fstat(file)
            if (made.st_uid, made.st_gid) != (seen.st_uid, seen.st_gid):
                os.fchown(file, seen.st_uid, seen.st_gid)
            if hasattr(os, "listxattr"):
                _copy_attributes(source, file)
            # After the owner and the access control list, which change the mode.
            os.fchmod(file, stat.S_IMODE(seen.st_mode))
        flags = getattr(seen, "st_flags", 0)
        if flags != getattr(os.fstat(file), "st_flags", 0) and hasattr(os, "chflags"):
            os.chflags(partial, flags)
    except OSError as error:
        raise PermissionError(errno.EPERM, _cause(error)) from error
    made = os.fstat(file)
    # Some bits are dropped without a word.
    if (made.st_uid, made.st_gid, made.st_mode) != (seen.st_uid, seen.st_gid, seen.st_mode):
        raise PermissionError(errno.EPERM, "owner or mode can't be kept")


def _copy_attributes(source: str, file: int) -> None:
    """Give an open file the extended attributes of `source`, and no others. Raises OSError."""
    wanted, given = _attributes(source), _attributes(file)
    for name in given.keys() - wanted.keys():
        os.removexattr(file, name)
    for name, value in wanted.items():
        if given.get(name) != value:
            os.setxattr(file, name, value)


def _attributes(file: str | int) -> dict[str, bytes]:
    try:
        names = os.listxattr(file)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return {}
        raise
    return {name: os.getxattr(file, name) for name in names}


# -- signals and words ----------------------------------------------------------------------------


@contextmanager
def signals_held_back() -> Iterator[None]:
    """Keep signals that would end the process waiting until the end of the block.

    Only the main thread can do that. A handler that was not installed from Python is left alone:
    it could not be restored.
    """
    held: set[int] = set()
    previous = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                handler = signal.getsignal(number)
                if handler is not None:
                    previous[number] = handler
                    signal.signal(number, lambda received, _frame: held.add(received))
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        for number in previous:
            if number in held:
                signal.raise_signal(number)


def _cause(error: BaseException) -> str:
    """Say in a few words what went wrong."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"{reason[:1].lower()}{reason[1:]}"
