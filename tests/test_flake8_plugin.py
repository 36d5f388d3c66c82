"""The flake8 plugin: alone with a stand-in for the engine, and inside a real flake8."""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import pytest

from flushlint import engine
from flushlint.flake8_plugin import FlushlintPlugin
from flushlint.model import (
    Analysis,
    AnalysisOptions,
    Applicability,
    Diagnostic,
    Fix,
    InputError,
    Position,
    Span,
)

if TYPE_CHECKING:
    from pathlib import Path

    from flushlint.engine import Wanted
    from flushlint.unit import Unit

PASSES_THE_GATE = "from multiprocessing import Process\nimport os\nprint(os.fork())\n"
LOSING = """\
from multiprocessing import Process

log = open("error1.log", "w")


def put(fd):
    fd.write("hello, func put write\\n")


if __name__ == "__main__":
    p = Process(target=put, args=(log,))
    p.start()
    p.join()
"""
# Line and column, both 1-based, of what is wrong in it.
PLACE = "11:35"


def finding(
    code: str = "FLU101",
    message: str = "the message",
    line: int = 1,
    column: int = 0,
) -> Diagnostic:
    place = Span(Position(line, column), Position(line, column + 1))
    return Diagnostic(code, "name", message, "error", "x.py", place, place)


def options(**values: object) -> argparse.Namespace:
    unset: dict[str, object] = {
        "select": None,
        "extend_select": None,
        "flushlint_start_method": None,
        "flushlint_python_version": None,
        "flushlint_platform": None,
    }
    return argparse.Namespace(**{**unset, **values})


