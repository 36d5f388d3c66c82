"""The command's options for fixes, with a stand-in for the engine."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flushlint import applying, cli, engine, fixing
from flushlint.writing import Outcome
from tests import stand_ins
from tests.stand_ins import HEADER

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., tuple[int, list[str], list[str]]]

SAFE = f"{HEADER}log.write()  # finds FLU101+\n"
UNSAFE = f"{HEADER}log.write()  # finds FLU104-\n"
SHOWN = f"{HEADER}log.write()  # finds FLU102=\n"
PLAIN = f"{HEADER}log.write()  # finds FLU201\n"
FIXED = f"{HEADER}log.write()  # finds \n"


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engine, "check_unit", stand_ins.check_unit)
    monkeypatch.setattr(applying, "fix_unit", stand_ins.fix_unit)
    monkeypatch.setenv("COLUMNS", "100")  # the workers that tests run in have a width of their own
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs the command: exit status, lines on stdout, lines on stderr."""

    def run_(*arguments: str) -> tuple[int, list[str], list[str]]:
        status = cli.main(("check", *arguments))
        out, err = capsys.readouterr()
        return status, out.splitlines(), err.splitlines()

    return run_


def write(**files: str) -> None:
    for name, text in files.items():
        Path(f"{name}.py").write_text(text)


def read(name: str) -> str:
    return Path(f"{name}.py").read_text()


def configure(text: str) -> None:
    Path("pyproject.toml").write_text(f"[tool.flushlint]\n{text}\n")


def finding(name: str, code: str, *, mark: bool = False) -> str:
    return f"{name}.py:2:1: {code} {'[*] ' * mark}lost under None on None, None"


class TestWithoutFix:
    """What could be fixed is marked and counted."""

    def test_a_safe_one(self, run: Run) -> None:
        write(a=SAFE)
        rows = [finding("a", "FLU101", mark=True), "[*] 1 fixable with --fix"]
        assert run() == (1, rows, [])
        assert read("a") == SAFE

    def test_an_unsafe_one(self, run: Run) -> None:
        write(a=UNSAFE)
        assert run()[1] == [finding("a", "FLU104"), "1 fixable with --fix --unsafe-fixes"]
        assert run("--unsafe-fixes")[1] == [
            finding("a", "FLU104", mark=True),
            "[*] 1 fixable with --fix --unsafe-fixes",
        ]

    def test_both(self, run: Run) -> None:
        write(a=SAFE, b=UNSAFE, c=SHOWN, d=PLAIN)
        assert run()[1][-1] == "[*] 1 fixable with --fix (1 more with --unsafe-fixes)"

    @pytest.mark.parametrize("text", [SHOWN, PLAIN])
    def test_none(self, run: Run, text: str) -> None:
        write(a=text)
        for option in ("--quiet", "--unsafe-fixes"):
            _, out, _ = run(option)
            assert len(out) == 1
            assert "[*]" not in out[0]

    def test_quiet_says_findings_only(self, run: Run) -> None:
        write(a=SAFE)
        assert run("-q")[1] == [finding("a", "FLU101", mark=True)]

    def test_full(self, run: Run) -> None:
        write(a=SAFE)
        _, out, _ = run("--output-format", "full")
        assert out[0].startswith("FLU101 [*] lost-passed-file: ")
        assert "  = fix: take `FLU101+` away" in out
        assert "  - log.write()  # finds FLU101+" in out
        assert "2 + log.write()  # finds" in out
        assert out[-2:] == ["1 finding in 1 file", "[*] 1 fixable with --fix"]

    def test_full_of_an_unsafe_one(self, run: Run) -> None:
        write(a=UNSAFE)
        out = run("--output-format", "full")[1]
        assert out[0].startswith("FLU104 lost")
        note = "unsafe fix: take `FLU104-` away (more changes than when bytes reach the file)"
        assert f"  = {note}" in out

    def test_json(self, run: Run) -> None:
        write(a=UNSAFE)
        _, out, err = run("--output-format", "json")
        (found,) = json.loads("".join(out))
        column = UNSAFE.splitlines()[1].index("FLU104-") + 1
        assert found["fixes"] == [
            {
                "title": "take `FLU104-` away",
                "applicability": "unsafe",
                "reason": "more changes than when bytes reach the file",
                "edits": [
                    {
                        "filename": "a.py",
                        "cell": None,
                        "location": {"row": 2, "column": column},
                        "end_location": {"row": 2, "column": column + 7},
                        "content": "",
                    }
                ],
            }
        ]
        assert err == []


