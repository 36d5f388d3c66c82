"""Functions that start a process themselves: the user's own, and those of other packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine.calls import METHODS, Arguments
from flushlint.machine.log import HandOver
from flushlint.machine.objects import Instance, Mapping, Sequence
from flushlint.machine.processes import start
from flushlint.machine.values import Const, Ext, Value

if TYPE_CHECKING:
    from collections.abc import Hashable

    import libcst as cst

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["spawn", "start_process"]

_PROCESS = "multiprocessing.context.ForkProcess"
_INIT = METHODS["multiprocessing.Process", "__init__"]


def spawn(
    m: Machine, state: State, target: Value, node: cst.CSTNode, given: Arguments
) -> list[State]:
    """Start a child that calls `target`, an expression `node`, as `Process(...).start()` does.

    It is given `args` and `kwargs`, or what else the call has.
    """
    args, kwargs = given.keywords.get("args"), given.keywords.get("kwargs")
    spread = args is None and kwargs is None
    if spread:
        exact = not given.open
        items = [*given.positional, *given.rest]
        args = m.new(state, given.node, Sequence("tuple", items, exact=exact), "args")
        entries: dict[Hashable, Value] = {}
        entries.update(given.keywords)
        kwargs = m.new(state, given.node, Mapping(entries, exact=exact), "kwargs")
    keywords = {"target": target, "args": args, "kwargs": kwargs}
    passed = Arguments(given.node, [], {k: v for k, v in keywords.items() if v is not None})
    hand_overs = _hand_overs(target, node, given) if spread else None
    return start_process(m, state, _PROCESS, passed, hand_overs)


def start_process(
    m: Machine,
    state: State,
    kind: str,
    given: Arguments,
    hand_overs: tuple[HandOver, ...] | None,
) -> list[State]:
    """Start a process of this type, made of these arguments, as a call of another name does.

    `hand_overs` are the expressions in that call, if they are not those of the arguments.
    """
    made = m.new(state, given.node, Instance(Ext(kind), {}, given.node), "process")
    found: list[State] = []
    for after in _INIT(m, state.push(made), made, given):
        after.pop()
        if hand_overs is not None:
            after.edit(Instance, made.id).attributes["%hand-overs"] = Const(hand_overs)
        for done in start(m, after, made, Arguments(given.node, [])):
            done.pop()
            done.pop()
            found.append(done.push(m.unknown()))
    return found


def _hand_overs(target: Value, node: cst.CSTNode, given: Arguments) -> tuple[HandOver, ...]:
    """Return where each value is handed over: at its own expression."""
    nodes = {a.keyword.value: a.value for a in getattr(given.node, "args", ()) if a.keyword}
    return (
        HandOver(node, target, own=False),
        *(HandOver(n, v, own=True) for n, v in zip(given.nodes, given.positional, strict=False)),
        *(HandOver(nodes.get(k, given.node), v, own=True) for k, v in given.keywords.items()),
    )
