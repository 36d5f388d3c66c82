"""Calls that no working program makes: the machine follows them, or lets them be."""

from __future__ import annotations

from typing import get_args

import pytest

from flushlint.engine import check_text
from flushlint.model import AnalysisOptions, StartMethod

PROGRAMS = {
    "signals that are none": """\
import multiprocessing, os, signal, time
f = open("o", "w")
def handler(*args): f.flush()
def work():
    signal.signal("x", handler); signal.signal(True, handler); signal.signal(15.5, None)
    f.write("x"); time.sleep(1)
    signal.raise_signal("x"); os.kill(os.getpid(), 3.5)
p = multiprocessing.Process(target=work); p.start()
os.kill(p.pid, True); os.kill(True, 9); os.kill(-1, 9); p.terminate(); p.join(1)
""",
    "a callback by its name": """\
from concurrent.futures import ProcessPoolExecutor
with ProcessPoolExecutor() as executor:
    executor.submit(print, 1).add_done_callback(fn=print)
    executor.submit(print, 1).add_done_callback()
""",
    "tasks without arguments": """\
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import Pool
with ProcessPoolExecutor() as executor, Pool() as pool:
    executor.submit(); executor.map(); executor.map(print); executor.map(fn=print, iterable=[1])
    pool.map(); pool.map(print); pool.apply(); pool.starmap(print, 3); pool.starmap(print, [3])
    pool.apply_async(func=print, args=3, kwds=3, callback=3)
""",
    "an executor's initialiser on something else": """\
import concurrent.futures as cf
class Base:
    def __init__(self, n):
        cf.ProcessPoolExecutor.__init__(self, n)
class Real(Base, cf.ProcessPoolExecutor): pass
Base(1); Real(1).submit(print)
""",
    "a process's initialiser on nothing": """\
import multiprocessing
multiprocessing.Process.__init__(None)
multiprocessing.Process.start(3)
multiprocessing.Process.start(multiprocessing.Process)
""",
    "a local function that is sent by its value": """\
import multiprocess as mp
def main(path):
    def work():
        with open(path, "w") as f:
            f.write("x")
    mp.Process(target=work).start()
if __name__ == "__main__":
    main("o.txt")
""",
    "a local function that goes by a global name": """\
import multiprocessing as mp
def main():
    global work
    path = "o.txt"
    def work():
        with open(path, "w") as f:
            f.write("x")
    mp.Process(target=work).start()
if __name__ == "__main__":
    main()
""",
    "partials that are told apart by nothing": """\
import atexit, functools, os
f = open("o", "w")
for n in range(9):
    call = functools.partial(f.write, *([str(n)] * n), **({"x": n} if n else {}))
    atexit.register(call)
    if n == 7:
        call = functools.partial(call, 1)
call()
os._exit(0)
""",
}


@pytest.mark.parametrize("method", get_args(StartMethod))
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_it_is_survived(program: str, method: StartMethod) -> None:
    analysis = check_text(program, "odd.py", AnalysisOptions(start_method=method))
    assert analysis.error is None
