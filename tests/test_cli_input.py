"""The command and the whole engine: the textbook program, and input that is odd or broken."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flushlint import cli

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., tuple[int, list[str], list[str]]]

PROGRAM = """\
from multiprocessing import Process

log = open("error1.log", "w")

def put(fd):
    fd.write("hello, func put write\\n")

if __name__ == "__main__":
    p = Process(target=put, args=(log,))
    p.start()
    p.join()
"""
PLACE = (9, PROGRAM.splitlines()[8].index("log") + 1)


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Return what runs the command: exit status, lines on stdout, lines on stderr.

    What is said of fixes at the end is left out.
    """

    def run_(*arguments: str) -> tuple[int, list[str], list[str]]:
        status = cli.main(arguments)
        sys.stdout.flush()
        out, err = capfd.readouterr()
        rows = [row for row in out.splitlines() if " fixable with " not in row]
        return status, rows, err.splitlines()

    return run_


def write(data: bytes | str, name: str = "a.py") -> None:
    Path(name).write_bytes(data if isinstance(data, bytes) else data.encode())


class TestTextbookProgram:
    def test_concise(self, run: Run) -> None:
        write(PROGRAM, "hello.py")
        status, out, err = run("check", "hello.py")
        assert (status, len(out), err) == (1, 1, [])
        row, column = PLACE
        assert out[0].startswith(f"hello.py:{row}:{column}: FLU101 ")
        assert "flush()" in out[0]

    def test_full(self, run: Run) -> None:
        write(PROGRAM, "hello.py")
        _, out, _ = run("check", "--output-format", "full", "hello.py")
        shown = "\n".join(out)
        order = ["1 opened", "3 written", "2 handed over", "4 ended"]
        places = [shown.index(label) for label in order]
        assert places == sorted(places)
        marked = next(row for row in out if "^" in row)
        assert marked.partition("|")[2].index("^") == PLACE[1]

    def test_json(self, run: Run) -> None:
        write(PROGRAM, "hello.py")
        _, out, _ = run("check", "--output-format", "json", "hello.py")
        (finding,) = json.loads("".join(out))
        assert finding["location"] == dict(zip(("row", "column"), PLACE, strict=True))
        assert finding["end_location"]["column"] == PLACE[1] + len("log")
        kinds = [step["kind"] for step in finding["witness"]]
        assert kinds == ["opened", "handed-over", "written", "ended"]
        assert [step["location"]["row"] for step in finding["witness"]] == [3, 9, 6, 10]

    @pytest.mark.parametrize("line", [9, 12])
    def test_suppressed_on_the_first_or_last_line_of_its_statement(
        self, run: Run, line: int
    ) -> None:
        spread = PROGRAM.replace("(target=put, args=(log,))", "(\n  target=put,\n  args=(log,),\n)")
        lines = spread.splitlines()
        lines[line - 1] += "  # noqa: FLU101"
        write("\n".join(lines))
        assert run("check", "a.py") == (0, [], [])

    def test_the_start_method_decides(self, run: Run) -> None:
        write(PROGRAM)
        assert " FLU301 " in run("check", "--start-method", "spawn", "a.py")[1][0]
        assert " FLU101 " in run("check", "--start-method", "fork", "a.py")[1][0]