class TestFix:
    def test_nothing_is_left(self, run: Run) -> None:
        write(a=SAFE)
        assert run("--fix") == (0, ["1 finding fixed in 1 file"], [])
        assert read("a") == FIXED
        assert run("--fix") == (0, [], [])

    def test_something_is_left(self, run: Run) -> None:
        write(a=SAFE, b=f"{SAFE}{PLAIN}", c=PLAIN)
        status, out, err = run("--fix")
        assert (status, err) == (1, [])
        assert out == [
            "b.py:4:1: FLU201 lost under None on None, None",
            finding("c", "FLU201"),
            "2 findings fixed in 2 files",
        ]
        assert (read("a"), read("c")) == (FIXED, PLAIN)

    def test_unsafe_ones_are_asked_for(self, run: Run) -> None:
        write(a=UNSAFE)
        left = [finding("a", "FLU104"), "1 fixable with --unsafe-fixes"]
        assert run("--fix") == (1, left, [])
        assert read("a") == UNSAFE
        assert run("--fix", "--unsafe-fixes") == (0, ["1 finding fixed in 1 file"], [])
        assert read("a") == FIXED

    def test_what_is_to_be_shown_is_never_applied(self, run: Run) -> None:
        write(a=SHOWN)
        configure('extend-safe-fixes = ["ALL"]')
        assert run("--fix", "--unsafe-fixes") == (1, [finding("a", "FLU102")], [])
        assert read("a") == SHOWN

    def test_exit_status_of_its_own(self, run: Run) -> None:
        write(a=SAFE)
        assert run("--fix", "--exit-non-zero-on-fix")[0] == 1
        assert run("--fix", "--exit-non-zero-on-fix")[0] == 0
        write(a=SAFE)
        assert run("--fix", "--exit-non-zero-on-fix", "--exit-zero")[0] == 0
        write(a=PLAIN)
        assert run("--fix", "--exit-zero")[0] == 0

    def test_quiet(self, run: Run) -> None:
        write(a=SAFE)
        assert run("--fix", "-q") == (0, [], [])
        assert read("a") == FIXED

    def test_json_holds_what_is_left(self, run: Run) -> None:
        write(a=SAFE, b=PLAIN)
        status, out, err = run("--fix", "--output-format", "json")
        assert (status, err) == (1, ["1 finding fixed in 1 file"])
        assert [found["code"] for found in json.loads("".join(out))] == ["FLU201"]

    def test_show_fixes(self, run: Run) -> None:
        write(a=SAFE, b=f"{HEADER}log.write()  # finds FLU102+ FLU101+ FLU102+\n")
        assert run("--fix", "--show-fixes")[1] == [
            "4 findings fixed in 2 files:",
            "- a.py:",
            "    1 x FLU101 (lost-passed-file)",
            "- b.py:",
            "    2 x FLU102 (lost-inherited-file)",
            "    1 x FLU101 (lost-passed-file)",
        ]

    def test_verbose(self, run: Run) -> None:
        write(a=SAFE)
        assert run("--fix", "-v")[2] == [
            "a.py: 0 of 0 findings shown",
            "1 files checked, 0 findings",
        ]

    def test_more_with_unsafe_fixes(self, run: Run) -> None:
        write(a=SAFE, b=UNSAFE)
        assert run("--fix")[1][1:] == [
            "1 finding fixed in 1 file",
            "1 more fixable with --unsafe-fixes",
        ]


