"""Notebooks: their runs as one program, their places, their fixes, and what is wrong with some."""

from __future__ import annotations

import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flushlint import cli
from flushlint.cell_writing import with_sources
from flushlint.magics import Translation
from flushlint.model import AnalysisOptions, InputError
from flushlint.notebook import Notebook, NotebookError, cells_of, read_notebook
from flushlint.notebook_fixing import fix_notebook
from flushlint.unit import ModuleFile, Unit
from tests.oracle import (
    Fixture,
    Interpreter,
    chosen_interpreters,
    expected_verdict,
    judge,
    judge_fixed,
    shown_verdict,
)
from tests.oracle.fixture import FIXTURES, load_fixture

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.oracle import Job

    Run = Callable[..., tuple[int, list[str], list[str]]]

NOTEBOOKS = sorted((FIXTURES / "notebooks").glob("*.ipynb"))
# What a kernel gives its cells.
KERNEL = b"import builtins; builtins.get_ipython = object\n"


def notebook_in(data: bytes, path: str = "a.ipynb") -> Notebook:
    read = read_notebook(data, path)
    assert isinstance(read, Notebook)
    return read


def program_of(path: Path, folder: Path) -> tuple[Notebook, Fixture]:
    """Return a notebook, and its program as a fixture with the markers in its cells."""
    notebook = notebook_in(path.read_bytes())
    program = folder / f"{path.stem}.py"
    program.write_bytes(notebook.program)
    return notebook, load_fixture(program)


def jobs(fixture: Fixture, interpreter: Interpreter) -> list[Job]:
    found = fixture.jobs("fork", interpreter.path)
    program = KERNEL + fixture.path.read_bytes()
    return [replace(job, program=program) for job in found]


# -- fixtures: what the run shows, what the markers say, what is found ----------------------------

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
each_interpreter = pytest.mark.parametrize("interpreter", chosen_interpreters(), ids=str)


@each_notebook
@each_interpreter
def test_the_run_shows_what_the_markers_say(
    path: Path, interpreter: Interpreter, tmp_path: Path
) -> None:
    _, fixture = program_of(path, tmp_path)
    results = [judge(job) for job in jobs(fixture, interpreter)]
    expected = expected_verdict(fixture, "fork", interpreter.minor)
    assert shown_verdict(fixture, "fork", results) == expected
    assert not [line for result in results for line in result.exceptions]


