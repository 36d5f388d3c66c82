"""The oracle itself: the intent harness, the comparison, the time limit, the fixture format."""

from __future__ import annotations

import sys
import textwrap
import time
from typing import TYPE_CHECKING, get_args

import pytest

from flushlint.model import StartMethod
from tests.oracle import (
    Interpreter,
    Job,
    Tree,
    chosen_interpreters,
    classes_of,
    compare,
    judge,
    load_project,
    run_program,
)
from tests.oracle.fixture import FixtureError, Marker, load_fixture
from tests.oracle.interpreters import describe
from tests.oracle.output import Output
from tests.oracle.run import ProgramTimeoutError

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = chosen_interpreters()[-1].path

interpreters = pytest.mark.parametrize("interpreter", chosen_interpreters(), ids=str)

# Each way of writing as (what to import, the opening expression, the write, the text it means).
WAYS = {
    "open": ("", "open('out', 'w')", "f.write('text')", "text"),
    "open-append": ("", "open('out', 'a')", "f.write('text')", "text"),
    "open-binary": ("", "open('out', 'wb')", "f.write(b'text')", "text"),
    "open-update": ("", "open('out', 'w+')", "f.write('text')", "text"),
    "open-binary-update": ("", "open('out', 'wb+')", "f.write(b'text')", "text"),
    "open-by-line": ("", "open('out', 'w', buffering=1)", "f.write('text')", "text"),
    "open-encoded": ("", "open('out', 'w', encoding='utf-16')", "f.write('text')", "t\0e\0x\0t\0"),
    "io-open": ("import io", "io.open('out', 'w')", "f.write('text')", "text"),
    "codecs-open": ("import codecs", "codecs.open('out', 'w', 'utf-8')", "f.write('text')", "text"),
    "fdopen": ("import os", "os.fdopen(os.open('out', 65), 'w')", "f.write('text')", "text"),
    "path-open": ("import pathlib", "pathlib.Path('out').open('w')", "f.write('text')", "text"),
    "text-wrapper": (
        "import io",
        "io.TextIOWrapper(io.BufferedWriter(io.FileIO('out', 'w')))",
        "f.write('text')",
        "text",
    ),
    "writer-over-raw": (
        "import io",
        "io.BufferedWriter(io.FileIO('out', 'w'))",
        "f.write(b'text')",
        "text",
    ),
    "temporary": (
        "import tempfile",
        "tempfile.NamedTemporaryFile('w', dir='.', delete=False)",
        "f.write('text')",
        "text",
    ),
    "gzip": ("import gzip", "gzip.open('out.gz', 'wt')", "f.write('text')", "text"),
    "gzip-binary": ("import gzip", "gzip.GzipFile('out.gz', 'wb')", "f.write(b'text')", "text"),
    "bz2": ("import bz2", "bz2.open('out.bz2', 'wt')", "f.write('text')", "text"),
    "lzma": ("import lzma", "lzma.open('out.xz', 'wt')", "f.write('text')", "text"),
    "zip": ("import zipfile", "zipfile.ZipFile('out.zip', 'w')", "f.writestr('a', 'text')", "text"),
    "tar": (
        "import io, tarfile; info = tarfile.TarInfo('a'); info.size = 4",
        "tarfile.open('out.tar', 'w')",
        "f.addfile(info, io.BytesIO(b'text'))",
        "text",
    ),
    "tar-gz": (
        "import io, tarfile; info = tarfile.TarInfo('a'); info.size = 4",
        "tarfile.open('out.tar.gz', 'w:gz')",
        "f.addfile(info, io.BytesIO(b'text'))",
        "text",
    ),
    "print": ("", "open('out', 'w')", "print('text', file=f)", "text\n"),
    "csv": ("import csv", "open('out', 'w')", "csv.writer(f).writerow([1, 2])", "1,2\r\n"),
    "json": ("import json", "open('out', 'w')", "json.dump([1, 2], f)", "[1, 2]"),
    "marshal": ("import marshal", "open('out', 'wb')", "marshal.dump(None, f)", "N"),
    "pickle": ("import pickle", "open('out', 'wb')", "pickle.dump(None, f, 0)", "N."),
    "writelines": ("", "open('out', 'w')", "f.writelines(['te', 'xt'])", "text"),
    "copyfileobj": (
        "import io, shutil",
        "open('out', 'w')",
        "shutil.copyfileobj(io.StringIO('text'), f)",
        "text",
    ),
    "stdout": ("import sys", "sys.stdout", "f.write('text')", "text"),
    "stdout-binary": ("import sys", "sys.stdout.buffer", "f.write(b'text')", "text"),
    "memory-handler": (
        "import logging, logging.handlers",
        "logging.handlers.MemoryHandler(9, target=logging.FileHandler('out'))",
        "f.emit(logging.makeLogRecord({'msg': 'text', 'levelno': 20}))",
        "text\n",
    ),
}