class TestFixOnly:
    def test_what_is_left_does_not_count(self, run: Run) -> None:
        write(a=f"{SAFE}{PLAIN}", b=PLAIN)
        assert run("--fix-only") == (0, ["1 finding fixed in 1 file"], [])
        assert read("a") == f"{FIXED}{PLAIN}"
        assert run("--fix-only") == (0, [], [])

    def test_an_error_does(self, run: Run) -> None:
        write(a=SAFE, b=f"{SAFE}broken\n")
        assert run("--fix-only") == (
            2,
            ["1 finding fixed in 1 file"],
            ["b.py:2: error: it is broken"],
        )

    def test_so_does_a_fix_where_that_is_asked_for(self, run: Run) -> None:
        write(a=SAFE)
        assert run("--fix-only", "--exit-non-zero-on-fix")[0] == 1


class TestDiff:
    @pytest.mark.parametrize(
        "options", [("--diff",), ("--fix", "--diff"), ("--fix-only", "--diff")]
    )
    def test_nothing_is_written(self, run: Run, options: tuple[str, ...]) -> None:
        write(a=SAFE, b=PLAIN)
        status, out, err = run(*options)
        assert (status, read("a")) == (1, SAFE)
        assert out == [
            "--- a.py",
            "+++ a.py",
            "@@ -1,2 +1,2 @@",
            f" {HEADER.rstrip()}",
            "-log.write()  # finds FLU101+",
            "+log.write()  # finds ",
        ]
        assert err == ["1 finding would be fixed in 1 file"]

    def test_nothing_to_change(self, run: Run) -> None:
        write(a=PLAIN, b="")
        assert run("--diff") == (0, [], [])

    def test_more_with_unsafe_fixes(self, run: Run) -> None:
        write(a=UNSAFE)
        assert run("--diff") == (0, [], ["1 fixable with --unsafe-fixes"])
        assert run("--diff", "--unsafe-fixes")[0] == 1

    def test_an_error_wins(self, run: Run) -> None:
        write(a=SAFE, b=f"{HEADER}broken\n")
        status, out, err = run("--diff")
        assert (status, len(out)) == (2, 6)
        assert err == ["b.py:2: error: it is broken", "1 finding would be fixed in 1 file"]

    def test_no_newline_at_the_end(self, run: Run) -> None:
        write(a=SAFE.rstrip("\n"))
        assert run("--diff")[1][-4:] == [
            "-log.write()  # finds FLU101+",
            "\\ No newline at end of file",
            "+log.write()  # finds ",
            "\\ No newline at end of file",
        ]


