"""Programs analysed by somebody else's executor: the same report, whatever it loses."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flushlint import __version__
from flushlint.executing import Lost, no_weight, side_by_side
from flushlint.executors import Factory, HiredWorkers, call_packed

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

ROOT = Path(__file__).parents[1]
PROGRAM = """\
from multiprocessing import Process

log = open("log", "w")


def put(fd):
    fd.write("x")


if __name__ == "__main__":
    p = Process(target=put, args=(log,))
    p.start()
    p.join()
"""
FACTORIES = '''\
import os
import signal
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager

number = 3


def threads():
    return ThreadPoolExecutor(4)


def processes():
    return ProcessPoolExecutor(2)


@contextmanager
def managed():
    with ThreadPoolExecutor(2) as executor:
        yield executor
    print("ended")


class Inner:
    made = staticmethod(threads)


def fails():
    raise OSError("the cluster is down")


def nothing():
    return [1]


class Lossy(ThreadPoolExecutor):
    """Loses every task for the first time, in some way."""

    seen = {}

    def submit(self, function, packed, *more):
        count = self.seen[packed] = self.seen.get(packed, 0) + 1
        future = Future()
        if b"ways/lost0" in packed and count == 2:
            raise RuntimeError("not now")
        if count > (1 if b"always" not in packed else 100):
            return super().submit(function, packed, *more)
        if b"lost1" in packed:
            future.cancel()
            future.set_running_or_notify_cancel()
        else:
            future.set_exception(ConnectionError("worker gone\\nsince noon"))
        return future


def lossy():
    return Lossy(2)


def deadly(packed, *more):
    from flushlint.executors import call_packed

    if b"killer" in packed:
        os.kill(os.getpid(), signal.SIGKILL)
    return call_packed(packed, *more)


class Deadly(ProcessPoolExecutor):
    def submit(self, function, packed, *more):
        return super().submit(deadly, packed, *more)


def deadly_processes():
    return Deadly(2)
'''


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("factories.py").write_text(FACTORIES)
    Path("ways").mkdir()


def run(*arguments: str, cwd: str = ".") -> tuple[int, list[str], list[str]]:
    done = subprocess.run(
        [sys.executable, "-m", "flushlint", "check", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        timeout=180,
    )
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


def write(*names: str) -> None:
    for name in names:
        Path("ways", f"{name}.py").write_text(PROGRAM)


class TestReport:
    @pytest.mark.parametrize("factory", ["threads", "processes", "Inner.made", "lossy"])
    def test_it_is_that_of_one_job(self, factory: str) -> None:
        write(*(f"lost{number}" for number in range(4)), "other")
        Path("ways/broken.py").write_text(PROGRAM + "(")
        Path("ways/imports.py").write_text(PROGRAM.replace("open(", "lost0.open(") + "import lost0")
        alone = run("--jobs", "1", "-v", "ways")
        assert alone[0] == 2
        assert sum("FLU101" in line for line in alone[1]) >= 5
        assert run("--executor", f"factories:{factory}", "-v", "ways") == alone

    def test_a_context_manager_ends(self) -> None:
        write("a", "b")
        status, out, err = run("--executor", "factories:managed", "ways")
        assert (status, err) == (1, [])
        assert sum("FLU101" in line for line in out) == 2
        assert "ended" in out

    def test_what_is_always_lost_is_one_line(self) -> None:
        write("a", "always", "b")
        status, out, err = run("--executor", "factories:lossy", "ways")
        assert (status, sum("FLU101" in line for line in out)) == (2, 2)
        cause = "the executor factories:lossy failed: ConnectionError: worker gone"
        assert err == [f"ways/always.py: error: {cause}"]

    @pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
    def test_a_program_that_kills_workers_costs_itself(self) -> None:
        write("a", "b", "c", "killer")
        status, out, err = run("--executor", "factories:deadly_processes", "ways")
        assert (status, sum("FLU101" in line for line in out)) == (2, 3)
        (line,) = err
        expected = "ways/killer.py: error: the executor factories:deadly_processes failed: Broken"
        assert line.startswith(expected)

    def test_nobody_is_asked_for_nothing(self) -> None:
        Path("ways/a.py").write_text("x = 1\n")
        assert run("--executor", "factories:fails", "ways") == (0, [], [])

    def test_fixes_are_made_here(self) -> None:
        write("a")
        assert run("--executor", "factories:fails", "--fix", "ways")[0] == 0
        assert "flush" in Path("ways/a.py").read_text()


class TestMistakes:
    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("factories", "'factories' is not of the form module:factory"),
            ("factories:", "'factories:' is not of the form module:factory"),
            (":threads", "':threads' is not of the form module:factory"),
            ("factories:threads()", "'factories:threads()' is not of the form module:factory"),
            ("", "'' is not of the form module:factory"),
            (
                "no_such:f",
                "cannot import 'no_such': ModuleNotFoundError: No module named 'no_such'",
            ),
            ("wrong:f", "cannot import 'wrong': ZeroDivisionError: division by zero"),
            ("leaves:f", "cannot import 'leaves': SystemExit: 3"),
            ("factories:other", "module 'factories' has no 'other'"),
            ("factories:number", "factories:number is a int, not a function"),
            ("factories:fails", "factories:fails failed: OSError: the cluster is down"),
            (
                "factories:nothing",
                "factories:nothing returned no concurrent.futures.Executor, but list",
            ),
        ],
    )
    def test_they_are_one_line(self, name: str, message: str) -> None:
        Path("wrong.py").write_text("1 / 0\n")
        Path("leaves.py").write_text("raise SystemExit(3)\n")
        write("a")
        expected = [f"flushlint: error: --executor: {message}"]
        assert run("--executor", name, "ways") == (2, [], expected)

    def test_what_is_checked_is_not_imported_instead_of_a_library(self) -> None:
        # The current directory is where the factory is looked for, and nothing else.
        write("a", "b")
        for name in ("libcst", "queue", "pickle", "concurrent"):
            Path(f"{name}.py").write_text("raise SystemExit('imported')\n")
        Path("own.py").write_text("def made():\n    raise OSError('so far so good')\n")
        script = Path(sys.executable).with_name("flushlint")
        if not script.exists():
            pytest.skip("flushlint is not installed as a command")
        done = subprocess.run(
            [str(script), "check", "--executor", "own:made", "ways"],
            capture_output=True,
            text=True,
            check=False,
        )
        expected = "flushlint: error: --executor: own:made failed: OSError: so far so good\n"
        assert (done.returncode, done.stderr) == (2, expected)


class TestCrew:
    def found(self, make: Callable[[], Executor], count: int = 20) -> dict[int, object]:
        crew = HiredWorkers(Factory("own:made", make))
        pieces = ((number, -number) for number in range(count))
        try:
            return dict(side_by_side(abs, pieces, crew, weigh=no_weight, tick=lambda: None))
        finally:
            crew.close()

    def test_results(self) -> None:
        from concurrent.futures import ThreadPoolExecutor

        assert self.found(lambda: ThreadPoolExecutor(3)) == {n: n for n in range(20)}

    def test_one_that_is_shut_down_is_made_anew(self) -> None:
        from concurrent.futures import ThreadPoolExecutor

        made: list[ThreadPoolExecutor] = []

        def make() -> ThreadPoolExecutor:
            made.append(ThreadPoolExecutor(2))
            if len(made) == 1:
                made[0].shutdown()
            return made[-1]

        assert self.found(make) == {n: n for n in range(20)}
        assert len(made) == 2

    def test_another_version_does_not_take_part(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(RuntimeError, match=r"the worker has flushlint .*, not 9\.9"):
            call_packed(b"", "9.9", 1)
        from concurrent.futures import ThreadPoolExecutor

        versions = iter(["0.0.1"])
        monkeypatch.setattr(
            ThreadPoolExecutor,
            "submit",
            lambda self, function, packed, _, number, submit=ThreadPoolExecutor.submit: submit(
                self, function, packed, next(versions, __version__), number
            ),
        )
        assert self.found(lambda: ThreadPoolExecutor(1), 2) == {0: 0, 1: 1}

    def test_what_fails_each_time_is_said(self) -> None:
        from concurrent.futures import ThreadPoolExecutor

        class Away(ThreadPoolExecutor):
            def submit(self, *_: object, **__: object) -> object:  # type: ignore[override]
                raise ConnectionError

        found = self.found(lambda: Away(1), 1)
        assert found == {0: Lost("the executor own:made failed: ConnectionError")}


CLUSTER = """\
import os
import signal
import threading
import time
from contextlib import contextmanager

