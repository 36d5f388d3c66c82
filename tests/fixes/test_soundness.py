"""Outside its edits a fix leaves the tree as it was."""

from __future__ import annotations

import pytest

from flushlint.fixes.edits import TextEdit
from flushlint.fixes.soundness import is_sound
from flushlint.source import Source

TEXT = '''\
def put(fd):
    """Put it.

    Twice.
    """
    fd.write("a"); fd.write("b")
    if fd:
        fd.write(
            "c",
        )
'''


def at(word: str, inserted: str, *, replaced: int = 0, after: bool = False) -> TextEdit:
    start = TEXT.index(word) + (len(word) if after else 0)
    return TextEdit(start, start + replaced, inserted)


@pytest.mark.parametrize(
    "edits",
    [
        [at("    if fd:", "    fd.flush()\n")],
        [at('fd.write("b")', "fd.flush(); ")],
        [at('fd.write("b")', "; fd.flush()", after=True)],
        [at('"c",', "    "), at("fd.write(\n", "    "), at("    if fd:", "    try:\n")],
        [at('"a"', '"x"', replaced=3)],
    ],
    ids=["line", "inline before", "inline after", "indented, but no block", "replaced"],
)
def test_statements_beside_the_edits_stay(edits: list[TextEdit]) -> None:
    source = Source("a.py", TEXT)
    assert is_sound(source, edits) == ("try:" not in "".join(e.text for e in edits))


@pytest.mark.parametrize(
    "edit",
    [
        at('fd.write("b")', "#"),
        at("    Twice.", '"""\n'),
        at("    if fd:", "    (\n"),
        at("    if fd:", "    x = \\\n"),
        at('; fd.write("b")', "", replaced=1),
        at("    if fd:", "", replaced=4),
    ],
    ids=["comment", "string", "bracket", "continued", "joined", "dedented"],
)
def test_edits_that_reach_further_are_refused(edit: TextEdit) -> None:
    assert not is_sound(Source("a.py", TEXT), [edit])


def test_what_does_not_parse_is_refused_though_nothing_is_left_to_compare() -> None:
    assert not is_sound(Source("a.py", "x = 1\n"), [TextEdit(0, 5, "x = (")])
    assert is_sound(Source("a.py", "x = 1\n"), [TextEdit(0, 5, "y = 2")])
