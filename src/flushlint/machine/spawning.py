"""Spawned children: they import the main module anew, and have only what is sent to them.

The import runs the module's body once more, without its main guard. It empties the files that
the body opens for writing, it must start no process itself, and what only the guarded part of
the module sets does not exist after it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

import libcst as cst

from flushlint.machine import classes
from flushlint.machine.log import Failure, FailureKind, Log, Process, Truncation, in_order
from flushlint.machine.objects import Class, Env, Function, Instance, Mapping, Obj, Sequence, Stream
from flushlint.machine.state import Signal
from flushlint.machine.values import NONE, Const, Ext, Ref, Union, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.objects import Place, Write
    from flushlint.machine.state import State

__all__ = [
    "IMPORTING",
    "Import",
    "block",
    "end_by_exception",
    "enlist",
    "lacks_attribute",
    "lacks_item",
    "lacks_name",
    "noting_truncations",
    "receive",
    "run_import",
]

IMPORTING = -1
"""The process that stands for any child while it imports the main module."""

_BLOCKED = "%blocked"
_LACKS = "%lacks"


@dataclass(slots=True)
class Import:
    """What an import of the main module comes to.

    `states` are those that reach its end. `blocked` are the calls that raise in it because a
    child may not make them there. `emptied` are the files that it emptied, `rewritten` the
    calls that wrote to one again.
    """

    states: list[State] = field(default_factory=list)
    blocked: dict[cst.CSTNode, FailureKind] = field(default_factory=dict)
    emptied: set[Place] = field(default_factory=set)
    rewritten: set[cst.CSTNode] = field(default_factory=set)


# -- the import ---------------------------------------------------------------------------------


def run_import(
    m: Machine, method: str, body: Callable[[], tuple[list[State], list[State]]]
) -> Import:
    """Run the module's body as a child does. Its losses are those of the main run."""
    log, handlers = m.log, m.handlers
    m.log = Log(
        processes=log.processes,
        streams=dict(log.streams),
        limits=log.limits,
        arrivals=log.arrivals,
    )
    m.log.processes[IMPORTING] = Process(IMPORTING, "process", "child", 0, None, method)
    m.handlers = 0
    try:
        normal, abrupt = body()
        found = Import([s for s in m.join(normal) if s.process == IMPORTING])
        found.emptied = m.log.emptied
        found.rewritten = {o.write.node for o in m.log.outputs.get(IMPORTING, ())}
        for state in found.states:
            written = _forget_written(m, state, found.emptied)
            if method == "spawn":  # it comes out when the child ends
                found.rewritten |= written
    finally:
        log.streams |= {**m.log.streams, **log.streams}
        m.log, m.handlers = log, handlers
    for state in abrupt:
        kind = _blocked(state)
        if kind is not None and state.signal is not None and state.signal.node is not None:
            found.blocked[state.signal.node] = kind
    return found


def _forget_written(m: Machine, state: State, emptied: set[Place]) -> set[cst.CSTNode]:
    """Drop what the import itself wrote to a file that it emptied: the parent writes it too."""
    written: set[cst.CSTNode] = set()
    for identity in state.streams:
        stream = state.stream(identity)
        if (stream.pending or stream.trailer) and m.log.place(state, identity) in emptied:
            written |= {write.node for write in stream.pending}
            edited = state.edit(Stream, identity)
            edited.pending, edited.trailer = (), None
    return written


def enlist(m: Machine, state: State, process: Process, node: cst.CSTNode) -> None:
    """Give a child that the call `node` spawns its number, the same whenever it is made there."""
    number = m.identity(("spawn", node, state.frames[-1].context, state.process))
    process.id = number
    process.absent = m.log.processes[number].absent if number in m.log.processes else {}
    m.log.processes[number] = process


def block(m: Machine, state: State, node: cst.CSTNode, kind: FailureKind) -> bool:
    """Raise RuntimeError where a child does what it may not while it imports the main module."""
    if state.process != IMPORTING:
        return False
    made = Instance(Ext("builtins.RuntimeError"), {_BLOCKED: Const(kind)})
    m.leave(state, Signal("raise", m.new(state, node, made, "raised"), node))
    return True


def _blocked(state: State) -> FailureKind | None:
    signal = state.signal
    raised = None if signal is None or signal.value is None else state.look(Instance, signal.value)
    kind = None if raised is None else raised.attributes.get(_BLOCKED)
    return kind.value if isinstance(kind, Const) else None  # type: ignore[return-value]  # by `block`


# -- the child ----------------------------------------------------------------------------------


def receive(m: Machine, parent: State, child: State, process: Process, imported: Import) -> None:
    """Make a state after the import that of a child; note what its import has destroyed."""
    for output in in_order(parent.reached):
        if output.place in imported.emptied and output.write.node not in imported.rewritten:
            m.log.truncations.append(Truncation(output, process.id))
    child.process, child.reached = process.id, frozenset()
    child.start_method = parent.start_method
    for identity, obj in list(child.heap.items()):
        if isinstance(obj, Stream) and obj.process == IMPORTING:
            edited = child.edit(Stream, identity)
            edited.process = process.id
            edited.pending = tuple(_moved(w, process.id) for w in edited.pending)
            edited.trailer = edited.trailer and _moved(edited.trailer, process.id)
    process.absent.update(_absent(parent, child))


@contextmanager
def noting_truncations(m: Machine, parent: State, process: Process) -> Iterator[None]:
    """Note what further imports of a child destroy that its parent has written."""
    before, m.log.emptied = m.log.emptied, set()
    try:
        yield
    finally:
        emptied, m.log.emptied = m.log.emptied, before | m.log.emptied
    again = {output.write.node for output in m.log.outputs.get(process.id, ())}
    for output in parent.reached:
        if output.place in emptied and output.write.node not in again:
            m.log.truncations.append(Truncation(output, process.id))


