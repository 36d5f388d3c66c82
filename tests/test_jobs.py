"""Many files on several cores: the same report, whatever becomes of a worker."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flushlint import cli, cores, executing
from flushlint.executing import Lost, LostError, side_by_side
from flushlint.workers import LocalWorkers
from tests.stand_ins import HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
LOSING = f"{HEADER}log.write()  # finds FLU101\n"
# With it, two programs are worth a worker each.
PADDING = "# so that it takes a while\n" * 2000

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the stand-in for the engine comes to the workers by fork"
)


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    known = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, known)]))


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.stand_ins", "check", *arguments]


def run(*arguments: str) -> tuple[int, list[str], list[str]]:
    """Run the command in a process of its own; return status, lines of stdout and of stderr."""
    done = subprocess.run(
        command(*arguments), capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


def write_many(count: int, text: str = LOSING + PADDING) -> None:
    for number in range(count):
        Path(f"many{number:03}.py").write_text(text)


def found_in(path: str) -> str:
    return f"{path}:2:1: FLU101 lost under None on None, None"


class TestOrder:
    @pytest.mark.parametrize("output_format", ["concise", "full", "json"])
    def test_the_report_is_that_of_one_job(self, output_format: str) -> None:
        write_many(7)
        Path("b.py").write_text(HEADER + "broken = 1\n" + PADDING * 3)
        Path("c.py").write_text(HEADER + "raises = 1\n")
        Path("d.py").write_text(LOSING + "from many001 import x\nimport b\n")
        Path("e.py").symlink_to("nowhere")
        Path("f").mkdir()
        Path("f/pyproject.toml").write_text("[tool.flushlint]\nselect = 1\n")
        Path("f/a.py").write_text(LOSING)
        options = ("-v", "--output-format", output_format, ".", "missing.py")
        alone = run("--jobs", "1", *options)
        assert alone[0] == 2
        assert len(alone[2]) > 10
        assert run("--jobs", "3", *options) == alone

    def test_so_it_is_where_files_are_many(self) -> None:
        for number in range(30):
            Path(f"{number}").mkdir()
            for name in ("a", "b", "c", "d") * 10:
                Path(f"{number}/{name}{number}.py").write_text("x = 1\n")
            for other in range(40):
                Path(f"{number}/x{other}.py").write_text("import os\nos.fork\nx = 1\n")
        for number in (3, 17):
            Path(f"{number}/b{number}.py").write_text(LOSING)
            Path(f"{number}/c{number}.py").symlink_to("nowhere") if number == 30 else None
        Path("0/gone.py").symlink_to("nowhere")
        alone = run("-v", "--jobs", "1")
        assert alone[0] == 2
        assert [line[:3] for line in alone[1]] == ["17/", "3/b"]
        assert run("-v", "--jobs", "2") == alone

    @pytest.mark.parametrize("threads", [0, 1])
    def test_two_real_programs(self, threads: int) -> None:
        # A process with a thread of its own is not forked.
        code = f"""if True:
            import sys, threading
            from flushlint import cli
            if __name__ == "__main__":
                for _ in range({threads}):
                    threading.Thread(target=threading.Event().wait, daemon=True).start()
                status = cli.main(["check", *sys.argv[1:]])
                assert ("multiprocessing.popen_fork" in sys.modules) == ("2" in sys.argv)
                assert ("multiprocessing.forkserver" in sys.modules) == bool({threads})
                sys.exit(status)
        """
        Path("script").mkdir()
        Path("script/main.txt").write_text(code)
        text = (ROOT / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
        for name in "ab":
            Path(f"{name}.py").write_text(text + PADDING * 2)
        both = [
            subprocess.run(
                [sys.executable, "script/main.txt", "--jobs", jobs],
                capture_output=True,
                check=False,
                timeout=120,
            )
            for jobs in "12"
        ]
        assert both[0].stdout == both[1].stdout
        assert both[0].stdout.count(b"FLU101") == 2
        assert (both[1].returncode, both[1].stderr) == (1, b"")


class TestWhetherWorkersAreStarted:
    @pytest.fixture
    def started(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """Return the sizes of the pools that are asked for; none is had."""
        sizes: list[int] = []

        def refuse(_: LocalWorkers, size: int) -> None:
            sizes.append(size)
            raise OSError("no semaphores")

        monkeypatch.setattr(LocalWorkers, "_new_pool", refuse)
        return sizes

    def check(self, *arguments: str) -> int:
        return cli.main(["check", *arguments])

    def test_not_for_little_work(self, started: list[int]) -> None:
        write_many(20, "import os\nos.fork()\n")
        for number in range(300):
            Path(f"{number}.py").write_text("x = 1\n")
        assert self.check("--jobs", "4") == 0
        assert started == []

    def test_not_for_one_program(self, started: list[int]) -> None:
        write_many(1, "import os\nos.fork()\n" + PADDING * 3)
        assert self.check("--jobs", "4") == 0
        assert started == []

    def test_not_for_one_job(self, started: list[int]) -> None:
        write_many(3, "import os\nos.fork()\n" + PADDING)
        assert self.check("--jobs", "1") == 0
        assert started == []

    @pytest.mark.parametrize("option", ["--fix", "--diff", "--fix-only"])
    def test_not_where_fixes_are_made(self, started: list[int], option: str) -> None:
        write_many(3, "import os\nos.fork()\n" + PADDING)
        assert self.check("--jobs", "4", option) == 0
        assert started == []

    def test_for_programs(self, started: list[int], capsys: pytest.CaptureFixture[str]) -> None:
        write_many(3, "import os\nprint(1)\nos.fork()\n" + PADDING)
        assert self.check("--jobs", "4") == 1
        assert started == [4]
        # That there are none is nobody's error: the work is done all the same.
        assert capsys.readouterr().out.count("FLU201") == 3

    def test_for_files(self, started: list[int]) -> None:
        for number in range(1100):
            Path(f"{number}.py").write_text("x = 1\n")
        assert self.check("--jobs", "3") == 0
        assert started == [3]

    def test_little_work_imports_nothing_for_it(self) -> None:
        write_many(3, "x = 1\n")
        code = (
            "import sys; from flushlint.cli import main; main(['check', '--jobs', '4']);"
            "import json; print(json.dumps(sorted(sys.modules)))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        loaded = set(json.loads(done.stdout))
        assert loaded.isdisjoint({"multiprocessing", "concurrent.futures", "rich", "pickle"})


class TestDeadWorkers:
    def test_one_costs_its_own_file(self) -> None:
        write_many(9)
        Path("many003.py").write_text(HEADER + "exits\n")
        Path("many006.py").write_text(HEADER + "killed\n")
        status, out, err = run("--jobs", "2")
        assert status == 2
        assert out == [found_in(f"many{number:03}.py") for number in (0, 1, 2, 4, 5, 7, 8)]
        died = "error: the process that analysed it has died"
        assert err == [
            f"many003.py: {died} (exit status 3)",
            f"many006.py: {died} (SIGKILL, perhaps for want of memory)",
        ]

    def test_even_if_all_die(self) -> None:
        write_many(5, HEADER + "exits\n" + PADDING)
        status, out, err = run("--jobs", "3")
        assert (status, out, len(err)) == (2, [], 5)

    def test_while_much_is_on_its_way(self) -> None:
        # More than a pipe holds.
        write_many(8, LOSING + PADDING * 20)
        Path("a.py").write_text(HEADER + "killed\n" + PADDING * 30)
        status, out, err = run("--jobs", "2")
        assert (status, len(out), len(err)) == (2, 8, 1)

    def test_while_files_are_looked_at(self) -> None:
        for number in range(1100):
            Path(f"{number}.py").write_text("x = 1\n")
        Path("500.py").write_text(LOSING)
        code = """if True:
            import os, sys
            from flushlint import cli, scanning
            main, scan = os.getpid(), scanning.scan
            def dies(chunk):
                if os.getpid() != main and any(path.endswith("/500.py") for path in chunk.paths):
                    open(f"died{os.getpid()}", "w").close()
                    os._exit(1)
                return scan(chunk)
            scanning.scan = dies
            dies.__module__, dies.__qualname__ = "flushlint.scanning", "scan"
            sys.exit(cli.main(["check", "-v", "--jobs", "2"]))
        """
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0
        assert len(list(Path().glob("died*"))) == 2
        lines = done.stderr.splitlines()
        assert lines[-1] == "1100 files checked, 0 findings"
        assert sum("nothing that starts" in line for line in lines) == 1099


def children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def until(condition: Callable[[], object]) -> None:
    """Wait for what will happen in a moment."""
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it does not happen")


# What a shell starts in the background ignores interrupts, and so does all that this starts.
_HEAR_INTERRUPTS = """\
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("tests.stand_ins", run_name="__main__")
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are told by /proc")
class TestEnds:
    @contextlib.contextmanager
    def sleeping(self) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
        """Start a run whose workers sleep; yield it, and the process ids of these."""
        write_many(4, HEADER + "sleeps\n" + PADDING)
        with subprocess.Popen(
            [sys.executable, "-c", _HEAR_INTERRUPTS, "check", "--jobs", "2"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            try:
                until(lambda: len(children(process.pid)) == 2 or process.poll() is not None)
                yield process, children(process.pid)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def test_an_interrupt(self) -> None:
        with self.sleeping() as (process, started):
            # From the keyboard it comes to all processes of the terminal.
            os.killpg(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=60)
            assert (process.returncode, out, err) == (130, b"", b"")
            until(lambda: not any(map(is_alive, started)))

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
    def test_nobody_outlives_the_run(self, number: signal.Signals) -> None:
        with self.sleeping() as (process, started):
            process.send_signal(number)
            process.wait(timeout=60)
            until(lambda: not any(map(is_alive, started)))

    def test_a_closed_stdout(self) -> None:
        write_many(6)
        Path("z.py").write_text(HEADER + "sleeps\n" + PADDING)
        line = f"{' '.join(command('--jobs', '2'))} | head -n 1; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", line], capture_output=True, check=False, timeout=60)
        assert (done.returncode, done.stderr) == (1, b"")
        assert done.stdout.decode().splitlines() == [found_in("many000.py")]


