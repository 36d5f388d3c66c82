from __future__ import annotations

import io
import tokenize
from pathlib import Path

import pytest

from flushlint.comments import comments_by_line
from flushlint.model import Diagnostic, Position, Span
from flushlint.suppression import may_suppress, suppress


def finding(line: int, first: int | None = None, last: int | None = None) -> Diagnostic:
    """Return a finding on `line` of a statement from `first` to `last`."""
    span = Span(Position(line, 0), Position(line, 3))
    statement = Span(Position(first or line, 0), Position(last or line, 9))
    return Diagnostic("FLU101", "lost-passed-file", "lost", "error", "x.py", span, statement)


def outcome(comment: str) -> str:
    """Return what becomes of a FLU101 on a line with `comment`."""
    kept, malformed = suppress([finding(1)], f"p.start()  {comment}\n")
    return f"kept{', warned' if malformed else ''}" if kept else "suppressed"


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "# NOQA",
        "# NoQA: FLU101",
        "# noqa: FLU101",
        "# noqa:FLU101",
        "# noqa:  FLU101",
        "# noqa : FLU101",
        "# noqa: E501,FLU101",
        "# noqa: E501, FLU101",
        "# noqa: E501 FLU101",
        "# noqa: E501FLU101",
        "# noqa: FLU101 because it is on purpose",
        "# noqa: FLU101: because",
        "# noqa: FLU101, because",
        "# noqa: FLU1",
        "# noqa: FLU0, FLU10",
        "# noqa: FLU",
        "# noqa because it is on purpose",
        "# noqa - on purpose",
        "# noqa because: it is",
        "# noqa # on purpose",
        "# type: ignore # noqa: FLU101",
        "# noqa: E501 # noqa: FLU101",
        "# see the manual # noqa",
    ],
)
def test_it_suppresses(comment: str) -> None:
    assert outcome(comment) == "suppressed"


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: E501",
        "# noqa: FLU102",
        "# noqa: FLU2",
        "# noqa: E501 because FLU101",
        "# nothing",
        "# flake8: noqa",
        "# say noqa",
    ],
)
def test_it_leaves_the_finding_alone(comment: str) -> None:
    assert outcome(comment) == "kept"


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: because",
        "# noqa: because FLU101",
        "# noqa:",
        "# noqa: flu101",
        "# noqa: FLUSH",
        "#noqa",
        "#noqa: FLU101",
        "#  noqa: FLU101",
        "# noqas",
        "# noqa, FLU101",
        "# noqa-x",
    ],
)
def test_it_looks_like_one_and_is_warned_of(comment: str) -> None:
    assert outcome(comment) == "kept, warned"


def test_the_warning_names_the_comment_and_its_line() -> None:
    _, malformed = suppress([finding(2)], "x = 1\np.start()  # type: ignore # noqa: because\n")
    assert [(comment.line, comment.text) for comment in malformed] == [(2, "# noqa: because")]


def test_a_malformed_comment_counts_only_where_there_is_a_finding() -> None:
    _, malformed = suppress([finding(1)], "p.start()\nx = 1  # noqa: because\n")
    assert malformed == []


def test_two_findings_on_a_line_make_one_warning() -> None:
    kept, malformed = suppress([finding(1), finding(1)], "p.start()  # noqa: because\n")
    assert (len(kept), len(malformed)) == (2, 1)


@pytest.mark.parametrize(("line", "expected"), [(1, 0), (2, 1), (3, 0), (4, 1), (5, 0), (6, 1)])
def test_it_counts_on_the_findings_line_and_the_ends_of_the_statement(
    line: int, expected: int
) -> None:
    lines = [*"abcdef"]
    lines[line - 1] += "  # noqa: FLU101"
    kept, _ = suppress([finding(3, first=1, last=5)], "\n".join(lines))
    assert len(kept) == expected


@pytest.mark.parametrize(
    "line",
    [
        'x = "# noqa"',
        "x = '# noqa: FLU101'",
        'x = """a\n# noqa"""',
        "x = f'# noqa {y}'",
        "x = f'{y:# noqa}'",
    ],
)
def test_a_string_is_no_comment(line: str) -> None:
    last = len(line.split("\n"))
    kept, malformed = suppress([finding(1, last=last)], line)
    assert (len(kept), malformed) == (1, [])


def test_the_bytes_tell_whether_to_look() -> None:
    assert may_suppress(b"x = 1  # NoQA")
    assert not may_suppress(b"x = 1  # no quality assurance")


class TestComments:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", {}),
            ("# a", {1: "# a"}),
            ("x # a\r\n# b\ry # c\n", {1: "# a", 2: "# b", 3: "# c"}),
            ("x\x0c# a\x0c\n# b", {1: "# a\x0c", 2: "# b"}),
            (r"'\'# a' # b", {1: "# b"}),
            ("'\\\n# a' # b", {2: "# b"}),
            ("'\\\r\n# a' # b", {2: "# b"}),
            (r"r'\' # b'", {}),
            ("''''# a''' # b", {1: "# b"}),
            ('"""\'\'\'# a""" # b', {1: "# b"}),
            ("rb'# a' # b", {1: "# b"}),
            # Not valid, but no reason to lose the rest of the module.
            ("x = 'open\ny # a", {2: "# a"}),
            ("f'open {\ny # a", {2: "# a"}),
            ("} ) # a", {1: "# a"}),
            # Nested quotes, which older versions of Python can't tokenize.
            ('f"{x["# a"]}" # b', {1: "# b"}),
            ("f'{{# a}}' # b", {1: "# b"}),
            ("f'{x!r:>{w}# a}' # b", {1: "# b"}),
            ("f'{x:{'# a'}}' # b", {1: "# b"}),
            ("f'{ {1: 2}[1] }# a' # b", {1: "# b"}),
            ("f'''{\nx # a\n}''' # b", {2: "# a", 3: "# b"}),
            ("f'{f'{f'{1}# a'}'}' # b", {1: "# b"}),
            (r"f'\N{NUMBER SIGN} {x} # a' # b", {1: "# b"}),
            (r"rf'\{x}# a' # b", {1: "# b"}),
            (r"f'\'{x}# a' # b", {1: "# b"}),
            ("t'{x}# a' # b", {1: "# b"}),
            ("half'# a'", {}),
        ],
    )
    def test_only_comments_are_comments(self, text: str, expected: dict[int, str]) -> None:
        assert comments_by_line(text) == expected

    def test_tokenize_agrees_on_the_standard_library(self) -> None:
        sources = sorted(Path(tokenize.__file__).parent.glob("*.py"))
        assert len(sources) > 100
        for source in sources:
            with tokenize.open(source) as file:
                text = file.read()
            expected = {
                token.start[0]: token.string
                for token in tokenize.generate_tokens(io.StringIO(text).readline)
                if token.type == tokenize.COMMENT
            }
            assert comments_by_line(text) == expected, source.name