def _moved(write: Write, process: int) -> Write:
    return replace(write, process=process) if write.process == IMPORTING else write


def _absent(parent: State, child: State) -> Iterator[tuple[tuple[int, Hashable], bool]]:
    """Yield what the parent has set in the module and its objects, and the child has not.

    Each with whether it leads to a file that is open for writing.
    """
    for identity in sorted(child.reach(map(Ref, child.modules.values()))):
        mine, other = child.heap.get(identity), parent.heap.get(identity)
        if mine is None or mine.__class__ is not other.__class__:
            continue
        here = _contents(mine)
        for name, value in _contents(other).items():
            is_hidden = isinstance(name, str) and name.startswith("%")
            if is_hidden or here.get(name, NONE) != NONE or value == NONE:
                continue
            leads = _leads_to_output(parent, value)
            if leads or (name not in here and not isinstance(mine, (Mapping, Sequence))):
                yield (identity, name), leads


def _contents(obj: Obj | None) -> dict[Hashable, Value]:
    """Return what an object holds, by the names, keys or indices that lead to it."""
    if isinstance(obj, Env):
        return dict(obj.variables.items())
    if isinstance(obj, (Class, Function, Instance)):
        return dict(obj.attributes.items())
    if isinstance(obj, Mapping):
        return obj.entries
    return dict(enumerate(obj.items)) if isinstance(obj, Sequence) else {}


def _leads_to_output(state: State, value: Value) -> bool:
    """Say whether a value is, or holds, a file that is open for writing."""
    reached = state.reach([value], through_classes=False) & state.streams
    return any(state.stream(i).writable and not state.stream(i).std for i in reached)


def lacks_name(m: Machine, state: State, node: cst.Name) -> bool:
    """Raise NameError where a child uses a name that only its parent has set."""
    process = m.log.processes[state.process]
    key = (state.frames[-1].module, node.value)
    if key not in process.absent or _is_bound(state, node.value):
        return False
    _fail(m, state, node, "NameError", ("unset", node, process.absent[key]))
    return True


def _is_bound(state: State, name: str) -> bool:
    identity: int | None = state.frames[-1].env
    while identity is not None:
        env = state.heap[identity]
        assert isinstance(env, Env)
        if name in env.variables and (env.scope.is_function or env.scope.parent is None):
            return True
        if name in env.variables and identity == state.frames[-1].env:
            return True
        identity = env.parent
    return False


def lacks_attribute(m: Machine, state: State, value: Value, node: cst.Attribute) -> bool:
    """Raise AttributeError where a child uses an attribute that only its parent has set.

    So does any attribute of what is None in the child, and a file in its parent.
    """
    process = m.log.processes[state.process]
    if not process.absent:
        return False
    if value == NONE:
        name = _last_word(node.value)
        leads = any(leads for key, leads in process.absent.items() if key[1] == name)
        kind: FailureKind = "none"
        if not leads:
            return False
    else:
        key = (value.id if isinstance(value, Ref) else 0, node.attr.value)
        if key not in process.absent or _has(state, value, key[1]):
            return False
        kind, leads = "unset", process.absent[key]
    place = node.value if kind == "none" else node
    _fail(m, state, node, "AttributeError", (kind, place, leads))
    return True


def lacks_item(m: Machine, state: State, value: Value, key: Value, node: cst.CSTNode) -> bool:
    """Raise LookupError where a child uses an item that only its parent has put in.

    In a container that is empty in the child every item is one.
    """
    absent = m.log.processes[state.process].absent
    obj = state.heap.get(value.id) if absent and isinstance(value, Ref) else None
    if not isinstance(value, Ref) or not isinstance(obj, (Mapping, Sequence)) or not obj.exact:
        return False
    contents = _contents(obj)
    if isinstance(key, Const):
        lacks = (value.id, key.value) in absent and key.value not in contents
    else:
        lacks = not contents and any(identity == value.id for identity, _ in absent)
    if lacks:
        error = "KeyError" if isinstance(obj, Mapping) else "IndexError"
        _fail(m, state, node, error, ("unset", node, True))
    return lacks


def _fail(
    m: Machine,
    state: State,
    node: cst.CSTNode,
    error: str,
    failure: tuple[FailureKind, cst.CSTNode, bool],
) -> None:
    """Raise an exception in a child, and remember what it is for the want of."""
    made = Instance(Ext(f"builtins.{error}"), {_LACKS: Const(failure)})
    m.leave(state, Signal("raise", m.new(state, node, made, "raised"), node))


def end_by_exception(m: Machine, state: State) -> None:
    """Note why a child ends by this exception, if it is for the want of what its parent has."""
    signal = state.signal
    value = NONE if signal is None or signal.value is None else signal.value
    for option in value.options if isinstance(value, Union) else (value,):
        raised = state.look(Instance, option)
        failure = None if raised is None else raised.attributes.get(_LACKS)
        if isinstance(failure, Const):
            kind, node, proven = cast("tuple[FailureKind, cst.CSTNode, bool]", failure.value)
            process = m.log.processes[state.process]
            m.log.failures.append(Failure(kind, node, process, proven))


def _has(state: State, value: Value, name: str) -> bool:
    assert isinstance(value, Ref)
    obj = state.heap[value.id]
    if name in _contents(obj):
        return True
    cls = obj.cls if isinstance(obj, Instance) else value
    return any(
        classes.class_attribute(state, cls, word) is not None for word in (name, "__getattr__")
    )


def _last_word(node: cst.BaseExpression) -> str:
    last = node.attr if isinstance(node, cst.Attribute) else node
    return last.value if isinstance(last, cst.Name) else ""
