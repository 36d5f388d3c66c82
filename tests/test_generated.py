"""Generated programs: what flushlint says of each file equals what some run loses or doubles.

What is missed and a false alarm are both failures. Programs run in batches: one process executes
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
from tests.generator import pool_programs, programs, reduce_program, vectors
from tests.one_module import fix_source
from tests.oracle import Job, run_program

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hypothesis import strategies as st

    from flushlint.model import Diagnostic
    from tests.oracle.output import Output

BATCHES: Final = 6
PROGRAMS_IN_BATCH: Final = 40
BATCHES_IN_MATRIX: Final = 80

POOL_BATCHES: Final = 3
PROGRAMS_IN_POOL_BATCH: Final = 16

LOSSES: Final = {"FLU101", "FLU102", "FLU103", "FLU104"}
"""The codes that name a stream; FLU402, FLU403 and FLU404 stand beside one of them."""

MISTAKES: Final = (b"closed file", b"NameError", b"UnboundLocalError")
"""What shows on stderr if a program is not one that somebody would write."""

_DRIVER: Final = """\
import linecache
import os
import sys
import tokenize
import types
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
        # Tasks are pickled by their names: they have to be those of the main module.
        sys.modules["__main__"] = types.ModuleType("__main__")
        scope = vars(sys.modules["__main__"])
        exec(code, scope)
        scope.clear()
