"""A source file that is written holds its old bytes or the new ones, whatever happens."""

from __future__ import annotations

import errno
import importlib.util
import os
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flushlint import writing
from flushlint.config import Configuration
from flushlint.discovery import SourceFile, discover
from flushlint.writing import Outcome, replace_file, stray_files
from tests import interrupted_writes
from tests.interrupted_writes import NOBODY, WAYS, Seen, seen_from_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.interrupted_writes import Way

BEFORE = b"old = 1\r\n"
AFTER = b"\xef\xbb\xbfnew = 1\nnewer = 2"
WRITTEN = Outcome(written=True)
CHANGED = Outcome(written=False, cause="changed since it was read")
IS_ROOT = os.geteuid() == 0
ROOT_ONLY = pytest.mark.skipif(not IS_ROOT, reason="only root can give files away")


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that other users can enter (`tmp_path` is private), with one for temporaries."""
    path = Path(os.path.realpath(tempfile.mkdtemp()))
    path.chmod(0o755)
    temporary = path / "temporary"
    temporary.mkdir()
    temporary.chmod(0o1777)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(temporary))
        yield path
    for directory, _, _ in os.walk(path):
        os.chmod(directory, 0o700)
    shutil.rmtree(path)


@pytest.fixture
def source(place: Path) -> Path:
    """A source file, alone in its directory."""
    (place / "sources").mkdir()
    path = place / "sources" / "a.py"
    path.write_bytes(BEFORE)
    return path


def strays(source: Path) -> set[str]:
    """Return what is there besides source files, whether it is reported or not."""
    beside = {str(path) for path in source.parent.iterdir() if path.suffix != ".py"}
    return beside | {str(path) for path in (source.parent.parent / "temporary").iterdir()}


def assert_written(source: Path, outcome: Outcome) -> None:
    assert outcome == WRITTEN
    assert source.read_bytes() == AFTER
    assert strays(source) == set()


def assert_skipped(source: Path, outcome: Outcome, cause: str) -> None:
    assert outcome == Outcome(written=False, cause=cause)
    assert source.read_bytes() == BEFORE
    assert strays(source) == set()


def replace(path: Path) -> Outcome:
    return replace_file(str(path), BEFORE, AFTER)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be somebody whom permissions hold back."""
    if not IS_ROOT:
        yield
        return
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def give_to(path: Path, user: int, group: int) -> None:
    if IS_ROOT:
        os.chown(path, user, group)


# -- what is kept ---------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [AFTER, b"", b"x", BEFORE * 100_000])
@pytest.mark.parametrize("linked", [False, True])
def test_the_new_bytes_are_there(source: Path, after: bytes, linked: bool) -> None:
    if linked:
        source.with_name("b.py").hardlink_to(source)
    assert replace_file(str(source), BEFORE, after) == WRITTEN
    assert source.read_bytes() == after
    assert replace_file(str(source), after, BEFORE) == WRITTEN
    assert source.read_bytes() == BEFORE
    assert strays(source) == set()


def test_a_relative_path(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(source.parent)
    assert_written(source, replace(Path("a.py")))


def test_a_reader_keeps_the_old_file(source: Path) -> None:
    with source.open("rb") as reader:
        assert_written(source, replace(source))
        assert reader.read() == BEFORE


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o664, 0o4755, 0o2750, 0o200])
def test_the_mode_is_kept(source: Path, mode: int) -> None:
    source.chmod(mode)
    if not IS_ROOT and not mode & stat.S_IRUSR:
        pytest.skip("only root can read it")
    assert_written(source, replace(source))
    assert stat.S_IMODE(source.stat().st_mode) == mode


def test_the_mode_does_not_depend_on_the_umask(source: Path) -> None:
    source.chmod(0o666)
    umask = os.umask(0o077)
    try:
        assert_written(source, replace(source))
    finally:
        os.umask(umask)
    assert stat.S_IMODE(source.stat().st_mode) == 0o666


