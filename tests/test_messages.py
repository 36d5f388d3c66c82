"""What findings say: a problem, then the remedy that works for this very file."""

from __future__ import annotations

import re

import pytest

from flushlint.engine import check_source
from flushlint.model import AnalysisOptions, Diagnostic, StartMethod
from flushlint.rules.finding import quoted
from tests.oracle.fixture import load_fixtures

LONGEST = 290
# Where python-lsp-server looks for a finding's place; in a message it would find another one.
PLACE = re.compile(r":\d*:\d*: \w* ")
OTHERS = "under spawn and forkserver, the default from 3.14 on"

PROCESS = """\
import bz2, csv, gzip, logging, os, tarfile, zipfile
from multiprocessing import Process
{opened}
def work({parameter}):
    {written}
p = Process(target=work, args=({argument}))
p.start()
p.join()
"""


def diagnostics(source: str, start_method: StartMethod | None = None) -> list[Diagnostic]:
    options = AnalysisOptions(start_method=start_method)
    return list(check_source(source.encode(), "program.py", options).diagnostics)


def message(source: str, code: str, start_method: StartMethod | None = None) -> str:
    (found,) = (one for one in diagnostics(source, start_method) if one.code == code)
    return found.message


def passed(opened: str, written: str) -> str:
    """Return a program whose child gets `f` and writes to it."""
    return PROCESS.format(opened=opened, parameter="f", written=written, argument="f,")


ALL = [
    pytest.param(one, id=f"{fixture.name}-{method}-{one.code}")
    for fixture in load_fixtures()
    for method in fixture.start_methods
    for one in check_source(
        fixture.path.read_bytes(),
        fixture.path.name,
        AnalysisOptions(start_method=None if method == "fork" else method),
    ).diagnostics
    if one.code != "FLU901"
]


@pytest.mark.parametrize("finding", ALL)
def test_a_message_is_one_line_of_problem_and_remedy(finding: Diagnostic) -> None:
    problem, semicolon, remedy = finding.message.partition("; ")
    assert problem
    assert semicolon
    assert remedy
    assert problem.count("`") % 2 == 0
    assert "\n" not in finding.message
    assert not PLACE.search(finding.message)
    assert len(finding.message) <= LONGEST
    assert quoted(finding.subject) in problem  # "the file" where the source has no name for it
    assert "with` in the parent" not in finding.message


@pytest.mark.parametrize(
    ("opened", "written", "remedy"),
    [
        ('f = open("o", "w")', 'f.write("x")', "with `f.flush()`"),
        ('f = open("o", "w")', 'print("x", file=f)', "with `f.flush()`"),
        ('f = open("o", "w")', 'csv.writer(f).writerow("x")', "by flushing the file behind "),
        ('f = csv.writer(open("o", "w"))', 'f.writerow("x")', "by flushing the file behind `f`"),
        ('f = gzip.open("o", "wb")', 'f.write(b"x")', "with `f.close()`"),
        ('f = gzip.open("o", "wt")', 'f.write("x")', "with `f.close()`"),
        ('f = gzip.open("o", "wt")', 'csv.writer(f).writerow("x")', "by closing the file behind "),
        (
            'f = open("o", "wb")',
            't = gzip.GzipFile(fileobj=f, mode="wb"); t.write(b"x"); t.close()',
            "by flushing the file behind `t`",
        ),
    ],
)
def test_what_the_child_has_to_do(opened: str, written: str, remedy: str) -> None:
    said = message(passed(opened, written), "FLU101", "fork")
    assert f"let the child end {remedy}" in said
    assert ("8 KiB" in said) == ("clos" not in remedy)


def test_a_target_of_the_library_is_told_to_be_a_function() -> None:
    source = (
        "import multiprocessing\nbanner = open('o', 'w')\n"
        "p = multiprocessing.Process(target=banner.write, args=('x',))\np.start()\np.join()\n"
    )
    said = message(source, "FLU101", "fork")
    assert "writes to `banner` is lost" in said
    assert said.endswith("; let the target be a function that writes and then flushes the file")


@pytest.mark.parametrize(
    ("opened", "written"),
    [
        ('f = zipfile.ZipFile("o", "w")', 'f.writestr("n", "x")'),
        ('f = gzip.GzipFile(fileobj=open("o", "wb"), mode="wb")', 'f.write(b"x")'),
        ('f = gzip.open("o", "wt"); f.write("h")', 'f.write("x")'),
    ],
)
def test_what_the_parent_would_spoil_is_opened_in_the_child(opened: str, written: str) -> None:
    said = message(passed(opened, written), "FLU101", "fork")
    assert said.endswith("; open the file in the child")


