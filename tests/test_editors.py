"""Editors read flake8's output by patterns: every finding has to survive them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flushlint.flake8_plugin import one_line
from tests.programs import blocks

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
# What vscode-flake8 asks for and how it reads the answer; the quotes arrive with it.
VS_CODE_FORMAT = "--format='%(row)d,%(col)d,%(code).1s,%(code)s:%(text)s'"
VS_CODE = re.compile(r"'(?P<line>\d+),(?P<column>\d+),(?P<type>\w+),(?P<code>\w+\d+):(?P<text>.*)'")
VS_CODE_SEVERITY = {"E": "Error", "F": "Error", "I": "Information", "W": "Warning"}
# How python-lsp-server reads flake8's default format. The first group is greedy.
PYLSP = re.compile(r"(.*):(\d*):(\d*): (\w*) (.*)")


def editor_settings(name: str) -> dict[str, object]:
    """Return the README's settings for an editor."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    settings = [json.loads(block.text) for block in blocks(readme) if block.language == "json"]
    (wanted,) = [one for one in settings if any(key.startswith(name) for key in one)]
    assert isinstance(wanted, dict)
    return wanted


def flake8(*arguments: str, text: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "flake8", "--isolated", "--select=FLU1,FLU2,FLU3,FLU4", *arguments],
        input=text,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.fixture(name="findings", scope="module")
def _findings() -> list[str]:
    """Return flake8's default output for the examples."""
    lines = flake8(*map(str, EXAMPLES)).splitlines()
    assert len(lines) >= 5
    return lines


def test_vs_code_reads_each_finding(findings: list[str]) -> None:
    assert editor_settings("flake8.") == {"flake8.importStrategy": "fromEnvironment"}
    seen = []
    for path in EXAMPLES:
        source = path.read_text(encoding="utf-8").splitlines()
        for line in flake8(VS_CODE_FORMAT, str(path)).splitlines():
            match = VS_CODE.fullmatch(line)
            assert match
            row, column = int(match["line"]), int(match["column"])
            assert 0 < column <= len(source[row - 1])
            assert VS_CODE_SEVERITY[match["type"]] == "Error"
            seen.append(f"{path}:{row}:{column}: {match['code']} {match['text']}")
    assert seen == findings


def test_python_lsp_server_reads_each_finding(findings: list[str]) -> None:
    assert editor_settings("pylsp") == {"pylsp": {"plugins": {"flake8": {"enabled": True}}}}
    seen = []
    for path in EXAMPLES:
        text = path.read_text(encoding="utf-8")
        for line in flake8("-", "--stdin-display-name", str(path), text=text).splitlines():
            match = PYLSP.match(line)
            assert match
            name, row, column, code, message = match.groups()
            assert name == str(path)
            assert 0 < int(column) <= len(text.splitlines()[int(row) - 1])
            assert code.startswith("FLU")
            seen.append(f"{name}:{row}:{column}: {code} {message}")
    assert seen == findings


@given(st.text(alphabet=":09 aE\n\t\u2028") | st.text())
def test_no_message_misleads_them(message: str) -> None:
    text = f"FLU101 x{one_line(message)}"
    line = f"x.py:1:2: {text}"
    assert line.splitlines() == [line]
    match = PYLSP.match(line)
    assert match
    assert match.groups() == ("x.py", "1", "2", *text.split(" ", 1))