class Engine:
    """Answers with what it is given, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: Analysis | BaseException = Analysis()
        self.asked: list[tuple[str, str, AnalysisOptions]] = []
        self.wanted: list[str] = []

    def check_text(
        self,
        text: str,
        path: str,
        options: AnalysisOptions,
        *,
        wanted: Wanted | None = None,
        unit: Unit | None = None,
    ) -> Analysis:
        del unit
        if isinstance(self.answer, Analysis):
            here = tuple(replace(one, path=path) for one in self.answer.diagnostics)
            self.answer = replace(self.answer, diagnostics=here)
        self.asked.append((text, path, options))
        if isinstance(self.answer, BaseException):
            raise self.answer
        kept = wanted(self.answer.diagnostics) if wanted is not None else ()
        self.wanted = [one.code for one in kept]
        return Analysis(
            tuple(
                one if one in kept else replace(one, fixes=()) for one in self.answer.diagnostics
            ),
            self.answer.error,
        )


@pytest.fixture(name="stand_in")
def _stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    stand_in = Engine()
    monkeypatch.setattr(engine, "check_text", stand_in.check_text)
    monkeypatch.chdir(tmp_path)
    return stand_in


def run_plugin(
    text: str = PASSES_THE_GATE,
    filename: str = "x.py",
    given: argparse.Namespace | None = None,
) -> list[tuple[int, int, str, type]]:
    lines = text.splitlines(keepends=True)
    return list(FlushlintPlugin(None, filename, lines, given or options()).run())


# --- alone ----------------------------------------------------------------------------------------


def test_a_finding_has_a_1_based_line_and_a_0_based_column(stand_in: Engine) -> None:
    stand_in.answer = Analysis((finding(line=2, column=7),))
    assert run_plugin() == [(2, 7, "FLU101 the message", FlushlintPlugin)]


def test_the_engine_gets_the_text_and_the_name(stand_in: Engine) -> None:
    run_plugin(filename="some/where.py")
    assert [(text, path) for text, path, _ in stand_in.asked] == [
        (PASSES_THE_GATE, "some/where.py")
    ]


def test_what_the_gate_drops_is_not_analysed(stand_in: Engine) -> None:
    assert run_plugin('print("hello")\n') == []
    assert stand_in.asked == []


def test_an_empty_file(stand_in: Engine) -> None:
    assert run_plugin("") == []


def test_an_input_error_is_left_to_flake8(stand_in: Engine) -> None:
    stand_in.answer = Analysis(error=InputError("x.py", 1, "invalid syntax"))
    assert run_plugin() == []


class NativePanicError(BaseException):
    """As PyO3 raises it for a panic of native code: not an Exception."""


@pytest.mark.parametrize(
    "error",
    [RecursionError("deep"), MemoryError(), ValueError("x.py:1:2: E1 x"), NativePanicError()],
)
def test_an_error_in_flushlint_costs_no_other_finding(
    error: BaseException, stand_in: Engine
) -> None:
    stand_in.answer = error
    assert run_plugin() == []
    (only,) = run_plugin(given=options(extend_select=["FLU901"]))
    assert only[:3] == (1, 0, f"FLU901 not analysed: {type(error).__name__} in flushlint")


def test_an_interrupt_interrupts(stand_in: Engine) -> None:
    stand_in.answer = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run_plugin()


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("two\nlines", "two lines"),
        ("\tmany \x0b kinds\u2028of\x85 space ", "many kinds of space"),
        ("see a.py:10:5: E501 long", "see a.py: 10:5: E501 long"),
        ("x::: y", "x: :: y"),
        ("x::::: y", "x::: :: y"),
        ("::12:: E1 x", ":: 12:: E1 x"),
        ("no change: `d[1:2]` (opened on line 10)", "no change: `d[1:2]` (opened on line 10)"),
    ],
)
def test_a_message_is_one_line_that_names_no_place(
    message: str, shown: str, stand_in: Engine
) -> None:
    stand_in.answer = Analysis((finding(message=message),))
    assert [text for _, _, text, _ in run_plugin()] == [f"FLU101 {shown}"]


def fix(applicability: Applicability, title: str = "flush `log`") -> Fix:
    return Fix(title, applicability, (), "it does more" if applicability == "unsafe" else "")


@pytest.mark.parametrize(
    ("fixes", "shown"),
    [
        ((), ""),
        ((fix("safe"), fix("unsafe")), " [fix: flush `log`]"),
        ((fix("unsafe"),), " [unsafe fix: flush `log`]"),
        ((fix("display-only"), fix("unsafe", "mend")), " [unsafe fix: mend]"),
        ((fix("display-only"),), " [suggestion: flush `log`]"),
        ((fix("safe", "see\na.py:10:5: E501 x"),), " [fix: see\\na.py: 10:5: E501 x]"),
    ],
)
def test_the_message_ends_with_the_best_fix(
    fixes: tuple[Fix, ...], shown: str, stand_in: Engine
) -> None:
    stand_in.answer = Analysis((replace(finding(), fixes=fixes),))
    assert [text for _, _, text, _ in run_plugin()] == [f"FLU101 the message{shown}"]


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ('unfixable = ["FLU1"]', ""),
        ('extend-unsafe-fixes = ["FLU1"]', " [unsafe fix: flush `log`]"),
        ('fixable = ["X"]', " [fix: flush `log`]"),
    ],
)
def test_the_configuration_decides_on_fixes(
    settings: str, shown: str, stand_in: Engine, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.flushlint]\n{settings}\n")
    stand_in.answer = Analysis((replace(finding(), fixes=(fix("safe"),)),))
    found = run_plugin(filename=str(tmp_path / "x.py"))
    assert [text for _, _, text, _ in found] == [f"FLU101 the message{shown}"]


@pytest.mark.parametrize(
    ("comment", "given", "wanted"),
    [
        ("", {}, True),
        ("  # noqa", {}, False),
        ("  # noqa: FLU1", {}, False),
        ("  # noqa: E501", {}, True),
        ("  # noqa", {"disable_noqa": True}, True),
        ("", {"ignore": ["FLU1"]}, False),
        ("", {"extend_ignore": ["F"]}, False),
        ("", {"select": ["E"]}, False),
        ("", {"select": ["E"], "extend_select": ["FLU"]}, True),
    ],
)
def test_no_fix_is_looked_for_that_nobody_will_see(
    comment: str, given: dict[str, object], wanted: bool, stand_in: Engine
) -> None:
    usual = {
        "disable_noqa": False,
        "ignore": None,
        "extend_ignore": None,
        "extended_default_select": ["C90", "E", "F", "FLU", "W"],
        "extended_default_ignore": ["E121", "FLU901"],
    }
    stand_in.answer = Analysis((finding(),))
    text = PASSES_THE_GATE.replace("\n", f"{comment}\n", 1)
    run_plugin(text, given=options(**{**usual, **given}))
    assert stand_in.wanted == (["FLU101"] if wanted else [])


@pytest.mark.parametrize(
    ("line", "column", "place"),
    [(0, 0, (1, 0)), (99, 0, (3, 0)), (2, 99, (2, 9))],
)
def test_a_place_is_always_inside_the_file(
    line: int, column: int, place: tuple[int, int], stand_in: Engine
) -> None:
    stand_in.answer = Analysis((finding(line=line, column=column),))
    assert [(row, offset) for row, offset, _, _ in run_plugin()] == [place]


@pytest.mark.parametrize(
    ("select", "extend_select", "shown"),
    [
        (None, None, False),
        (["E", "F", "W"], None, False),
        (["F"], ["FL"], False),
        (["E"], ["FLU1"], False),
        (None, ["FLU901"], True),
        (None, ["FLU9"], True),
        (["FLU"], None, True),
        (["E", "FLU"], None, True),
    ],
)
def test_a_rule_that_is_off_by_default_needs_an_entry_of_ours(
    select: list[str] | None, extend_select: list[str] | None, shown: bool, stand_in: Engine
) -> None:
    stand_in.answer = Analysis((finding("FLU901"), finding("FLU101")))
    given = options(select=select, extend_select=extend_select)
    codes = [text.split()[0] for _, _, text, _ in run_plugin(given=given)]
    assert codes == (["FLU901", "FLU101"] if shown else ["FLU101"])


def test_an_opt_in_finding_needs_an_entry_that_names_its_code(stand_in: Engine) -> None:
    stand_in.answer = Analysis((replace(finding("FLU105"), opt_in=True), finding("FLU101")))
    for select, shown in ((None, ["FLU101"]), (["F"], ["FLU101"]), (["FLU9"], ["FLU101"])):
        assert [
            text.split()[0] for _, _, text, _ in run_plugin(given=options(select=select))
        ] == shown
    found = run_plugin(given=options(extend_select=["FLU105"]))
    assert [text.split()[0] for _, _, text, _ in found] == ["FLU105", "FLU101"]


def test_options_reach_the_engine(stand_in: Engine) -> None:
    given = options(
        flushlint_start_method="spawn",
        flushlint_python_version="3.14",
        flushlint_platform="darwin",
    )
    run_plugin(given=given)
    assert [asked for _, _, asked in stand_in.asked] == [
        AnalysisOptions("spawn", (3, 14), "darwin")
    ]


def test_unset_options_come_from_the_configuration_of_the_file(
    stand_in: Engine, tmp_path: Path
) -> None:
    for directory, method in (("a", "spawn"), ("b", "forkserver")):
        (tmp_path / directory).mkdir()
        section = f'[tool.flushlint]\nstart-method = "{method}"\nplatform = "win32"\n'
        (tmp_path / directory / "pyproject.toml").write_text(section, encoding="utf-8")
    given = options(flushlint_platform="darwin")
    run_plugin(filename="a/x.py", given=given)
    run_plugin(filename=str(tmp_path / "b" / "x.py"), given=given)
    assert [asked for _, _, asked in stand_in.asked] == [
        AnalysisOptions("spawn", None, "darwin"),
        AnalysisOptions("forkserver", None, "darwin"),
    ]


def test_a_wrong_configuration_is_said_once_and_costs_no_finding(
    stand_in: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.flushlint]\nstart = 1\n", encoding="utf-8")
    stand_in.answer = Analysis((finding(),))
    assert len(run_plugin()) == len(run_plugin(filename="below/y.py")) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"flushlint: {tmp_path / 'pyproject.toml'}: ")
    assert "`start`" in line


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("start_method", "thread", "--flushlint-start-method: 'thread' is none of fork, spawn"),
        ("platform", "", "--flushlint-platform: '' is none of linux"),
        ("python_version", "three", "--flushlint-python-version: "),
        ("python_version", "3.x", "--flushlint-python-version: "),
    ],
)
def test_a_wrong_value_is_an_error_of_one_line(name: str, value: str, reason: str) -> None:
    from flake8.exceptions import ExecutionError

    with pytest.raises(ExecutionError) as caught:
        FlushlintPlugin.parse_options(options(**{f"flushlint_{name}": value}))
    assert str(caught.value).startswith(reason)
    assert "\n" not in str(caught.value)


def test_right_values_are_accepted() -> None:
    FlushlintPlugin.parse_options(options())
    FlushlintPlugin.parse_options(
        options(
            flushlint_start_method="forkserver",
            flushlint_python_version="3.8",
            flushlint_platform="win32",
        )
    )


# --- inside flake8 --------------------------------------------------------------------------------


class Flake8(Protocol):
    """Runs flake8 with arguments, and with a text on stdin."""

    def __call__(
        self, *arguments: str, text: str | None = None
    ) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture(name="flake8")
def _flake8(tmp_path: Path) -> Flake8:
    """Return a function that runs flake8 in a directory that holds losing.py."""
    (tmp_path / "losing.py").write_text(LOSING, encoding="utf-8")

    def run(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "flake8", *arguments],
            cwd=tmp_path,
            input=text or "",
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr
        return done

    return run


def places(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return what flake8 printed, each line cut off after the code."""
    return [" ".join(line.split(" ")[:2]) for line in done.stdout.splitlines()]


