"""Generated programs: what flushlint says of each file equals what some run of it loses.

A missed loss and a false alarm are both failures. Programs run in batches: one process executes
them one after the other, each with each of its inputs, in directories of their own.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import hypothesis
import pytest

from flushlint.engine import check_source
from flushlint.model import AnalysisOptions
from tests.generator import programs, vectors
from tests.oracle import Job, run_program

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.oracle.output import Output

BATCHES: Final = 6
PROGRAMS_IN_BATCH: Final = 40
BATCHES_IN_MATRIX: Final = 80

_DRIVER: Final = """\
import linecache
import os
import sys
import tokenize
import traceback  # with the other two: children that raise need it and start with it loaded

PROGRAMS = {programs!r}

start = os.getcwd()
for number, (text, inputs) in enumerate(PROGRAMS):
    code = compile(text, "program.py", "exec")
    for arguments in inputs:
        place = os.path.join(start, str(number), "-".join(arguments))
        os.makedirs(place)
        os.chdir(place)
        descriptor = os.open("stderr", os.O_WRONLY | os.O_CREAT)
        os.dup2(descriptor, 2)
        os.close(descriptor)
        sys.argv = ["program.py", *arguments]
        scope = {{"__name__": "__main__"}}
        exec(code, scope)
        scope.clear()
"""


@dataclass(frozen=True)
class Truth:
    """The names of the files that lose something in some run; illegal if one wrote when closed."""

    lost: frozenset[str]
    is_legal: bool


def generate(seed: int, count: int) -> list[str]:
    """Return different programs, the same for the same seed."""
    found: dict[str, None] = {}

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=2 * count,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(programs())
    def collect(program: str) -> None:
        found[program] = None

    collect()
    return list(found)[:count]


def run(texts: list[str]) -> list[Truth]:
    """Run programs with all their inputs, as they are and under the intent harness."""
    driver = _DRIVER.format(programs=[(text, vectors(text)) for text in texts])
    job = Job(driver.encode(), sys.executable)
    as_is, intent = (
        run_program(job, intent=intent, time_limit=120).output for intent in (False, True)
    )
    assert not as_is.exceptions, as_is.stderr
    return [_truth(number, as_is, intent) for number in range(len(texts))]


def _truth(number: int, as_is: Output, intent: Output) -> Truth:
    lost: set[str] = set()
    is_legal = True
    for place, meant in intent.texts.items():
        folder, _, name = place.rpartition("/")
        if not folder.startswith(f"{number}/"):
            continue
        if name == "stderr":
            is_legal = is_legal and b"closed file" not in meant
            continue
        meant_lines = Counter(meant.splitlines())
        lines = Counter(as_is.texts.get(place, b"").splitlines())
        assert not lines - meant_lines, f"{place}: {lines - meant_lines} comes from nowhere"
        if meant_lines - lines:
            lost.add(name)
    return Truth(frozenset(lost), is_legal)


def findings(text: str) -> frozenset[str]:
    """Return the files of which flushlint says that they lose something."""
    analysis = check_source(text.encode(), "program.py", AnalysisOptions(start_method="fork"))
    assert analysis.error is None, analysis.error
    lines = text.splitlines()
    found = set()
    for diagnostic in analysis.diagnostics:
        opened = [step.span.start.line for step in diagnostic.witness if step.kind == "opened"]
        assert opened, f"a finding whose witness opens nothing: {diagnostic}"
        found.add(_opened_in(lines[opened[0] - 1]))
    return frozenset(found)


def _opened_in(line: str) -> str:
    name = re.search(r'open\("(\w)"', line)
    assert name is not None, line
    return name[1]


def batches() -> Iterable[object]:
    for seed in range(BATCHES_IN_MATRIX):
        marks = () if seed < BATCHES else (pytest.mark.matrix,)
        yield pytest.param(seed, id=f"seed{seed}", marks=marks)


@pytest.mark.parametrize("seed", list(batches()))
def test_findings_equal_runs(seed: int) -> None:
    texts = generate(seed, PROGRAMS_IN_BATCH)
    disagreements = []
    for text, truth in zip(texts, run(texts), strict=True):
        found = findings(text)
        if truth.is_legal and found != truth.lost:
            missed, false = sorted(truth.lost - found), sorted(found - truth.lost)
            disagreements.append(f"# missed: {missed}, false alarms: {false}\n{text}")
    disagreements.sort(key=len)
    assert not disagreements, _report(disagreements)


def _report(disagreements: list[str]) -> str:
    """Show the shortest programs: they say most."""
    shortest = "\n".join(disagreements[:3])
    return f"{len(disagreements)} programs, the shortest of them:\n\n{shortest}"


def test_generated_programs_are_worth_running() -> None:
    """Both verdicts are common, local files are lost too, few programs write to a closed file."""
    texts = generate(0, 80)
    truths = [truth for truth in run(texts) if truth.is_legal]
    assert len(truths) > 0.6 * len(texts)
    losing = Counter(name for truth in truths for name in truth.lost)
    assert 0.2 * len(truths) < losing["f"] < 0.8 * len(truths)
    assert 0.1 * len(truths) < losing["g"] < 0.8 * len(truths)
    assert losing["h"] + losing["k"] > 0
