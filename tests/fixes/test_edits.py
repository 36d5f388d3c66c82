"""Edits: several at once, one after the other, and the bytes that come out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flushlint.fixes.edits import Patch, TextEdit, apply, encode, is_exact
from flushlint.source import Source, read_source

TEXT = "0123456789"


def test_edits_are_applied_in_the_order_of_the_text() -> None:
    edits = [
        TextEdit(8, 9, "eight"),
        TextEdit(0, 1, ""),
        TextEdit(3, 3, "-"),
        TextEdit(10, 10, "!"),
    ]
    assert apply(TEXT, edits) == "12-34567eight9!"


def test_insertions_at_one_offset_keep_their_order() -> None:
    assert apply("ab", [TextEdit(1, 1, "x"), TextEdit(1, 1, "y"), TextEdit(1, 1, "z")]) == "axyzb"


def test_an_insertion_stands_before_what_is_replaced_there() -> None:
    assert apply("ab", [TextEdit(1, 2, "B"), TextEdit(1, 1, "x")]) == "axB"
    assert apply("ab", [TextEdit(0, 1, "A"), TextEdit(1, 1, "x")]) == "Axb"


@pytest.mark.parametrize(
    "edits",
    [
        [TextEdit(0, 3, ""), TextEdit(2, 4, "")],
        [TextEdit(0, 3, "x"), TextEdit(2, 2, "y")],
        [TextEdit(0, 3, "x"), TextEdit(0, 3, "x")],
        [TextEdit(9, 11, "")],
        [TextEdit(-1, 1, "")],
        [TextEdit(3, 2, "")],
    ],
)
def test_edits_that_overlap_or_leave_the_text_are_refused(edits: list[TextEdit]) -> None:
    with pytest.raises(ValueError, match="overlaps"):
        apply(TEXT, edits)
    with pytest.raises(ValueError, match="overlaps"):
        Patch(TEXT).edit(edits)


# -- one after the other --------------------------------------------------------------------------


def test_a_patch_without_edits() -> None:
    patch = Patch(TEXT)
    assert (patch.text, patch.edits(), patch.origin(4), patch.origin(10)) == (TEXT, (), 4, 10)
    assert Patch("").edit([TextEdit(0, 0, "x")]).edits() == (TextEdit(0, 0, "x"),)


def test_later_edits_count_in_the_edited_text() -> None:
    patch = Patch("open(x)\n").edit([TextEdit(0, 0, "fd = ")]).edit([TextEdit(11, 11, ", 1")])
    assert patch.text == "fd = open(x, 1)\n"
    assert patch.edits() == (TextEdit(0, 0, "fd = "), TextEdit(6, 6, ", 1"))


def test_an_edit_of_inserted_text_becomes_one_with_it() -> None:
    patch = Patch("ab").edit([TextEdit(1, 1, "one")]).edit([TextEdit(2, 3, "")])
    assert patch.edits() == (TextEdit(1, 1, "oe"),)
    assert patch.edit([TextEdit(1, 3, "")]).edits() == ()


def test_what_stays_the_same_is_not_replaced() -> None:
    patch = Patch("open('f', 'w')").edit([TextEdit(0, 14, "open('f', 'w', 1)")])
    assert patch.edits() == (TextEdit(13, 13, ", 1"),)
    removed = Patch("abc").edit([TextEdit(1, 2, "")])
    assert removed.edits() == (TextEdit(1, 2, ""),)
    assert removed.edit([TextEdit(1, 1, "b")]).edits() == ()


def test_adjacent_edits_are_one() -> None:
    patch = Patch(TEXT).edit([TextEdit(2, 3, "x"), TextEdit(3, 4, "y"), TextEdit(4, 4, "z")])
    assert patch.edits() == (TextEdit(2, 4, "xyz"),)


def test_places_of_the_edited_text_lead_back() -> None:
    patch = Patch("abc").edit([TextEdit(1, 1, "--"), TextEdit(2, 3, "")])
    assert patch.text == "a--b"
    assert [patch.origin(place) for place in range(6)] == [0, None, None, 1, 3, None]


@st.composite
def chains(draw: st.DrawFn) -> tuple[str, list[list[TextEdit]]]:
    start = text = draw(st.text("ab\n", max_size=8))
    steps = []
    for _ in range(draw(st.integers(0, 4))):
        places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
        pairs = zip(places[::2], places[1::2], strict=False)
        steps.append([TextEdit(*pair, draw(st.text("ab\n", max_size=3))) for pair in pairs])
        text = apply(text, steps[-1])
    return start, steps


@given(chains())
def test_a_patch_is_worth_its_steps(chain: tuple[str, list[list[TextEdit]]]) -> None:
    original, steps = chain
    text, patch = original, Patch(original)
    for edits in steps:
        text, patch = apply(text, edits), patch.edit(edits)
        assert patch.text == text == apply(original, patch.edits())
        origins = [patch.origin(place) for place in range(len(text))]
        assert all(original[o] == text[p] for p, o in enumerate(origins) if o is not None)
        kept = [origin for origin in origins if origin is not None]
        assert kept == sorted(set(kept))


# -- bytes ----------------------------------------------------------------------------------------


def read(data: bytes) -> Source:
    source = read_source(data, "some.py")
    assert isinstance(source, Source)
    return source


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfx = 'h\xc3\xa9'\r\ny\n\rz",
        b"# coding: latin-1\nx = 'h\xe9'\n\x0c\n",
        b"# coding: shift_jis\nx = '\x83e'\n",
        b"# coding: iso2022_jp\nx = '\x1b$B$\"\x1b(B'\n",
    ],
)
def test_other_bytes_stay_as_they_are(data: bytes) -> None:
    source = read(data)
    assert is_exact(source, data)
    place = source.text.index("x = ")
    head, tail = data.split(b"x = ")
    assert encode(source, [TextEdit(place, place, "y = ")]) == head + b"y = x = " + tail


def test_new_text_takes_the_encoding() -> None:
    source = read(b"# coding: latin-1\nx = 1\n")
    assert encode(source, [TextEdit(22, 23, "'é'")]) == b"# coding: latin-1\nx = '\xe9'\n"
    with pytest.raises(UnicodeEncodeError):
        encode(source, [TextEdit(22, 23, "'ž'")])


@pytest.mark.parametrize(
    "data",
    [
        b"# coding: utf-7\nx = '+AGE-'\n",
        b"# coding: iso2022_jp\nx = '\x1b(B'\n",
        b"# coding: unicode_escape\nx = '\\x41'\n",
    ],
)
def test_an_encoding_with_several_forms_for_one_text_is_not_exact(data: bytes) -> None:
    assert not is_exact(read(data), data)


def test_a_text_that_has_no_bytes_is_not_exact() -> None:
    assert not is_exact(Source("some.py", "x = '\ud800'\n"), b"x = '?'\n")
