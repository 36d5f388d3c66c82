from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from flushlint.diffs import unified_diff

BEFORE = b"".join(b"line %d\n" % number for number in range(20))


def test_what_is_equal_has_no_diff() -> None:
    assert unified_diff(BEFORE, BEFORE, "a.py") == b""


def test_a_missing_newline_is_said_on_either_side() -> None:
    assert unified_diff(b"a", b"a\n", "x") == (
        b"--- x\n+++ x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"
    )
    assert unified_diff(b"a\nb", b"b", "x") == (
        b"--- x\n+++ x\n@@ -1,2 +1 @@\n-a\n b\n\\ No newline at end of file\n"
    )


@pytest.mark.parametrize("tool", [["patch", "--binary", "-p0", "-i"], ["git", "apply", "-p0"]])
@pytest.mark.parametrize(
    "after",
    [
        BEFORE.replace(b"line 7\n", b"line 7\r\n"),
        BEFORE.replace(b"line 7\n", b"line\r7\x0c\xff\n"),
        BEFORE + b"more",
        b"\xef\xbb\xbf" + BEFORE,
        b"new\n" * 3 + BEFORE,
    ],
)
@pytest.mark.parametrize(
    "name", ["a.py", "a b.py", 'q"\\.py', "t\tn\nx.py", "grüß.py", "\udcff.py"]
)
def test_it_makes_one_of_the_other(
    name: str, after: bytes, tool: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which(tool[0]) is None:
        pytest.skip(f"{tool[0]} is not installed")
    monkeypatch.chdir(tmp_path)
    try:
        Path(name).write_bytes(BEFORE)
    except OSError:
        pytest.skip("the file system has no such names")
    Path("the.diff").write_bytes(unified_diff(BEFORE, after, name))
    done = subprocess.run([*tool, "the.diff"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path(name).read_bytes() == after