print("all")
"""


@dataclass(frozen=True)
class Truth:
    """What becomes of files in some run, as `lost f`; illegal if a run is a mistake."""

    verdicts: frozenset[str]
    is_legal: bool

    @property
    def lost(self) -> set[str]:
        """Return the names of the files that lose something."""
        return {said.split()[1] for said in self.verdicts if said.startswith("lost")}


def generate(seed: int, count: int, kind: st.SearchStrategy[str] | None = None) -> list[str]:
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
    @hypothesis.given(programs() if kind is None else kind)
    def collect(program: str) -> None:
        found[program] = None

    collect()
    return list(found)[:count]


def run(texts: list[str], fixed: list[str] | None = None) -> list[Truth]:
    """Run programs with all their inputs, as they are and under the intent harness.

    Where they have been fixed, that is run, beside what they were meant to leave.
    """
    as_is = _run_all(texts, fixed or texts, intent=False)
    intent = _run_all(texts, texts, intent=True)
    return [_truth(number, as_is, intent) for number in range(len(texts))]


def _run_all(texts: list[str], bodies: list[str], *, intent: bool) -> Output:
    """Run programs with the inputs of those that they were made of."""
    inputs = [vectors(text) for text in texts]
    driver = _DRIVER.format(programs=list(zip(bodies, inputs, strict=True)))
    done = run_program(Job(driver.encode(), sys.executable), intent=intent, time_limit=120)
    assert done.output.texts["<stdout>"] == b"all\n", done.output.stderr
    return done.output


def _truth(number: int, as_is: Output, intent: Output) -> Truth:
    verdicts: set[str] = set()
    is_legal = True
    for place, meant in intent.texts.items():
        folder, _, name = place.rpartition("/")
        if not folder.startswith(f"{number}/"):
            continue
        if name == "stderr":
            is_legal = is_legal and not any(error in meant for error in MISTAKES)
            if meant.count(b"Error") != as_is.texts.get(place, b"").count(b"Error"):
                verdicts.add("raises otherwise")
            continue
        meant_lines = Counter(meant.splitlines())
        lines = Counter(as_is.texts.get(place, b"").splitlines())
        assert lines.keys() <= meant_lines.keys(), f"{place}: {lines} comes from nowhere"
        if meant_lines - lines:
            verdicts.add(f"lost {name}")
        if lines - meant_lines:
            verdicts.add(f"doubled {name}")
    return Truth(frozenset(verdicts), is_legal)


def findings(text: str) -> frozenset[str]:
    """Return what flushlint says of files, in the words of `Truth`."""
    analysis = check_source(text.encode(), "program.py", AnalysisOptions(start_method="fork"))
    assert analysis.error is None, analysis.error
    lines = text.splitlines()
    found = set()
    for diagnostic in analysis.diagnostics:
        if diagnostic.code not in {*LOSSES, "FLU201"} or _is_never_called(diagnostic):
            continue
        opened = [step.span.start.line for step in diagnostic.witness if step.kind == "opened"]
        assert opened, f"a finding whose witness opens nothing: {diagnostic}"
        said = "lost" if diagnostic.code in LOSSES else "doubled"
        found.add(f"{said} {_opened_in(lines[opened[0] - 1])}")
    return frozenset(found)


def _is_never_called(diagnostic: Diagnostic) -> bool:
    """Tell a finding in a helper that stands behind a `return`, which is analysed by itself.

    The main process never ends at once where a run comes by.
    """
    ended = [step.process for step in diagnostic.witness if step.kind == "ended"]
    return diagnostic.code == "FLU104" and ended == ["main process"]


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
    _assert_agreement(generate(seed, PROGRAMS_IN_BATCH))


@pytest.mark.parametrize("seed", range(POOL_BATCHES))
def test_findings_in_workers_equal_runs(seed: int) -> None:
    _assert_agreement(generate(seed, PROGRAMS_IN_POOL_BATCH, pool_programs()))


@pytest.mark.parametrize("seed", list(batches()))
def test_runs_of_fixed_programs_leave_what_was_meant(seed: int) -> None:
    _assert_mended(generate(seed, PROGRAMS_IN_BATCH))


@pytest.mark.parametrize("seed", range(POOL_BATCHES))
def test_so_do_those_with_workers(seed: int) -> None:
    _assert_mended(generate(seed, PROGRAMS_IN_POOL_BATCH, pool_programs()))


def _assert_mended(texts: list[str]) -> None:
    """Fix programs and run them: none is worse, and nearly all lose and double nothing."""
    losing = [text for text in texts if findings(text)]
    fixed = [fix(text) for text in losing]
    mended = 0
    for text, new, truth in zip(losing, fixed, run(losing, fixed), strict=True):
        if truth.is_legal:
            assert truth.verdicts <= findings(new), f"{sorted(truth.verdicts)}:\n{text}\n{new}"
        mended += not findings(new)
    assert mended >= 0.9 * len(losing)


def fix(text: str) -> str:
    """Return a program with all its safe fixes."""
    fixed = fix_source(
        text.encode(),
        "program.py",
        AnalysisOptions(start_method="fork"),
        lambda _, found: [one for one in found if not one.opt_in],
        lambda _, fix: fix.applicability == "safe",
    )
    assert not fixed.trouble
    return fixed.data.decode()


def _assert_agreement(texts: list[str]) -> None:
    wrong = [text for text, said in zip(texts, disagreements(texts), strict=True) if said]
    assert not wrong, _report(wrong)


def disagreements(texts: list[str]) -> list[str]:
    """Say for each program what flushlint gets wrong, if anything."""
    return [_disagreement(text, truth) for text, truth in zip(texts, run(texts), strict=True)]


def _disagreement(text: str, truth: Truth) -> str:
    found = findings(text)
    if not truth.is_legal or found == truth.verdicts:
        return ""
    missed, false = sorted(truth.verdicts - found), sorted(found - truth.verdicts)
    return f"missed: {missed}, false alarms: {false}"


def _report(wrong: list[str]) -> str:
    """Show the shortest program, made shorter still."""
    text = reduce_program(min(wrong, key=len), disagreements)
    return f"{len(wrong)} programs, one of them made short:\n\n# {disagreements([text])[0]}\n{text}"


def test_generated_programs_are_worth_running() -> None:
    """Both verdicts are common, local files are lost too, few programs write to a closed file."""
    texts = generate(0, 80)
    truths = [truth for truth in run(texts) if truth.is_legal]
    assert len(truths) > 0.6 * len(texts)
    losing = Counter(name for truth in truths for name in truth.lost)
    assert 0.2 * len(truths) < losing["f"] < 0.8 * len(truths)
    assert 0.1 * len(truths) < losing["g"] < 0.8 * len(truths)
    assert losing["h"] + losing["k"] > 0
    assert any("doubled" in said for truth in truths for said in truth.verdicts)