from dask.distributed import Client, LocalCluster


@contextmanager
def cluster():
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as made, Client(made) as client:
        yield client.get_executor()


def kill_one(client):
    # As soon as something runs there.
    while not any(client.processing().values()):
        time.sleep(0.01)
    worker = next(iter(client.processing()))
    os.kill(client.run(os.getpid)[worker], signal.SIGKILL)
    open("killed", "w").close()


@contextmanager
def shaken_cluster():
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as made, Client(made) as client:
        threading.Thread(target=kill_one, args=(client,), daemon=True).start()
        yield client.get_executor()
"""


@pytest.mark.skipif(find_spec("distributed") is None, reason="dask.distributed is not installed")
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
class TestDask:
    @pytest.mark.parametrize("factory", ["cluster", "shaken_cluster"])
    def test_a_cluster(self, factory: str) -> None:
        Path("on_dask.py").write_text(CLUSTER)
        write(*(f"p{number}" for number in range(40)))
        Path("ways/q.py").write_text("from p1 import put\nfrom p2 import log\n" + PROGRAM)
        Path("ways/broken.py").write_text(PROGRAM + "(")
        alone = run("--jobs", "1", "-v", "ways")
        assert sum("FLU101" in line for line in alone[1]) >= 40
        status, out, err = run("--executor", f"on_dask:{factory}", "-v", "ways")
        assert (status, out) == (alone[0], alone[1])
        # The rest is the cluster's own log.
        assert [line for line in err if line.startswith("ways/") or "checked" in line] == alone[2]
        assert os.path.exists("killed") == (factory == "shaken_cluster")
