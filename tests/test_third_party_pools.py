"""Pools of other packages, run where the package is installed: what the workers leave behind.

What a run leaves has to be what flushlint says of the same program.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from flushlint.engine import check_source
from flushlint.model import AnalysisOptions

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.third_party

HEAD = """\
log = open("work.log", "w")


def work(number):
    log.write(f"{number}\\n")


def work_well(number):
    log.write(f"{number}\\n")
    log.flush()


"""
# package, imports, what makes a pool and runs `work` once in it
CALLS = {
    "pathos map": (
        "pathos",
        "from pathos.multiprocessing import ProcessPool",
        "pool = ProcessPool(nodes=1)\npool.map(work, [1])\npool.close()\npool.join()",
    ),
    "pathos amap": (
        "pathos",
        "from pathos.pools import ProcessPool",
        "pool = ProcessPool(nodes=1)\npool.amap(work, [1]).get()\npool.close()\npool.join()",
    ),
    "pathos pipe": (
        "pathos",
        "from pathos.multiprocessing import ProcessPool",
        "pool = ProcessPool(nodes=1)\npool.pipe(work, 1)\npool.close()\npool.join()",
    ),
    "multiprocess": (
        "multiprocess",
        "from multiprocess import Pool",
        "with Pool(1) as pool:\n    pool.map(work, [1])",
    ),
    "billiard": (
        "billiard",
        "import billiard",
        "pool = billiard.Pool(1)\npool.map(work, [1])\npool.close()\npool.join()",
    ),
    "joblib": (
        "joblib",
        "from joblib import Parallel, delayed",
        'Parallel(n_jobs=2, backend="multiprocessing")(delayed(work)(n) for n in [1])',
    ),
    "joblib threads": (
        "joblib",
        "from joblib import Parallel, delayed",
        'Parallel(n_jobs=2, prefer="threads")(delayed(work)(n) for n in [1])\nlog.flush()',
    ),
    "joblib in one process": (
        "joblib",
        "from joblib import Parallel, delayed",
        "Parallel(n_jobs=1)(delayed(work)(n) for n in [1])\nlog.flush()",
    ),
}
LOKY = """\
from joblib import Parallel, delayed

log = open("work.log", "w")


def work(number):
    log.write("x")


if __name__ == "__main__":
    Parallel(n_jobs=2)(delayed(work)(n) for n in [1, 2])
"""


def program(imports: str, call: str, *, well: bool) -> str:
    """Write a program whose task flushes what it writes, or does not."""
    call = call.replace("work", "work_well") if well else call
    main = "\n".join("    " + line for line in call.splitlines())
    return f'{imports}\n\n{HEAD}if __name__ == "__main__":\n{main}\n'


def codes(text: str) -> set[str]:
    analysis = check_source(text.encode(), "program.py", AnalysisOptions(start_method="fork"))
    assert analysis.error is None, analysis.error
    return {one.code for one in analysis.diagnostics if not one.opt_in}


@pytest.mark.parametrize("well", [False, True], ids=["unflushed", "flushed"])
@pytest.mark.parametrize("name", CALLS)
def test_what_workers_leave(name: str, well: bool, tmp_path: Path) -> None:
    package, imports, call = CALLS[name]
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    text = program(imports, call, well=well)
    (tmp_path / "program.py").write_text(text)
    subprocess.run([sys.executable, "program.py"], cwd=tmp_path, check=True, timeout=60)
    is_lost = (tmp_path / "work.log").read_text() == ""
    assert codes(text) == ({"FLU103"} if is_lost else set())


def test_loky_takes_no_files_along_that_are_written(tmp_path: Path) -> None:
    if importlib.util.find_spec("joblib") is None:
        pytest.skip("joblib is not installed")
    (tmp_path / "program.py").write_text(LOKY)
    done = subprocess.run(
        [sys.executable, "program.py"],
        check=False,
        cwd=tmp_path,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert "PicklingError" in done.stderr
    assert codes(LOKY) == {"FLU301"}
