"""The oracle: runs a program for real and says what it lost.

A program runs twice, as it is and under the intent harness (`site/intent.py`), in which every
write reaches its file at once. What the two runs leave behind is compared.
"""

from __future__ import annotations

from tests.oracle.fixture import Fixture, Marker, load_fixtures
from tests.oracle.interpreters import Interpreter, chosen_interpreters, found_interpreters
from tests.oracle.linter import findings, findings_of_project, fixed_project
from tests.oracle.project import Project, load_project, load_projects
from tests.oracle.run import Job, Run, Tree, run_program
from tests.oracle.verdict import (
    Comparison,
    Verdict,
    classes_of,
    compare,
    expected_verdict,
    judge,
    judge_fixed,
    shown_verdict,
)

__all__ = [
    "Comparison",
    "Fixture",
    "Interpreter",
    "Job",
    "Marker",
    "Project",
    "Run",
    "Tree",
    "Verdict",
    "chosen_interpreters",
    "classes_of",
    "compare",
    "expected_verdict",
    "findings",
    "findings_of_project",
    "fixed_project",
    "found_interpreters",
    "judge",
    "judge_fixed",
    "load_fixtures",
    "load_project",
    "load_projects",
    "run_program",
    "shown_verdict",
]
