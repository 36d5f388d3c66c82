"""What a rule says: a finding in terms of the tree, before it has positions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

import libcst as cst

from flushlint.knowledge.streams import WRITERS
from flushlint.knowledge.third_party import FILE_WRITERS, WRITING_METHODS

if TYPE_CHECKING:
    from flushlint.machine.log import Cause, Log, Process
    from flushlint.model import StepKind

__all__ = [
    "Finding",
    "Step",
    "Written",
    "called",
    "code_of",
    "file_variable",
    "owner_of",
    "process_name",
    "quoted",
    "the_process",
    "written_to",
]


@dataclass(slots=True)
class Step:
    """A step of the witness, at a node of the tree."""

    kind: StepKind
    process: str
    node: cst.CSTNode
    text: str


@dataclass(slots=True)
class Finding:
    """A finding at a node of the tree. One that is `opt_in` is shown where its code is selected.

    `cause` is what the machine saw, where a fix may come of it.
    """

    code: str
    node: cst.CSTNode
    message: str
    subject: str
    steps: list[Step] = field(default_factory=list)
    opt_in: bool = False
    cause: Cause | None = None


_FILE_METHODS = frozenset({"write", "writelines", "writestr", "add", "addfile"})
_LOGGER_METHODS = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "log"}
)
_SPECS = {
    **WRITING_METHODS,
    **{name.rpartition(".")[2]: spec for name, spec in (*FILE_WRITERS.items(), *WRITERS.items())},
}
_LONGEST_NAME = 40
_UNKNOWN = "the file"


def code_of(module: cst.Module, node: cst.CSTNode) -> str:
    """Return the source of an expression on one line, shortened where it is long."""
    if isinstance(node, cst.BaseExpression):
        node = node.with_changes(lpar=[], rpar=[]) if hasattr(node, "lpar") else node
    text = " ".join(module.code_for_node(node).split())
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 3]}..."


def called(module: cst.Module, node: cst.CSTNode) -> str:
    """Return the source of a call without its arguments."""
    return f"{code_of(module, node.func if isinstance(node, cst.Call) else node)}()"


class Written(NamedTuple):
    """What a call writes to: its source, or "" where that does not say, and what it is.

    Nothing but a file has the methods of one. Something else leads to a file: a `csv.writer`,
    a call that returns the file, a logger. `is_path`: the source may be followed by a method.
    """

    source: str = ""
    kind: Literal["file", "guide", "logger"] = "guide"
    is_path: bool = False


def written_to(module: cst.Module, node: cst.CSTNode) -> Written:
    """Return what a call writes to: `fd` in `fd.write(x)` and in `print(x, file=fd)`."""
    if isinstance(node, (cst.Subscript, cst.Attribute)):  # `store[key] = data`
        return _written(module, node.value, is_file=False)
    if not isinstance(node, cst.Call):
        return Written()
    function = node.func
    word = getattr(function.attr if isinstance(function, cst.Attribute) else function, "value", "")
    spec = _SPECS.get(word)
    file = _argument(node, "file")
    if file is None and spec is not None:
        file = _argument(node, spec.keyword, spec.file)
    if file is not None:
        return _written(module, file, is_file=True)
    if isinstance(function, cst.Attribute):
        passed = [a.value for a in node.args if isinstance(a.value, cst.Attribute)]
        writer = next((p for p in passed if p.attr.value in _FILE_METHODS), None)
        if writer is not None and word not in _FILE_METHODS:  # `to_thread(f.write, text)`
            return _written(module, writer.value, is_file=True)
        if word in _LOGGER_METHODS:
            return Written(code_of(module, function.value), "logger")
        return _written(module, function.value, is_file=word in _FILE_METHODS)
    is_print = word == "print" or (spec is not None and spec.default_stdout)
    return Written("sys.stdout", "file") if is_print else Written()


def owner_of(module: cst.Module, node: cst.CSTNode, depth: int) -> str:
    """Return the source of what a call writes to `depth` parts down: `db` in `db[key].add(x)`.

    Empty where the expression does not lead there: it begins with a variable for a part.
    """
    node = node.value if isinstance(node, cst.Attribute) else _receiver(node) or node
    for _ in range(depth):
        inner = _receiver(node)
        if inner is None:
            return ""
        node = inner
    is_path = isinstance(node, (cst.Name, cst.Attribute))
    return code_of(module, node) if depth and is_path else ""


def _receiver(node: cst.CSTNode) -> cst.CSTNode | None:
    """Return the expression whose method is called, or whose item is taken."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        return node.func.value
    return node.value if isinstance(node, cst.Subscript) else None


def _written(module: cst.Module, node: cst.BaseExpression, *, is_file: bool) -> Written:
    if isinstance(node, cst.Call) and code_of(module, node.func) == "super":
        return Written("self")
    source = code_of(module, node)
    is_path = isinstance(node, (cst.Name, cst.Attribute, cst.Subscript))
    whole = is_path and not source.endswith("...")
    return Written(source, "file" if is_file and whole else "guide", whole)


def _argument(call: cst.Call, keyword: str, position: int = -1) -> cst.BaseExpression | None:
    for index, argument in enumerate(call.args):
        named = argument.keyword is not None and argument.keyword.value == keyword
        if named or (argument.keyword is None and not argument.star and index == position):
            return argument.value
    return None


def file_variable(module: cst.Module, node: cst.CSTNode) -> str:
    """Return the source of the file in a call that writes, as a finding's subject."""
    return written_to(module, node).source or _UNKNOWN


def quoted(subject: str) -> str:
    """Return a finding's subject as its message quotes it."""
    return f"`{subject}`" if subject != _UNKNOWN else subject


def process_name(log: Log, number: int) -> str:
    """Return what a reader would call a process."""
    process: Process | None = log.processes.get(number)
    if process is None or process.kind == "main":
        return "main process"
    if process.kind == "worker":
        return "worker"
    return "forked child" if process.kind == "fork" else f"child `{process.name}`"


def the_process(log: Log, number: int) -> str:
    """Return what a sentence calls a process."""
    return f"the {process_name(log, number)}"
