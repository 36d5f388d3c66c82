from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rich.cells import cell_len

from flushlint.model import (
    Applicability,
    Diagnostic,
    Edit,
    Fix,
    Position,
    Span,
    StepKind,
    WitnessStep,
)
from flushlint.report.full import FullReporter
from tests.stand_ins import span

PROGRAM = """\
from multiprocessing import Process

log = open("error1.log", "w")


def put(fd):
    fd.write("hello")

if __name__ == "__main__":
    p = Process(target=put, args=(log,))
    p.start()
    p.join()
"""
MESSAGE = "what `put` writes is lost: the child throws `a; b` away; call `fd.flush()` in the child"


def step(kind: StepKind, where: Span, text: str = "here", path: str = "p.py") -> WitnessStep:
    process = "child `put`" if kind in {"written", "ended"} else "main process"
    return WitnessStep(kind, process, path, where, text)


def finding(where: Span, *steps: WitnessStep, message: str = MESSAGE) -> Diagnostic:
    return Diagnostic(
        "FLU101", "lost-passed-file", message, "error", "p.py", where, where, "log", steps
    )


def shown(diagnostic: Diagnostic, source: str, width: int = 100, *, color: bool = False) -> str:
    return FullReporter(width=width, color=color).add([diagnostic], lambda _: source)


def snippet(diagnostic: Diagnostic, source: str, width: int = 100) -> str:
    """Return what stands between the place and the notes."""
    rows = shown(diagnostic, source, width).splitlines()
    frame = [index for index, row in enumerate(rows) if row.strip() == "|"]
    return "\n".join(rows[frame[0] + 1 : frame[-1]])


THE_STORY = finding(
    span(10, 34, 37),
    step("opened", span(3, 6, 29), "the file is opened here"),
    step("handed-over", span(10, 34, 37), "it goes to the child"),
    step("written", span(7, 4, 21), "this write stays in the buffer"),
    step("ended", span(11, 4, 13), "the child ends in os._exit()"),
)


def test_a_finding_is_told_as_a_story() -> None:
    assert (
        shown(THE_STORY, PROGRAM)
        == """\
FLU101 lost-passed-file: what `put` writes is lost: the child throws `a; b` away
  --> p.py:10:35
   |
 3 | log = open("error1.log", "w")
   |       ----------------------- 1 opened, main process: the file is opened here
...
 7 |     fd.write("hello")
   |     ----------------- 3 written, child `put`: this write stays in the buffer
...
10 |     p = Process(target=put, args=(log,))
   |                                   ^^^ 2 handed over, main process: it goes to the child
11 |     p.start()
   |     --------- 4 ended, child `put`: the child ends in os._exit()
   |
   = help: call `fd.flush()` in the child
   = rule: flushlint rule FLU101

"""
    )


@pytest.mark.parametrize("width", [40, 60, 79])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    rows = shown(THE_STORY, PROGRAM, width).splitlines()
    assert max(map(cell_len, rows)) <= width
    words = " ".join(row.removeprefix("   |").strip() for row in rows)
    assert "4 ended, child `put`: the child ends in os._exit()" in words


def test_a_label_that_does_not_fit_beside_its_mark_stands_below_it() -> None:
    assert "  ^^^\n" in snippet(THE_STORY, PROGRAM, 80)
    assert re.search(r"\|  {30,}2 handed over, main", snippet(THE_STORY, PROGRAM, 80))


def test_a_process_is_named_once() -> None:
    diagnostic = finding(span(1, 0, 1), step("ended", span(1, 0, 1), "child `put` ends"))
    assert snippet(diagnostic, "x = 1\n").endswith("^ 1 ended: child `put` ends")


def test_colours_change_nothing_but_the_colour() -> None:
    colored = shown(THE_STORY, PROGRAM, color=True)
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == shown(THE_STORY, PROGRAM)
    assert "\x1b" not in shown(THE_STORY, PROGRAM)


def test_without_a_witness_the_place_is_marked() -> None:
    assert snippet(finding(span(1, 0, 1)), "x = 1\n") == "1 | x = 1\n  | ^"


def test_the_place_is_marked_even_if_no_step_is_there() -> None:
    diagnostic = finding(span(1, 0, 1), step("opened", span(1, 4, 5)))
    assert snippet(diagnostic, "x = 1\n") == (
        "1 | x = 1\n  | ^\n  |     - 1 opened, main process: here"
    )