LOSING = """\
import os
{imports}
f = {opening}
{write}
os._exit(0)
"""

HARMLESS = """\
{imports}
f = {opening}
{write}
if hasattr(f, "target"):
    f.flush()
elif f is not getattr(__import__("sys"), "stdout"):
    f.close()
"""


def program(template: str, way: str) -> bytes:
    imports, opening, write, _ = WAYS[way]
    return template.format(imports=imports, opening=opening, write=write).encode()


@interpreters
@pytest.mark.parametrize("way", WAYS)
def test_harness_knows_every_way_of_writing(way: str, interpreter: Interpreter) -> None:
    """What a hard exit throws away is missing, whole and nothing else, against the intent."""
    losing = judge(Job(program(LOSING, way), interpreter.path))
    assert losing.verdict == {"lost"}
    meant = WAYS[way][3]
    assert sorted(losing.missing.replace("\\xff\\xfe", "")) == sorted(meant)


@pytest.mark.parametrize("way", WAYS)
def test_harness_finds_nothing_in_closed_files(way: str) -> None:
    """A program that closes what it writes shows the same both ways."""
    harmless = judge(Job(program(HARMLESS, way), PYTHON))
    assert (harmless.verdict, harmless.missing, harmless.extra) == (frozenset(), "", "")


@pytest.mark.parametrize("method", get_args(StartMethod))
def test_start_method_is_set_from_outside(method: StartMethod) -> None:
    """The harness reaches the children of every start method."""
    text = """\
        import multiprocessing, os

        def work():
            f = open("out", "w")
            f.write(multiprocessing.get_start_method())
            os._exit(0)

        if __name__ == "__main__":
            process = multiprocessing.Process(target=work)
            process.start()
            process.join()
    """
    result = judge(Job(_program(text), PYTHON, start_method=method))
    assert sorted(result.missing) == sorted(method)


def test_choice_of_the_program_wins() -> None:
    """A program that sets its start method runs under that one."""
    text = """\
        import multiprocessing

        if __name__ == "__main__":
            multiprocessing.set_start_method("fork")
            print(multiprocessing.get_start_method(), multiprocessing.get_context().Process())
    """
    run = run_program(Job(_program(text), PYTHON, start_method="spawn"))
    assert run.output.texts["<stdout>"].startswith(b"fork <ForkProcess")


def test_socket_stream_is_seen_by_its_receiver() -> None:
    """Data that never leave a stream over a socket are missing at the other end."""
    text = """\
        import os, socket

        left, right = socket.socketpair()
        if os.fork() == 0:
            right.close()
            stream = left.makefile("w")
            stream.write("text")
            os._exit(0)
        left.close()
        os.wait()
        print(right.recv(10).decode())
    """
    assert sorted(judge(Job(_program(text), PYTHON)).missing) == sorted("text")


def test_layers_look_like_the_originals() -> None:
    """A program can't tell the harness from the io module by ordinary means."""
    text = """\
        import io, sys
        f = open("out", "w", buffering=1, errors="replace", newline="")
        print(f.mode, f.name, f.encoding, f.errors, f.line_buffering, f.buffer.mode)
        print(type(f).__name__, isinstance(f, io.TextIOWrapper), file=sys.stderr)
        print(isinstance(f.buffer, io.BufferedWriter), isinstance(1, io.TextIOWrapper))
        print(isinstance(sys.stdin, io.TextIOWrapper), isinstance(sys.stdout, io.TextIOBase))
        f.close()
        try:
            open("out", "w", 0)
        except ValueError as error:
            print(error)
        class Mine(io.TextIOWrapper):
            pass
        print(isinstance(f, Mine), isinstance(Mine(io.BytesIO()), Mine))
        with open("out", "r+") as f:
            f.write("one")
            f.seek(1)
            print(f.read())
    """
    result = judge(Job(_program(text), PYTHON))
    assert (result.missing, result.extra) == ("", "")


def test_doubled_text_is_extra() -> None:
    """A buffer that two processes emit shows as extra text."""
    text = """\
        import os
        f = open("out", "w")
        f.write("header\\n")
        if os.fork():
            os.wait()
    """
    result = judge(Job(_program(text), PYTHON))
    assert result.verdict == {"doubled"}
    assert (result.missing, result.extra) == ("", "header\n")