class TestWhich:
    @pytest.mark.parametrize(
        ("options", "settings", "fixed"),
        [
            (("--fixable", "FLU1"), "", True),
            (("--fixable", "FLU2"), "", False),
            (("--unfixable", "FLU1"), "", False),
            (("--unfixable", "FLU1", "--fixable", "FLU101"), "", True),
            (("--unfixable", "ALL"), "", False),
            ((), 'unfixable = ["FLU101"]', False),
            ((), 'fixable = ["FLU2"]', False),
            (("--fixable", "ALL"), 'unfixable = ["FLU101"]', True),
            (("--unfixable", "FLU101"), 'fixable = ["FLU101"]', False),
            ((), 'extend-unsafe-fixes = ["FLU1"]', False),
            (("--unsafe-fixes",), 'extend-unsafe-fixes = ["FLU1"]', True),
            ((), 'extend-unsafe-fixes = ["FLU1"]\nextend-safe-fixes = ["FLU101"]', True),
            ((), 'extend-unsafe-fixes = ["FLU101"]\nextend-safe-fixes = ["FLU1"]', False),
            (("--ignore", "FLU101"), "", False),
            ((), 'per-file-ignores = {"a.py" = ["FLU101"]}', False),
        ],
    )
    def test_a_safe_fix(
        self, run: Run, options: tuple[str, ...], settings: str, *, fixed: bool
    ) -> None:
        write(a=SAFE)
        configure(settings)
        run("--fix", *options)
        assert (read("a") == FIXED) is fixed

    def test_an_unsafe_fix_that_is_taken_for_safe(self, run: Run) -> None:
        write(a=UNSAFE)
        configure('extend-safe-fixes = ["FLU10"]')
        assert run()[1][0] == finding("a", "FLU104", mark=True)
        assert run("--fix")[0] == 0

    def test_what_may_not_be_fixed_is_not_marked(self, run: Run) -> None:
        write(a=SAFE)
        assert run("--unfixable", "FLU")[1] == [finding("a", "FLU101")]

    def test_what_a_comment_suppresses_is_left_alone(self, run: Run) -> None:
        text = f"{HEADER}log.write('# noqa: FLU101')  # noqa # finds FLU101+\n{SAFE}"
        write(a=text)
        assert run("--fix")[0] == 0
        assert read("a") == text.replace(SAFE, FIXED)

    def test_opt_in_findings_are_fixed_where_they_are_selected(self, run: Run) -> None:
        write(a=f"{HEADER}log.write()  # finds FLU105?+\n")
        assert run("--fix") == (0, [], [])
        assert run("--fix", "--extend-select", "FLU105") == (0, ["1 finding fixed in 1 file"], [])

    @pytest.mark.parametrize("option", ["--fixable", "--unfixable"])
    def test_a_wrong_code(self, run: Run, option: str) -> None:
        write(a=SAFE)
        status, out, err = run("--fix", option, "FLU101,FLU999")
        assert (status, out, read("a")) == (2, [], SAFE)
        assert err == [f"flushlint: error: argument {option}: unknown code 'FLU999'"]

    @pytest.mark.parametrize(
        ("settings", "cause"),
        [
            ('fixable = ["X1"]', "key `fixable`: unknown code 'X1'"),
            ('unfixable = ["X1"]', "key `unfixable`: unknown code 'X1'"),
            ('extend-safe-fixes = ["X1"]', "key `extend-safe-fixes`: unknown code 'X1'"),
            ('extend-unsafe-fixes = ["X1"]', "key `extend-unsafe-fixes`: unknown code 'X1'"),
            (
                'extend-safe-fixes = ["FLU1"]\nextend-unsafe-fixes = ["FLU1"]',
                "key `extend-unsafe-fixes`: 'FLU1' is in `extend-safe-fixes` as well",
            ),
        ],
    )
    def test_a_wrong_configuration(self, run: Run, settings: str, cause: str) -> None:
        write(a=SAFE)
        configure(settings)
        status, _, err = run("--fix")
        assert (status, read("a")) == (2, SAFE)
        assert err == [f"pyproject.toml: error: [tool.flushlint] {cause}"]