def test_steps_on_one_line_each_have_their_row() -> None:
    source = 'f.write("x"); os._exit(0)\n'
    diagnostic = finding(
        span(1, 14, 25), step("written", span(1, 0, 12)), step("ended", span(1, 14, 25))
    )
    assert snippet(diagnostic, source) == (
        '1 | f.write("x"); os._exit(0)\n'
        "  | ------------ 1 written, child `put`: here\n"
        "  |               ^^^^^^^^^^^ 2 ended, child `put`: here"
    )


def test_a_single_line_in_between_is_shown_and_more_are_left_out() -> None:
    source = "a\nb\nc\nd\ne\nf\n"
    steps = [step("opened", span(n, 0, 1)) for n in (1, 3, 6)]
    rows = snippet(finding(span(1, 0, 1), *steps), source).splitlines()
    assert [row[:5] for row in rows if "^" not in row and "-" not in row] == [
        "1 | a",
        "2 | b",
        "3 | c",
        "...",
        "6 | f",
    ]


@pytest.mark.parametrize(
    ("line", "column", "expected"),
    [
        ("\tx = 1", 1, "1 |     x = 1\n  |     ^"),
        ("ab\tx = 1", 3, "1 | ab  x = 1\n  |     ^"),
        ('漢 = "字"; x = 1', 9, '1 | 漢 = "字"; x = 1\n  |            ^'),
        ("e\u0301 = x", 5, "1 | e\u0301 = x\n  |     ^"),
        ("\x0cx = 1", 1, "1 |  x = 1\n  |  ^"),
        ("'\x1b[2J'; x", 8, "1 | '\N{REPLACEMENT CHARACTER}[2J'; x\n  |         ^"),
    ],
)
def test_a_mark_stands_under_what_it_marks(line: str, column: int, expected: str) -> None:
    assert snippet(finding(span(1, column, column + 1)), f"{line}\n") == expected


def test_an_expression_of_several_lines_is_marked_on_its_first() -> None:
    where = Span(Position(1, 4), Position(3, 1))
    assert snippet(finding(where), "p = Process(\n  x\n)\n") == "1 | p = Process(\n  |     ^^^^^^^^"


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (0, "1 | xyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyx...\n  | ^^"),
        (500, "1 | ...yxyxyxyxyxyxyxyxyxyxyxyxyxyxyx...\n  |         ^^"),
        (998, "1 | ...yxyxyxy\n  |         ^^"),
    ],
)
def test_of_a_long_line_the_marked_part_is_shown(start: int, expected: str) -> None:
    where = span(1, start, start + 2)
    assert snippet(finding(where), "xy" * 500 + "\n", width=40) == expected


@pytest.mark.parametrize("before", ["", "x"])
def test_half_of_a_wide_character_is_not_shown(before: str) -> None:
    source = f"{before}{'漢' * 100}!{'漢' * 100}"
    column = source.index("!")
    code, mark = snippet(finding(span(1, column, column + 1)), source, width=41).splitlines()
    assert cell_len(code) == 41
    assert cell_len(code.partition("!")[0]) == mark.index("^")


def test_a_step_in_another_file_or_beyond_the_end_becomes_a_note() -> None:
    diagnostic = finding(
        span(1, 0, 1),
        step("opened", span(7, 0, 1), path="other.py"),
        step("written", span(9, 0, 1)),
    )
    written = shown(diagnostic, "x = 1\n")
    assert "  = 1 opened, main process: here (other.py, line 7)\n" in written
    assert "  = 2 written, child `put`: here (p.py, line 9)\n" in written


def test_a_place_beyond_the_end_is_no_reason_to_fail() -> None:
    written = shown(finding(span(9, 4, 5), message="too large"), "")
    assert "--> p.py:9:5\n  = rule: flushlint rule FLU101\n" in written
    assert "^" in shown(finding(span(1, 80, 90)), "x\n")


def test_the_end_counts_findings_and_files() -> None:
    reporter = FullReporter(width=80, color=False)
    assert reporter.finish() == ""
    reporter.add([THE_STORY], lambda _: PROGRAM)
    assert reporter.finish() == "1 finding in 1 file\n"
    reporter.add([THE_STORY, THE_STORY], lambda _: PROGRAM)
    assert reporter.finish() == "3 findings in 2 files\n"