def test_another_order_is_torn_only_where_it_counts() -> None:
    """What one process keeps back and another does not, comes in another order than meant."""
    text = _program("""\
        import os
        f = open("out", "w")
        f.write("first\\n")
        os.write(f.fileno(), b"second\\n")
        f.close()
    """)
    assert not judge(Job(text, PYTHON)).verdict
    assert judge(Job(text, PYTHON, ordered=True)).verdict == {"torn"}


def test_crash_is_told_from_an_exception_of_the_program() -> None:
    """Only what a rule stands for is a crash; other tracebacks are listed."""
    crash = judge(Job(b"open('out', 'w', buffering=0)", PYTHON))
    assert crash.verdict == {"crash"}
    assert not crash.exceptions
    own = judge(Job(b"raise RuntimeError('stop')", PYTHON))
    assert not own.verdict
    assert own.exceptions == ("RuntimeError: stop",)


REIMPORTED = """\
    import multiprocessing
    f = open("out", "w")
    f.write("top level\\n")
    f.flush()
    def work():
        f.write("child\\n")
    if __name__ == "__main__":
        f.write("parent\\n")
        f.flush()
        p = multiprocessing.get_context("spawn").Process(target=work)
        p.start()
        p.join()
        f.write("end\\n")
"""


def test_an_import_in_a_child_empties_nothing_under_the_harness() -> None:
    """What the top level writes counts once, and nobody writes over anybody else."""
    meant = run_program(Job(_program(REIMPORTED), PYTHON), intent=True)
    lines = meant.output.texts["out"].decode().split("\n")
    assert lines == ["top level", "parent", "child", "end", ""]


def test_what_an_import_has_cut_off_is_lost() -> None:
    """The hole that it leaves is no text."""
    result = judge(Job(_program(REIMPORTED), PYTHON))
    assert result.verdict == {"lost"}


def test_only_top_level_openers_are_kept_from_emptying() -> None:
    text = """\
        import multiprocessing
        def work(text):
            with open("out", "w") as f:
                f.write(text)
        if __name__ == "__main__":
            for text in ("one", "two"):
                p = multiprocessing.get_context("spawn").Process(target=work, args=(text,))
                p.start()
                p.join()
    """
    meant = run_program(Job(_program(text), PYTHON), intent=True)
    assert meant.output.texts["out"] == b"two"


REIMPORTED_MODULE = {
    "main.py": b"""
import multiprocessing
import log
def work():
    import own
    log.f.write("child\\n")
    own.f.write("own\\n")
if __name__ == "__main__":
    log.f.write("parent\\n")
    log.f.flush()
    with open("own", "w") as f:
        f.write("old\\n")
    p = multiprocessing.Process(target=work)
    p.start()
    p.join()
    log.f.write("end\\n")
""",
    "log.py": b"f = open('log', 'w')\nf.write('top level\\n')\nf.flush()\n",
    "own.py": b"f = open('own', 'w')\n",
}


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_an_import_in_a_child_empties_nothing_that_its_parent_has_imported(
    method: StartMethod,
) -> None:
    """A module that only the child imports does what it does."""
    tree = Tree(REIMPORTED_MODULE, ("main.py",))
    meant = run_program(Job(tree, PYTHON, start_method=method), intent=True).output.texts
    assert meant["log"].decode().split("\n") == ["top level", "parent", "child", "end", ""]
    assert meant["own"] == b"own\n"


def test_output_of_a_tree_is_what_is_new_or_changed() -> None:
    files = {
        "src/app/__init__.py": b"",
        "src/app/__main__.py": b"from .names import name\nopen(name, 'w').write('new')\n"
        b"open('changed', 'a').write('!')\n",
        "src/app/names.py": b"import helper\nname = 'new'\n",
        "src/changed": b"hello",
        "src/same": b"hello",
        "lib/helper.py": b"",
    }
    tree = Tree(files, ("-m", "app"), "src", ("lib",))
    texts = run_program(Job(tree, PYTHON)).output.texts
    assert {name: text for name, text in texts.items() if text} == {
        "src/new": b"new",
        "src/changed": b"hello!",
    }


