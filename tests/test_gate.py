"""The gate drops what starts, forks and ends no process, and nothing else.

What it drops is compared with what the knowledge tables name, so that a name added there is
tested here without being written here.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from flushlint import engine, gate
from flushlint.knowledge.constants import CANONICAL
from flushlint.knowledge.processes import (
    FORKS,
    HARD_EXITS,
    KILLS,
    PROCESS_PACKAGES,
    PROCESS_TYPES,
)
from flushlint.knowledge.streams import OPENERS
from flushlint.model import AnalysisOptions
from flushlint.source import Source, read_source
from flushlint.unit import ModuleFile, Unit
from tests.oracle.fixture import Fixture, load_fixtures

FUNCTIONS = sorted({*FORKS, *HARD_EXITS})
ALL = sorted({*FUNCTIONS, *PROCESS_TYPES})
ALIASES = sorted(alias for alias, name in CANONICAL.items() if name in ALL)


def passes(text: str) -> bool:
    """Ask the gate about a module that has a file, too."""
    return gate.passes(f"with open(path) as file:\n    pass\n{text}".encode())


def split(name: str) -> tuple[str, str]:
    module, _, last = name.rpartition(".")
    return module, last


@pytest.mark.parametrize("name", [*ALL, *ALIASES])
def test_every_name_in_the_tables_passes(name: str) -> None:
    module, last = split(name)
    first, _, rest = module.partition(".")
    assert passes(f"import {module}\n{name}()\n")
    assert passes(f"import {module} as m\nm.{last}()\n")
    assert passes(f"from {module} import {last}\n{last}()\n")
    assert passes(f"from {module} import {last} as x\nx()\n")
    assert passes(f"from {module} import (\n    getpid,  # why\n    {last},\n)\n{last}()\n")
    assert passes(f"from {module} import *\n{last}()\n")
    assert passes(f"import {module}\nx = {module}\nx.{last}()\n")
    assert passes(f"import {module}\ngetattr({module}, '{last}')()\n")
    assert passes(f"import sys, {module}; x = {module} . \\\n  {last}\nx()")
    assert passes(f"import {module}\nx = f'''{{{name}()}}'''\n")
    if rest:
        assert passes(f"from {first} import {rest.partition('.')[0]} as m\nm.{last}()\n")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_a_module_must_be_reached_through_it(name: str) -> None:
    module, last = split(name)
    assert not passes(f"import {module}\nself.{last}({module}.getcwd())\n")
    assert not passes(f"import {module}\ndef {last}(): ...\n{last}({module}.sep)\n")
    assert not passes(f"def {last}(): ...\n{last}()\n")
    # Unless the module may go by another name.
    assert passes(f"import {module}\nsystem = {module}\nself.{last}()\n")
    assert passes(f"import {module}\nclass A:\n    m = {module}\n    x = m.{last}\n")
    assert passes(f"import {module} as m, sys\nm.{last}()\n")
    assert passes(f"try: import {module}\nexcept ImportError: {module} = None\n{module}.{last}()\n")


@pytest.mark.parametrize("name", ALL)
def test_comments_and_strings_do_not_count(name: str) -> None:
    module, last = split(name)
    assert not passes(f"import {module}\n# {name}()\n")
    assert not passes(f"import {module}\nx = 1  # {name}()\n")
    assert not passes(
        f'"""Uses {name}()."""\nimport {module}\nprint("{last}", \'\'\'{last}\'\'\')\n'
    )
    assert not passes(f"import {module}\nx = '\\'{name}' r'\\\n{name}'\n")
    assert passes(f"import {module}\nx = '''{last}''' ; {name}()  # {name}\n")
    assert passes(f"import {module}\nx = '#' ; {name}()\n")


def test_a_process_may_come_from_any_object_of_the_package() -> None:
    assert passes("import multiprocessing\nc = multiprocessing.get_context()\nc.Process()\n")
    assert passes("from multiprocessing import get_context as g\ng('fork').Process()\n")
    assert passes("import multiprocessing as mp\nclass W(mp.Process): ...\n")
    assert passes("import torch.multiprocessing as mp\nmp.Process()\n")
    assert passes("from torch import multiprocessing\nmultiprocessing.Process()\n")
    assert not passes("import multiprocessing\nmultiprocessing.current_process()\n")
    assert not passes("import psutil\npsutil.Process()\n")


@pytest.mark.parametrize("package", PROCESS_PACKAGES)
def test_all_packages_count(package: str) -> None:
    assert passes(f"from {package} import Process\n")


def test_words_are_whole() -> None:
    assert not passes("import os\nos.forked()\nos.prefork()\nos.__exit__()\nos.fork_count\n")
    assert not passes("import posixpath, macos\nmacos.fork()\n")
    assert not passes("import multiprocessing\nMyProcessor = SubProcess = ProcessPoolExecutor\n")
    assert not passes("with a:\n    pass\ndef __exit__(self): import os; os.executable\n")


def test_a_kill_needs_the_signal_and_the_process_itself() -> None:
    assert set(KILLS) == {"os.kill", "signal.raise_signal"}
    assert passes("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    assert passes("import os\nme = os.getpid()\nos.kill(me, 9)\n")
    assert passes("from os import kill, getpid\nkill(getpid(), 9)\n")
    assert passes("import os, signal\nos.kill(os.getpid(), getattr(signal, 'SIGKILL'))\n")
    assert passes("import signal\nsignal.raise_signal(signal.SIGKILL)\n")
    assert passes("import signal\nsignal.raise_signal(9)\n")
    assert not passes("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n")
    assert not passes("import os, signal\nos.kill(child, signal.SIGKILL)\n")
    assert not passes("import signal\nsignal.raise_signal(signal.SIGTERM)\n")


def test_what_cannot_be_told_apart_passes() -> None:
    # Quotes in the fields of a formatted string, as from Python 3.12 on.
    assert passes("import os\nx = f'{a['#']}' f'{os.fork()}'\n")
    assert passes("import os\nx = f'{a['''b''']}'; os.fork()\n")
    # An encoding in which part of another character may look like a quote.
    assert gate.passes(b"# coding: shift_jis\nimport os\nx = '\\'; os.fork()  # '\n")
    assert gate.passes(b"#!/usr/bin/python\n# coding=iso2022_jp\nimport os\n# os.fork()\n")
    assert not gate.passes(b"# coding: utf-8\nimport os\nprint()  # os.fork()\n")
    assert not gate.passes(b"# coding: latin-1\nimport os\nprint()  # os.fork()\n")


@pytest.mark.parametrize("name", ALL)
def test_without_a_file_there_is_nothing_to_lose(name: str) -> None:
    module, last = split(name)
    text = f"import {module}\nx = {module}\nx.{last}()\n"
    assert not gate.passes(text.encode())
    assert not gate.passes(f"{text}# open print\ny = 'stdout'\n".encode())
    assert gate.passes(f"{text}y = open(z)\n".encode())
    assert gate.passes(f"{text}from sys import stdout\n".encode())
    assert gate.passes(f"{text}y = getattr(builtins, 'open')\n".encode())
    # What a child of multiprocessing prints it also flushes.
    assert gate.passes(f"{text}print(1)\n".encode()) is (name not in PROCESS_TYPES)


@pytest.mark.parametrize("opener", sorted(OPENERS))
def test_every_opener_in_the_tables_is_a_file(opener: str) -> None:
    module, last = split(opener)
    assert gate.passes(f"import os\nfrom {module} import {last}\nos.fork()\n".encode())


@pytest.mark.parametrize(
    "text",
    [
        "import os\n'''\nos.fork()\n",
        'import os\nx = "\nos.fork()\n',
        "import os\nx = '''' '''; os.fork()\n",
        "import os\nprint 'x'; os.fork()\n",
    ],
)
def test_what_is_broken_passes_so_that_it_is_reported(text: str) -> None:
    assert passes(text)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_newlines(newline: str) -> None:
    text = "import os\n# os.fork()\nx = 'a'  # b'\n{}y = '''\n'''\n"
    assert not passes(text.format("").replace("\n", newline))
    assert passes(text.format("os.fork()\n").replace("\n", newline))


def test_bytes_that_are_no_python() -> None:
    fork = "import os\nprint()\nos.fork()\n"
    assert not gate.passes(b"")
    assert not gate.passes(fork.encode("utf-16"))
    assert not gate.passes(bytes(range(256)) * 100)
    assert gate.passes(b"\xef\xbb\xbf" + fork.encode())
    assert gate.passes(b"\0" + fork.encode())
    assert gate.passes(b"# \xe9\xff\n" + fork.encode())


@pytest.mark.parametrize("fixture", load_fixtures(), ids=lambda fixture: fixture.name)
def test_what_it_drops_the_machine_finds_clean(fixture: Fixture) -> None:
    data = fixture.path.read_bytes()
    if not gate.passes(data):
        assert fixture.is_look_alike
        source = read_source(data, str(fixture.path))
        assert isinstance(source, Source)
        unit = Unit(ModuleFile(source.path, data))
        assert engine._check(source, unit, AnalysisOptions(), None).diagnostics == ()


def test_imports_nothing_heavy() -> None:
    code = "import sys, flushlint.gate; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"libcst", "tokenize", "ast"}.isdisjoint(done.stdout.split())
