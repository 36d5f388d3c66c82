"""Does one stage of the work on files, and prints how long that alone took.

`python stage_alone.py STAGE FILES`: imports, reading and earlier stages are not counted.
"""

from __future__ import annotations

import ast
import gc
import os
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from flushlint import gate, guard
from flushlint.config import Configuration
from flushlint.engine import check_source, check_unit
from flushlint.model import AnalysisOptions
from flushlint.positions import Positions
from flushlint.project.project import Project
from flushlint.slicing import sliced
from flushlint.source import Source, parse, read_source

Stage = Callable[[Any], object]


def _data(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _source(path: str) -> Source:
    source = read_source(_data(path), path)
    if not isinstance(source, Source):
        raise SystemExit(source.cause)
    return source


def _parsed(path: str) -> tuple[cst.Module, Source]:
    source = _source(path)
    module = parse(source)
    if not isinstance(module, cst.Module):
        raise SystemExit(module.cause)
    return module, source


def _positions(parsed: tuple[cst.Module, Source]) -> None:
    """Find the positions of one statement in ten, which is more than any module's findings."""
    module, source = parsed
    positions = Positions(module, source)
    for statement in module.body[::10]:
        positions.span(statement)


def _provided(parsed: tuple[cst.Module, Source]) -> None:
    MetadataWrapper(parsed[0], unsafe_skip_copy=True).resolve(PositionProvider)


def _project(path: str) -> tuple[Project, str]:
    """Return a project in which a file has been looked at before, as an editor's would be."""
    project = Project(Configuration(isolated=True), {}, os.path.abspath)
    _recheck((project, os.path.abspath(path)))
    return project, os.path.abspath(path)


def _recheck(known: tuple[Project, str]) -> None:
    """Check a file that has changed, while all that it imports is what it was."""
    project, path = known
    data = _data(path)
    project.changed(path, data)
    for program in project.programs(path, data):
        check_unit(project.unit(program), AnalysisOptions())


def _check(data: bytes) -> None:
    check_source(data, "some.py", AnalysisOptions())


# What is prepared for each file, and what is measured.
STAGES: dict[str, tuple[Callable[[str], Any], Stage]] = {
    "gate": (_data, gate.passes),
    "guard": (_source, lambda source: guard.refusal(source.text)),
    "slice": (_source, lambda source: sliced(source.text)),
    "ast": (_source, lambda source: ast.parse(source.text)),
    "libcst": (_data, cst.parse_module),
    "positions": (_parsed, _positions),
    "provider": (_parsed, _provided),
    "check": (_data, _check),
    "recheck": (_project, _recheck),
}


def main() -> None:
    """Print wall and processor seconds of a stage on the files named on the command line."""
    prepare, stage = STAGES[sys.argv[1]]
    work = [prepare(path) for path in sys.argv[2:]]
    warnings.simplefilter("ignore")
    # The first check imports the machine.
    check_source(b"import os\nprint(os.fork())\n", "warm-up.py", AnalysisOptions())
    gc.collect()
    gc.disable()
    wall, cpu = time.perf_counter(), time.process_time()
    for item in work:
        stage(item)
    print(time.perf_counter() - wall, time.process_time() - cpu)


main()
