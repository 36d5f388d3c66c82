"""Generators and coroutines: a frame that is put aside at a yield and taken up again there.

Taking up runs the body from its first statement with `Machine.resuming` set: blocks skip to
the statement that holds the yield, loops and context managers take their iterator or manager
from where the suspended frame keeps them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from flushlint.machine import calls, classes
from flushlint.machine.iteration import iterate
from flushlint.machine.names import get_hidden, put_hidden
from flushlint.machine.objects import Function, Generator, Instance, Sequence, Stream
from flushlint.machine.scope import children
from flushlint.machine.state import Frame, Signal, State
from flushlint.machine.values import NONE, Const, Ref, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine

__all__ = ["FAILED", "MOST_YIELDS", "await_value", "exhaust", "is_stop", "resume", "suspend"]

FAILED = "%failed"
"""The attribute of a future whose task could not be pickled: what the log says of it."""

MOST_YIELDS = 12


def is_stop(state: State) -> bool:
    """Say whether a state is leaving by StopIteration."""
    signal = state.signal
    if signal is None or signal.kind != "raise" or signal.value is None:
        return False
    instance = state.look(Instance, signal.value)
    names = [] if instance is None else classes.external_bases(state, instance.cls)
    return "builtins.StopIteration" in names or "builtins.StopAsyncIteration" in names


def suspend(m: Machine, node: cst.Yield, states: list[State]) -> list[State]:
    """Evaluate a yield: leave the frame here, or come back to it."""
    plan = m.resuming[-1] if m.resuming else None
    if plan is not None and node in plan.path:
        m.resuming[-1] = None
        if isinstance(node.value, cst.From) and plan.thrown is None:
            return _delegated(m, node, states)
        for state in states:
            if plan.thrown is not None:
                m.leave(state, plan.thrown)
            else:
                state.push(plan.sent)
        return [] if plan.thrown is not None else states
    if isinstance(node.value, cst.From):
        return _delegate(m, node, node.value, states)
    if node.value is not None:
        states = m.eval(node.value, states)
    else:
        states = [state.push(NONE) for state in states]
    for state in states:
        m.leave(state, Signal("yield", state.pop(), node))
    return []


def _delegate(m: Machine, node: cst.Yield, source: cst.From, states: list[State]) -> list[State]:
    """`yield from`: every yield of the inner iterable is one of this generator."""
    found: list[State] = []
    for state in m.chosen(m.eval(source.item, states)):
        put_hidden(state, node, state.pop())
        found += _delegated(m, node, [state])
    return found


def _delegated(m: Machine, node: cst.Yield, states: list[State]) -> list[State]:
    """Go on with the inner iterable; its result is pushed when it has come to its end."""
    found: list[State] = []
    for state in states:
        value = get_hidden(state, node) or NONE
        ended = [state.copy()]
        if isinstance(value, Ref) and state.look(Generator, value) is not None:
            yielded, ended = resume(m, state, value.id, node)
            for after in yielded:
                m.leave(after, Signal("yield", after.pop(), node))
            for after in ended:
                after.pop()
        else:
            m.leave(state, Signal("yield", iterate(m, state, value).any(m, state), node))
        for after in ended:
            get_hidden(after, node, remove=True)
            found.append(after.push(m.unknown()))
    return found


def _path(function: Function, target: cst.CSTNode) -> set[cst.CSTNode]:
    """Return the nodes from the function's body down to the yield."""
    stack: list[tuple[cst.CSTNode, tuple[cst.CSTNode, ...]]] = [(function.node.body, ())]
    while stack:
        node, above = stack.pop()
        here = (*above, node)
        if node is target:
            return set(here)
        stack.extend((child, here) for child in children(node))
    return set()