@pytest.mark.parametrize(
    ("opened", "written", "remedy"),
    [
        ('zipfile.ZipFile("o", "w")', 'f.writestr("n", "x")', "with `f.close()`"),
        (
            'gzip.GzipFile(fileobj=open("o", "wb"), mode="wb")',
            'f.write(b"x")',
            "with `f.close()` and flush the file below it",
        ),
    ],
)
def test_what_the_child_opens_it_closes(opened: str, written: str, remedy: str) -> None:
    body = f"global f; f = {opened}; {written}"
    source = PROCESS.format(opened="", parameter="", written=body, argument="")
    assert message(source, "FLU102", "fork").endswith(f"; let the child end {remedy}")


@pytest.mark.parametrize(
    ("opened", "remedy"),
    [
        ('f = open("o", "w"); f.write("h")', "flush it before start(), and let the child end with"),
        ('f = open("o", "w")', "let the child end with"),
    ],
)
def test_what_the_parent_has_to_do_first(opened: str, remedy: str) -> None:
    assert f"; {remedy}" in message(passed(opened, 'f.write("x")'), "FLU101", "fork")


FILE = 'f = open("o", "w")'
HOLDER = """\
class Holder:
    def __init__(self): self.f = open("o", "w")
    def work(self): self.f.write("x")
h = Holder()
"""
GLOBAL = PROCESS.format(opened=FILE, parameter="", written='f.write("x")', argument="")
OPENED_THERE = PROCESS.format(
    opened="", parameter="", written='global f; f = open("o", "w"); f.write("x")', argument=""
)
METHOD = PROCESS.format(opened=HOLDER, parameter="", written="pass", argument="").replace(
    "target=work", "target=h.work"
)


@pytest.mark.parametrize(
    ("source", "code", "elsewhere"),
    [
        (passed(FILE, 'f.write("x")'), "FLU101", f"; TypeError {OTHERS}"),
        (METHOD, "FLU101", f"; can't be pickled {OTHERS}"),
        (GLOBAL, "FLU102", f"; not shared {OTHERS}"),
        (OPENED_THERE, "FLU102", "; lost under forkserver as well, the default from 3.14 on"),
        (passed(f'{FILE}; f.write("h")', "f.flush()"), "FLU201", f"; no copy {OTHERS}"),
    ],
)
def test_other_start_methods_are_spoken_of_where_none_is_chosen(
    source: str, code: str, elsewhere: str
) -> None:
    assert message(source, code).endswith(elsewhere)
    assert "forkserver" not in message(source, code, "fork")


@pytest.mark.parametrize(
    ("version", "size"),
    [
        (None, "up to 8 KiB unflushed (128 KiB from Python 3.14 on)"),
        ((3, 12), "up to 8 KiB unflushed (128 KiB from Python 3.14 on)"),
        ((3, 14), "up to 128 KiB unflushed;"),
    ],
)
def test_the_version_says_how_much_is_lost(version: tuple[int, int] | None, size: str) -> None:
    options = AnalysisOptions(start_method="fork", python_version=version)
    source = passed(FILE, 'f.write("x")')
    (found,) = check_source(source.encode(), "program.py", options).diagnostics
    assert size in found.message


def test_where_forkserver_is_the_default_it_is_not_spoken_of() -> None:
    options = AnalysisOptions(python_version=(3, 14))
    source = OPENED_THERE.replace("p = Process", "if __name__ == '__main__': p = Process")
    source = source.replace("\np.start()\np.join()", "; p.start(); p.join()")
    (found,) = check_source(source.encode(), "program.py", options).diagnostics
    assert found.code == "FLU102"
    assert "forkserver" not in found.message


@pytest.mark.parametrize(
    ("fork", "process"),
    [("", "the main process"), ("if os.fork(): raise SystemExit", "the forked")],
)
def test_a_hard_exit_is_told_what_comes_before_it(fork: str, process: str) -> None:
    source = f"import os\n{fork}\nout = open('o', 'w')\nout.write('x')\nos._exit(0)\n"
    said = message(source, "FLU104")
    assert f"`out` is lost: os._exit() ends {process}" in said
    assert said.endswith("; call `out.flush()` before os._exit()")


def test_what_is_never_closed() -> None:
    said = message(passed('f = bz2.open("o", "wb")', 'f.write(b"x"); f.flush()'), "FLU405", "fork")
    assert said.startswith("`f` is never closed in the child `work`: flush() leaves out the end")
    assert said.endswith("; let the child end with `f.close()`")