def test_flake8_shows_the_finding(flake8: Flake8) -> None:
    done = flake8("losing.py")
    assert places(done) == [f"losing.py:{PLACE}: FLU101"]
    assert done.returncode == 1
    assert done.stderr == ""


def test_flake8_tells_the_fix(flake8: Flake8) -> None:
    (row,) = flake8(text=LOSING).stdout.splitlines()
    assert row.endswith(" [fix: flush `fd` at the end of `put`]")


def test_flake8_knows_the_plugin() -> None:
    from flushlint import __version__

    done = subprocess.run(
        [sys.executable, "-m", "flake8", "--version"], capture_output=True, text=True, check=True
    )
    assert f"flushlint: {__version__}" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["--select=E,F,W"], True),
        (["--select=E,W,B"], False),
        (["--select=E,W,B", "--extend-select=FLU"], True),
        (["--extend-ignore=F"], False),
        (["--extend-ignore=FLU1"], False),
        (["--extend-ignore=F", "--extend-select=FLU"], True),
        (["--per-file-ignores=losing.py:FLU101"], False),
        (["--per-file-ignores=other.py:FLU101"], True),
        (["--disable-noqa"], True),
    ],
)
def test_selection_is_flake8s(arguments: list[str], shown: bool, flake8: Flake8) -> None:
    done = flake8(*arguments, "losing.py")
    assert places(done) == ([f"losing.py:{PLACE}: FLU101"] if shown else [])


