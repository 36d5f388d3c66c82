"""Tokens: where strings begin and end."""

from __future__ import annotations

import pytest

from flushlint.tokens import strings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 'b' 'c'", ["'b'", "'c'"]),
        ("a = rb'b\\'' + \"'\"  # 'no'", ["'b\\''", '"\'"']),
        ("a = '''b\n'c' # d\n'''; 'e'", ["'''b\n'c' # d\n'''", "'e'"]),
        ("a = f'b{'c'!r:>{d['e']}}f' + 'g'", ["f'b{'c'!r:>{d['e']}}f'", "'g'"]),
        ('a = Rf"""{\nb\n}\n"c" {{""" f\'\'', ['Rf"""{\nb\n}\n"c" {{"""', "f''"]),
        ("a = t'b' 'c\\\n'", ["t'b'", "'c\\\n'"]),
        ("a", []),
    ],
)
def test_strings_are_found(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in strings(text)] == expected
