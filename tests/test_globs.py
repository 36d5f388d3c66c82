from __future__ import annotations

import pytest

from flushlint.globs import PathPatterns


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("vendor", "/p/vendor"),
        ("vendor", "/p/a/b/vendor"),
        ("vendor/", "/p/vendor"),
        ("*.gen.py", "/p/a/x.gen.py"),
        ("x?.py", "/p/x1.py"),
        ("x[0-9].py", "/p/x1.py"),
        ("x[!0-9].py", "/p/xy.py"),
        ("[[]x].py", "/p/[x].py"),
        ("a/*.py", "/p/a/x.py"),
        ("a/*.py", "/p/a/b/x.py"),
        ("./a/x.py", "/p/a/x.py"),
        ("**/x.py", "/p/x.py"),
        ("**/x.py", "/p/a/b/x.py"),
        ("a/**/x.py", "/p/a/x.py"),
        ("a/**", "/p/a/b/x.py"),
        ("/p/a", "/p/a"),
        ("a.b/x+y.py", "/p/a.b/x+y.py"),
    ],
)
def test_a_pattern_matches(pattern: str, path: str) -> None:
    assert PathPatterns([pattern], "/p").matches(path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("vendor", "/p/vendored"),
        ("vendor", "/p/vendor/x.py"),
        ("x.py", "/p/xapy"),
        ("x?.py", "/p/x.py"),
        ("x[!0-9].py", "/p/x1.py"),
        ("a/x.py", "/p/b/a/x.py"),
        ("a/x.py", "/q/a/x.py"),
        ("a", "/p/A"),
        ("", "/p/a"),
    ],
)
def test_a_pattern_does_not_match(pattern: str, path: str) -> None:
    assert not PathPatterns([pattern], "/p").matches(path)


def test_a_directory_covers_what_is_in_it() -> None:
    patterns = PathPatterns(["a/b", "c"], "/p")
    assert patterns.covers("/p/a/b/x/y.py")
    assert patterns.covers("/p/x/c/y.py")
    assert not patterns.covers("/p/a/x.py")


def test_the_base_and_what_lies_above_it_are_not_looked_at() -> None:
    patterns = PathPatterns(["p", "home"], "/home/p")
    assert not patterns.covers("/home/p")
    assert not patterns.covers("/home/p/x.py")
    assert not patterns.covers("/home/px/x.py")
    assert patterns.covers("/home/p/p/x.py")


def test_a_base_with_special_characters_is_taken_literally() -> None:
    patterns = PathPatterns(["a/x.py"], "/p[1]+(2)")
    assert patterns.matches("/p[1]+(2)/a/x.py")


def test_without_patterns_nothing_is_covered() -> None:
    assert not PathPatterns([], "/").covers("/a/b")


def test_a_malformed_pattern_is_said_to_be_one() -> None:
    with pytest.raises(ValueError, match="malformed pattern"):
        PathPatterns(["[z-a]"], "/p")