def test_nobody_else_can_read_the_file_in_the_making(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.chmod(0o600)
    modes: list[int] = []
    write = os.write

    def spy(file: int, data: bytes) -> int:
        modes.append(stat.S_IMODE(os.fstat(file).st_mode))
        return write(file, data)

    monkeypatch.setattr(os, "write", spy)
    assert_written(source, replace(source))
    assert modes == [0o600]


@ROOT_ONLY
def test_the_owner_is_kept(source: Path) -> None:
    os.chown(source, 1234, 1235)
    source.chmod(0o4755)
    inode = source.stat().st_ino
    assert_written(source, replace(source))
    seen = source.stat()
    assert seen.st_ino != inode  # in place it would be no wonder
    assert (seen.st_uid, seen.st_gid, stat.S_IMODE(seen.st_mode)) == (1234, 1235, 0o4755)


@ROOT_ONLY
@pytest.mark.parametrize("owner", [(1234, NOBODY), (NOBODY, 1234)])
def test_who_cannot_keep_the_owner_writes_in_place(source: Path, owner: tuple[int, int]) -> None:
    source.parent.chmod(0o777)
    os.chown(source, *owner)
    source.chmod(0o666)
    inode = source.stat().st_ino
    with as_nobody():
        assert_written(source, replace(source))
    seen = source.stat()
    assert (seen.st_uid, seen.st_gid, seen.st_ino) == (*owner, inode)


@ROOT_ONLY
def test_a_directory_that_gives_its_group(source: Path) -> None:
    os.chown(source.parent, 0, 1234)
    source.parent.chmod(0o2775)
    assert_written(source, replace(source))
    assert source.stat().st_gid == 0


def set_attribute(path: Path, name: str, value: bytes) -> None:
    """Set an extended attribute, or skip the test where there are none."""
    if sys.platform != "linux":
        pytest.skip("Python reaches extended attributes on Linux only")
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        pytest.skip(f"no such attributes here: {error}")


def attributes(path: Path) -> dict[str, bytes]:
    return {name: os.getxattr(path, name) for name in os.listxattr(path)}


def access_list(user: int) -> bytes:
    """Return an access control list that lets `user` read a file of mode 0640."""
    nobody_in_particular = 0xFFFFFFFF
    entries = [
        (0x01, 6, nobody_in_particular), (0x02, 4, user), (0x04, 4, nobody_in_particular),
        (0x10, 4, nobody_in_particular), (0x20, 0, nobody_in_particular),
    ]  # fmt: skip
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def test_extended_attributes_are_kept(source: Path) -> None:
    set_attribute(source, "user.one", b"1")
    set_attribute(source, "user.none", b"")
    assert_written(source, replace(source))
    assert attributes(source) == {"user.one": b"1", "user.none": b""}


def test_access_control_lists_are_kept(source: Path) -> None:
    set_attribute(source, "system.posix_acl_access", access_list(1234))
    mode, before = source.stat().st_mode, attributes(source)
    assert_written(source, replace(source))
    assert (source.stat().st_mode, attributes(source)) == (mode, before)


def test_what_a_directory_gives_to_new_files_is_not_taken(source: Path) -> None:
    set_attribute(source.parent, "system.posix_acl_default", access_list(1234))
    mode = source.stat().st_mode
    assert_written(source, replace(source))
    assert (source.stat().st_mode, attributes(source)) == (mode, {})


def test_attributes_that_cannot_be_copied_stay_where_they_are(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_attribute(source, "user.one", b"1")
    inode = source.stat().st_ino
    monkeypatch.setattr(os, "setxattr", failing(errno.ENOSPC))
    assert_written(source, replace(source))
    assert source.stat().st_ino == inode
    assert attributes(source) == {"user.one": b"1"}


def test_a_file_system_without_attributes(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inode = source.stat().st_ino
    monkeypatch.setattr(os, "listxattr", failing(errno.ENOTSUP), raising=False)
    assert_written(source, replace(source))
    assert source.stat().st_ino != inode


def failing(number: int) -> Callable[..., Any]:
    def fail(*arguments: object, **options: object) -> Any:  # noqa: ANN401 - never returns
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("target", ["sources/a.py", "{place}/sources/a.py", "link/../link/b.py"])
def test_links_are_followed_and_kept(place: Path, source: Path, target: str) -> None:
    (place / "link").symlink_to("sources")
    source.with_name("b.py").symlink_to("../sources/a.py")
    link = place / "c.py"
    link.symlink_to(target.format(place=place))
    assert_written(source, replace(link))
    assert os.readlink(link) == target.format(place=place)
    assert os.readlink(source.with_name("b.py")) == "../sources/a.py"
    assert not source.is_symlink()
    assert sorted(os.listdir(place)) == ["c.py", "link", "sources", "temporary"]


def test_hard_links_are_kept(source: Path) -> None:
    other = source.parent.parent / "b.py"
    other.hardlink_to(source)
    inode = source.stat().st_ino
    assert_written(source, replace(source))
    assert other.read_bytes() == AFTER
    assert source.stat().st_ino == other.stat().st_ino == inode


def test_in_a_directory_that_cannot_be_written_the_file_still_can(source: Path) -> None:
    give_to(source, NOBODY, NOBODY)
    source.parent.chmod(0o555)
    inode = source.stat().st_ino
    with as_nobody():
        assert_written(source, replace(source))
    assert source.stat().st_ino == inode


def test_nothing_is_written_where_no_backup_can_be_made(source: Path) -> None:
    give_to(source, NOBODY, NOBODY)
    source.parent.chmod(0o555)
    Path(tempfile.gettempdir()).chmod(0o555)
    with as_nobody():
        outcome = replace(source)
    assert_skipped(source, outcome, "permission denied")


def test_a_file_that_cannot_be_renamed_onto(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # So answers Linux where a single file is mounted, as containers do.
    monkeypatch.setattr(os, "replace", failing(errno.EBUSY))
    inode = source.stat().st_ino
    assert_written(source, replace(source))
    assert source.stat().st_ino == inode


def test_no_tool_takes_a_temporary_file_for_a_source(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[str] = set()
    fsync = os.fsync

    def spy(file: int) -> None:
        seen.update(os.listdir(source.parent))
        found = list(discover([str(source.parent)], Configuration(isolated=True)))
        assert found == [SourceFile(str(source), str(source))]
        fsync(file)

    monkeypatch.setattr(os, "fsync", spy)
    assert_written(source, replace(source))
    seen.remove("a.py")
    assert len(seen) == 1
    assert not any(name.endswith(".py") for name in seen)


@pytest.mark.parametrize("linked", [False, True])
def test_what_has_the_name_of_a_temporary_file_is_left_alone(
    source: Path, linked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if linked:
        source.with_name("b.py").hardlink_to(source)
    monkeypatch.setattr(os, "urandom", bytes)
    target = source.with_name("c.py")
    target.write_bytes(b"precious")
    planted = source.with_name(f".a.py.flushlint-{'0' * 16}.partial")
    planted.symlink_to(target)
    assert replace(source) == Outcome(written=False, cause="file exists")
    assert (source.read_bytes(), target.read_bytes()) == (BEFORE, b"precious")
    assert stray_files(str(source)) == [str(planted)]


def test_without_what_windows_lacks(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = [
        "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "fchown", "fchmod", "chflags", "geteuid",
        "listxattr", "getxattr", "setxattr", "removexattr",
    ]  # fmt: skip
    for name in lacking:
        monkeypatch.delattr(os, name, raising=False)
    monkeypatch.delattr(signal, "SIGHUP")
    spec = importlib.util.spec_from_file_location("writing_on_windows", writing.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.replace_file(str(source), BEFORE, AFTER) == WRITTEN
    source.with_name("b.py").hardlink_to(source)
    assert module.replace_file(str(source), AFTER, BEFORE) == WRITTEN
    assert source.read_bytes() == BEFORE
    assert module.stray_files(str(source)) == []
    assert strays(source) == set()


# -- what is not written --------------------------------------------------------------------------


@pytest.mark.parametrize("held", [b"", BEFORE[:-1], BEFORE + b"x", BEFORE.replace(b"1", b"2")])
@pytest.mark.parametrize("linked", [False, True])
def test_a_file_that_has_changed(source: Path, held: bytes, linked: bool) -> None:
    if linked:
        source.with_name("b.py").hardlink_to(source)
    source.write_bytes(held)
    assert replace(source) == CHANGED
    assert source.read_bytes() == held
    assert strays(source) == set()


@pytest.mark.parametrize("linked", [False, True])
def test_a_file_that_changes_at_the_last_moment(
    source: Path, linked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if linked:
        source.with_name("b.py").hardlink_to(source)
    fsync = os.fsync

    def edit(file: int) -> None:
        source.write_bytes(b"edit")
        fsync(file)

    monkeypatch.setattr(os, "fsync", edit)
    assert replace(source) == CHANGED
    assert source.read_bytes() == b"edit"
    assert strays(source) == set()


def test_a_file_that_is_made_read_only_at_the_last_moment(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: source.chmod(0o444))
    assert_skipped(source, replace(source), "is read-only")


def test_a_file_that_gets_a_second_name_at_the_last_moment(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: source.with_name("b.py").hardlink_to(source))
    assert_skipped(source, replace(source), "changed since it was read")


def test_a_file_that_has_vanished(source: Path) -> None:
    source.unlink()
    assert replace(source) == Outcome(written=False, cause="no such file or directory")
    shutil.rmtree(source.parent)
    assert replace(source) == Outcome(written=False, cause="no such file or directory")


def test_a_read_only_file(source: Path) -> None:
    source.chmod(0o444)
    assert_skipped(source, replace(source), "is read-only")


@ROOT_ONLY
def test_a_file_of_somebody_else(source: Path) -> None:
    # The directory would let it be replaced all the same.
    source.parent.chmod(0o777)
    with as_nobody():
        outcome = replace(source)
    assert_skipped(source, outcome, "permission denied")


def test_what_is_no_file(place: Path) -> None:
    assert replace(place) == Outcome(written=False, cause="is a directory")
    no_file = Outcome(written=False, cause="is not a regular file")
    pipe = place / "pipe.py"
    os.mkfifo(pipe)
    assert replace(pipe) == no_file
    assert replace_file(os.devnull, b"", AFTER) == no_file


def test_links_to_nothing(place: Path) -> None:
    link = place / "a.py"
    link.symlink_to("nowhere")
    assert replace(link) == Outcome(written=False, cause="dangling symbolic link")
    link.unlink()
    link.symlink_to("a.py")
    assert replace(link) == Outcome(written=False, cause="too many levels of symbolic links")
    assert sorted(os.listdir(place)) == ["a.py", "temporary"]


# -- errors ---------------------------------------------------------------------------------------


class FailingSystem:
    """Stands in for `os`: the call with the number `target` fails, with `error`.

    If the error `lasts`, so do all later calls of the same function.
    """

    def __init__(self, target: int, error: int, *, lasts: bool) -> None:
        self._left = target
        self._error = error
        self._lasts = lasts
        self.failed = ""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all that the real one has
        real = getattr(os, name)
        if type(real) is not type(os.open) or real in {os.fspath, os.strerror}:
            return real

        def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - all that the real one takes
            self._left -= 1
            if self._left == -1 or (self._lasts and name == self.failed):
                self.failed = name
                if name == "close":
                    real(*arguments)
                raise OSError(self._error, os.strerror(self._error))
            return real(*arguments, **options)

        return call


@pytest.mark.parametrize("lasts", [False, True])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EACCES], ids=os.strerror)
@pytest.mark.parametrize("linked", [False, True])
def test_an_error_at_any_call(
    source: Path, linked: bool, error: int, lasts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if linked:
        source.with_name("b.py").hardlink_to(source)
    failed: set[str] = set()
    target = 0
    while True:
        source.write_bytes(BEFORE)
        descriptors = os.listdir("/dev/fd")
        system = FailingSystem(target, error, lasts=lasts)
        monkeypatch.setattr(writing, "os", system)
        outcome = replace(source)
        monkeypatch.undo()
        assert os.listdir("/dev/fd") == descriptors
        if not system.failed:
            break
        assert_nothing_is_lost(source, outcome)
        failed.add(system.failed)
        target += 1
    assert_written(source, outcome)
    calls = {"open", "read", "write", "fsync", "close", "stat", "unlink", "lseek", "rename"}
    assert failed >= (calls if linked else {*calls - {"unlink", "lseek", "rename"}, "replace"})


def assert_nothing_is_lost(source: Path, outcome: Outcome) -> None:
    """Assert that the file is whole, or has a backup, and that whatever is left is named."""
    left = strays(source)
    held = source.read_bytes()
    if held != (AFTER if outcome.written else BEFORE):
        assert not outcome.written
        (backup,) = left
        assert Path(backup).read_bytes() == BEFORE
        assert outcome.cause is not None
        assert outcome.cause.startswith("half-written (")
    assert all(stray in (outcome.cause or "") for stray in left)
    assert set(stray_files(str(source))) == left
    for stray in left:
        os.unlink(stray)


def test_a_full_disk_in_earnest(source: Path) -> None:
    source.with_name("b.py").hardlink_to(source)
    program = (
        "import resource, sys; from flushlint.writing import replace_file\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        f"print(replace_file(sys.argv[1], {BEFORE!r}, {BEFORE!r} * 500))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, source], capture_output=True, check=True, text=True
    )
    assert done.stdout == "Outcome(written=False, cause='file too large')\n"
    assert source.read_bytes() == BEFORE
    assert strays(source) == set()


def test_a_file_that_stays_half_written(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source.with_name("b.py").hardlink_to(source)
    write = os.write

    def half(file: int, data: bytes) -> int:
        if os.fstat(file).st_nlink == 1:
            return write(file, data)
        if os.lseek(file, 0, os.SEEK_CUR) > 0:
            raise OSError(errno.EIO, "Input/output error")
        return write(file, data[:4])

    monkeypatch.setattr(os, "write", half)
    outcome = replace(source)
    (backup,) = stray_files(str(source))
    assert outcome == Outcome(
        written=False,
        cause=f"half-written (input/output error); its old contents are in {backup}",
    )
    monkeypatch.undo()
    refused = replace_file(str(source), source.read_bytes(), AFTER)
    assert refused == Outcome(
        written=False, cause=f"an interrupted write has left its old contents in {backup}"
    )
    # As the module's docstring says.
    subprocess.run(["sh", "-c", 'cat "$0" > "$1"', backup, source], check=True)
    assert source.read_bytes() == BEFORE
    os.unlink(backup)
    assert replace(source) == WRITTEN
    assert source.with_name("b.py").read_bytes() == AFTER


@pytest.mark.parametrize("linked", [False, True])
def test_an_exception_that_is_none_of_ours(
    source: Path, linked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if linked:
        source.with_name("b.py").hardlink_to(source)
    fsync = os.fsync
    synced: list[int] = []

    def no_memory(file: int) -> None:
        synced.append(file)
        # In place, the third one is that of the file; the fourth that of the old bytes put back.
        if len(synced) == (3 if linked else 1):
            raise MemoryError
        fsync(file)

    monkeypatch.setattr(os, "fsync", no_memory)
    with pytest.raises(MemoryError):
        replace(source)
    assert source.read_bytes() == BEFORE
    assert strays(source) == set()


def test_a_backup_stays_whatever_goes_wrong(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(file: int, length: int) -> None:
        raise MemoryError("no memory")

    source.with_name("b.py").hardlink_to(source)
    monkeypatch.setattr(os, "ftruncate", no_memory)
    outcome = replace(source)
    (backup,) = stray_files(str(source))
    assert outcome == Outcome(
        written=False, cause=f"half-written (no memory); its old contents are in {backup}"
    )
    assert Path(backup).read_bytes() == BEFORE


# -- strays ---------------------------------------------------------------------------------------


NAMES = ["a.py", ".a.py", "a", "n\n.py", "\udcff.py", "é" * 126 + ".py", "x" * 252 + ".py"]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_stray_belongs_to_one_file(
    source: Path, name: str, elsewhere: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [source.with_name(f"{name[:50]}{suffix}") for suffix in ("2", "", "~.flushlint-")]
    others = [source.parent.parent / name, *(path for path in others if path.name != name)]
    try:
        for path in (source.with_name(name), *others):
            path.write_bytes(BEFORE)
    except OSError as error:
        pytest.skip(f"no such names here: {error}")
    path = source.with_name(name)
    path.with_name("b").hardlink_to(path)
    monkeypatch.setattr(os, "unlink", failing(errno.EIO))
    if elsewhere:
        open_file = os.open

        def refuse(name: str, flags: int, mode: int) -> int:
            if flags & os.O_CREAT and os.path.dirname(name) == str(source.parent):
                raise PermissionError(errno.EACCES, "Permission denied")
            return open_file(name, flags, mode)

        monkeypatch.setattr(os, "open", refuse)
    outcome = replace(path)
    (stray,) = stray_files(str(path))
    assert outcome == Outcome(
        written=True, cause=f"its old contents are also left in {stray}: input/output error"
    )
    assert Path(stray).read_bytes() == BEFORE
    directory = source.parent.parent / "temporary" if elsewhere else source.parent
    assert os.path.dirname(stray) == str(directory)
    assert stray_files(*map(str, others)) == []
    assert stray_files(*map(str, others), str(path)) == [stray]


def test_strays_are_found_through_links(source: Path) -> None:
    stray = source.with_name(".a.py.flushlint-0123456789abcdef.partial")
    stray.touch()
    link = source.parent.parent / "link.py"
    link.symlink_to(source)
    assert stray_files(str(link)) == [str(stray)]


def test_a_partial_file_does_not_stand_in_the_way(source: Path) -> None:
    stray = source.with_name(".a.py.flushlint-0123456789abcdef.partial")
    stray.touch()
    assert replace(source) == WRITTEN
    assert stray_files(str(source)) == [str(stray)]


def test_where_there_is_nothing_to_look_at(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stray_files() == []
    assert stray_files(str(place / "none" / "a.py")) == []
    monkeypatch.setattr(tempfile, "gettempdir", failing(errno.ENOENT))
    assert stray_files(str(place / "a.py")) == []


@ROOT_ONLY
def test_nobody_can_plant_a_stray(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stem = writing._foreign_stem(str(source))
    stray = Path(f"{stem}0123456789abcdef.backup")
    stray.touch()
    assert stray_files(str(source)) == [str(stray)]
    os.chown(stray, NOBODY, NOBODY)
    assert stray_files(str(source)) == []
    assert replace(source) == WRITTEN


# -- signals --------------------------------------------------------------------------------------


def interrupt_every_step(place: Path, way: Way, name: str) -> list[Seen]:
    """Return what is found after the signal at each step; the last one has come to no signal."""
    base = place / "interrupted"
    base.mkdir()
    done = subprocess.run(
        [sys.executable, interrupted_writes.__file__, base, way, name],
        cwd=Path(interrupted_writes.__file__).parent.parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.stderr == ""
    *seen, last = seen_from_json(done.stdout)
    assert last.ending == "never reached"
    assert last.text.encode() == interrupted_writes.AFTER
    # That the steps are those where something happens.
    calls = {one.step.removeprefix("c_call ") for one in seen}
    in_place = {"write", "fsync", "ftruncate", "rename", "unlink"}
    assert calls >= ({"write", "fsync", "replace"} if way == "atomic" else in_place)
    return seen


def is_whole(seen: Seen) -> bool:
    return seen.text.encode() in {interrupted_writes.BEFORE, interrupted_writes.AFTER}


@pytest.mark.parametrize("way", WAYS)
def test_killed_at_any_step(place: Path, way: Way) -> None:
    seen = interrupt_every_step(place, way, "SIGKILL")
    for one in seen:
        assert one.ending == "killed", one
        assert sorted(one.reported) == sorted(one.strays), one
        backups = [text for name, text in one.strays.items() if name.endswith(".backup")]
        assert all(text.encode() == interrupted_writes.BEFORE for text in backups), one
        assert is_whole(one) or (way != "atomic" and backups), one
        assert one.same_inode or way == "atomic", one
    assert any(one.strays for one in seen)
    assert all(map(is_whole, seen)) == (way == "atomic")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("name", "ending"), [("SIGINT", "interrupted"), ("SIGTERM", "killed")])
def test_interrupted_at_any_step(place: Path, way: Way, name: str, ending: str) -> None:
    seen = interrupt_every_step(place, way, name)
    for one in seen:
        assert one.ending == ending, one
        assert is_whole(one), one
        assert not one.strays, one
    assert len({one.text for one in seen}) == 2


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that has signals sent while a file is replaced."""

    def prepare(*numbers: signal.Signals) -> None:
        replace = os.replace

        def interrupted(old: str, new: str) -> None:
            for number in numbers:
                os.kill(os.getpid(), number)
            replace(old, new)

        monkeypatch.setattr(os, "replace", interrupted)

    return prepare


@contextmanager
def handled(number: signal.Signals, handler: Callable[[int, object], None]) -> Iterator[None]:
    previous = signal.signal(number, handler)
    try:
        yield
        assert signal.getsignal(number) is handler
    finally:
        signal.signal(number, previous)


def test_what_a_handler_raises_says_nothing_about_the_file(
    source: Path, send: Callable[..., None]
) -> None:
    def stop(number: int, frame: object) -> None:
        assert source.read_bytes() == AFTER
        raise TimeoutError(str(number))

    before = signal.getsignal(signal.SIGINT)
    send(signal.SIGTERM, signal.SIGTERM)
    with handled(signal.SIGTERM, stop), pytest.raises(TimeoutError):
        replace(source)
    assert signal.getsignal(signal.SIGINT) is before
    assert strays(source) == set()


def test_a_handler_that_goes_on(source: Path, send: Callable[..., None]) -> None:
    received: list[int] = []
    send(signal.SIGTERM)
    with handled(signal.SIGTERM, lambda number, _: received.append(number)):
        assert_written(source, replace(source))
    assert received == [signal.SIGTERM]


def test_a_handler_that_cannot_be_restored_is_left_alone(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    get, install = signal.getsignal, signal.signal
    changed: set[int] = set()

    def spy(number: signal.Signals, handler: Any) -> Any:  # noqa: ANN401 - as typeshed has it
        changed.add(number)
        return install(number, handler)

    def getsignal(number: signal.Signals) -> object:
        return None if number == signal.SIGTERM else get(number)

    monkeypatch.setattr(signal, "signal", spy)
    monkeypatch.setattr(signal, "getsignal", getsignal)
    assert_written(source, replace(source))
    assert changed == {signal.SIGHUP, signal.SIGINT}


def test_in_a_thread(source: Path) -> None:
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(replace(source)))
    thread.start()
    thread.join()
    assert_written(source, outcomes[0])