@pytest.mark.parametrize(
    "error",
    [
        "NameError: name 'log' is not defined",
        "KeyError: 'log'",
        "AttributeError: 'NoneType' object has no attribute 'write'",
        "AttributeError: Can't get attribute 'work' on <module '__mp_main__'>",
        "AttributeError: Can't get local object 'main.<locals>.work'",
        "RuntimeError: ",
        "RuntimeError: context has already been set",
    ],
)
def test_what_ends_spawned_children_is_a_crash(error: str) -> None:
    output = Output({}, frozenset(), (error,), error)
    assert compare(output, output).verdict == {"crash"}


def test_time_limit_ends_the_whole_group() -> None:
    """Neither a sleeping program nor its children outlive the limit."""
    text = b"import os, time\nos.fork()\ntime.sleep(60)\n"
    begin = time.monotonic()
    with pytest.raises(ProgramTimeoutError):
        run_program(Job(text, PYTHON), time_limit=0.5)
    assert time.monotonic() - begin < 10


def test_daemons_are_waited_for() -> None:
    """What a process writes after it has left the program's session counts."""
    text = """\
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork():
                os._exit(0)
            for descriptor in range(3):
                os.close(descriptor)
            time.sleep(0.3)
            with open("out", "w") as f:
                f.write("late")
    """
    run = run_program(Job(_program(text), PYTHON))
    assert run.output.texts["out"] == b"late"


def test_environment_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program sees no PYTHONUNBUFFERED, and an empty current directory."""
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    text = (
        b"import os, sys; print(os.environ.get('PYTHONUNBUFFERED'), os.listdir('.'), sys.argv[1:])"
    )
    run = run_program(Job(text, PYTHON, arguments=("a",)))
    assert run.output.texts["<stdout>"] == b"None [] ['a']\n"


# --- comparison ---------------------------------------------------------------------------------


def _program(text: str) -> bytes:
    return textwrap.dedent(text).encode()


def _output(**texts: str) -> Output:
    packed = {name: text.encode() for name, text in texts.items()}
    return Output(packed, frozenset(), (), "")


@pytest.mark.parametrize(
    ("as_is", "intent", "verdict"),
    [
        ("a\nb\n", "a\nb\n", set()),
        ("b\na\n", "a\nb\n", set()),
        ("", "a\n", {"lost"}),
        ("a\n", "a\na\n", {"lost"}),
        ("a\na\n", "a\n", {"doubled"}),
        ("ba", "ab", set()),
        ("a\na\n", "a\nb\n", {"lost", "doubled"}),
        ("ab\n", "a\nb", set()),
        ("ab", "abc", {"lost"}),
        ("abab", "ab", {"doubled"}),
        ("\0\0b\n", "a\nb\n", {"lost"}),
        ("\0a", "\0a", set()),
    ],
)
def test_compare(as_is: str, intent: str, verdict: set[str]) -> None:
    """Order doesn't count, amounts do."""
    assert compare(_output(f=as_is), _output(f=intent)).verdict == verdict


@pytest.mark.parametrize(
    ("as_is", "intent", "verdict"),
    [
        ("a\nb\n", "a\nb\n", set()),
        ("b\na\n", "a\nb\n", {"torn"}),
        ("ba", "ab", {"torn"}),
        ("b\n", "a\nb\n", {"lost"}),
        ("b\na\na\n", "a\nb\n", {"doubled"}),
    ],
)
def test_compare_in_order(as_is: str, intent: str, verdict: set[str]) -> None:
    """Torn is a text in which nothing is missing and nothing too much."""
    assert compare(_output(f=as_is), _output(f=intent), ordered=True).verdict == verdict
    in_pipe = compare(_output(**{"<stdout>": as_is}), _output(**{"<stdout>": intent}), ordered=True)
    assert in_pipe.verdict == verdict - {"torn"}


def test_compare_pools_files_with_random_names() -> None:
    """Files that only one of the runs knows are compared together."""
    assert not compare(_output(x1="a", k="b"), _output(x2="a", k="b")).verdict
    assert compare(_output(x1="a"), _output(x2="b", k="")).verdict == {"lost", "doubled"}


def test_compare_counts_an_archive_that_cannot_be_read() -> None:
    """A missing trailer is a loss even where the contents can be rescued."""
    as_is = Output({"f": b"a"}, frozenset({"f"}), (), "")
    assert compare(as_is, _output(f="a")).verdict == {"lost"}


def test_classes() -> None:
    """Each code stands for what its run shows."""
    assert classes_of({"FLU101", "FLU402"}) == {"lost"}
    assert classes_of({"FLU202", "FLU404"}) == {"torn", "lost"}
    assert classes_of({"FLU201", "FLU301", "FLU901"}) == {"doubled", "crash"}
    assert classes_of(()) == set()


