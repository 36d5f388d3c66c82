"""A list of objects, one for each finding, in the order in which the files were checked.

Each object holds:

- ``code`` and ``name`` of the rule, and ``url``, the path of the rule's page in the repository;
- ``message``, one line;
- ``start_methods``: under ``--start-method all`` a list of those under which the finding holds,
  otherwise null;
- ``severity``: ``"error"``, or ``"warning"`` for what has no effect on the exit status;
- ``filename``, as the other formats write it;
- ``cell``, in a notebook the 1-based number of the cell among all cells, otherwise null; rows count
  within the cell;
- ``location`` and ``end_location``: ``{"row", "column"}``, both 1-based and in code points; the
  end is the first place behind the expression;
- ``witness``: how it comes about, in order. Each step holds ``kind`` (``"opened"``,
  ``"handed-over"``, ``"written"`` or ``"ended"``), ``process``, ``filename``, ``cell``,
  ``location``, ``end_location`` and ``text``;
- ``fixes``: what would take it away, best first. Each holds ``title``; ``applicability``
  (``"safe"``, ``"unsafe"`` or ``"display-only"``); ``reason``, why it is not safe, null where none
  is given; and ``edits``, made together or not at all: ``filename``, ``cell``, ``location``,
  ``end_location`` (the same for an insertion) and ``content``, which replaces what stands between.

Keys may be added in later releases; none is taken away or changes its meaning.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flushlint.rules.registry import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flushlint.model import Diagnostic, Fix, Position, WitnessStep

__all__ = ["JsonReporter"]


class JsonReporter:
    """Collects all findings: a list has to be closed."""

    def __init__(self) -> None:
        self._objects: list[dict[str, Any]] = []

    def add(self, diagnostics: Sequence[Diagnostic], text: Callable[[int | None], str]) -> str:
        """Keep one file's findings for `finish`."""
        del text
        self._objects += map(_finding, diagnostics)
        return ""

    def finish(self) -> str:
        """Return the list, an empty one too, in ASCII."""
        return json.dumps(self._objects, indent=2) + "\n"


def _finding(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "name": diagnostic.name,
        "message": diagnostic.message,
        "start_methods": list(diagnostic.start_methods) or None,
        "severity": diagnostic.severity,
        "filename": diagnostic.path,
        "cell": diagnostic.span.start.cell,
        "location": _location(diagnostic.span.start),
        "end_location": _location(diagnostic.span.end),
        "witness": [_step(step) for step in diagnostic.witness],
        "fixes": [_fix(fix) for fix in diagnostic.fixes],
        "url": RULES[diagnostic.code].url,
    }


def _step(step: WitnessStep) -> dict[str, Any]:
    return {
        "kind": step.kind,
        "process": step.process,
        "filename": step.path,
        "cell": step.span.start.cell,
        "location": _location(step.span.start),
        "end_location": _location(step.span.end),
        "text": step.text,
    }


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "title": fix.title,
        "applicability": fix.applicability,
        "reason": fix.reason or None,
        "edits": [
            {
                "filename": edit.path,
                "cell": edit.span.start.cell,
                "location": _location(edit.span.start),
                "end_location": _location(edit.span.end),
                "content": edit.text,
            }
            for edit in fix.edits
        ],
    }


def _location(position: Position) -> dict[str, int]:
    return {"row": position.line, "column": position.column + 1}
