"""The bundled examples do what their first comment says, and flushlint says the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from flushlint.engine import check_source
from flushlint.model import AnalysisOptions
from tests.oracle import Interpreter, Job, chosen_interpreters, classes_of, judge, run_program

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
# example: the codes that flushlint reports, the file it writes, the number of lines in the file
EXPECTED = {
    "blog_post": (["FLU101"], "error1.log", 0),
    "blog_post_flushed": ([], "right1.log", 1),
    "blog_post_longer": (["FLU101"], "error2.log", 0),
    # How many of the 3,000 lines arrive differs from version to version.
    "blog_post_many_lines": (["FLU101"], "error3.log", None),
    "blog_post_unbuffered": ([], "right2.log", 1),
    "blog_post_unbuffered_text": (["FLU401"], "error4.log", 0),
    "blog_post_with": (["FLU101"], "error5.log", 0),
    "duplicated_header": (["FLU201"], "table.csv", 5),
    "worker_pool": (["FLU101"], "squares.csv", 0),
    "worker_pool_flushed": ([], "cubes.csv", 100),
}

examples = pytest.mark.parametrize("name", EXPECTED)


def source(name: str) -> bytes:
    return (EXAMPLES / f"{name}.py").read_bytes()


def test_all_examples_are_listed() -> None:
    assert sorted(path.stem for path in EXAMPLES.iterdir()) == sorted(EXPECTED)


@examples
def test_the_first_comment_names_the_file(name: str) -> None:
    comment = source(name).decode().partition("\nfrom ")[0]
    assert all(line.startswith("# ") for line in comment.splitlines())
    assert EXPECTED[name][1] in comment


@pytest.mark.parametrize("interpreter", chosen_interpreters(), ids=str)
@examples
def test_what_an_example_does(name: str, interpreter: Interpreter) -> None:
    codes, file, lines = EXPECTED[name]
    job = Job(source(name), interpreter.path)
    left = run_program(job).output.texts[file].splitlines()
    assert len(left) == lines if lines is not None else len(left) < 3000
    assert judge(job).verdict == classes_of(codes)


@examples
def test_what_flushlint_says_of_an_example(name: str) -> None:
    analysis = check_source(source(name), f"{name}.py", AnalysisOptions())
    assert [one.code for one in analysis.diagnostics] == EXPECTED[name][0]
