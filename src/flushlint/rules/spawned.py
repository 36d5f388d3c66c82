"""FLU203, FLU302 to FLU304: what comes of importing the main module in each child."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from flushlint.rules.finding import (
    Finding,
    Step,
    code_of,
    file_variable,
    process_name,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flushlint.machine.log import Failure, FailureKind, Log, Truncation

__all__ = ["check"]

_GUARD = 'if __name__ == "__main__":'


def check(module: cst.Module, log: Log) -> Iterator[Finding]:
    """Find FLU203, FLU302, FLU303 and FLU304."""
    seen: set[object] = set()
    for truncation in log.truncations:
        opener = truncation.output.place.opener
        if opener not in seen:
            seen.add(opener)
            yield _truncated(module, log, truncation)
    for failure in log.failures:
        key = failure.node if failure.kind not in _USES else _use(module, failure)
        if key not in seen:
            seen.add(key)
            yield _failed(module, log, failure)


# -- emptied by the import ----------------------------------------------------------------------


def _truncated(module: cst.Module, log: Log, truncation: Truncation) -> Finding:
    output, opener = truncation.output, truncation.output.place.opener
    subject = file_variable(module, output.write.node)
    child = log.processes[truncation.process]
    message = (
        f"what is written to {quoted(subject)} is lost: each child started by spawn or forkserver "
        f"imports the main module, where this call empties the file again; open it under "
        f"`{_GUARD}`, or in the function that uses it"
    )
    writer = process_name(log, output.write.process)
    steps = [
        Step("opened", process_name(log, 0), opener, "the file is opened here"),
        Step("written", writer, output.write.node, "this is written to the file"),
    ]
    if child.start is not None:
        parent = process_name(log, child.parent)
        text = "the child that is started here imports the main module"
        steps.append(Step("handed-over", parent, child.start, text))
        again = "the import opens the file again and writes from its beginning"
        steps.append(Step("ended", process_name(log, child.id), opener, again))
    return Finding("FLU203", opener, message, subject, steps, cause=truncation)


# -- children that never write --------------------------------------------------------------------


class _Says(NamedTuple):
    """What a finding says: its code, problem and remedy, and what happens at its place."""

    code: str
    problem: str
    remedy: str
    step: str


_NOTHING = "its writes never happen"
_FAILURES: dict[FailureKind, _Says] = {
    "local target": _Says(
        "FLU302",
        "{subject} can't be pickled, as no module has it by its name: start() raises an exception "
        f"under spawn and forkserver, `{{child}}` never runs and {_NOTHING}",
        "move it to the top level of the module",
        "it has to be pickled here",
    ),
    "unpicklable": _Says(
        "FLU302",
        "{subject} can't be pickled, as there is a lock of a thread or a generator in it: start() "
        f"raises TypeError under spawn and forkserver, `{{child}}` never runs and {_NOTHING}",
        "make that in the child",
        "it has to be pickled here",
    ),
    "guarded target": _Says(
        "FLU302",
        "{subject} is defined under the main guard only: a child started by spawn or forkserver "
        f"imports the main module without it and can't find it, and {_NOTHING}",
        "move the definition above the guard",
        "it is looked up by its name in the child, and not found",
    ),
    "start on import": _Says(
        "FLU303",
        "{subject} is called again in the child, which imports the main module under spawn and "
        f"forkserver: it raises RuntimeError there, and {_NOTHING}",
        f"start processes under `{_GUARD}`",
        "this call raises RuntimeError when the child imports the main module",
    ),
    "method on import": _Says(
        "FLU303",
        "{subject} is called again in the child, which imports the main module under spawn and "
        f"forkserver: it raises RuntimeError there, and {_NOTHING}",
        f"call it under `{_GUARD}`",
        "this call raises RuntimeError when the child imports the main module",
    ),
    "unset": _Says(
        "FLU304",
        "{subject} is set in the parent only: a child started by spawn or forkserver imports the "
        f"main module without it, {{error}} ends `{{child}}` here, and {_NOTHING}",
        "{remedy}",
        "this raises {error}",
    ),
    "none": _Says(
        "FLU304",
        "{subject} is None in a child started by spawn or forkserver, as only the parent sets it "
        f"to something else: AttributeError ends `{{child}}` here, and {_NOTHING}",
        "{remedy}",
        "this raises AttributeError",
    ),
}
_USES = ("unset", "none")
_ERRORS = {cst.Name: "NameError", cst.Attribute: "AttributeError"}
_OPEN_THERE = "pass the path and open the file in the child"


def _use(module: cst.Module, failure: Failure) -> tuple[str, str]:
    """One target that lacks a file is one cause, wherever in it the file is used."""
    return (failure.process.name, code_of(module, failure.node))


def _failed(module: cst.Module, log: Log, failure: Failure) -> Finding:
    says = _FAILURES[failure.kind]
    process, node = failure.process, failure.node
    source = node.func if says.code == "FLU303" and isinstance(node, cst.Call) else node
    subject = code_of(module, source)
    words = {
        "subject": quoted(subject),
        "child": process.name,
        "error": _ERRORS.get(type(node), "LookupError"),
        "remedy": _OPEN_THERE if failure.proven else "pass it to the child as an argument",
    }
    parent, child = process_name(log, process.parent), process_name(log, process.id)
    message = f"{says.problem}; {says.remedy}".format(**words)
    steps = []
    if says.code == "FLU302":
        steps.append(Step("handed-over", parent, node, says.step))
    if process.start is not None and process.start is not node:
        steps.append(Step("handed-over", parent, process.start, "the child is started here"))
    if says.code != "FLU302":
        steps.append(Step("ended", child, node, says.step.format(**words)))
    return Finding(says.code, node, message, subject, steps, cause=failure)
