"""The command in a process of its own, with its streams as a shell can leave them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.stand_ins import HEADER

ROOT = Path(__file__).parents[1]
LOSING = f"{HEADER}log.write()  # finds FLU101\n"


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # For tests.stand_ins. PYTHONUNBUFFERED would hide what a failing flush at exit does.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *_python_path()]))
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)


def _python_path() -> list[str]:
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]


def shell(redirected: str, **environment: str) -> tuple[int, str, str]:
    """Run ``flushlint check`` with a shell's redirections; return status, stdout and stderr."""
    done = subprocess.run(
        ["bash", "-c", f'"$0" -m tests.stand_ins check {redirected}', sys.executable],
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
        timeout=60,
    )
    out, err = (stream.decode("utf-8", "surrogateescape") for stream in (done.stdout, done.stderr))
    return done.returncode, out, err


def test_a_broken_pipe_ends_quietly() -> None:
    for number in range(3000):
        Path(f"{'long' * 10}{number}.py").write_text(LOSING)
    status, out, err = shell("-v . | head -n 1; exit ${PIPESTATUS[0]}")
    assert (status, out.count("\n")) == (1, 1)
    # It stopped, and did not check all of them for nobody.
    assert err.count("findings shown") < 1000
    assert "Error" not in err


@pytest.mark.parametrize("arguments", ["--output-format full .", "--output-format json ."])
def test_so_it_does_in_other_formats(arguments: str) -> None:
    for number in range(200):
        Path(f"{number}.py").write_text(LOSING)
    status, out, err = shell(f"{arguments} | head -n 1; exit ${{PIPESTATUS[0]}}")
    assert (status, out.count("\n"), err) == (1, 1, "")


def test_a_closed_stdout_ends_quietly() -> None:
    Path("a.py").write_text(LOSING)
    assert shell(". >&-") == (1, "", "")


def test_a_closed_stderr_ends_quietly() -> None:
    Path("a.py").write_text(LOSING)
    status, out, err = shell("none.py a.py 2>&-")
    assert (status, out.count("\n"), err) == (2, 1, "")


def test_a_closed_stdin_is_an_empty_file() -> None:
    assert shell("- <&-") == (0, "", "")


def test_all_streams_closed() -> None:
    assert shell("- none.py <&- >&- 2>&-") == (2, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_output_that_cannot_be_written_is_an_error() -> None:
    Path("a.py").write_text(LOSING)
    expected = "flushlint: error: cannot write the output: No space left on device\n"
    assert shell(". >/dev/full") == (2, "", expected)


# What a shell starts in the background ignores interrupts, and so does all that this starts.
_HEAR_INTERRUPTS = """\
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("tests.stand_ins", run_name="__main__")
"""


def test_an_interrupt_ends_quietly() -> None:
    os.mkfifo("waits")
    command = [sys.executable, "-c", _HEAR_INTERRUPTS, "check", "waits"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            writer = _writer_once_it_is_read("waits", process)
            out, err = _interrupted(process)
        finally:
            process.kill()
    os.close(writer)
    assert (process.returncode, out, err) == (130, b"", b"")


def _interrupted(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Interrupt a process, again if the signal came right before a call that blocks."""
    for _ in range(20):
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=3)
    raise AssertionError("it takes no notice")


def _writer_once_it_is_read(pipe: str, reader: subprocess.Popen[bytes]) -> int:
    """Open a pipe for writing as soon as `reader` has opened it for reading."""
    while reader.poll() is None:
        with contextlib.suppress(OSError):
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.01)
    raise AssertionError(reader.communicate())


def test_output_that_the_encoding_lacks_is_escaped() -> None:
    Path("é漢.py").write_text(LOSING)
    status, out, err = shell(". none-é", PYTHONIOENCODING="ascii", PYTHONUTF8="1")
    assert (status, out.partition(":")[0]) == (2, "\\xe9\\u6f22.py")
    assert err.partition(":")[0] == "none-\\xe9"


def test_a_file_name_that_is_no_text() -> None:
    Path(os.fsdecode(b"\xff.py")).write_text(LOSING)
    status, out, err = shell("--output-format full .", PYTHONUTF8="1")
    assert (status, err) == (1, "")
    assert "--> \\udcff.py:2:1" in out


def test_a_file_may_come_through_a_pipe() -> None:
    Path("a.py").write_text(LOSING)
    status, out, _ = shell("<(cat a.py)")
    assert status == 1
    assert ":2:1: FLU101" in out


def test_standard_input_from_a_terminal_that_is_none() -> None:
    Path("a.py").write_text(LOSING)
    status, out, err = shell("- --stdin-filename b.py < a.py")
    assert (status, out.partition(":")[0], err) == (1, "b.py", "")
