"""The gate: tells from a module's bytes whether there is anything to analyse.

It stands before everything that is slow, the import of the parser included.

What starts, forks or ends a process at once has a qualified name in the knowledge tables. A module
that reaches one spells out its last part and the package that it comes from. So a module in which
no such pair of words is found would be found clean by the machine, and is dropped. Three stages,
each on what the one before lets through:

1. the last parts as whole words, which is what nearly all files are spared everything else by;
2. the pairs as whole words;
3. the pairs in the code alone, without comments and strings; a function of a module must be
   reached through that module if the module's name is used in no other way. And a module that
   spells out no way to get at a file has nothing to lose.

A name that is put together at run time (``"f" + "ork"``) or spelled with escapes is not seen.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from flushlint.knowledge.constants import CANONICAL
from flushlint.knowledge.processes import (
    FORKS,
    HARD_EXITS,
    KILLS,
    PARALLEL,
    POOL_TYPES,
    PROCESS_PACKAGES,
    PROCESS_STARTERS,
    PROCESS_TYPES,
)
from flushlint.knowledge.streams import OPENERS
from flushlint.tokens import STRING_OR_COMMENT
from flushlint.user_tables import NO_TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flushlint.user_tables import UserTables

__all__ = ["SIGNS", "may_open", "may_pass", "may_write", "passes", "process_words"]

_SIGKILL = (b"SIGKILL", b"9")
_STARTERS = (*PROCESS_TYPES, *POOL_TYPES, *PROCESS_STARTERS, *PARALLEL)

_WORDS: dict[bytes, Callable[[bytes], object]] = {}


class _Name(NamedTuple):
    """A qualified name as it is looked for: `root` is its first part, `leaf` the last one.

    A function of a module is reached through the module; a class of processes also through
    other objects (``get_context().Process``). Of each group in `beside` the module has to hold
    one word as well.
    """

    root: bytes
    leaf: bytes
    through_module: bool
    beside: tuple[tuple[bytes, ...], ...] = ()


# The names that end in a word.
_Leaf: TypeAlias = "tuple[bytes, tuple[_Name, ...]]"
# What finds out whether one of some words is there, and these.
_Group: TypeAlias = "tuple[Callable[[bytes], object], tuple[_Leaf, ...]]"


def passes(data: bytes, tables: UserTables = NO_TABLES) -> bool:
    """Return whether the module may start, fork or end a process, so that it has to be analysed.

    So it may if it names a spawner of the user's `tables`.
    """
    candidates = _candidates(_SOUGHT, data)
    if tables is not NO_TABLES:
        candidates += _candidates(_spawners(tables), data)
    return bool(candidates) and _is_in_code(candidates, data, tables)


def may_pass(data: bytes, tables: UserTables = NO_TABLES) -> bool:
    """Return whether a module may pass that stands in `data` in some escaped form, as in JSON.

    The names are spelled out there, too, but what precedes one may be an escape's last letter.
    """
    sought = (*_SOUGHT, *(_spawners(tables) if tables is not NO_TABLES else ()))
    return any(leaf in data for _, leaves in sought for leaf, _ in leaves)


def may_open(data: bytes) -> bool:
    """Return whether a module may name what makes a file object."""
    return any(sign in data for sign in _FILES)


def may_write(data: bytes, tables: UserTables = NO_TABLES) -> bool:
    """Return whether a module may open a file or write to the standard streams."""
    return (
        _OUTPUT in data
        or any(sign in data for sign in _FILES)
        or any(n.leaf in data for n in (*_other_openers(), *map(_name, tables.openers)))
    )


def process_words(data: bytes, tables: UserTables = NO_TABLES) -> frozenset[bytes]:
    """Return the words in the code by which the module may start, fork or end a process."""
    candidates = _candidates(_SOUGHT, data)
    if tables is not NO_TABLES:
        candidates += _candidates(_spawners(tables), data)
    if not candidates:
        return frozenset()
    code = data if _OTHER_ENCODING.match(data) else _code(data, tables) or data
    words = {n.leaf for n in candidates if _has_word(n.leaf, code) and _is_complete(n, code)}
    return frozenset(words)


def _candidates(sought: tuple[_Group, ...], data: bytes) -> list[_Name]:
    return [
        name
        for search, leaves in sought
        if search(data)
        for leaf, names in leaves
        if _has_word(leaf, data)
        for name in names
        if _is_complete(name, data)
    ]


def _names() -> set[_Name]:
    """Return what is looked for, with every other spelling that the tables know."""
    functions = {*FORKS, *HARD_EXITS, *KILLS}
    names = {*_STARTERS, *functions}
    for alias, canonical in CANONICAL.items():
        if canonical in names:
            names.add(alias)
        # Another name of a module: `posix` is `os`.
        names |= {
            f"{alias}.{name.removeprefix(f'{canonical}.')}"
            for name in functions
            if name.startswith(f"{canonical}.")
        }
    packages = {name.partition(".")[0] for name in (*PROCESS_PACKAGES, *_STARTERS)}
    beside: dict[str, tuple[tuple[bytes, ...], ...]] = {}
    for name, source in KILLS.items():
        own = ((_leaf(source).encode(),),) if source is not None else ()
        beside[_leaf(name)] = (*own, _SIGKILL)
    return {
        _Name(root.encode(), leaf.encode(), root not in packages, beside.get(leaf, ()))
        for root, leaf in ((name.partition(".")[0], _leaf(name)) for name in names)
    }


@lru_cache(maxsize=8)
def _spawners(tables: UserTables) -> tuple[_Group, ...]:
    """Return what a configuration adds to what is sought. Compiled once."""
    return _sought(map(_name, tables.spawners))


def _name(name: str) -> _Name:
    """Return a name that may be reached in any way, as long as its package is spelled out."""
    return _Name(name.partition(".")[0].encode(), _leaf(name).encode(), through_module=False)


def _leaf(name: str) -> str:
    return name.rpartition(".")[2]


# Letters that few bytes of source text are, the rarest first.
_MARKS = (b"P", b"k", b"w", b"x", b"b")


def _sought(names: Iterable[_Name]) -> tuple[_Group, ...]:
    """Group `names` by their last part, and these by the rarest letter in them."""
    by_leaf: dict[bytes, list[_Name]] = {}
    for name in sorted(names):
        by_leaf.setdefault(name.leaf, []).append(name)
    groups: dict[bytes, list[_Leaf]] = {}
    for leaf, ending_in_it in by_leaf.items():
        mark = next((mark for mark in _MARKS if mark in leaf), leaf)
        groups.setdefault(mark, []).append((leaf, tuple(ending_in_it)))
    return tuple((_search(mark, leaves), tuple(leaves)) for mark, leaves in groups.items())


def _search(mark: bytes, leaves: list[_Leaf]) -> Callable[[bytes], object]:
    """Return what finds out whether one of `leaves`, which all hold `mark`, is in some bytes.

    A pattern that begins with a letter is searched for at that letter alone. This takes no
    longer than a search for one plain word, however many stand behind the letter; a pattern
    that begins with a choice takes ten times as long.
    """
    if mark not in _MARKS:
        return partial(_holds, mark)
    ends = [
        rb"%b(?!\w)(?<!\w%b)" % (after, leaf) + (rb"(?<=%b)" % leaf if before else b"")
        for leaf, _ in leaves
        for before, _, after in (leaf.partition(mark),)
    ]
    return re.compile(rb"%b(?:%b)" % (mark, b"|".join(ends))).search


def _holds(word: bytes, data: bytes) -> bool:
    return word in data


_SOUGHT = _sought(_names())
# One of these is in the name of whatever makes, or is, a file object.
_FILES = (
    b"open", b"File", b"TextIOWrapper", b"Buffered", b"makefile", b"Handler", b"basicConfig",
    b"dictConfig", b"stdout", b"stderr", b"write_text", b"write_bytes",
)  # fmt: skip
# What writes to standard output unasked. That matters to forks and exits only: `multiprocessing`
# itself empties the standard streams.
_OUTPUT = b"print"


# The same for words of text: what is in a name by which a file is opened, or written to, or a
# process started.
SIGNS = tuple(
    sorted({sign.decode() for sign in (*_FILES, _OUTPUT)} | {n.leaf.decode() for n in _names()})
)


@lru_cache(maxsize=1)
def _other_openers() -> tuple[_Name, ...]:
    """Return the openers of the tables whose names hold no such sign. Few files come this far."""
    from flushlint.knowledge.stream_types import LIBRARY_OPENERS
    from flushlint.knowledge.third_party import FILE_OPENERS
    from flushlint.knowledge.third_party import OPENERS as TYPE_OPENERS

    names = map(_name, sorted({*OPENERS, *FILE_OPENERS, *LIBRARY_OPENERS, *TYPE_OPENERS}))
    return tuple(name for name in names if not any(sign in name.leaf for sign in _FILES))


@lru_cache(maxsize=8)
def _nameable(tables: UserTables) -> frozenset[bytes]:
    """Return what a string may name that matters."""
    sought = {
        word
        for name in (*_names(), *map(_name, tables.spawners))
        for word in (name.leaf, *(word for words in name.beside for word in words))
    }
    openers = (*map(_name, (*OPENERS, *tables.openers)), *_other_openers())
    return frozenset({*sought, *_FILES, _OUTPUT, *(name.leaf for name in openers)})


def _has_word(word: bytes, data: bytes) -> bool:
    """Return whether `data` holds `word` with no word character beside it.

    The look-behind stands after the word: a pattern that begins with plain text is searched
    for some ten times as fast as one that begins with a condition.
    """
    search = _WORDS.get(word)
    if search is None:
        search = re.compile(rb"%b(?!\w)(?<!\w%b)" % (word, word)).search
        _WORDS[word] = search
    return search(data) is not None


def _is_complete(name: _Name, data: bytes) -> bool:
    """Return whether all else that a use of `name` has to spell out stands in `data`, too."""
    return _has_word(name.root, data) and all(
        any(_has_word(word, data) for word in words) for words in name.beside
    )


def _is_in_code(candidates: list[_Name], data: bytes, tables: UserTables) -> bool:
    """Apply the third stage."""
    if _OTHER_ENCODING.match(data):
        return True
    code = _code(data, tables)
    if code is None:
        return True
    found = [n for n in candidates if _has_word(n.leaf, code) and _is_complete(n, code)]
    has_file = any(sign in code for sign in _FILES) or any(
        name.leaf in code and name.root in code
        for name in (*_other_openers(), *map(_name, tables.openers))
    )
    if has_file and not all(name.through_module for name in found):
        return True
    if not (has_file or _OUTPUT in code):
        return False
    found = [name for name in found if name.through_module]
    renamed = {root: _is_used_otherwise(root, code) for root in {name.root for name in found}}
    return any(renamed[name.root] or _is_reached(name, code) for name in found)


# The first two lines name an encoding in which a byte of ASCII may be part of another character,
# or one that is not known to be none of these.
_OTHER_ENCODING = re.compile(
    rb"(?:[ \t\f]*(?:\#[^\r\n]*)?(?:\r\n?|\n))?[ \t\f]*\#[^\r\n]*?coding[:=]"
    rb"(?![ \t]*(?:utf-?8|(?:us-?)?ascii|latin|iso-?8859|koi8|cp12|windows-12))",
    re.IGNORECASE,
)

_TOKEN = re.compile(STRING_OR_COMMENT.encode(), re.DOTALL)
# What gives a name that stands in a string its meaning.
_BY_STRING = re.compile(rb"getattr|attrgetter|methodcaller")
_FORMAT_PREFIXES = (b"f", b"t", b"fr", b"tr")


def _code(data: bytes, tables: UserTables) -> bytes | None:
    """Return `data` without comments and strings, or None where that can't be told.

    Strings that name what is looked for stay where they may, and so do those with code in them.
    """
    keeps_names = _BY_STRING.search(data) is not None
    is_certain = True

    def replacement(match: re.Match[bytes]) -> bytes:
        nonlocal is_certain
        string: bytes | None = match["string"]
        if string is None:
            return b""
        if data[max(match.start() - 2, 0) : match.start()].lower().endswith(_FORMAT_PREFIXES):
            # Quotes inside the braces, as from Python 3.12 on: the match has ended too early.
            is_certain = is_certain and string.count(b"{") == string.count(b"}")
            return string
        return string if keeps_names and string[1:-1] in _nameable(tables) else b'""'

    code = _TOKEN.sub(replacement, data)
    return code if is_certain else None


def _is_reached(name: _Name, code: bytes) -> bool:
    """Return whether code uses a function of a module as ``module.function`` or imports it."""
    attribute = rb"%b\s*\\?\s*\.\s*\\?\s*%b(?!\w)(?<!\w%b)" % (name.root, name.leaf, name.leaf)
    if re.search(attribute, code):
        return True
    imported = rb"from\s+%b\s+import(?!\w)" % name.root
    bare = rb"%b(?!\w)(?<![\w.]%b)" % (name.leaf, name.leaf)
    return bool(re.search(imported, code) and re.search(bare, code))


def _is_used_otherwise(module: bytes, code: bytes) -> bool:
    """Return whether a module's name stands anywhere but before a dot or in a plain import.

    Then the module may go by another name: ``import os as o``, ``o = os``, ``getattr(os, ...)``.
    """
    plain = (
        rb"(?:^|[;:])[ \t\f]*import[ \t]+(?:[\w.]+[ \t]*,[ \t]*)*%b[ \t]*(?=[,;\r\n]|$)" % module
    )
    rest = re.sub(plain, b"", code, flags=re.MULTILINE)
    rest = re.sub(rb"from\s+%b\s+import(?!\w)" % module, b"", rest)
    return re.search(rb"(?<!\w)%b(?!\w|\s*\\?\s*\.)" % module, rest) is not None