def resume(
    m: Machine,
    state: State,
    identity: int,
    node: cst.CSTNode,
    *,
    sent: Value = NONE,
    thrown: Signal | None = None,
) -> tuple[list[State], list[State]]:
    """Run a generator to its next yield.

    Returns the states in which it yielded and those in which it ended, each with the value
    on top of its operands. What it raises goes to `abrupt`.
    """
    from flushlint.machine.interpreter import Resumption

    generator = state.edit(Generator, identity)
    function = state.heap[generator.function]
    assert isinstance(function, Function)
    if generator.status == "done":
        return [], [state.push(NONE)]
    if generator.status == "new" and thrown is not None:
        generator.status = "done"
        m.leave(state, thrown)
        return [], []
    body = function.node
    assert isinstance(body, cst.FunctionDef)
    if sum(1 for frame in state.frames if frame.code is body) >= 2:
        generator.status = "done"  # a recursion is cut: what it yields is like the rest
        return [], [state.push(NONE)]
    m.executed.add(body)
    plan = None
    if generator.at is not None:
        plan = Resumption(_path(function, generator.at), sent, thrown)
    context = m.identity(("generator", identity))
    state.frames.append(
        Frame(
            generator.env,
            function.module,
            context,
            len(state.stack),
            generator.function,
            body,
            None if m.log.trace is None else m.log.trace.current,
        )
    )
    m.resuming.append(plan)
    try:
        normal, abrupt = m.captured(lambda states: m.suite(body.body, states), [state])
    finally:
        m.resuming.pop()
    return _sort_out(m, identity, normal, abrupt)


def _sort_out(
    m: Machine, identity: int, normal: list[State], abrupt: list[State]
) -> tuple[list[State], list[State]]:
    """Pop the generator's frame and tell where it stands now."""
    yielded: list[State] = []
    ended: list[State] = []
    for state in normal:
        m.drop_frame(state)
        state.edit(Generator, identity).status = "done"
        ended.append(state.push(NONE))
    for state in abrupt:
        signal = state.signal
        assert signal is not None
        generator = state.edit(Generator, identity)
        if signal.kind == "yield":
            m.drop_frame(state)
            generator.status, generator.at = "suspended", signal.node
            state.signal = None
            yielded.append(state.push(signal.value or NONE))
        elif signal.kind == "return":
            m.drop_frame(state)
            generator.status = "done"
            state.signal = None
            ended.append(state.push(signal.value or NONE))
        else:
            generator.status = "done"
            calls.unwind(m, state)
    return m.join(yielded), m.join(ended)


def exhaust(m: Machine, state: State, identity: int, node: cst.CSTNode) -> list[State]:
    """Run a generator to its end; the list of what it yielded is left on the operands."""
    collected = m.new(state, node, Sequence("list", []), "exhausted")
    state.push(collected)
    state.push(Ref(identity))
    going = [state]
    done: list[State] = []
    for _ in range(MOST_YIELDS):
        again: list[State] = []
        for current in going:
            yielded, ended = resume(m, current, identity, node)
            for after in yielded:
                value = after.pop()
                sequence = after.edit(Sequence, collected.id)
                if sequence.exact or value not in sequence.items:
                    sequence.items.append(value)
                again.append(after)
            for after in ended:
                after.pop()
                after.pop()
                done.append(after)
        going = m.join(again)
        if not going:
            break
    for current in going:
        current.pop()
        current.edit(Sequence, collected.id).exact = False
    return m.join(done or going)


def await_value(m: Machine, state: State, value: Value, node: cst.CSTNode) -> list[State]:
    """Await: a coroutine runs here and now; of anything else the result is unknown."""
    if state.look(Stream, value) is not None:
        return [state.push(value)]  # what a call has made that is to be awaited: `aiofiles`
    generator = state.look(Generator, value)
    if generator is not None and isinstance(value, Ref):
        state.push(value)
        _, ended = resume(m, state, value.id, node)
        for after in ended:
            result = after.pop()
            after.pop()
            after.push(result)
        return ended
    instance = state.look(Instance, value)
    failed = None if instance is None else instance.attributes.get(FAILED)
    if isinstance(failed, Const):
        assert isinstance(failed.value, tuple)
        calls.stop(m, state, node, "TypeError", failed.value)
        return []
    if instance is not None and "%result" in instance.attributes:
        is_raised = state.facts.get(("cancelled", value))
        if is_raised is not None and ("cancel", value) not in state.facts:
            return []  # nobody cancels it, so it does not end there
        if is_raised:
            calls.stop(m, state, node, "asyncio.CancelledError")
            return []
        return [state.push(instance.attributes["%result"])]
    return calls.unknown_call(m, state, calls.Arguments(node, []), receiver=value)