class Reluctant:
    """A crew that works at once, loses what it is told to, and counts what is on the way."""

    tries = 2

    def __init__(self, width: int, losses: dict[int, int]) -> None:
        self.width = width
        self.losses = losses
        self.alone: list[int] = []
        self.pending: list[Future[Any]] = []
        self.most = 0

    def submit(
        self, function: Callable[[Any], object], piece: object, *, alone: bool
    ) -> Future[Any]:
        assert isinstance(piece, int)
        if alone:
            assert not self.pending
            self.alone.append(piece)
        future: Future[Any] = Future()
        if self.losses.get(piece, 0):
            self.losses[piece] -= 1
            future.set_exception(LostError(f"{piece} again"))
        else:
            future.set_result(function(piece))
        self.pending.append(future)
        self.most = max(self.most, len(self.pending))
        return future

    def result(self, future: Future[Any]) -> object:
        self.pending.remove(future)
        return future.result()


class TestSideBySide:
    def run(self, crew: Reluctant, count: int, weight: int = 0) -> dict[int, object]:
        pieces = ((number, number) for number in range(count))
        return dict(
            side_by_side(
                lambda number: number * 2,
                pieces,
                crew,
                weigh=lambda _: weight,
                tick=lambda: None,
            )
        )

    def test_few_are_on_the_way(self) -> None:
        crew = Reluctant(5, {})
        assert self.run(crew, 100) == {number: number * 2 for number in range(100)}
        assert crew.most == 5

    def test_fewer_of_heavy_ones(self) -> None:
        crew = Reluctant(50, {})
        assert len(self.run(crew, 100, executing._MOST_BYTES // 3 + 1)) == 100
        assert crew.most == 3

    def test_lost_ones_are_tried_alone(self) -> None:
        crew = Reluctant(5, {7: 1, 50: 2, 60: 9})
        found = self.run(crew, 100)
        assert found.pop(60) == Lost("60 again")
        assert found == {number: number * 2 for number in range(100) if number != 60}
        assert sorted(crew.alone) == [7, 50, 50, 60, 60]


class TestUsage:
    @pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", "", "+2", "1_0", "9" * 30, "²"])
    def test_what_is_no_number_of_processes(
        self, value: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.main(["check", f"--jobs={value}"]) == 2
        expected = f"flushlint: error: argument --jobs: not a number of processes: {value!r}\n"
        assert capsys.readouterr() == ("", expected)

    def test_it_is_no_key_of_the_configuration(self, capsys: pytest.CaptureFixture[str]) -> None:
        Path("pyproject.toml").write_text("[tool.flushlint]\njobs = 2\n")
        assert cli.main(["check"]) == 2
        assert "`jobs`" in capsys.readouterr().err


class TestCores:
    @pytest.fixture(autouse=True)
    def _no_container(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cores, "_SHARES", ())

    def test_those_that_the_process_may_use(self) -> None:
        before = os.sched_getaffinity(0)
        assert cores.available_cores() == len(before)
        os.sched_setaffinity(0, {min(before)})
        try:
            assert cores.available_cores() == 1
        finally:
            os.sched_setaffinity(0, before)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("150000 100000\n", 2),
            ("100000 100000\n", 1),
            ("1000 100000\n", 1),
            ("max 100000\n", 8),
            ("-1 100000\n", 8),
            ("0 0\n", 8),
            ("garbage\n", 8),
            ("", 8),
            ("9900000 100000\n", 8),
        ],
    )
    def test_the_share_of_a_container(
        self, text: str, expected: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Path("cpu.max").write_text(text)
        monkeypatch.setattr(cores, "_SHARES", (("missing",), ("cpu.max",)))
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
        monkeypatch.setattr(os, "process_cpu_count", lambda: 8, raising=False)
        assert cores.available_cores() == expected


_ON_A_TERMINAL = """\
import sys
from flushlint import progress
progress._SILENT = progress._BETWEEN = 0
sys.argv[1:] = ["check", *sys.argv[1:]]
import runpy
runpy.run_module("tests.stand_ins", run_name="__main__")
"""


class TestProgress:
    def on_a_terminal(self, *arguments: str, **environment: str) -> str:
        """Return what a terminal gets on standard error."""
        import pty

        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-c", _ON_A_TERMINAL, *arguments],
            stdout=subprocess.PIPE,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm", **environment},
        ) as process:
            os.close(theirs)
            seen = b""
            # At its end a terminal is an error.
            with contextlib.suppress(OSError):
                while data := os.read(ours, 65536):
                    seen += data
            assert process.stdout is not None
            self.out = process.stdout.read().decode()
            process.wait(timeout=60)
        os.close(ours)
        return seen.decode()

    def test_it_is_drawn_and_taken_away(self) -> None:
        write_many(6)
        seen = self.on_a_terminal("--jobs", "2")
        assert "Looking at files" in seen
        assert "Analysing programs" in seen
        # The line is erased, and the cursor is there again.
        assert seen.rindex("\x1b[2K") > seen.rindex("Analysing programs")
        assert seen.rindex("\x1b[?25h") > seen.rindex("\x1b[?25l")
        assert len(self.out.splitlines()) == 6

    def test_so_it_is_for_one_job(self) -> None:
        write_many(3)
        assert "Checking files" in self.on_a_terminal("--jobs", "1")

    def test_not_where_nobody_wants_it(self) -> None:
        write_many(3)
        assert self.on_a_terminal("--quiet") == ""
        assert self.on_a_terminal(TERM="dumb") == ""

    def test_nor_in_a_short_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write_many(3)
        short = _ON_A_TERMINAL.replace("= 0", "= 600")
        monkeypatch.setitem(globals(), "_ON_A_TERMINAL", short)
        assert self.on_a_terminal() == ""

    def test_nor_on_a_pipe(self) -> None:
        write_many(3)
        done = subprocess.run(
            [sys.executable, "-c", _ON_A_TERMINAL], capture_output=True, check=False, timeout=60
        )
        assert done.stderr == b""
