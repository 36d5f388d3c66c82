"""The user's own openers, writers, flushers, closers and spawners.

Programs are run beside a stand-in for the module that the tables speak of: what arrives has to be
what flushlint says.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from flushlint import gate
from flushlint.config import ConfigError, Configuration
from flushlint.engine import check_source
from flushlint.model import AnalysisOptions
from flushlint.user_tables import NO_TABLES, UserTables

if TYPE_CHECKING:
    from pathlib import Path

    from flushlint.model import Diagnostic

CORELIB = '''
"""Stands for the module of a company that everything else goes through."""
from multiprocessing import get_context


def open_log(path, mode="w"):
    return open(path, mode)


class Archive:
    """Keeps lines until it is finished, or told to save those that it has."""

    def __init__(self, path):
        self.file = open(path, "w")

    def add(self, line):
        self.file.write(line + "\\n")

    def flush(self):
        self.file.flush()

    def peek(self):
        return 1

    def finish(self):
        self.file.write("end\\n")
        self.file.close()


class Journal:
    def __init__(self, path):
        self.file = open(path, "w")

    def note(self, line):
        self.file.write(line + "\\n")

    def save(self):
        self.file.flush()


def dump_record(record, out):
    out.write(record + "\\n")


def sync(*files):
    for file in files:
        file.flush()


def run_in_child(target, *args, **kwargs):
    child = get_context("fork").Process(target=target, args=args, kwargs=kwargs)
    child.start()
    child.join()
'''

TABLES = """
[tool.flushlint]
openers = ["corelib.open_log", "corelib.Archive", "corelib.Journal"]
writers = ["corelib.Archive.add", "corelib.Journal.note", "corelib.dump_record"]
flushers = ["corelib.Journal.save", "corelib.sync"]
closers = ["corelib.Archive.finish"]
spawners = ["corelib.run_in_child"]
"""

IMPORTS = "from corelib import Archive, Journal, dump_record, open_log, run_in_child, sync\n"

LOSING = {
    "an opener that is a function": """
        log = open_log("out")

        def work():
            log.write("line\\n")  # FLU102

        run_in_child(work)
        """,
    "an opener with a mode": """
        log = open_log("out", mode="a")

        def work(out):
            out.write("line\\n")

        run_in_child(work, log)  # FLU101
        """,
    "a writer of an argument": """
        log = open("out", "w")

        def work():
            dump_record("line", log)  # FLU102

        run_in_child(target=work)
        """,
    "a writer of what an object holds": """
        class Holder:
            def __init__(self):
                self.out = open("out", "w")

            def write(self, text):
                self.out.write(text)

        holder = Holder()

        def work():
            dump_record("line", holder)  # FLU102

        run_in_child(work)
        """,
    "a type that is flushed by its own name": """
        journal = Journal("out")

        def work():
            journal.note("line")  # FLU102

        run_in_child(work)
        """,
    "a type that needs a close": """
        def work(archive):
            archive.add("line")  # FLU405
            archive.flush()

        run_in_child(work, Archive("out"))
        """,
    "a spawner that is given more": """
        def work(out, text):
            print(text, file=out)

        run_in_child(work, open("out", "w"), text="line")  # FLU101
        """,
    "a method as the target": """
        class Worker:
            def __init__(self):
                self.out = open("out", "w")

            def work(self):
                self.out.write("line\\n")

        run_in_child(Worker().work)  # FLU101
        """,
    "through the module": """
        import corelib

        def work(out):
            corelib.dump_record("line", out)

        corelib.run_in_child(work, corelib.open_log("out"))  # FLU101
        """,
}

HARMLESS = {
    "flushed by a function": """
        log = open_log("out")

        def work():
            log.write("line\\n")
            sync(log)

        run_in_child(work)
        """,
    "flushed as any file": """
        log = open_log("out")

        def work():
            dump_record("line", log)
            log.flush()

        run_in_child(work)
        """,
    "closed by with": """
        def work():
            with open_log("out") as log:
                log.write("line\\n")

        run_in_child(work)
        """,
    "flushed by its own name": """
        journal = Journal("out")

        def work():
            journal.note("line")
            journal.save()

        run_in_child(work)
        """,
    "closed by its own name": """
        def work(archive):
            archive.add("line")
            archive.finish()

        run_in_child(work, Archive("out"))
        """,
    "written by the parent only": """
        log = open_log("out")

        def work():
            print("at work")

        run_in_child(work)
        log.write("line\\n")
        """,
    "dropped by the child": """
        def work():
            log = open_log("out")
            dump_record("line", log)

        run_in_child(work)
        """,
}


def written(text: str) -> str:
    """Return a program as it is written."""
    lines = [line[8:] for line in text.splitlines()]
    return IMPORTS + "\n".join(lines) + "\n"


def found(tmp_path: Path, program: str) -> tuple[Diagnostic, ...]:
    (tmp_path / "pyproject.toml").write_text(TABLES, encoding="utf-8")
    options = Configuration().analysis_options(str(tmp_path))
    analysis = check_source(program.encode(), "program.py", options)
    assert analysis.error is None
    return analysis.diagnostics


def left_by(tmp_path: Path, program: str) -> str:
    """Run a program, and return what is in the file that it writes."""
    (tmp_path / "corelib.py").write_text(CORELIB, encoding="utf-8")
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return (tmp_path / "out").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LOSING)
def test_what_is_lost(name: str, tmp_path: Path) -> None:
    program = written(LOSING[name])
    marked = {
        (number, line.partition("# ")[2])
        for number, line in enumerate(program.splitlines(), 1)
        if "# FLU" in line
    }
    diagnostics = found(tmp_path, program)
    assert {(d.span.start.line, d.code) for d in diagnostics} == marked
    left = left_by(tmp_path, program)
    is_unclosed = {code for _, code in marked} == {"FLU405"}
    assert ("end" if is_unclosed else "line") not in left


@pytest.mark.parametrize("name", HARMLESS)
def test_what_arrives(name: str, tmp_path: Path) -> None:
    program = written(HARMLESS[name])
    assert found(tmp_path, program) == ()
    assert left_by(tmp_path, program).startswith("line\n")


def test_without_the_tables_nothing_is_known(tmp_path: Path) -> None:
    for text in LOSING.values():
        program = written(text)
        assert check_source(program.encode(), "program.py", AnalysisOptions()).diagnostics == ()


def test_a_method_that_no_table_names_may_do_anything(tmp_path: Path) -> None:
    program = written("""
        def work(archive):
            archive.add("line")
            archive.peek()

        run_in_child(work, Archive("out"))
        """)
    assert found(tmp_path, program) == ()


def test_a_file_for_reading_holds_nothing(tmp_path: Path) -> None:
    for mode in ('"r"', 'mode="rb"', "mode=MODE"):
        program = written(f"""
        from elsewhere import MODE

        def work(log):
            dump_record("line", log)

        run_in_child(work, open_log("in", {mode}))
        """)
        assert found(tmp_path, program) == ()


def test_a_flusher_without_a_file_may_flush_any(tmp_path: Path) -> None:
    program = written("""
        log = open_log("out")

        def work():
            log.write("line")
            sync()

        run_in_child(work)
        """)
    assert found(tmp_path, program) == ()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "a type that is flushed by its own name",
            "without save(), which would write the rest; let the child end with `journal.save()`",
        ),
        (
            "a type that needs a close",
            "flush() is not enough, finish() writes the rest; let the child end with `archive.f",
        ),
        ("an opener that is a function", "let the child end with `log.flush()`"),
    ],
)
def test_the_message_names_what_helps(name: str, said: str, tmp_path: Path) -> None:
    (diagnostic,) = found(tmp_path, written(LOSING[name]))
    assert said in diagnostic.message


def test_relative_imports_do_not_match(tmp_path: Path) -> None:
    program = "from .corelib import open_log, run_in_child\nrun_in_child(open_log('x').write, '')\n"
    assert found(tmp_path, program) == ()


# -- the gate ------------------------------------------------------------------------------------


def test_the_gate_lets_files_through_that_name_a_spawner() -> None:
    program = b"from corelib import open_log, run_in_child as go\ngo(open_log('x').write, 'y')\n"
    tables = UserTables(openers=("corelib.open_log",), spawners=("corelib.run_in_child",))
    assert not gate.passes(program)
    assert gate.passes(program, tables)
    assert gate.passes(b"import corelib\ngetattr(corelib, 'run_in_child')(open)\n", tables)
    assert not gate.passes(b"# corelib.run_in_child, open\n", tables)
    assert not gate.passes(b"import corelib\nopen('run_in_child')\n", tables)
    assert not gate.passes(b"def run_in_child(f): open(f)\n", tables)


def test_an_opener_is_a_way_to_get_at_a_file() -> None:
    program = (
        b"import multiprocessing\n"
        b"from corelib import Store\n"
        b"multiprocessing.Process(target=Store('x').put).start()\n"
    )
    assert not gate.passes(program)
    assert gate.passes(program, UserTables(openers=("corelib.Store",)))


# -- the configuration -----------------------------------------------------------------------------


def cause(tmp_path: Path, lines: str) -> str:
    (tmp_path / "pyproject.toml").write_text(f"[tool.flushlint]\n{lines}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        Configuration().settings(str(tmp_path))
    return caught.value.cause


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('opener = ["a.b"]', "unknown key `opener`, did you mean `openers`?"),
        ('openers = "a.b"', "key `openers`: expected `array`, got `str`"),
        ("writers = [1]", "key `writers[0]`: expected `str`, got `int`"),
        ('flushers = ["sync"]', "key `flushers`: 'sync' is no qualified name"),
        ('closers = ["a..b"]', "key `closers`: 'a..b' is no qualified name"),
        ('closers = ["a.b()"]', "key `closers`: 'a.b()' is no qualified name"),
        ('spawners = [".jobs.run"]', "key `spawners`: '.jobs.run' is no qualified name"),
        ('spawners = ["a.class"]', "key `spawners`: 'a.class' is no qualified name"),
        ('writers = ["a.b"]\nclosers = ["a.b"]', "key `closers`: 'a.b' is in `writers` as well"),
    ],
)
def test_errors_name_the_key(lines: str, said: str, tmp_path: Path) -> None:
    assert f"[tool.flushlint] {said}" in cause(tmp_path, lines)


def test_the_tables_are_the_settings(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(TABLES, encoding="utf-8")
    tables = Configuration().analysis_options(str(tmp_path)).tables
    assert tables.spawners == ("corelib.run_in_child",)
    assert tables.closers == ("corelib.Archive.finish",)
    assert Configuration(isolated=True).analysis_options(str(tmp_path)).tables is NO_TABLES


@pytest.mark.parametrize("face", [("flushlint", "check"), ("flake8", "--select=FLU")])
def test_each_face_takes_them_from_pyproject(face: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(TABLES, encoding="utf-8")
    program = written(LOSING["an opener that is a function"])
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *face, "program.py"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("program.py:6:5: FLU102")


@pytest.mark.parametrize("face", [("flushlint", "check"), ("flake8", "--select=FLU")])
def test_openers_alone_are_enough_for_each_face(face: tuple[str, str], tmp_path: Path) -> None:
    """A module may have no other way to get at a file than an opener of the user's own."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.flushlint]\nopeners = ["corelib.log_for"]\n', encoding="utf-8"
    )
    (tmp_path / "program.py").write_text(
        "from multiprocessing import Process\n"
        "from corelib import log_for\n"
        "log = log_for(1)\n"
        "def work(): log.write('x')\n"
        "Process(target=work).start()\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", *face, "program.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("program.py:4:13: FLU102"), done.stderr


def test_a_wrong_table_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.flushlint]\nopeners = ["open log"]\n', encoding="utf-8"
    )
    (tmp_path / "program.py").write_text("import os\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "flushlint", "check", "."],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "key `openers`: 'open log' is no qualified name" in done.stderr