def test_source_is_shown_as_it_is() -> None:
    source = 'x = "[bold]:smile: [/] 3.14 http://x"\n'
    assert source.strip() in snippet(finding(span(1, 0, 1)), source)


def at(line: int, column: int) -> Span:
    return Span(Position(line, column), Position(line, column))


def fixed(*edits: Edit, applicability: Applicability = "safe", reason: str = "") -> Diagnostic:
    fix = Fix("flush `log`", applicability, edits, reason)
    return replace(finding(span(10, 34, 37)), fixes=(fix,))


def suggestion(
    diagnostic: Diagnostic, source: str, width: int = 100, *, color: bool = False
) -> str:
    """Return what stands behind the rule."""
    _, _, behind = shown(diagnostic, source, width, color=color).partition("rule FLU101\n")
    return behind


FLUSHES = (Edit("p.py", at(8, 0), "    fd.flush()\n"), Edit("p.py", at(11, 0), "    log.flush()\n"))


def test_a_fix_is_shown_as_a_diff_with_the_numbers_of_the_fixed_file() -> None:
    assert (
        suggestion(fixed(*FLUSHES, Edit("p.py", span(3, 0, 3), "file")), PROGRAM)
        == """\
   = fix: flush `log`
   |
 1 | from multiprocessing import Process
 2 |
   - log = open("error1.log", "w")
 3 + file = open("error1.log", "w")
 4 |
 5 |
 6 | def put(fd):
 7 |     fd.write("hello")
 8 +     fd.flush()
 9 |
10 | if __name__ == "__main__":
11 |     p = Process(target=put, args=(log,))
12 +     log.flush()
13 |     p.start()
14 |     p.join()
   |

"""
    )


def test_stretches_that_are_far_apart_are_shown_apart() -> None:
    source = "\n".join(f"x = {number}" for number in range(1, 121))
    rows = suggestion(
        fixed(Edit("p.py", at(9, 0), "y\n"), Edit("p.py", at(120, 0), "z\n")), source
    ).splitlines()
    assert rows[1:] == [
        "    |",
        "  7 | x = 7",
        "  8 | x = 8",
        "  9 + y",
        " 10 | x = 9",
        " 11 | x = 10",
        "...",
        "119 | x = 118",
        "120 | x = 119",
        "121 + z",
        "122 | x = 120",
        "    |",
        "",
    ]


@pytest.mark.parametrize(
    ("applicability", "title", "marked"),
    [
        ("safe", "fix: flush `log`", True),
        ("unsafe", "unsafe fix: flush `log` (it does more)", False),
        ("display-only", "suggestion: flush `log` (it does more)", False),
    ],
)
def test_how_far_a_fix_may_be_trusted_is_said(
    applicability: Applicability, title: str, *, marked: bool
) -> None:
    reason = "" if applicability == "safe" else "it does more"
    diagnostic = fixed(*FLUSHES, applicability=applicability, reason=reason)
    assert suggestion(diagnostic, PROGRAM).startswith(f"   = {title}\n   |\n")
    assert ("[*]" in shown(diagnostic, PROGRAM).splitlines()[0]) is marked
    reporter = FullReporter(width=100, color=False, unsafe=True)
    first = reporter.add([diagnostic], lambda _: PROGRAM).splitlines()[0]
    assert ("[*]" in first) is (applicability != "display-only")


def test_a_diff_is_coloured_and_no_wider_than_the_terminal() -> None:
    wide = PROGRAM.replace("hello", "hello " * 40)
    diagnostic = fixed(*FLUSHES, Edit("p.py", span(3, 0, 3), "file"))
    rows = suggestion(diagnostic, wide, 40).splitlines()
    assert max(map(cell_len, rows)) <= 40
    colored = suggestion(diagnostic, wide, color=True)
    assert "\x1b[32m    fd.flush()\x1b[0m" in colored
    assert re.search(r"\x1b\[31m-\x1b\[0m \x1b\[31mlog = ", colored)


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_a_diff_of_other_newlines(newline: str) -> None:
    edits = [replace(edit, text=edit.text.replace("\n", newline)) for edit in FLUSHES]
    source = PROGRAM.replace("\n", newline)
    assert suggestion(fixed(*edits), source) == suggestion(fixed(*FLUSHES), PROGRAM)
