"""Hostile input ends with FLU901, in bounded time and memory, in a real process.

What merely can't be read or parsed is in test_cli_input.py.
"""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from pathlib import Path

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
SECONDS = 20
MEGABYTES = 1_000


def mutual_recursion(functions: int) -> str:
    """Return functions each of which calls all others with ever new arguments."""
    lines = []
    for number in range(functions):
        others = [other for other in range(functions) if other != number]
        calls = "; ".join(f"f{other}(f{(number + other) % functions}, *a)" for other in others)
        lines += [f"def f{number}(*a):", "    if a[0]: log.write('x')", "    for g in a:"]
        lines += ["        try:", f"            {calls}", "        except OSError: log.flush()"]
    return "\n".join([*lines, "f0(f1, log)", ""])


HOSTILE = {
    "2,000 nested brackets": f"x = {'[' * 2_000}{']' * 2_000}\n",
    "2,000 nested calls": f"x = {'f(' * 2_000}{')' * 2_000}\n",
    "a 10,000-term and": f"x = {' and '.join(['a'] * 10_000)}\n",
    "a sum of 10,000 strings": "x = " + " + ".join(['"a"'] * 10_000) + "\n",
    "a 5,000-call chain": f"x = a{'.b()' * 5_000}\n",
    "3,000 elifs": "if a: pass\n" + "elif b: pass\n" * 3_000,
    "90 nested blocks": "".join(f"{' ' * depth}if a:\n" for depth in range(90)) + " " * 90 + "b\n",
    "a pattern nested 20 deep": f"match a:\n case {'{1: ' * 20}b{'}' * 20}: pass\n",
    "a flat file of 5 MB": "x = y\n" * 850_000,
    "one line of 5 MB": f"x = [{'1, ' * 1_700_000}]\n",
    "5 MB of calls": "f(g(h(1)), [a.b, c])\n" * 250_000,
}
MERELY_LARGE = {
    "5 MB of text": f"x = '''{'so it goes, ' * 420_000}'''\n",
    "5 MB of comments": "# so it goes\n" * 390_000,
    "10,000 lines": "def f(x):\n    return g(x.y, [1, 2]) + 3\n" * 5_000,
}


class Ended(NamedTuple):
    """What came of a process, and what it took."""

    status: int
    output: list[str]
    errors: str
    seconds: float
    megabytes: float


# A process begins with the memory of the one that has forked it: that is to be a small one.
LAUNCHER = """\
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, waited, usage = os.wait4(process.pid, 0)
print(os.waitstatus_to_exitcode(waited), usage.ru_maxrss, file=open("launched.txt", "w"))
"""


def check(path: Path) -> Ended:
    """Run the command on one file, in its directory."""
    out, err = path.with_suffix(".out"), path.with_suffix(".err")
    begin = time.monotonic()
    with out.open("wb") as stdout, err.open("wb") as stderr:
        command = [sys.executable, "-m", "flushlint", "check", path.name]
        subprocess.run(
            [sys.executable, "-c", LAUNCHER, *command],
            cwd=path.parent,
            stdout=stdout,
            stderr=stderr,
            check=True,
        )
    seconds = time.monotonic() - begin
    status, most = map(int, (path.parent / "launched.txt").read_text().split())
    # In kilobytes; in bytes on macOS.
    unit = 1_000_000 if sys.platform == "darwin" else 1_000
    return Ended(
        status,
        out.read_text(encoding="utf-8").splitlines(),
        err.read_text(encoding="utf-8"),
        seconds,
        most / unit,
    )


def test_takes_little_for_the_program_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(PROGRAM, encoding="utf-8")
    ended = check(path)
    assert ended.output[0].startswith("a.py:9:")
    assert ended.megabytes < MEGABYTES / 5


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_input_is_not_analysed_and_said_so(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(PROGRAM + text, encoding="utf-8")
    ended = check(path)
    assert (ended.status, ended.errors) == (0, "")
    (line,) = ended.output
    assert " FLU901 " in line
    assert ended.seconds < SECONDS
    assert ended.megabytes < MEGABYTES


def test_recursion_that_explodes_costs_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(PROGRAM + mutual_recursion(12), encoding="utf-8")
    ended = check(path)
    assert ended.errors == ""
    assert any(" FLU901 " in line for line in ended.output)
    assert ended.seconds < SECONDS
    assert ended.megabytes < MEGABYTES


@pytest.mark.parametrize("text", MERELY_LARGE.values(), ids=MERELY_LARGE)
def test_large_input_is_analysed(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(text + PROGRAM, encoding="utf-8")
    ended = check(path)
    assert (ended.status, ended.errors) == (1, "")
    line, *_ = ended.output  # files of many thousand lines have no fixes
    assert " FLU101 " in line
    assert ended.seconds < SECONDS
    assert ended.megabytes < MEGABYTES