@each_notebook
def test_the_findings_are_the_markers(
    path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    notebook, fixture = program_of(path, tmp_path)
    status = cli.main(["check", "--isolated", "--output-format", "json", str(path)])
    sys.stdout.flush()
    found = json.loads(capfd.readouterr().out)
    announced = {(*notebook.place(one.line), one.code) for one in fixture.markers["fork"]}
    assert {(one["cell"], one["location"]["row"], one["code"]) for one in found} == announced
    assert status == int(bool(announced))


@each_notebook
@each_interpreter
def test_what_is_fixed_loses_nothing(path: Path, interpreter: Interpreter, tmp_path: Path) -> None:
    _, fixture = program_of(path, tmp_path)
    fixed = fixed_bytes(path.read_bytes())
    if fixture.is_look_alike:
        assert fixed == path.read_bytes()
        return
    program = KERNEL + notebook_in(fixed).program
    for job in jobs(fixture, interpreter):
        result = judge_fixed(job, program)
        assert not result.verdict
        assert not result.exceptions


@each_notebook
def test_nothing_else_is_changed_by_a_fix(path: Path) -> None:
    """Each line of the fixed file is one of the old file, or new; the rest of the JSON is equal."""
    before, after = path.read_bytes(), fixed_bytes(path.read_bytes())
    old, new = json.loads(before), json.loads(after)
    for one, other in zip(cells_of(old), cells_of(new), strict=True):
        key = "source" if "source" in one else "input"
        assert type(one[key]) is type(other[key])
        one[key] = other[key] = None
    assert old == new
    assert before.endswith(b"\n") == after.endswith(b"\n")
    assert before.isascii() == after.isascii()


def test_there_are_as_many_look_alikes(tmp_path: Path) -> None:
    fixtures = [program_of(path, tmp_path)[1] for path in NOTEBOOKS]
    assert len(fixtures) >= 12
    assert 2 * sum(one.is_look_alike for one in fixtures) >= len(fixtures)


def fixed_bytes(data: bytes) -> bytes:
    unit = Unit(ModuleFile("a.ipynb", notebook_in(data).program))
    done = fix_notebook(
        data,
        unit,
        AnalysisOptions(start_method="fork"),
        lambda _, found: found,
        lambda _, fix: fix.applicability == "safe",
    )
    assert not done.trouble
    return done.files.get("a.ipynb", data)


# -- the command ----------------------------------------------------------------------------------


def cell(source: str | list[str], kind: str = "code", **more: object) -> dict[str, object]:
    return {"cell_type": kind, "metadata": {}, "source": source, **more}


def notebook_of(*cells: str | dict[str, object], **metadata: object) -> str:
    """Return a notebook of these cells, the texts of code cells or whole ones."""
    whole = [cell(one) if isinstance(one, str) else one for one in cells]
    return json.dumps({"cells": whole, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


START = """\
p = Process(target=put, args=(log,))
p.start()
p.join()"""
OPEN = "from multiprocessing import Process\nlog = open('o', 'w')"
PUT = "def put(fd):\n    fd.write('x')"
TITLE = cell("# A title", "markdown")
CELLS = (OPEN, TITLE, PUT, START)
FOUND = "a.ipynb:cell 4:1:31: FLU101"


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what checks `a.ipynb`, or other files: exit status, lines on stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run_(text: str | bytes | None, *arguments: str) -> tuple[int, list[str], list[str]]:
        if text is not None:
            Path("a.ipynb").write_bytes(text if isinstance(text, bytes) else text.encode())
        status = cli.main(["check", "--isolated", *(arguments or ("a.ipynb",))])
        sys.stdout.flush()
        out, err = capfd.readouterr()
        rows = [row for row in out.splitlines() if " fixable with " not in row]
        return status, rows, err.splitlines()

    return run_


def places(rows: list[str]) -> list[str]:
    """Return the places and codes of lines of concise output."""
    return [row.partition(" FLU")[0] + " FLU" + row.partition(" FLU")[2][:3] for row in rows]


class TestCommand:
    def test_the_place_has_the_number_of_the_cell_among_all_cells(self, run: Run) -> None:
        status, rows, err = run(notebook_of(*CELLS))
        assert (status, places(rows), err) == (1, [FOUND], [])

    def test_json_has_the_cell_of_each_place(self, run: Run) -> None:
        _, rows, _ = run(notebook_of(*CELLS), "--output-format", "json", "a.ipynb")
        (found,) = json.loads("\n".join(rows))
        assert (found["cell"], found["location"]) == (4, {"row": 1, "column": 31})
        steps = [(step["kind"], step["cell"], step["location"]["row"]) for step in found["witness"]]
        assert steps == [
            ("opened", 1, 2),
            ("handed-over", 4, 1),
            ("written", 3, 2),
            ("ended", 4, 2),
        ]
        (edit,) = found["fixes"][0]["edits"]
        assert (edit["cell"], edit["location"]) == (3, {"row": 2, "column": 18})
        assert edit["content"] == "\n    fd.flush()"

    def test_in_a_module_there_is_no_cell(self, run: Run) -> None:
        Path("a.py").write_text(f"{OPEN}\n{PUT}\n{START}", encoding="utf-8")
        _, rows, _ = run(None, "--output-format", "json", "a.py")
        (found,) = json.loads("\n".join(rows))
        assert found["cell"] is None
        assert {step["cell"] for step in found["witness"]} == {None}

    def test_the_story_is_told_cell_by_cell(self, run: Run) -> None:
        cells = ("%pwd", *CELLS[:3], f"%time pass\n{START}")
        _, rows, _ = run(notebook_of(*cells), "--output-format", "full", "a.ipynb")
        text = "\n".join(rows)
        assert " --> a.ipynb:cell 5:2:31" in rows
        assert [row.strip() for row in rows if ":::" in row] == [
            "::: cell 2",
            "::: cell 4",
            "::: cell 5",
            "::: cell 4",
        ]
        assert "2 | log = open('o', 'w')\n  |       ---" in text
        assert "2 |     fd.write('x')\n3 +     fd.flush()\n" in text
        assert "#ipynb" not in text

    def test_lines_are_shown_as_the_notebook_has_them(self, run: Run) -> None:
        text = notebook_of(OPEN, PUT, "%time Process(target=put, args=(log,)).start()")
        _, rows, _ = run(text, "--output-format", "full", "a.ipynb")
        assert "1 | %time Process(target=put, args=(log,)).start()" in rows

    def test_from_standard_input(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        stdin = io.TextIOWrapper(io.BytesIO(notebook_of(*CELLS).encode()))
        monkeypatch.setattr(sys, "stdin", stdin)
        status, rows, err = run(None, "--stdin-filename", "a.ipynb", "-")
        assert (status, places(rows), err) == (1, [FOUND], [])

    def test_a_comment_suppresses(self, run: Run) -> None:
        text = notebook_of(*CELLS[:3], START.replace("\n", "  # noqa: FLU101\n", 1))
        assert run(text) == (0, [], [])

    def test_so_it_does_on_the_line_of_a_magic(self, run: Run) -> None:
        started = "%time Process(target=put, args=(log,)).start()"
        _, rows, _ = run(notebook_of(*CELLS[:3], started))
        assert places(rows) == ["a.ipynb:cell 4:1:33: FLU101"]
        assert run(notebook_of(*CELLS[:3], f"{started}  # noqa")) == (0, [], [])

    def test_a_malformed_comment_has_its_cell(self, run: Run) -> None:
        text = notebook_of(*CELLS[:3], START.replace("\n", "  #noqa\n", 1))
        status, _, err = run(text)
        assert status == 1
        assert err[0].startswith("a.ipynb:cell 4:1: warning: `#noqa` suppresses nothing")

    def test_what_the_gate_drops_is_dropped(self, run: Run) -> None:
        text = notebook_of("from multiprocessing import Queue", "# no Process")
        _, _, err = run(text, "-v", "a.ipynb")
        assert err[0] == "a.ipynb: nothing that starts, forks or ends a process"

    def test_a_name_behind_an_escape_passes_the_gate(self, run: Run) -> None:
        cells = (OPEN, PUT, START)
        text = notebook_of(*(one.replace(" Process", " (\nProcess)") for one in cells))
        assert text.count("Process") == text.count("\\nProcess") == 2
        assert run(text)[0] == 1

    @pytest.mark.parametrize("section", ["language_info", "kernelspec"])
    def test_another_language_is_passed_over(self, run: Run, section: str) -> None:
        said = {"language_info": {"name": "R"}, "kernelspec": {"language": "julia", "name": "j"}}
        text = notebook_of(*CELLS, "x <- 'os.fork()", **{section: said[section]})
        status, rows, err = run(text, "-v", "a.ipynb")
        assert (status, rows) == (0, [])
        assert err[0] == "a.ipynb: a notebook in another language than Python"

    def test_a_cell_of_another_language_is_left_out(self, run: Run) -> None:
        other = cell("p.start(")
        other["metadata"] = {"vscode": {"languageId": "fsharp"}}
        assert places(run(notebook_of(other, *CELLS))[1]) == ["a.ipynb:cell 5:1:31: FLU101"]


class TestWhatAKernelDoes:
    """Seen in ipykernel 7: there, these programs do not do what they do as scripts."""

    def test_what_is_printed_is_not_lost(self, run: Run) -> None:
        cells = ("import os", "if os.fork() == 0:\n    print('x')\n    os._exit(0)")
        assert run(notebook_of(*cells)) == (0, [], [])
        Path("a.py").write_text("\n".join(cells), encoding="utf-8")
        assert places(run(None, "a.py")[1]) == ["a.py:4:5: FLU104"]

    def test_no_child_imports_a_notebook(self, run: Run) -> None:
        cells = (
            "from multiprocessing import get_context\nopen('o', 'w').close()",
            "def put():\n    with open('o', 'a') as log:\n        log.write('x')",
            "p = get_context('spawn').Process(target=put)\np.start()\np.join()",
        )
        assert run(notebook_of(*cells)) == (0, [], [])
        Path("a.py").write_text("\n".join(cells), encoding="utf-8")
        assert places(run(None, "a.py")[1]) == ["a.py:7:1: FLU303"]


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "error"),
        [
            ("['os.fork']", "a.ipynb:1: error: not a notebook: no valid JSON: Expecting value"),
            ('["os.fork"]', "a.ipynb: error: not a notebook: the JSON is no object"),
            ('{"a": "os.fork"}', "a.ipynb: error: not a notebook: it has no list of cells"),
            ('{"cells": ["os.fork"]}', "a.ipynb: error: not a notebook: cell 1 has no type"),
            (
                '{"cells": [{"cell_type": "code", "source": {"fork": 1}}]}',
                "a.ipynb: error: not a notebook: cell 1 has no source",
            ),
            (b'{\n"a": "os.fork \xff"}', "a.ipynb:2: error: byte 0xff is not valid utf-8"),
            (
                notebook_of("import os\nopen('o', 'w')", "os.fork()\nx = (1,"),
                "a.ipynb:cell 2:2: error: syntax error: '(' was never closed",
            ),
            (
                notebook_of("import os\nopen('o', 'w')", "x = 1", "os.fork()\nprint 'x'"),
                "a.ipynb:cell 3:2: error: Python 2 syntax (print statement)",
            ),
        ],
    )
    def test_one_line_and_the_others_go_on(self, run: Run, text: str | bytes, error: str) -> None:
        Path("b.ipynb").write_text(notebook_of(*CELLS), encoding="utf-8")
        status, rows, err = run(text, "a.ipynb", "b.ipynb")
        assert (status, places(rows), err) == (2, [FOUND.replace("a.", "b.", 1)], [error])

    @pytest.mark.parametrize("text", ["[" * 100_000 + "os.fork", '{"cells": [' + "9" * 5000 + "]}"])
    def test_no_json_is_too_much(self, text: str) -> None:
        assert isinstance(read_notebook(text.encode(), "a.ipynb"), InputError)

    def test_what_the_parser_would_not_survive_has_its_cell(self, run: Run) -> None:
        deep = "x = " + "(" * 200 + "1" + ")" * 200
        _, rows, _ = run(notebook_of(*CELLS, deep), "--extend-select", "FLU901", "a.ipynb")
        assert [row.partition(": FLU901 ")[0] for row in rows] == ["a.ipynb:cell 5:1:1"]


class TestFixes:
    def test_the_file_is_fixed(self, run: Run) -> None:
        text = notebook_of(*CELLS)
        assert run(text, "--fix", "a.ipynb")[0] == 0
        assert Path("a.ipynb").read_text(encoding="utf-8") == text.replace(
            "fd.write('x')", r"fd.write('x')\n    fd.flush()"
        )

    def test_a_diff_is_that_of_the_file(self, run: Run) -> None:
        text = json.dumps(json.loads(notebook_of(*CELLS)), indent=1)
        status, rows, _ = run(text, "--diff", "a.ipynb")
        assert status == 1
        assert [row for row in rows if row.startswith("+")][1:] == [
            r"""+   "source": "def put(fd):\n    fd.write('x')\n    fd.flush()" """.rstrip()
        ]
        assert Path("a.ipynb").read_text(encoding="utf-8") == text

    def test_a_magic_keeps_its_place(self, run: Run) -> None:
        cells = (
            "import os\nlog = open('o', 'w')\nlog.write('x')\n%time pid = os.fork()",
            "!ls\nif pid == 0:\n    log.close()\n    %pwd\n    os._exit(0)\nx = !ls\nlog.close()",
        )
        assert run(notebook_of(*cells))[0] == 1
        assert run(None, "--fix", "a.ipynb")[0] == 0
        read = notebook_in(Path("a.ipynb").read_bytes())
        assert "log.flush()" in read.text(1)
        assert "%time" in read.text(1)
        assert read.text(2) == cells[1]

    def test_a_program_that_left_its_cells_does_not_go_back(self) -> None:
        read = notebook_in(notebook_of("x = 1\n!ls", "y = 2").encode())
        program = read.program.decode()
        second = program.index("#ipynb-cell-2")
        for edited in (
            program.replace("pass#", "pass; x#"),
            program.replace("#ipynb-cell-2\n", ""),
            program[:second] + "if x:\n    " + program[second:],
            "import os\n" + program,
            program.replace("y = 2\n", "y = 2\n#ipynb-cell-1\n"),
        ):
            with pytest.raises(NotebookError):
                read.divided(edited.encode())
        assert read.divided(program.encode()) == {1: "x = 1\n!ls", 2: "y = 2"}

    @pytest.mark.parametrize(
        ("before", "source", "after"),
        [
            (r'["a\n",~ "b"]', "a\nc\nb", r'["a\n",~ "c\n",~ "b"]'),
            (r'["a"]', "a\nb", r'["a\n", "b"]'),
            (r'[~  "a"~]', "a\nb", r'[~  "a\n",~  "b"~]'),
            (r'["\u0061\n", "b\/"]', "a\nx\nb/", r'["\u0061\n", "x\n", "b\/"]'),
            (r'["\u00e9"]', "é\nü", r'["\u00e9\n", "\u00fc"]'),
            (r'["é", "\u00e9"]', "ééü", r'["ééü"]'),
            (r'"a"', "a\nü", r'"a\n\u00fc"'),
            (r'["a", "b"]', "ab\nc", r'["ab\n", "c"]'),
        ],
    )
    def test_how_a_text_is_written(self, before: str, source: str, after: str) -> None:
        """Lines that stay keep their bytes; others are laid out and escaped as the file is."""
        frame = '{ "cells" :[{"cell_type":"code" , "source": %s, "x": NaN}],\n"b": 1.0}\n'
        old, new = ((frame % part.replace("~", "\r\n")).encode() for part in (before, after))
        assert with_sources(old, {1: source}) == new

    def test_of_two_texts_the_last_counts(self) -> None:
        text = '{"cells": [{"cell_type": "code", "source": "a", "source": "b"}]}'
        written = with_sources(text.encode(), {1: "c"})
        assert written.decode() == text.replace('"b"', '"c"')

    @pytest.mark.parametrize("source", [r'"\ud800"', "[]"])
    def test_what_can_not_be_written_stays(self, source: str) -> None:
        text = f'{{"cells": [{{"cell_type": "code", "source": {source}}}]}}'
        with pytest.raises(NotebookError):
            with_sources(text.encode(), {1: "c"})


# -- magics ---------------------------------------------------------------------------------------


def python_of(text: str) -> str | None:
    """Return a cell in Python, without marks."""
    translation = Translation("#@")
    python = translation.python(text)
    if python is None:
        return None
    lines = re.findall(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+", python)
    assert "".join(translation.original(line) or "<lost>" for line in lines) == text
    return re.sub(r"#@\d+", "", python)


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("x = 1\ny % x", "x = 1\ny % x"),
        ("%matplotlib inline\nx", "pass\nx"),
        ("!echo it's \\\n  long\nx", "pass\n\nx"),
        ("if x:\n    %cd ..\n    !ls", "if x:\n    pass\n    pass"),
        ("?x\nx?\nx.y??\n", "pass\npass\npass\n"),
        ("x = !ls\ny", "x = get_ipython()\ny"),
        ("a['!'] = %sx ls | wc", "a['!'] = get_ipython()"),
        ("x = %time f(1)", "x =       f(1)"),
        ("(x,\n y) = %time f(1)\nz", "(x,\n y) =       f(1)\nz"),
        ("%time f(1)  # c", "if 1: f(1)  # c"),
        ("%time x = f(1);", "if 1: x = f(1);"),
        ("%timeit -n 10 -r3 f(1)", "if 1:             f(1)"),
        ("%time for x in y: f(x)", "pass"),
        ("%time !ls", "pass"),
        ("%time x = !ls", "pass"),
        ("%timeit -n 10", "pass"),
        ("%%time\nf()", "\nf()"),
        ("\n# c\n%%capture out\n%%time\nf()", "\n# c\n\n\nf()"),
        ("%%time\n%%bash\nls", None),
        ("%%bash\nls", None),
        ("%%js\nx?", None),
        ("pip install x", None),
        ("pip -q install x", None),
        ("ls", None),
        ("pip = 3", "pip = 3"),
        ("pip.main()", "pip.main()"),
        ("pip (x)", "pip (x)"),
        ("ls - x", "ls - x"),
        ("f(\n%s)", "f(\n%s)"),
        ("'''\n%s\n!x\n'''\n!x", "'''\n%s\n!x\n'''\npass"),
        ("x = 1 \\\n% y\n%z", "x = 1 \\\n% y\npass"),
        ("x != y\nx %= y\nf(a=1)\nx = 'a?'  # b?", "x != y\nx %= y\nf(a=1)\nx = 'a?'  # b?"),
        ("f'{x!r}{y=}'\n@d\ndef f(): pass", "f'{x!r}{y=}'\n@d\ndef f(): pass"),
        ("await f()\nx = await g();", "await f()\nx = await g();"),
        ("!ls\r\nx\r\n", "pass\r\nx\r\n"),
        ("", ""),
    ],
)
def test_magics(text: str, python: str | None) -> None:
    assert python_of(text) == python


def test_the_mark_is_not_in_the_notebook() -> None:
    read = notebook_in(notebook_of("!ls", "x  #ipynb-cell-1", "#ipynb--0").encode())
    assert read.program.count(b"#ipynb---") == 6
    assert read.text(2) == "x  #ipynb-cell-1"


def test_a_coding_comment_means_nothing(run: Run) -> None:
    text = notebook_of(f"# coding: latin-1\n{OPEN}", PUT, f"'é'; {START}")
    assert places(run(text)[1]) == ["a.ipynb:cell 3:1:36: FLU101"]


@pytest.mark.parametrize("text", ["", "\n", "x", "x\n", "x\r", "x\r\ny", "x\n\n", "\x0cx\u2028y"])
def test_each_line_of_a_cell_has_its_number(text: str) -> None:
    read = notebook_in(notebook_of("a", text, cell("b", "markdown"), "c\nd").encode())
    lines = read.program.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert read.place(lines.index("c") + 1) == (4, 1)
    assert read.place(lines.index("d") + 1) == (4, 2)
    assert read.text(2) == text
    assert read.text(4) == "c\nd"
