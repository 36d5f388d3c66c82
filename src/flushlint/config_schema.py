"""The keys of `[tool.flushlint]` and what each may hold.

Imported only where a section has been found, because msgspec costs as much as everything else
at start-up.
"""

from __future__ import annotations

import re

import msgspec

# msgspec reads the annotations.
from flushlint.model import Platform, StartMethodOption  # noqa: TC001

__all__ = ["Section", "decode_section"]

_UNKNOWN_KEY = re.compile(r"Object contains unknown field `(?P<key>.*)`", re.DOTALL)
_BAD_VALUE = re.compile(r"(?P<reason>.*) - at `\$\.(?P<key>.*)`", re.DOTALL)


class Section(msgspec.Struct, forbid_unknown_fields=True, rename="kebab", frozen=True):
    """The section as it is written: types are right, codes and versions are not checked yet."""

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fixable: tuple[str, ...] | None = None
    unfixable: tuple[str, ...] = ()
    extend_safe_fixes: tuple[str, ...] = ()
    extend_unsafe_fixes: tuple[str, ...] = ()
    exclude: tuple[str, ...] | None = None
    extend_exclude: tuple[str, ...] = ()
    respect_gitignore: bool = True
    src: tuple[str, ...] = ()
    first_party: tuple[str, ...] = ()
    per_file_ignores: dict[str, tuple[str, ...]] = {}
    start_method: StartMethodOption | None = None
    python_version: str | None = None
    platform: Platform | None = None
    openers: tuple[str, ...] = ()
    writers: tuple[str, ...] = ()
    flushers: tuple[str, ...] = ()
    closers: tuple[str, ...] = ()
    spawners: tuple[str, ...] = ()


def decode_section(table: object) -> Section:
    """Return the section that a TOML table holds. Raises ValueError that names the key."""
    try:
        return msgspec.convert(table, Section)
    except msgspec.ValidationError as error:
        raise ValueError(_in_words(str(error))) from None


def _in_words(reason: str) -> str:
    """Say what msgspec says in the words of the file."""
    unknown = _UNKNOWN_KEY.fullmatch(reason)
    if unknown is not None:
        return f"unknown key `{unknown['key']}`{_suggestion(unknown['key'])}"
    bad = _BAD_VALUE.fullmatch(reason)
    if bad is None:
        return "must be a table"
    said = bad["reason"].replace(" | null", "").replace("`object`", "`table`")
    return f"key `{bad['key']}`: {said[0].lower()}{said[1:]}"


def _suggestion(key: str) -> str:
    from difflib import get_close_matches

    known = [field.encode_name for field in msgspec.structs.fields(Section)]
    close = get_close_matches(key, known, n=1)
    return f", did you mean `{close[0]}`?" if close else f" (known: {', '.join(known)})"