class TestAsUsual:
    """Nothing about these is worth a word."""

    @pytest.mark.parametrize(
        "data",
        [b"", b"\n", b"# a comment", b"# import multiprocessing\n# os.fork()\n", b"\xef\xbb\xbf"],
    )
    def test_nothing_in_it(self, run: Run, data: bytes) -> None:
        write(data)
        assert run("check", "a.py") == (0, [], [])

    @pytest.mark.parametrize(
        ("data", "moved"),
        [
            (PROGRAM.encode("utf-8-sig"), 0),
            (PROGRAM.replace("\n", "\r\n").encode(), 0),
            (PROGRAM.replace("\n", "\r").encode(), 0),
            (PROGRAM.replace("\n\n", "\n\x0c\n").encode(), 0),
            (PROGRAM.replace("\ndef", "\n\x0cdef").encode(), 0),
            (PROGRAM.replace("    ", "\t").encode(), -3),
            (PROGRAM.rstrip("\n").encode(), 0),
            (PROGRAM.replace("hello", "h\xe9llo").encode(), 0),
            (f"# coding: latin-1\n{PROGRAM[37:]}".encode(), None),
        ],
        ids=["bom", "crlf", "cr", "ff-line", "ff-indent", "tab", "no-end", "utf-8", "cookie-only"],
    )
    def test_the_program_in_every_dress(self, run: Run, data: bytes, moved: int | None) -> None:
        write(data)
        status, out, err = run("check", "a.py")
        if moved is None:
            # Without the import there is no process.
            assert (status, out, err) == (0, [], [])
        else:
            row, column = PLACE
            assert (status, len(out), err) == (1, 1, [])
            assert out[0].startswith(f"a.py:{row}:{column + moved}: FLU101 ")

    @pytest.mark.parametrize("encoding", ["latin-1", "koi8-r", "cp1252"])
    def test_in_another_encoding(self, run: Run, encoding: str) -> None:
        word = {"koi8-r": "привет"}.get(encoding, "grüß")
        text = f"# -*- coding: {encoding} -*-\n{PROGRAM.replace('hello', word)}"
        write(text.encode(encoding))
        status, out, err = run("check", "a.py")
        assert (status, len(out), err) == (1, 1, [])
        assert out[0].startswith(f"a.py:{PLACE[0] + 1}:{PLACE[1]}: ")

    def test_columns_count_code_points(self, run: Run) -> None:
        before = "x = 'é😀'; "
        write(PROGRAM.replace("    p = ", f"    {before}p = "))
        assert run("check", "a.py")[1][0].startswith(f"a.py:9:{PLACE[1] + len(before)}: ")

    @pytest.mark.parametrize(
        "line", ["type Pair[T] = tuple[T, T]", "x = f'{d['k']}'", "try: pass\nexcept* E: pass"]
    )
    def test_syntax_newer_than_the_interpreter(self, run: Run, line: str) -> None:
        write(f"{PROGRAM}\nd = {{}}\n{line}\n")
        status, out, err = run("check", "a.py")
        assert (status, len(out), err) == (1, 1, [])


IMPORT = b"from multiprocessing import Process\n"
START = b"Process(target=f, args=(open(path, 'w'),)).start()\n"


class TestOneLine:
    """Each costs itself one line on stderr and exit status 2; its neighbour is still checked."""

    @pytest.mark.parametrize(
        ("data", "line", "word"),
        [
            (b"# coding: nonsense\n" + IMPORT + START, 1, "nonsense"),
            (IMPORT + b"x = '\xff'\n" + START, 2, "utf-8"),
            (b"# coding: ascii\n" + IMPORT + b"\xe9 = 1\n" + START, 3, "ascii"),
            (IMPORT + b"x = 1\n\x00\n" + START, 3, "NUL"),
            (IMPORT + START + b'print "PUT"\n', 3, "Python 2"),
            (IMPORT + START + b"x = (\n", None, "syntax"),
            (IMPORT + START + b"  x = 1\n", 3, "syntax"),
            (IMPORT + START + b"def f(:\n", 3, "syntax"),
        ],
        ids=["cookie", "bytes", "cookie-bytes", "nul", "python2", "open", "indent", "syntax"],
    )
    def test_a_file_that_is_no_module(
        self, run: Run, data: bytes, line: int | None, word: str
    ) -> None:
        write(data)
        write(PROGRAM, "b.py")
        status, out, err = run("check", ".")
        assert (status, len(out), len(err)) == (2, 1, 1)
        assert out[0].startswith("b.py:")
        assert err[0].startswith(f"a.py:{line}: error: " if line is not None else "a.py:")
        assert word in err[0]

    def test_files_that_are_not_there(self, run: Run) -> None:
        write(PROGRAM)
        Path("b.py").symlink_to("nowhere")
        Path("c.py").symlink_to("c.py")
        status, out, err = run("check", ".", "d.py")
        assert (status, len(out)) == (2, 1)
        assert [line.partition(":")[0] for line in err] == ["b.py", "c.py", "d.py"]

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_what_may_not_be_read(self, run: Run) -> None:
        write(PROGRAM)
        write(PROGRAM, "b.py")
        Path("b.py").chmod(0)
        Path("c").mkdir(mode=0)
        status, out, err = run("check", ".")
        assert (status, len(out)) == (2, 1)
        assert err == ["b.py: error: permission denied", "c: error: permission denied"]


class TestTooMuch:
    """What would take for ever, or the process with it, is FLU901: no error, never silence."""

    @pytest.mark.parametrize(
        "tail",
        [
            "x = " + "[" * 2000 + "]" * 2000,
            "x = " + " and ".join(["a"] * 10_000),
            "x = a" + ".b()" * 5000,
            "if a: pass\n" + "elif a: pass\n" * 3000,
            "x = 1\n" * 900_000,
        ],
        ids=["brackets", "terms", "chain", "elifs", "flat"],
    )
    def test_it_is_said_and_the_rest_goes_on(self, run: Run, tail: str) -> None:
        write(f"{PROGRAM}\n{tail}\n")
        write(PROGRAM, "b.py")
        status, out, err = run("check", ".")
        assert (status, err) == (1, [])
        codes = [line.split()[1] for line in out]
        assert codes == ["FLU901", "FLU101"]
