"""What can't be sent to a spawned child: functions and classes that no import finds by name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import libcst as cst

from flushlint.knowledge.processes import PICKLED_BY_DILL, UNPICKLABLE_TYPES
from flushlint.machine import classes
from flushlint.machine.forking import fork
from flushlint.machine.log import Failure, FailureKind, Log, Process
from flushlint.machine.objects import (
    Class,
    Env,
    Function,
    Generator,
    Instance,
    Write,
)
from flushlint.machine.pickling import named, pickles_itself, sent_along

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.scope import Scope
    from flushlint.machine.state import State
    from flushlint.machine.values import Value

__all__ = ["unsendable", "would_write"]


def unsendable(
    m: Machine, state: State, process: Process, instance: Instance, bases: list[State]
) -> Failure | None:
    """Return why a process can't be sent: a function or class in it that has no global name.

    `bases` are the states after the import of the main module: what is defined under the main
    guard is missing in them.
    """
    if any(n.startswith(PICKLED_BY_DILL) for n in classes.external_bases(state, instance.cls)):
        return None
    for hand_over in process.hand_overs:
        kind = _nameless(m, state, bases, [hand_over.value])
        if kind is not None:
            return Failure(kind, hand_over.node, process)
    own: list[Value] = [instance.cls]
    if not pickles_itself(state, instance):
        own += [v for k, v in instance.attributes.items() if not k.startswith("%")]
    kind = _nameless(m, state, bases, own)
    return None if kind is None or process.start is None else Failure(kind, process.start, process)


def _nameless(
    m: Machine, state: State, bases: list[State], values: Iterable[Value]
) -> FailureKind | None:
    """Return why one of the values, or what is pickled with it, can't be found by its name."""
    for identity in (i for value in values for i in sent_along(state, value)):
        obj = state.heap[identity]
        if isinstance(obj, (Function, Class)):
            kind = _why_nameless(m, identity, obj, bases)
            if kind is not None:
                return kind
        elif isinstance(obj, Generator) or (
            isinstance(obj, Instance)
            and not UNPICKLABLE_TYPES.isdisjoint(classes.external_bases(state, obj.cls))
        ):
            return "unpicklable"
    return None


def _why_nameless(
    m: Machine, identity: int, obj: Function | Class, bases: list[State]
) -> FailureKind | None:
    if isinstance(obj.node, cst.Lambda):
        return "local target"
    scope = None if obj.node is None else m.scopes.get(obj.node)
    if scope is None or scope.parent is None:
        return None
    if scope.is_enclosed:
        held = not bases or any(identity in named(base) for base in bases)
        if _is_renamed(obj.node):  # the module may know it by the name of what it wraps
            return None if held else "local target"
        if obj.name in scope.parent.globals:
            return None if held else "guarded target"
        return "local target"
    if scope.parent.parent is not None or not bases:
        return None
    return None if any(_binds(base, scope.parent, obj.name) for base in bases) else "guarded target"


def _binds(state: State, module: Scope, name: str) -> bool:
    """Say whether a child can import a name from a module: one it has not yet imported it will."""
    envs = [env for i in state.modules.values() if isinstance(env := state.heap[i], Env)]
    found = [env for env in envs if env.scope is module]
    return not found or any(name in env.variables for env in found)


def _is_renamed(node: cst.CSTNode | None) -> bool:
    """Say whether a function goes by the name of the one that it wraps."""
    for decorator in node.decorators if isinstance(node, cst.FunctionDef) else ():
        function = decorator.decorator
        function = function.func if isinstance(function, cst.Call) else function
        last = function.attr if isinstance(function, cst.Attribute) else function
        if isinstance(last, cst.Name) and last.value == "wraps":
            return True
    return False


# -- what is lost for it -------------------------------------------------------------------------


@dataclass(slots=True)
class _Probe(Log):
    """Sees only that something is written."""

    written: list[Write] = field(default_factory=list)

    def emitted(self, _: State, writes: Iterable[Write]) -> None:
        """Note writes to files; the standard streams are none."""
        self.written += [write for write in writes if write.stream in self.streams]

    def wrote(self, state: State, node: cst.CSTNode) -> None:
        """Note a call that writes a whole file."""
        self.written.append(Write(node, state.process, 0))


def would_write(m: Machine, state: State, process: Process, run: Callable[[State], None]) -> bool:
    """Say whether a child would write to a file if it could be started: run it as a fork."""
    log = m.log
    m.log = probe = _Probe(
        processes=dict(log.processes), streams=dict(log.streams), arrivals=log.arrivals
    )
    try:
        run(fork(m, state.copy(), replace(process, method="fork"), process.start or m.module))
    finally:
        m.log = log
    lost = [loss.write for loss in probe.losses if not loss.std]
    return any(write.process != state.process for write in (*probe.written, *lost))