# --- fixtures -----------------------------------------------------------------------------------


def _fixture(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "program.py"
    path.write_text(text)
    return path


def test_directives_and_markers(tmp_path: Path) -> None:
    """Every directive is read, and a marker counts under the start methods that it names."""
    fixture = load_fixture(
        _fixture(
            tmp_path,
            "#!/usr/bin/env python3\n"
            "# oracle: start-methods = fork, spawn\n"
            "# oracle: min-python = 3.10\n"
            "# oracle: max-python = 3.12\n"
            "# oracle: args = a 'b c'\n"
            "# oracle: args =\n"
            "# oracle: stdin = x\\ny\\\\n\n"
            "# oracle: crash\n"
            "# oracle: ordered\n"
            "# oracle: overflow = kept from 3.13\n"
            "one()  # FLU101[fork] FLU301[spawn]\n"
            "two()  # FLU402 FLU104\n",
        )
    )
    assert fixture.markers["fork"] == {
        Marker(11, "FLU101"),
        Marker(12, "FLU402"),
        Marker(12, "FLU104"),
    }
    assert fixture.codes("spawn") == {"FLU301", "FLU402", "FLU104"}
    assert fixture.argument_lists == (("a", "b c"), ())
    assert [fixture.runs_on((3, minor)) for minor in (9, 10, 12, 13)] == [False, True, True, False]
    assert (fixture.stdin, fixture.crash, fixture.ordered) == ("x\ny\\n", True, True)
    assert fixture.overflow is not None
    assert [fixture.overflow.is_kept((3, minor)) for minor in (12, 13)] == [False, True]


@pytest.mark.parametrize(
    "text",
    [
        "# oracle: colour = red\n",
        "# oracle: start-methods = thread\n",
        "# oracle: min-python = three\n",
        "# oracle: overflow = sometimes\n",
        "x = 1\n# oracle: crash\n",
        "f()  # FLU101 because of this\n",
        "f()  # FLU101[spawn]\n",
    ],
)
def test_mistakes_in_fixtures_are_errors(tmp_path: Path, text: str) -> None:
    """A directive or marker that isn't understood is never passed over."""
    with pytest.raises(FixtureError):
        load_fixture(_fixture(tmp_path, text))


def test_directives_and_markers_of_a_project(tmp_path: Path) -> None:
    """Directives stand in one file, markers in all."""
    app = tmp_path / "src" / "app"
    app.mkdir(parents=True)
    (app / "__pycache__").mkdir()
    (app / "__pycache__" / "x.pyc").write_bytes(b"\0")
    (app / "cli.py").write_text(
        "# oracle: run = -m app.cli --all\n"
        "# oracle: directory = .\n"
        "# oracle: roots = src, lib\n"
        "# oracle: start-methods = fork, spawn\n"
        "one()  # FLU101[fork]\n"
    )
    (app / "log.py").write_text("\ntwo()  # FLU102\n")
    (tmp_path / "data.txt").write_text("a\n")
    project = load_project(tmp_path)
    assert project.markers["spawn"] == {Marker(2, "FLU102", "src/app/log.py")}
    assert project.markers["fork"] > {Marker(5, "FLU101", "src/app/cli.py")}
    assert project.modules() == ["src/app/cli.py", "src/app/log.py"]
    assert project.entry == "src/app/cli.py"
    assert project.tree.command == ("-m", "app.cli", "--all")
    assert project.tree.roots == ("src", "lib")
    assert set(project.tree.files) == {*project.modules(), "data.txt"}


def test_directives_in_two_files_of_a_project_are_an_error(tmp_path: Path) -> None:
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("# oracle: crash\n")
    with pytest.raises(FixtureError, match="more than one file"):
        load_project(tmp_path)


@pytest.mark.parametrize("directive", ["run = main.py", "directory = src", "roots = src"])
def test_directives_of_projects_are_errors_in_single_files(tmp_path: Path, directive: str) -> None:
    with pytest.raises(FixtureError, match="unknown directive"):
        load_fixture(_fixture(tmp_path, f"# oracle: {directive}\n"))


def test_interpreter_in_use_is_among_the_chosen() -> None:
    """The oldest, the newest and the one in use, in order and without repetition."""
    chosen = chosen_interpreters()
    assert chosen == sorted(set(chosen))
    assert sys.version_info[:2] in [one.minor for one in chosen]
    assert all(str(one) in describe() for one in chosen)
