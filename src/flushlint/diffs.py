"""Unified diffs of bytes, which `patch` and `git apply -p0` accept whatever the bytes are."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["unified_diff"]

_NO_NEWLINE = b"\n\\ No newline at end of file\n"


def unified_diff(before: bytes, after: bytes, path: str) -> bytes:
    """Return the diff that makes `after` of `before`, the contents of `path`; empty if equal."""
    return b"".join(_rows(before, after, _header(path)))


def _rows(before: bytes, after: bytes, name: bytes) -> Iterator[bytes]:
    rows = difflib.diff_bytes(
        difflib.unified_diff, _lines(before), _lines(after), name, name, lineterm=b"\n"
    )
    for row in rows:
        yield row if row.endswith(b"\n") else row + _NO_NEWLINE


def _lines(data: bytes) -> list[bytes]:
    """Return the lines with their ends. To `patch` nothing but a line feed ends a line."""
    *lines, last = data.split(b"\n")
    whole = [line + b"\n" for line in lines]
    return [*whole, last] if last else whole


def _header(path: str) -> bytes:
    """Return a path as git writes it: quoted where it would be taken for something else."""
    name = os.fsencode(path)
    if os.sep == "\\":
        name = name.replace(b"\\", b"/")
    if any(map(_is_special, name)):
        quoted = (b"\\%03o" % byte if _is_special(byte) else b"%c" % byte for byte in name)
        return b'"%s"' % b"".join(quoted)
    # Without the tab `patch` would take what follows a blank for a time.
    return name + b"\t" if b" " in name else name


def _is_special(byte: int) -> bool:
    return byte < 0x20 or byte in b'"\\\x7f'
