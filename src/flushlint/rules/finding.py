"""What a rule says: a finding in terms of the tree, before it has positions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import libcst as cst

from flushlint.knowledge.streams import WRITERS

if TYPE_CHECKING:
    from flushlint.machine.log import Log, Process
    from flushlint.model import StepKind

__all__ = ["Finding", "Step", "code_of", "file_variable", "process_name", "remedy_size"]


@dataclass(slots=True)
class Step:
    """A step of the witness, at a node of the tree."""

    kind: StepKind
    process: str
    node: cst.CSTNode
    text: str


@dataclass(slots=True)
class Finding:
    """A finding at a node of the tree."""

    code: str
    node: cst.CSTNode
    message: str
    subject: str
    steps: list[Step] = field(default_factory=list)


_LONGEST_NAME = 40


def code_of(module: cst.Module, node: cst.CSTNode) -> str:
    """Return the source of an expression on one line, shortened where it is long."""
    if isinstance(node, cst.BaseExpression):
        node = node.with_changes(lpar=[], rpar=[]) if hasattr(node, "lpar") else node
    text = " ".join(module.code_for_node(node).split())
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 3]}..."


def file_variable(module: cst.Module, node: cst.CSTNode) -> str:
    """Return the source of the file in a call that writes: `fd` in `fd.write(x)`."""
    if not isinstance(node, cst.Call):
        return "the file"
    for argument in node.args:
        if argument.keyword is not None and argument.keyword.value == "file":
            return code_of(module, argument.value)
    function = node.func
    if isinstance(function, cst.Attribute):
        word = function.attr.value
        spec = next((w for name, w in WRITERS.items() if name.endswith(f".{word}")), None)
        if spec is not None and spec.file < len(node.args):
            return code_of(module, node.args[spec.file].value)
        return code_of(module, function.value)
    if isinstance(function, cst.Name) and function.value == "print":
        return "sys.stdout"
    if isinstance(function, cst.Name):
        spec = next(
            (w for name, w in WRITERS.items() if name.endswith(f".{function.value}")), None
        )
        if spec is not None and spec.file < len(node.args):
            return code_of(module, node.args[spec.file].value)
    return "the file"


def process_name(log: Log, number: int) -> str:
    """Return what a reader would call a process."""
    process: Process | None = log.processes.get(number)
    if process is None or process.kind == "main":
        return "main process"
    return "forked child" if process.kind == "fork" else f"child `{process.name}`"


def remedy_size() -> str:
    """Return how much a buffer holds back."""
    return "up to the last 8 KiB (128 KiB from Python 3.14 on)"