class TestErrors:
    def test_the_other_files_go_on(self, run: Run) -> None:
        broken = f"{SAFE}broken\n"
        endless = f"{SAFE}endless\n"
        write(a=broken, b=SAFE, c=endless, d=f"{SAFE}raises\n", e=SAFE)
        status, out, err = run("--fix", ".", "none.py")
        assert status == 2
        assert out == [finding("c", "FLU101", mark=True), "2 findings fixed in 2 files"]
        assert err == [
            "a.py:2: error: it is broken",
            "c.py: error: not fixed: the fixes do not come to an end; nothing is written",
            "d.py: error: internal error: KeyError: 'a name'",
            "none.py: error: no such file or directory",
        ]
        assert [read(name) for name in "abce"] == [broken, FIXED, endless, FIXED]

    def test_a_read_only_file(self, run: Run) -> None:
        write(a=SAFE, b=SAFE)
        Path("a.py").chmod(0o444)
        status, out, err = run("--fix")
        assert status == 2
        assert out == [finding("a", "FLU101", mark=True), "1 finding fixed in 1 file"]
        assert err == ["a.py: error: not fixed: is read-only"]
        assert (read("a"), read("b")) == (SAFE, FIXED)

    def test_a_file_that_has_changed_meanwhile(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fix_and_change(*arguments: object) -> fixing.Fixed:
            write(a="x = 1\n")
            return stand_ins.fix_unit(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(applying, "fix_unit", fix_and_change)
        write(a=SAFE)
        status, _, err = run("--fix")
        assert (status, read("a")) == (2, "x = 1\n")
        assert err == ["a.py: error: not fixed: changed since it was read"]

    def test_what_is_written_with_a_but(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        outcome = Outcome(written=True, cause="perhaps not yet on the disk: no")
        monkeypatch.setattr(applying, "replace_file", lambda *_: outcome)
        write(a=SAFE)
        assert run("--fix", "-q") == (0, [], ["a.py: warning: perhaps not yet on the disk: no"])

    def test_an_interrupt(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(applying, "fix_unit", interrupt)
        write(a=SAFE)
        assert run("--fix") == (130, [], [])

    def test_what_an_interrupted_write_has_left(self, run: Run) -> None:
        write(a="", b=PLAIN)
        stem = ".a.py.flushlint-0123456789abcdef"
        Path(f"{stem}.partial").touch()
        status, _, err = run("--fix")
        left = f"{stem}.partial: warning: left by a write that was interrupted; it may be removed"
        assert (status, err) == (1, [left])
        Path(f"{stem}.backup").write_text(PLAIN)
        status, _, err = run("--fix-only")
        cause = "the old contents of a file whose writing was interrupted"
        assert (status, err) == (2, [f"{stem}.backup: error: {cause}", left])


class TestOneFileOfSeveralNames:
    @pytest.mark.parametrize("link", [os.symlink, os.link])
    @pytest.mark.parametrize("options", [("--fix",), ("--diff",)])
    def test_it_is_dealt_with_once(
        self, run: Run, link: Callable[[str, str], None], options: tuple[str, ...]
    ) -> None:
        write(b=f"{SAFE}{PLAIN}")
        link("b.py", "c.py")
        link("b.py", "a.py")
        status, out, _ = run(*options)
        assert status == 1
        if options == ("--fix",):
            assert len(out) == 2
            assert out[-1] == "1 finding fixed in 1 file"
            assert {read(name) for name in "abc"} == {f"{FIXED}{PLAIN}"}
            assert Path("a.py").samefile("b.py")
        else:
            assert out.count("--- a.py") == 1
            assert "+++ b.py" not in out

    def test_a_new_file_with_the_number_of_a_replaced_one_is_another(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(a=SAFE, b=SAFE)
        numbers = {"a.py": iter([1, 1, 2]), "b.py": iter([1, 1, 3])}
        monkeypatch.setattr(
            applying, "_identity", lambda path: (0, next(numbers[os.path.basename(path)]))
        )
        assert run("--fix") == (0, ["2 findings fixed in 2 files"], [])


class TestStandardInput:
    @pytest.fixture
    def fix(
        self, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
    ) -> Callable[..., tuple[int, bytes, list[str]]]:
        def fix_(data: bytes, *arguments: str) -> tuple[int, bytes, list[str]]:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
            status = cli.main(("check", *arguments))
            out, err = capsysbinary.readouterr()
            return status, out, err.decode().splitlines()

        return fix_

    @pytest.mark.parametrize("option", ["--fix", "--fix-only"])
    def test_the_fixed_text_comes_out(
        self, fix: Callable[..., tuple[int, bytes, list[str]]], option: str
    ) -> None:
        data = f"{SAFE}{PLAIN}".replace("\n", "\r\n").encode()
        status, out, err = fix(data, option, "--stdin-filename", "x.py", "-")
        assert out == f"{FIXED}{PLAIN}".replace("\n", "\r\n").encode()
        left = ["x.py:4:1: FLU201 lost under None on None, None"] if option == "--fix" else []
        assert (status, err) == (len(left), [*left, "1 finding fixed in 1 file"])
        assert not Path("x.py").exists()

    @pytest.mark.parametrize(
        "data", [b"x = 1", SAFE.encode() + b"broken\xff", SAFE.encode() + b"endless", b""]
    )
    def test_what_is_not_fixed_comes_out_as_it_is(
        self, fix: Callable[..., tuple[int, bytes, list[str]]], data: bytes
    ) -> None:
        assert fix(data, "--fix", "-")[1] == data

    def test_a_diff(self, fix: Callable[..., tuple[int, bytes, list[str]]]) -> None:
        status, out, err = fix(SAFE.encode(), "--diff", "-")
        assert (status, err) == (1, ["1 finding would be fixed in 1 file"])
        assert out.startswith(b"--- -\n+++ -\n@@ -1,2 +1,2 @@\n")

    def test_a_report_in_json_goes_to_standard_error(
        self, fix: Callable[..., tuple[int, bytes, list[str]]]
    ) -> None:
        _, out, err = fix(PLAIN.encode(), "--fix", "--output-format", "json", "-")
        assert out == PLAIN.encode()
        assert json.loads("".join(err))[0]["code"] == "FLU201"
