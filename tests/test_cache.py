"""The cache: outcomes come back as they were, whatever else there is in its directory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from flushlint.cache import Cache, directory_for
from flushlint.choosing import Choices
from flushlint.discovery import SourceFile
from flushlint.model import AnalysisOptions, InputError
from flushlint.unit import ModuleFile, Unit
from flushlint.work import Outcome, Task, analyse

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = b"""\
from multiprocessing import Process

log = open("log.txt", "w")


def put(fd):
    fd.write("hello")


if __name__ == "__main__":
    p = Process(target=put, args=(log,))
    p.start()
    p.join()
"""


def task_of(data: bytes = PROGRAM, path: str = "a.py", **changes: object) -> Task:
    from flushlint.choosing import choice
    from flushlint.config import Settings
    from flushlint.fixability import FixLayer
    from flushlint.selection import Layer

    file = SourceFile(path, os.path.abspath(path))
    chosen = choice(file, Settings(), Layer(), FixLayer(), unsafe=False)
    imported = changes.pop("imported", {})
    unit = Unit(ModuleFile(path, data), "a", imported)  # type: ignore[arg-type]  # a mapping
    return Task(unit, AnalysisOptions(**changes), Choices({path: chosen}))  # type: ignore[arg-type]


def test_what_was_put_comes_back(tmp_path: Path) -> None:
    task = task_of()
    outcome = analyse(task)
    assert [one.code for one in outcome.diagnostics] == ["FLU101"]
    assert outcome.diagnostics[0].fixes
    cache = Cache(str(tmp_path / "cache"))
    key = cache.key(task)
    assert cache.get(key) is None
    cache.put(key, outcome)
    assert Cache(str(tmp_path / "cache")).get(key) == outcome
    names = {path.name for path in (tmp_path / "cache").iterdir()}
    assert names == {f"{key}.json", "CACHEDIR.TAG", ".gitignore"}


def test_the_key_is_that_of_all_it_depends_on(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))
    other = {"b": ModuleFile("b.py", b"x = 1\n")}
    tasks = [
        task_of(),
        task_of(PROGRAM + b"\n"),
        task_of(path="b.py"),
        task_of(start_method="spawn"),
        task_of(python_version=(3, 12)),
        task_of(imported=other),
        task_of(imported={"b": ModuleFile("b.py", b"x = 2\n")}),
        task_of(imported={"c": ModuleFile("b.py", b"x = 1\n")}),
    ]
    keys = [cache.key(task) for task in tasks]
    assert len(set(keys)) == len(keys)
    assert keys == [cache.key(task) for task in tasks]


def test_the_key_is_the_same_in_every_process(tmp_path: Path) -> None:
    code = f"from tests.test_cache import *; print(Cache({str(tmp_path)!r}).key(task_of()))"
    keys = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2", "3")
    }
    assert keys == {Cache(str(tmp_path)).key(task_of())}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"diagnostics": 3}', b"\xff", b"null"])
def test_what_is_broken_is_no_entry(content: bytes, tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))
    key = cache.key(task_of())
    (tmp_path / f"{key}.json").write_bytes(content)
    assert cache.get(key) is None


def test_errors_are_not_kept(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))
    cache.put("key", Outcome(error=InputError("a.py", 1, "broken")))
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_can_not_be_made_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = Cache(str(tmp_path / "file"))
    cache.put("key", Outcome())
    assert cache.get("key") is None
    cache.tidy()


def test_it_lies_in_the_project(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "pyproject.toml").touch()
    assert directory_for(str(tmp_path / "a" / "b")) == str(tmp_path / "a" / ".flushlint_cache")


def check(folder: Path, *options: str) -> list[object]:
    done = subprocess.run(
        [sys.executable, "-m", "flushlint", "check", "--output-format", "json", *options, "."],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    found: list[object] = json.loads(done.stdout)
    return found


def test_a_second_run_finds_what_the_first_one_did(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    for number in range(12):
        text = PROGRAM + b"# so it goes\n" * 600
        (tmp_path / f"m{number}.py").write_bytes(text.replace(b"hello", b"%d" % number))
    plain = check(tmp_path, "--jobs=2", "--no-cache")
    assert not (tmp_path / ".flushlint_cache").exists()
    assert len(plain) == 12
    first = check(tmp_path, "--jobs=2")
    entries = sorted((tmp_path / ".flushlint_cache").glob("*.json"))
    assert len(entries) == 12
    assert first == check(tmp_path, "--jobs=2") == plain
    (tmp_path / "m3.py").write_bytes(b"x = 1\n")
    assert len(check(tmp_path, "--jobs=2")) == 11
    entries[0].write_bytes(b"garbage")
    assert len(check(tmp_path, "--jobs=2")) == 11
    assert len(check(tmp_path, "--jobs=2", "--cache-dir", "elsewhere")) == 11
    assert len(list((tmp_path / "elsewhere").glob("*.json"))) == 11
