"""What a run left behind: the contents of its files, and what it said on stdout and stderr."""

from __future__ import annotations

import bz2
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Output", "collect"]


@dataclass(frozen=True)
class Output:
    """The texts that a run wrote, by the place where they ended up.

    `texts` maps a file's path below the current directory (``archive.zip!member`` for what is in
    an archive), ``<stdout>`` or ``<stderr>`` to its contents. `unreadable` names the compressed
    files and archives whose reader gives up. Tracebacks and warnings are taken out of
    ``<stderr>``; `exceptions` holds the last line of each traceback, `stderr` all that was said.
    """

    texts: dict[str, bytes]
    unreadable: frozenset[str]
    exceptions: tuple[str, ...]
    stderr: str


def collect(
    work: Path,
    log: Path | None,
    stdout: bytes,
    stderr: bytes,
    sources: Mapping[str, bytes] | None = None,
) -> Output:
    """Gather the output of a run that wrote into `work`.

    `log` is where the intent harness kept what was meant for compressed files and archives: it
    replaces their contents. `sources` were there before: they are output where they have changed.
    """
    files = {
        path.relative_to(work).as_posix(): path.read_bytes()
        for path in sorted(work.rglob("*"))
        if path.is_file() and not path.is_symlink() and not _is_database(path)
    }
    for name in sources or {}:
        if sources and files.get(name) == sources[name]:
            del files[name]
    shelf = _Shelf()
    logged = _read_log(log, work) if log else {}
    for name, data in files.items():
        if name not in logged:
            shelf.put(name, data)
    for name in files.keys() & logged.keys():
        for member, data in logged[name].items():
            shelf.put(f"{name}!{member}" if member else name, data)
    text = stderr.decode("utf-8", "replace")
    said, exceptions = _split_stderr(text)
    shelf.texts.update({"<stdout>": stdout, "<stderr>": said.encode()})
    return Output(shelf.texts, frozenset(shelf.unreadable), exceptions, text)


def _is_database(path: Path) -> bool:
    """Tell whether a file belongs to a database, of `sqlite3` or one of those behind `dbm`.

    What is in it stands at places that depend on the order of writes; programs say what they
    find there.
    """
    if path.suffix in (".dat", ".dir", ".bak"):
        return path.with_suffix(".dir").is_file() and path.with_suffix(".dat").is_file()
    with path.open("rb") as file:
        start = file.read(16)
    return start.startswith(_DATABASES) or path.name.endswith("-journal")


def _read_log(log: Path, work: Path) -> dict[str, dict[str, bytes]]:
    """Return what was logged: for each file below `work` its texts by member, "" for the whole.

    The names of log files are hexadecimal: an absolute path, and for a member of an archive
    ``!`` and the member's name.
    """
    logged: dict[str, dict[str, bytes]] = {}
    root = work.resolve()
    for entry in sorted(log.iterdir()):
        path, _, member = bytes.fromhex(entry.name).decode().partition("!")
        if Path(path).is_relative_to(root):
            name = Path(path).relative_to(root).as_posix()
            logged.setdefault(name, {})[member] = entry.read_bytes()
    return logged


# --- compressed files and archives --------------------------------------------------------------


class _Decompressor(Protocol):
    """What the decompressors of zlib, bz2 and lzma have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


_COMPRESSED: Final[dict[bytes, Callable[[], _Decompressor]]] = {
    b"\x1f\x8b": lambda: zlib.decompressobj(wbits=31),
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\x00": lzma.LZMADecompressor,
}
_DATABASES: Final = (b"SQLite format 3\0", b"\xcd\x9a\x57\x13", b"\xce\x9a\x57\x13",
                     b"\xcf\x9a\x57\x13")  # fmt: skip
_TAR_MAGIC: Final = slice(257, 262)
_ERRORS: Final = (OSError, EOFError, zlib.error, lzma.LZMAError)


class _Shelf:
    """Takes files and keeps their contents, unpacked."""

    def __init__(self) -> None:
        self.texts: dict[str, bytes] = {}
        self.unreadable: set[str] = set()

    def put(self, name: str, data: bytes) -> None:
        magic = next((one for one in _COMPRESSED if data.startswith(one)), None)
        if magic is not None:
            self.put(name, self._decompress(name, data, magic))
        elif data.startswith(b"PK\x03\x04"):
            self._unzip(name, data)
        elif data[_TAR_MAGIC] == b"ustar":
            self._untar(name, data)
        else:
            self.texts[name] = data

    def _decompress(self, name: str, data: bytes, magic: bytes) -> bytes:
        """Return the contents of all members; what follows the last one is not looked at."""
        contents = b""
        while data.startswith(magic):
            member = _COMPRESSED[magic]()
            try:
                contents += member.decompress(data)
            except _ERRORS:
                self.unreadable.add(name)
                break
            if not member.eof:
                self.unreadable.add(name)
                break
            data = member.unused_data
        return contents

    def _unzip(self, name: str, data: bytes) -> None:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for member in archive.namelist():
                    self.texts[f"{name}!{member}"] = archive.read(member)
        except (*_ERRORS, zipfile.BadZipFile):
            self.unreadable.add(name)

    def _untar(self, name: str, data: bytes) -> None:
        try:
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
                for member in archive:
                    file = archive.extractfile(member)
                    if file is not None:
                        self.texts[f"{name}!{member.name}"] = file.read()
        except (*_ERRORS, tarfile.TarError):
            self.unreadable.add(name)


# --- stderr -------------------------------------------------------------------------------------

_TRACEBACK: Final = "Traceback (most recent call last):"
_WARNING: Final = re.compile(r"\S+:\d+: \w*Warning: ")
_FRAME_OF_TRACEBACK: Final = re.compile(
    r"Process \S+:$|Exception ignored in|Exception in thread|"
    r"During handling of the above exception|The above exception was the direct cause"
)


def _split_stderr(text: str) -> tuple[str, tuple[str, ...]]:
    """Take tracebacks and warnings out of what was said on stderr.

    Return the rest, and the last line of each traceback. They are taken out because they name
    places, which differ between the runs.
    """
    said: list[str] = []
    exceptions: list[str] = []
    in_traceback = after_warning = False
    for line in text.splitlines(keepends=True):
        bare = line.rstrip("\r\n")
        indented = line.startswith(" ") or not bare
        if bare.endswith(_TRACEBACK):
            in_traceback = True
        elif in_traceback:
            if not indented:
                exceptions.append(bare)
                in_traceback = False
        elif after_warning and indented:
            after_warning = False
        elif _WARNING.match(line):
            after_warning = True
        elif not _FRAME_OF_TRACEBACK.match(bare):
            after_warning = False
            said.append(line)
    return "".join(said), tuple(exceptions)
