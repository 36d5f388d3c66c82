from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from flushlint import __version__, cli, engine
from flushlint.model import Platform, StartMethodOption
from flushlint.rules.registry import RULES
from tests import stand_ins
from tests.stand_ins import HEADER

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., tuple[int, list[str], list[str]]]

LOSING = f"{HEADER}log.write()  # finds FLU101\n"
CLEAN = f"{HEADER}log.write()\n"


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engine, "check_unit", stand_ins.check_unit)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs the command: exit status, lines on stdout, lines on stderr."""

    def run_(*arguments: str) -> tuple[int, list[str], list[str]]:
        status = cli.main(arguments)
        out, err = capsys.readouterr()
        return status, out.splitlines(), err.splitlines()

    return run_


def write(**files: str) -> None:
    """Write modules; two underscores in a name stand for a slash."""
    for name, text in files.items():
        path = Path(f"{name.replace('__', '/')}.py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def configure(text: str, directory: str = ".") -> None:
    Path(directory, "pyproject.toml").write_text(f"[tool.flushlint]\n{text}\n")


def stdin(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


class TestStatus:
    def test_nothing_found(self, run: Run) -> None:
        write(a=CLEAN, b="")
        assert run("check") == (0, [], [])

    def test_something_found(self, run: Run) -> None:
        write(a=LOSING, b=CLEAN)
        found = "a.py:2:1: FLU101 lost under None on None, None"
        assert run("check") == (1, [found], [])

    def test_an_error_wins_over_findings(self, run: Run) -> None:
        write(a=LOSING, b=f"{HEADER}broken", c=LOSING)
        status, out, err = run("check")
        assert (status, len(out)) == (2, 2)
        assert err == ["b.py:2: error: it is broken"]

    def test_exit_zero_forgives_findings_only(self, run: Run) -> None:
        write(a=LOSING)
        assert run("check", "--exit-zero", ".")[0] == 0
        assert run("check", "--exit-zero", ".", "none.py")[0] == 2

    def test_a_warning_is_shown_and_has_no_effect(self, run: Run) -> None:
        write(a=f"{HEADER}x = 1  # finds FLU901\n")
        status, out, _ = run("check")
        assert (status, len(out)) == (0, 1)
        status, out, _ = run("check", "--output-format", "json")
        assert (status, json.loads("".join(out))[0]["severity"]) == (0, "warning")

    def test_a_warning_does_not_hide_a_finding(self, run: Run) -> None:
        write(a=f"{HEADER}x = 1  # finds FLU901 FLU101\n")
        assert run("check")[0] == 1


class TestErrors:
    def test_a_missing_path(self, run: Run) -> None:
        write(a=LOSING)
        status, out, err = run("check", "none.py", "a.py", "nowhere")
        assert (status, len(out)) == (2, 1)
        assert err == [
            "none.py: error: no such file or directory",
            "nowhere: error: no such file or directory",
        ]

    def test_a_dangling_link(self, run: Run) -> None:
        Path("a.py").symlink_to("nowhere")
        assert run("check") == (2, [], ["a.py: error: dangling symbolic link"])

    def test_a_file_that_vanishes_meanwhile(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(a=LOSING, b=LOSING)

        def check_and_remove(*arguments: object, **options: object) -> object:
            Path("b.py").unlink()
            return stand_ins.check_unit(*arguments, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(engine, "check_unit", check_and_remove)
        status, out, err = run("check", "--jobs", "1")
        assert (status, len(out), err) == (2, 1, ["b.py: error: no such file or directory"])

    def test_a_file_that_may_not_be_read(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        write(a=LOSING, b=LOSING)
        open_ = os.open

        def refuse(path: str, flags: int) -> int:
            if str(path).endswith("a.py"):
                raise PermissionError(13, "Permission denied")
            return open_(path, flags)

        monkeypatch.setattr("os.open", refuse)
        status, out, err = run("check")
        assert (status, len(out), err) == (2, 1, ["a.py: error: permission denied"])

    def test_an_internal_error_costs_one_file(self, run: Run) -> None:
        write(a=f"{HEADER}raises", b=LOSING)
        status, out, err = run("check")
        assert (status, len(out)) == (2, 1)
        assert err == ["a.py: error: internal error: KeyError: 'a name'"]

    @pytest.mark.parametrize(
        "error", [RecursionError("deep"), MemoryError(), BaseException("panic")]
    )
    def test_so_does_one_of_another_kind(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException
    ) -> None:
        write(a=CLEAN)

        def fail(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(engine, "check_unit", fail)
        status, out, err = run("check")
        assert (status, out, len(err)) == (2, [], 1)
        assert err[0].startswith(f"a.py: error: internal error: {type(error).__name__}")

    def test_an_interrupt_ends_quietly(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        write(a=CLEAN)

        def interrupt(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(engine, "check_unit", interrupt)
        assert run("check") == (130, [], [])

    def test_an_error_outside_of_files_is_one_line(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail() -> str:
            raise FileNotFoundError(2, "No such file or directory")

        monkeypatch.setattr(os, "getcwd", fail)
        status, out, err = run("check")
        assert (status, out) == (2, [])
        assert err == [
            "flushlint: internal error: FileNotFoundError: [Errno 2] No such file or directory"
        ]

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ((), "COMMAND"),
            (("chek",), "invalid choice: 'chek'"),
            (("check", "--select", "FLU1,E501"), "argument --select: unknown code 'E501'"),
            (("check", "--ignore", "flu101"), "argument --ignore: unknown code 'flu101'"),
            (("check", "--start-method", "thread"), "argument --start-method: invalid choice"),
            (("check", "--platform", "beos"), "argument --platform: invalid choice"),
            (("check", "--python-version", "3"), "argument --python-version: invalid Python"),
            (("check", "--output-format", "xml"), "argument --output-format: invalid choice"),
            (("check", "--exit"), "unrecognized arguments: --exit"),
            (("check", "--x\ny"), "unrecognized arguments: --x\\ny"),
            (("check", ""), "argument PATH: an empty path"),
            (("check", "--config", "a", "--isolated"), "not allowed with argument --config"),
            (("check", "-q", "-v"), "not allowed with argument -q"),
            (("check", "--stdin-filename", "x.py", "y.py"), "--stdin-filename names standard"),
            (("rule",), "required"),
            (("rule", "E501"), "unknown code 'E501' (known: FLU101, "),
            (("rule", "FLU101", "--all"), "not allowed"),
        ],
    )
    def test_a_wrong_command_line_is_one_line(
        self, run: Run, arguments: tuple[str, ...], said: str
    ) -> None:
        status, out, err = run(*arguments)
        assert (status, out, len(err)) == (2, [], 1)
        assert err[0].startswith("flushlint: error: ")
        assert said in err[0]


class TestSelection:
    @pytest.fixture(autouse=True)
    def _three(self) -> None:
        write(a=f"{HEADER}x = 1  # finds FLU101 FLU102 FLU201\n")

    @pytest.mark.parametrize(
        ("arguments", "codes"),
        [
            ((), "FLU101 FLU102 FLU201"),
            (("--select", "FLU1"), "FLU101 FLU102"),
            (("--select", "FLU101", "--select", "FLU2, FLU4"), "FLU101 FLU201"),
            (("--ignore", "FLU1"), "FLU201"),
            (("--ignore", "FLU1", "--extend-select", "FLU102"), "FLU102 FLU201"),
            (("--select", "ALL", "--ignore", "FLU10"), "FLU201"),
            (("--select=",), ""),
        ],
    )
    def test_options(self, run: Run, arguments: tuple[str, ...], codes: str) -> None:
        status, out, _ = run("check", *arguments)
        assert " ".join(line.split()[1] for line in out) == codes
        assert status == int(bool(codes))

    def test_configuration_and_options(self, run: Run) -> None:
        configure('select = ["FLU1"]\nignore = ["FLU102"]')
        assert [line.split()[1] for line in run("check")[1]] == ["FLU101"]
        more = run("check", "--extend-select", "FLU2")[1]
        assert [line.split()[1] for line in more] == ["FLU101", "FLU201"]
        assert len(run("check", "--isolated")[1]) == 3

    def test_per_file_ignores(self, run: Run) -> None:
        write(tests__a=LOSING)
        configure('per-file-ignores = { "tests/*" = ["FLU1"], "a.py" = ["FLU102"] }')
        assert [line.split()[:2] for line in run("check")[1]] == [
            ["a.py:2:1:", "FLU101"],
            ["a.py:2:1:", "FLU201"],
        ]


class TestSuppression:
    def test_a_comment_suppresses(self, run: Run) -> None:
        write(a=f"{HEADER}if x: pass  # noqa # finds FLU101\n")
        assert run("check") == (0, [], [])

    def test_a_malformed_one_is_warned_of(self, run: Run) -> None:
        write(a=f"{HEADER}x = 1  # noqa: because # finds FLU101\ny = 1  # noqa: because\n")
        status, out, err = run("check")
        assert (status, len(out), len(err)) == (1, 1, 1)
        assert err[0].startswith("a.py:2: warning: `# noqa: because` suppresses nothing")
        assert run("check", "--quiet")[2] == []

    def test_not_of_one_at_a_finding_that_is_not_selected(self, run: Run) -> None:
        write(a=f"{HEADER}x = 1  # noqa: because # finds FLU101\n")
        assert run("check", "--ignore", "FLU1") == (0, [], [])

    def test_in_any_encoding(self, run: Run) -> None:
        text = f"# coding: latin-1\n{HEADER}é = 1  # noqa: FLU101 # finds FLU101\n"
        Path("a.py").write_bytes(text.encode("latin-1"))
        assert run("check") == (0, [], [])


class TestAssumptions:
    def message(self, run: Run, *arguments: str) -> str:
        _, (line,), _ = run("check", *arguments)
        return line.partition(" lost under ")[2]

    def test_options_win_over_the_configuration(self, run: Run) -> None:
        write(a=LOSING)
        configure('start-method = "spawn"\npython-version = "3.12"\nplatform = "darwin"')
        assert self.message(run) == "spawn on 3.12, darwin"
        assert self.message(run, "--start-method", "fork") == "fork on 3.12, darwin"
        assert self.message(run, "--python-version", "3.9") == "spawn on 3.9, darwin"
        assert self.message(run, "--platform", "linux") == "spawn on 3.12, linux"

    def test_requires_python_is_the_last_resort(self, run: Run) -> None:
        write(a=LOSING)
        Path("pyproject.toml").write_text('[project]\nrequires-python = ">=3.10"\n')
        assert self.message(run) == "None on 3.10, None"
        assert self.message(run, "--python-version", "3.14") == "None on 3.14, None"
        assert self.message(run, "--isolated") == "None on None, None"

    def test_the_choices_are_those_of_the_model(self) -> None:
        assert get_args(StartMethodOption) == cli._START_METHODS
        assert get_args(Platform) == cli._PLATFORMS


class TestConfiguration:
    def test_a_wrong_one_is_said_once_and_costs_what_it_governs(self, run: Run) -> None:
        write(a__x=LOSING, a__y=LOSING, b__x=LOSING)
        configure("slect = []", "a")
        status, out, err = run("check", ".", "a/x.py")
        assert (status, len(out)) == (2, 1)
        place = os.path.join("a", "pyproject.toml")
        assert err == [
            f"{place}: error: [tool.flushlint] unknown key `slect`, did you mean `select`?"
        ]

    def test_broken_toml_names_the_line(self, run: Run) -> None:
        write(a=CLEAN)
        configure("select = [")
        status, _, err = run("check")
        assert (status, len(err)) == (2, 1)
        assert err[0].startswith("pyproject.toml: error: invalid TOML: ") or err[0].startswith(
            "pyproject.toml:3: error: invalid TOML: "
        )

    def test_config_names_another_file(self, run: Run) -> None:
        write(a=LOSING)
        configure('ignore = ["FLU9"]')
        Path("team.toml").write_text('[tool.flushlint]\nignore = ["FLU1"]\n')
        assert run("check")[0] == 1
        assert run("check", "--config", "team.toml") == (0, [], [])

    def test_a_wrong_one_is_an_error_even_if_no_file_needs_it(self, run: Run) -> None:
        assert run("check", "--config", "none.toml") == (
            2,
            [],
            ["none.toml: error: cannot be read: No such file or directory"],
        )

    def test_force_exclude(self, run: Run) -> None:
        write(vendor__a=LOSING)
        configure('exclude = ["vendor"]')
        assert run("check", "vendor/a.py")[0] == 1
        assert run("check", "--force-exclude", "vendor/a.py")[0] == 0

    def test_which_files_are_passed_over(self, run: Run) -> None:
        write(a=LOSING, b=LOSING, dist__c=LOSING, gen__d=LOSING)
        Path(".gitignore").write_text("gen\n")

        def names(*arguments: str) -> list[str]:
            return [line.partition(".py:")[0] for line in run("check", "-q", *arguments)[1]]

        assert names() == names("--respect-gitignore") == ["a", "b"]
        assert names("--no-respect-gitignore") == ["a", "b", "gen/d"]
        assert names("--exclude", "a.py") == ["b", "dist/c"]
        assert names("--exclude", "a.py, dist/*", "--exclude=x") == ["b"]
        assert names("--exclude", "") == ["a", "b", "dist/c"]
        assert names("--extend-exclude", "a.py") == ["b"]
        assert names("--extend-exclude", "a.py", "a.py", "dist") == ["a", "dist/c"]
        assert names("--force-exclude", "--extend-exclude", "a.py", "a.py", "dist", "b.py") == ["b"]
        configure("respect-gitignore = false\nextend-exclude = ['b.py']")
        assert names() == ["a", "gen/d"]
        assert names("--respect-gitignore") == names("--isolated", "--exclude=b.py,dist") == ["a"]

    @pytest.mark.parametrize("option", ["--exclude", "--extend-exclude"])
    def test_a_malformed_pattern(self, run: Run, option: str) -> None:
        status, out, (err,) = run("check", option, "a.py,[z-a]")
        assert (status, out) == (2, [])
        assert err.startswith(f"flushlint: error: argument {option}: malformed pattern: ")


class TestStandardInput:
    def test_it_is_checked_under_its_name(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        stdin(monkeypatch, LOSING)
        assert run("check", "-")[1][0].startswith("-:2:1: FLU101")
        stdin(monkeypatch, LOSING)
        named = run("check", "--stdin-filename", "a/b.py", "-")
        assert named[1][0].startswith("a/b.py:2:1: FLU101")

    def test_its_name_may_be_excluded(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        stdin(monkeypatch, LOSING)
        excluded = ("check", "--extend-exclude", "b.py", "--stdin-filename", "a/b.py", "-")
        assert run(*excluded)[0] == 1
        stdin(monkeypatch, LOSING)
        assert run(*excluded, "--force-exclude")[:2] == (0, [])
        stdin(monkeypatch, LOSING)
        assert run(*excluded, "--force-exclude", "--diff")[:2] == (0, [])
        # An editor takes what comes for the new text.
        stdin(monkeypatch, LOSING)
        assert run(*excluded, "--force-exclude", "--fix")[:2] == (0, LOSING.splitlines())

    def test_the_name_alone_will_do(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        stdin(monkeypatch, LOSING)
        assert run("check", "--stdin-filename", "b.py")[1][0].startswith("b.py:2:1: FLU101")

    def test_the_configuration_of_its_name_counts(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(a__x="")
        configure('per-file-ignores = { "b.py" = ["FLU1"] }', "a")
        stdin(monkeypatch, LOSING)
        assert run("check", "-", "--stdin-filename", "a/b.py") == (0, [], [])

    def test_beside_files(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        write(a=LOSING)
        stdin(monkeypatch, LOSING)
        assert [line[:6] for line in run("check", "a.py", "-")[1]] == ["-:2:1:", "a.py:2"]


class TestOutput:
    def test_full(self, run: Run) -> None:
        write(a=LOSING)
        _, out, _ = run("check", "--output-format", "full")
        assert " --> a.py:2:1" in out
        assert "2 | log.write()  # finds FLU101" in out
        assert out[-1] == "1 finding in 1 file"

    def test_full_of_another_encoding(self, run: Run) -> None:
        text = f"# coding: koi8-r\n{HEADER}x = 'Привет'  # finds FLU101\n"
        Path("a.py").write_bytes(text.encode("koi8-r"))
        assert "3 | x = 'Привет'  # finds FLU101" in run("check", "--output-format", "full")[1]

    def test_full_of_nothing_is_nothing(self, run: Run) -> None:
        write(a=CLEAN)
        assert run("check", "--output-format", "full") == (0, [], [])

    @pytest.mark.parametrize(
        ("environment", "terminal", "colored"),
        [
            ({}, True, True),
            ({"NO_COLOR": ""}, True, True),
            ({"NO_COLOR": "1"}, True, False),
            ({"TERM": "dumb"}, True, False),
            ({"FORCE_COLOR": "1"}, False, False),
        ],
    )
    def test_colours_on_a_terminal_only_and_without_no_color(
        self,
        run: Run,
        monkeypatch: pytest.MonkeyPatch,
        environment: dict[str, str],
        terminal: bool,
        colored: bool,
    ) -> None:
        write(a=LOSING)
        monkeypatch.delenv("NO_COLOR", raising=False)
        for name, value in {"TERM": "xterm", **environment}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
        _, out, _ = run("check", "--output-format", "full")
        assert ("\x1b[" in "".join(out)) == colored

    def test_json(self, run: Run) -> None:
        write(a=LOSING, b=LOSING)
        _, out, _ = run("check", "--output-format", "json")
        assert [finding["filename"] for finding in json.loads("".join(out))] == ["a.py", "b.py"]

    def test_json_of_nothing_is_a_list_too(self, run: Run) -> None:
        write(a=f"{HEADER}broken")
        status, out, err = run("check", "--output-format", "json")
        assert (status, json.loads("".join(out)), len(err)) == (2, [], 1)

    def test_statistics(self, run: Run) -> None:
        write(a=LOSING, b=f"{HEADER}x = 1  # finds FLU101 FLU201\n")
        _, out, _ = run("check", "--statistics")
        assert out[3:] == ["2  FLU101  lost-passed-file", "1  FLU201  duplicated-buffer"]

    def test_statistics_beside_json(self, run: Run) -> None:
        write(a=LOSING)
        _, out, err = run("check", "--statistics", "--output-format", "json")
        assert len(json.loads("".join(out))) == 1
        assert err == ["1  FLU101  lost-passed-file"]

    def test_verbose(self, run: Run) -> None:
        write(a=LOSING, b="")
        configure('ignore = ["FLU9"]')
        status, out, err = run("check", "-v")
        assert (status, len(out)) == (1, 1)
        assert err == [
            f"a.py: 1 of 1 findings shown, settings of {os.path.abspath('pyproject.toml')}",
            "b.py: nothing that starts, forks or ends a process",
            "2 files checked, 1 findings",
        ]

    def test_no_files(self, run: Run) -> None:
        assert run("check") == (0, [], ["flushlint: warning: no Python files found"])
        assert run("check", "-q") == (0, [], [])


class TestRule:
    def test_a_page(self, run: Run) -> None:
        status, out, err = run("rule", "FLU101")
        assert (status, out[0], err) == (0, "# FLU101: lost-passed-file", [])
        assert run("rule", "flu101")[1] == out

    def test_all_pages(self, run: Run) -> None:
        status, out, _ = run("rule", "--all")
        assert status == 0
        assert [line for line in out if line.startswith("# FLU")] == [
            f"# {rule.code}: {rule.name}" for rule in RULES.values()
        ]


def test_version(run: Run) -> None:
    assert run("--version") == (0, [f"flushlint {__version__}"], [])


def test_help(run: Run) -> None:
    status, out, _ = run("check", "--help")
    assert status == 0
    assert max(map(len, out)) <= 90


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ((), ["FLU101"]),
        (("--ignore=FLU2",), ["FLU101"]),
        (("--extend-select=FLU105",), ["FLU101", "FLU105"]),
        (("--extend-select=FLU1",), ["FLU101", "FLU105", "FLU106"]),
        (("--select=ALL", "--ignore=FLU106"), ["FLU101", "FLU105"]),
        (("--select=FLU101,FLU106",), ["FLU101", "FLU106"]),
    ],
)
def test_opt_in_findings_are_shown_where_their_code_is_selected(
    run: Run, arguments: tuple[str, ...], shown: list[str]
) -> None:
    write(losing=f"{HEADER}log.write()  # finds FLU101 FLU105? FLU106\n")
    _, out, _ = run("check", *arguments, "losing.py")
    assert [line.split()[1] for line in out] == shown
