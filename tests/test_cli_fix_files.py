"""Fixes of real programs in real files: bytes, diffs, kills. The engine is the real one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = (Path(__file__).parent / "fixtures/doubling/header_kept_record_lost.py").read_bytes()
PROGRAM = b"""\
from multiprocessing import Process

log = open("error1.log", "w")

def put(fd):
    fd.write("hello, func put write\\n")

if __name__ == "__main__":
    p = Process(target=put, args=(log,))
    p.start()
    p.join()  # gr\xc3\xbc\xc3\x9fe \x0c
"""
FLUSH = b"    fd.flush()"
DRESSES = {
    "plain": PROGRAM,
    "crlf": PROGRAM.replace(b"\n", b"\r\n"),
    "mixed": PROGRAM.replace(b"\n", b"\r\n", 4),
    "bom": b"\xef\xbb\xbf" + PROGRAM,
    "bom and crlf": b"\xef\xbb\xbf" + PROGRAM.replace(b"\n", b"\r\n"),
    "latin-1": b"# coding: latin-1\n" + PROGRAM.decode().encode("latin-1"),
    "tabs": PROGRAM.replace(b"    ", b"\t"),
    "blanks": PROGRAM.replace(b"log,))\n", b"log,))  \n").replace(b"\n\n", b"\n   \n"),
    "no last newline": PROGRAM.rstrip(b"\n"),
    "two places": HEADER,
    "two places, crlf, no last newline": HEADER.replace(b"\n", b"\r\n").rstrip(),
}


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def check(*arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "flushlint", "check", "--isolated", *arguments],
        input=data,
        capture_output=True,
        timeout=120,
        check=False,
    )


def is_inserted(before: bytes, after: bytes) -> bool:
    """Tell whether lines were inserted and everything else is the same to the byte."""
    rest = iter(after.splitlines(keepends=True))
    return all(line in rest for line in before.splitlines(keepends=True))


@pytest.mark.parametrize("data", DRESSES.values(), ids=DRESSES)
def test_every_byte_outside_the_edits_stays(data: bytes) -> None:
    Path("a.py").write_bytes(data)
    done = check("--fix", "a.py")
    after = Path("a.py").read_bytes()
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == f"1 finding fixed in 1 file{os.linesep}".encode()
    assert is_inserted(data, after)
    assert after.count(b".flush()") == (2 if b"guests" in data else 1)
    assert after.endswith(b"\n") == data.endswith(b"\n")
    assert after.count(b"\r\n") - data.count(b"\r\n") in {0, after.count(b".flush()")}
    again = check("--fix", "a.py")
    assert (again.returncode, again.stdout, Path("a.py").read_bytes()) == (0, b"", after)


@pytest.mark.parametrize("tool", [("patch", "--binary", "-p0"), ("git", "apply", "-p0")])
@pytest.mark.parametrize("data", DRESSES.values(), ids=DRESSES)
def test_a_diff_makes_what_fix_writes(data: bytes, tool: tuple[str, ...]) -> None:
    if shutil.which(tool[0]) is None:
        pytest.skip(f"{tool[0]} is not installed")
    name = "a file.py"
    Path(name).write_bytes(data)
    diff = check("--diff", name)
    assert (diff.returncode, Path(name).read_bytes()) == (1, data)
    Path("the.diff").write_bytes(diff.stdout)
    patched = subprocess.run(
        [*tool, "the.diff"] if tool[0] == "git" else [*tool, "-i", "the.diff"],
        capture_output=True,
        check=False,
    )
    assert patched.returncode == 0, patched.stdout + patched.stderr
    by_patch = Path(name).read_bytes()
    Path(name).write_bytes(data)
    assert check("--fix", name).returncode == 0
    assert Path(name).read_bytes() == by_patch != data


@pytest.mark.parametrize("data", DRESSES.values(), ids=DRESSES)
def test_standard_input_comes_out_as_a_file_would(data: bytes) -> None:
    Path("a.py").write_bytes(data)
    done = check("--fix", "-", data=data)
    check("--fix", "a.py")
    assert (done.returncode, done.stdout) == (0, Path("a.py").read_bytes())


@pytest.mark.parametrize(
    "data",
    [
        PROGRAM + b"\xff\n",
        PROGRAM + b"def\n",
        b"# coding: nonsense\n" + PROGRAM,
        PROGRAM + b"\0",
    ],
    ids=["undecodable", "syntax", "cookie", "nul"],
)
def test_a_file_with_an_error_is_never_written(data: bytes) -> None:
    Path("a.py").write_bytes(data)
    Path("b.py").write_bytes(PROGRAM)
    before = Path("a.py").stat()
    done = check("--fix", "a.py", "b.py")
    after = Path("a.py").stat()
    assert (done.returncode, Path("a.py").read_bytes()) == (2, data)
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(b"a.py:")
    assert b" error: " in done.stderr
    assert FLUSH in Path("b.py").read_bytes()


def test_a_link_stays_one_and_a_mode_is_kept() -> None:
    Path("real.py").write_bytes(PROGRAM)
    Path("real.py").chmod(0o755)
    Path("link.py").symlink_to("real.py")
    assert check("--fix", "link.py").returncode == 0
    assert Path("link.py").is_symlink()
    assert FLUSH in Path("real.py").read_bytes()
    assert Path("real.py").stat().st_mode & 0o777 == 0o755


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -15)])
def test_a_signal_leaves_every_file_old_or_new(number: signal.Signals, status: int) -> None:
    names = [Path(f"m{index:02}.py") for index in range(40)]
    for name in names:
        name.write_bytes(PROGRAM)
    with subprocess.Popen(
        [sys.executable, "-m", "flushlint", "check", "--isolated", "--fix", "-v", "."],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        # It says so of the first file as soon as that is done.
        assert process.stderr.readline().startswith(b"m00.py: ")
        process.send_signal(number)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == status
    assert b"Traceback" not in errors
    new = PROGRAM.replace(b'write\\n")\n', b'write\\n")\n' + FLUSH + b"\n")
    held = [name.read_bytes() for name in names]
    assert held[0] == new
    assert set(held) == {PROGRAM, new}
    assert list(strays()) == []


def strays() -> Iterator[Path]:
    return Path().glob(".*flushlint*")