@pytest.mark.parametrize(
    ("comment", "shown"),
    [
        ("# noqa", False),
        ("# noqa: FLU101", False),
        ("# noqa: FLU1", False),
        ("# noqa: E501", True),
        ("# noqa: because", False),
    ],
)
def test_noqa_is_flake8s(comment: str, shown: bool, flake8: Flake8) -> None:
    text = LOSING.replace("args=(log,))", f"args=(log,))  {comment}")
    done = flake8("-", text=text)
    assert places(done) == ([f"stdin:{PLACE}: FLU101"] if shown else [])


def test_disable_noqa_shows_what_a_comment_hides(flake8: Flake8) -> None:
    text = LOSING.replace("args=(log,))", "args=(log,))  # noqa")
    assert places(flake8("--disable-noqa", "-", text=text)) == [f"stdin:{PLACE}: FLU101"]


def test_stdin_has_the_name_that_it_is_given(flake8: Flake8, tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    section = '[tool.flushlint]\nstart-method = "spawn"\n'
    (package / "pyproject.toml").write_text(section, encoding="utf-8")
    done = flake8("--stdin-display-name=package/x.py", "-", text=LOSING)
    assert places(done) == [f"package/x.py:{PLACE}: FLU301"]


def test_jobs_change_nothing(flake8: Flake8, tmp_path: Path) -> None:
    names = [f"copy{number}.py" for number in range(4)]
    for name in names:
        (tmp_path / name).write_text(LOSING, encoding="utf-8")
    done = flake8("--jobs=2", *names)
    assert places(done) == [f"{name}:{PLACE}: FLU101" for name in names]
    assert done.stdout == flake8("--jobs=1", *names).stdout


def test_workers_that_do_not_fork_change_nothing(flake8: Flake8, tmp_path: Path) -> None:
    (tmp_path / "another.py").write_text(LOSING, encoding="utf-8")
    arguments = ["--jobs=2", "--flushlint-start-method=spawn", "another.py", "losing.py"]
    program = (
        "import multiprocessing, sys\n"
        "from flake8.main.cli import main\n"
        "multiprocessing.set_start_method('spawn')\n"
        f"main({arguments})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == flake8(*arguments).stdout
    assert places(done) == [f"{name}:{PLACE}: FLU301" for name in ("another.py", "losing.py")]


def test_columns_count_code_points(flake8: Flake8) -> None:
    text = LOSING.replace("    p = Process", "    'é😀'; p = Process")
    done = flake8("--extend-ignore=E702", "-", text=text)
    assert places(done) == ["stdin:11:41: FLU101"]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_line_ends_and_a_bom_change_nothing(
    newline: str, encoding: str, flake8: Flake8, tmp_path: Path
) -> None:
    with (tmp_path / "x.py").open("w", encoding=encoding, newline=newline) as file:
        file.write(LOSING)
    assert f"x.py:{PLACE}: FLU101" in places(flake8("--select=FLU", "x.py"))


def test_a_coding_cookie_is_honoured(flake8: Flake8, tmp_path: Path) -> None:
    text = f"# coding: koi8-r\n# привет\n{LOSING}".replace("hello", "привет")
    (tmp_path / "x.py").write_text(text, encoding="koi8-r")
    assert places(flake8("x.py")) == ["x.py:13:35: FLU101"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--ignore=E203"],
        ["--select=E,F,W"],
    ],
)
def test_what_was_not_analysed_is_not_said(arguments: list[str], flake8: Flake8) -> None:
    done = flake8("--max-line-length=999999", *arguments, "-", text=too_wide())
    assert done.stdout == ""


@pytest.mark.parametrize("argument", ["--extend-select=FLU901", "--select=FLU"])
def test_what_was_not_analysed_is_said_on_request(argument: str, flake8: Flake8) -> None:
    done = flake8("--max-line-length=999999", argument, "-", text=too_wide())
    (line,) = done.stdout.splitlines()
    assert " FLU901 " in line


def too_wide() -> str:
    return f"{LOSING}    print({' and '.join(['p'] * 10_000)})\n"


# What flake8 says of it, and what the plugin says where it is asked for all that it can say.
BAD_INPUT = {
    "empty": (b"", [], []),
    "only-comments": (b"# os.fork()\n", [], []),
    "no-last-newline": (LOSING.rstrip().encode(), [], ["FLU101"]),
    "form-feed": (b"\x0c" + LOSING.encode(), [], ["FLU101"]),
    "tabs": (LOSING.replace("    ", "\t").encode(), [], ["FLU101"]),
    "undecodable": (b"# \xff\n" + LOSING.encode(), [], ["FLU101"]),
    "wrong-cookie": (b"# coding: nonsense\n" + LOSING.encode(), [], ["FLU101"]),
    "nul": (LOSING.encode() + b"x = '\0'\n", ["E999"], []),
    "utf-16": (LOSING.encode("utf-16"), ["E999"], []),
    "python-2": (LOSING.encode() + b"print 'PUT'\n", ["E999"], []),
    "broken": (LOSING.encode() + b"def f(:\n", ["E999"], []),
    "deep": (LOSING.encode() + b"x = " + b"(" * 2000 + b")" * 2000 + b"\n", ["E999"], []),
    "wide": (LOSING.encode() + b"x = " + b" and ".join([b"p"] * 10_000) + b"\n", [], ["FLU901"]),
    "large": (LOSING.encode() + b"x = '" + b"x" * 5_000_000 + b"'\n", [], None),
    "mutual-recursion": (
        LOSING.encode() + b"def f(n): g(f), g(n)\ndef g(n): f(g), f(n)\nf(f)\n",
        [],
        None,
    ),
}


@pytest.mark.parametrize("kind", BAD_INPUT)
def test_bad_input(kind: str, flake8: Flake8, tmp_path: Path) -> None:
    data, of_flake8, of_ours = BAD_INPUT[kind]
    if b"\0" in data and sys.version_info < (3, 11, 4):
        pytest.skip("flake8 itself does not survive a NUL here")
    (tmp_path / "bad.py").write_bytes(data)
    done = flake8("--select=E9,FLU", "bad.py", "losing.py")
    found = [line.split(" ")[:2] for line in done.stdout.splitlines()]
    codes = {code for place, code in found if place.startswith("bad.py:")}
    assert codes & {"E902", "E999"} == set(of_flake8)
    if of_ours is not None:
        assert codes - {"E902", "E999"} == set(of_ours)
    assert [code for place, code in found if place.startswith("losing.py:")] == ["FLU101"]
    assert done.stderr == ""


def test_what_is_no_file(flake8: Flake8, tmp_path: Path) -> None:
    (tmp_path / "directory.py").mkdir()
    (tmp_path / "dangling.py").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to(".")
    done = flake8("--select=E9,FLU", "missing.py", ".")
    assert places(done) == [
        "./dangling.py:0:1: E902",
        f"./losing.py:{PLACE}: FLU101",
        "missing.py:0:1: E902",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [("start-method", "thread"), ("python-version", "three"), ("platform", "amiga")],
)
def test_a_wrong_value_stops_flake8_with_one_clear_line(
    name: str, value: str, flake8: Flake8, tmp_path: Path
) -> None:
    on_the_command_line = flake8(f"--flushlint-{name}={value}", "losing.py")
    (tmp_path / ".flake8").write_text(f"[flake8]\nflushlint-{name} = {value}\n", encoding="utf-8")
    in_the_configuration = flake8("losing.py")
    for done in (on_the_command_line, in_the_configuration):
        assert done.returncode == 1
        assert done.stderr == ""
        _, line = done.stdout.splitlines()
        assert line.startswith(f"--flushlint-{name}: ")
        assert repr(value) in line


def test_values_come_from_flake8s_configuration_and_before_pyproject(
    flake8: Flake8, tmp_path: Path
) -> None:
    section = '[tool.flushlint]\nstart-method = "spawn"\n'
    (tmp_path / "pyproject.toml").write_text(section, encoding="utf-8")
    assert places(flake8("losing.py")) == [f"losing.py:{PLACE}: FLU301"]
    (tmp_path / ".flake8").write_text("[flake8]\nflushlint-start-method = fork\n", encoding="utf-8")
    assert places(flake8("losing.py")) == [f"losing.py:{PLACE}: FLU101"]
    done = flake8("--flushlint-start-method=spawn", "losing.py")
    assert places(done) == [f"losing.py:{PLACE}: FLU301"]


def test_a_file_that_the_gate_drops_imports_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text('print("hello")\n', encoding="utf-8")
    section = '[tool.flushlint]\nstart-method = "spawn"\n'
    (tmp_path / "pyproject.toml").write_text(section, encoding="utf-8")
    program = (
        "import sys\n"
        "from flake8.main.cli import main\n"
        "status = main(['--jobs=1', 'x.py'])\n"
        "heavy = {'libcst', 'rich', 'flushlint.machine'}\n"
        "print(status, sorted(heavy & set(sys.modules)), 'flushlint.gate' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "0 [] True\n"
