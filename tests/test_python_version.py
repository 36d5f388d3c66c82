from __future__ import annotations

import pytest

from flushlint.python_version import lowest_allowed, parse_version


def test_a_version_has_two_numbers() -> None:
    assert parse_version("3.12") == (3, 12)
    assert parse_version("3.9") == (3, 9)


@pytest.mark.parametrize(
    "text", ["", "3", "2.7", "3.12.1", "3.x", " 3.12", "4.0", "3.123", "3.\u0661"]
)
def test_anything_else_is_no_version(text: str) -> None:
    with pytest.raises(ValueError, match="expected the form"):
        parse_version(text)


@pytest.mark.parametrize(
    ("specifiers", "lowest"),
    [
        (">=3.8", (3, 8)),
        (">= 3.8 , < 4", (3, 8)),
        (">=3.8.1", (3, 8)),
        (">3.8", (3, 8)),
        (">3.8,!=3.8.*", (3, 9)),
        (">=3.9,!=3.9.0", (3, 9)),
        (">=3.9,!=3.9.*,!=3.10.*", (3, 11)),
        ("~=3.9", (3, 9)),
        ("~=3.9.2", (3, 9)),
        ("~=3.9.2,>=3.10", None),
        ("==3.11.*", (3, 11)),
        ("==3.11.4", (3, 11)),
        ("==3.11", (3, 11)),
        ("===3.11.0", (3, 11)),
        ("==3.*,>=3.7", (3, 7)),
        (">=2.7,!=3.0.*,!=3.1.*,!=3.2.*,!=3.3.*", (3, 4)),
        (">=3", (3, 0)),
        (">=3.12.0rc1", (3, 12)),
        (">=v3.12", (3, 12)),
        (">=3.10,<3.10", None),
        (">=4", None),
        ("<4", None),
        ("!=3.8.*", None),
        ("", None),
        ("3.8", None),
        ("^3.8", None),
        (">=3.8;", None),
        (">=three", None),
    ],
)
def test_the_lowest_version_that_requires_python_allows(
    specifiers: str, lowest: tuple[int, int] | None
) -> None:
    assert lowest_allowed(specifiers) == lowest
