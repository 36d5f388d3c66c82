"""Context managers: what entering and leaving them does, normally and by an exception."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from flushlint.machine import calls, classes, generators, names, typed_streams
from flushlint.machine.exceptions import catches, trim
from flushlint.machine.interpreter import Machine, statement
from flushlint.machine.objects import Generator, Instance, Mapping, Sequence, Stream
from flushlint.machine.state import DOUBTFUL, Signal, State
from flushlint.machine.streams import close
from flushlint.machine.values import NONE, Const, Ext, Ref, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Hashable
    from collections.abc import Sequence as Seq

__all__ = ["MANAGER", "enter", "leave", "leave_abruptly"]

MANAGER = "contextlib.manager"
"""The type of what a function that `@contextmanager` decorates returns."""


@statement(cst.With)
def _with(m: Machine, node: cst.With, states: list[State]) -> list[State]:
    return _items(m, node, node.items, states)


def _items(
    m: Machine, node: cst.With, items: Seq[cst.WithItem], states: list[State]
) -> list[State]:
    """Enter the first item, run the rest inside it, leave it."""
    if not items:
        return m.suite(node.body, states)
    item = items[0]
    inside: list[State] = states
    if not m.resumes_in(node.body):
        inside = []
        for state in m.chosen(m.eval(item.item, states)):
            inside += _enter_item(m, state, item)
    normal, abrupt = m.captured(lambda s: _items(m, node, items[1:], s), inside)
    done: list[State] = []
    for state in normal:
        done += _leave_item(m, state, item)
    for state in m.join(abrupt):
        done += _leave_abruptly(m, state, item)
    return m.join(done)


def _enter_item(m: Machine, state: State, item: cst.WithItem) -> list[State]:
    from flushlint.machine.assignment import assign

    manager = state.pop()
    names.put_hidden(state, item, manager)
    found: list[State] = []
    for after in enter(m, state, manager, item):
        if item.asname is None:
            after.pop()
            found.append(after)
            continue
        for done in assign(m, after, item.asname.name, after.stack[-1]):
            done.pop()
            found.append(done)
    return found


def _leave_item(m: Machine, state: State, item: cst.WithItem) -> list[State]:
    manager = names.get_hidden(state, item)
    if manager is None:
        return [state]
    found = leave(m, state, manager, item)
    for after in found:
        after.pop()
        names.get_hidden(after, item, remove=True)
    return found


def _leave_abruptly(m: Machine, state: State, item: cst.WithItem) -> list[State]:
    """Leave by a signal, which goes on afterwards unless the manager swallows it."""
    signal = state.signal
    assert signal is not None
    if signal.kind == "yield":
        m.abrupt.append(state)
        return []
    manager = names.get_hidden(state, item)
    if manager is None:
        trim(state)
        m.abrupt.append(state)
        return []
    swallowed, going = leave_abruptly(m, state, manager, item)
    for after in (*swallowed, *going):
        names.get_hidden(after, item, remove=True)
    m.abrupt += going
    return swallowed


def leave_abruptly(
    m: Machine, state: State, manager: Value, node: cst.CSTNode
) -> tuple[list[State], list[State]]:
    """Leave by the signal of a state; return where it is swallowed, and where it goes on."""
    signal = state.signal
    assert signal is not None
    trim(state)
    state.push(manager)  # held until it is left
    state.signal = None
    state.handling = (*state.handling, signal)
    swallowed: list[State] = []
    going: list[State] = []
    for after in leave(m, state, manager, node, signal):
        after.handling = after.handling[:-1]
        answer = after.pop()
        after.pop()
        after.push(answer)
        if signal.kind != "raise":
            after.pop()
            going.append(after)
            continue
        true, false = m.split([after])
        swallowed += true
        for one in false:
            if true and signal.implicit:
                one.facts[DOUBTFUL] = True
        going += false
    for after in going:
        after.signal = signal
    return swallowed, going


# -- the protocol -----------------------------------------------------------------------------


def enter(m: Machine, state: State, manager: Value, node: cst.CSTNode) -> list[State]:
    """Call `__enter__`; its result is left on the operands."""
    instance = state.look(Instance, manager)
    if state.look(Stream, manager) is not None:
        return [state.push(manager)]
    if instance is not None:
        for name in ("__enter__", "__aenter__"):
            own = classes.class_attribute(state, instance.cls, name)
            if own is not None:
                return _run(m, state, own, calls.Arguments(node, [manager]), name)
        handler = calls.library_method(classes.external_bases(state, instance.cls), "__enter__")
        if handler is not None:
            return handler(m, state, manager, calls.Arguments(node, []))
        if isinstance(instance.cls, Ext) or classes.external_bases(state, instance.cls):
            return [state.push(manager)]
    return calls.unknown_call(m, state, calls.Arguments(node, []), receiver=manager, name="acquire")


def leave(
    m: Machine, state: State, manager: Value, node: cst.CSTNode, signal: Signal | None = None
) -> list[State]:
    """Call `__exit__`; whether it swallows an exception is left on the operands."""
    instance = state.look(Instance, manager)
    if isinstance(manager, Ref) and state.look(Stream, manager) is not None:
        if not typed_streams.leave(m, state, manager.id, signal):
            close(m.log, state, manager.id)
        return [state.push(NONE)]
    if instance is not None:
        for name in ("__exit__", "__aexit__"):
            own = classes.class_attribute(state, instance.cls, name)
            if own is not None:
                arguments = calls.Arguments(node, [manager, *_details(m, state, signal)])
                return _run(m, state, own, arguments, name)
        handler = calls.library_method(classes.external_bases(state, instance.cls), "__exit__")
        if handler is not None:
            return handler(m, state, manager, calls.Arguments(node, [_raised(state, signal)]))
        if isinstance(instance.cls, Ext) or classes.external_bases(state, instance.cls):
            return [state.push(NONE)]
    found = calls.unknown_call(
        m, state, calls.Arguments(node, []), receiver=manager, name="release"
    )
    for after in found:
        after.pop()
        after.push(NONE)
    return found


def _details(m: Machine, state: State, signal: Signal | None) -> list[Value]:
    """Return what `__exit__` is told: three times None, or the class, the exception, a trace."""
    if signal is None or signal.kind != "raise":
        return [NONE, NONE, NONE]
    trace = m.unknown()
    value = signal.value or m.unknown()
    instance = state.look(Instance, value)
    kind = m.unknown() if instance is None else instance.cls
    for unknown in (trace, value, kind):
        if isinstance(unknown, Unknown):
            state.facts[unknown.key] = True
    return [kind, value, trace]


def _raised(state: State, signal: Signal | None) -> Value:
    return Const(signal if signal is not None and signal.kind == "raise" else None)


def _run(
    m: Machine, state: State, function: Value, arguments: calls.Arguments, name: str
) -> list[State]:
    """Call a method of the protocol; an asynchronous one is awaited at once."""
    found: list[State] = []
    for after in calls.call(m, state, function, arguments):
        if name.startswith("__a"):
            found += generators.await_value(m, after, after.pop(), arguments.node)
        else:
            found.append(after)
    return found


# -- managers of the library --------------------------------------------------------------------


def _generator(state: State, manager: Value) -> int | None:
    instance = state.look(Instance, manager)
    value = None if instance is None else instance.attributes.get("generator")
    return value.id if isinstance(value, Ref) else None


@calls.method("contextlib.contextmanager", "__call__")
def _make_manager(
    m: Machine, state: State, receiver: Value, arguments: calls.Arguments
) -> list[State]:
    """Call a function that `@contextmanager` decorates: a manager around its generator."""
    instance = state.look(Instance, receiver)
    assert instance is not None
    found: list[State] = []
    function = instance.attributes["function"]
    for after in calls.call(m, state, function, arguments):
        given = Sequence("tuple", list(arguments.positional))
        named: dict[Hashable, Value] = dict(arguments.keywords.items())
        kept: dict[str, Value] = {
            "generator": after.pop(),
            "%function": receiver,
            "%args": m.new(after, arguments.node, given, "arguments"),
            "%kwargs": m.new(after, arguments.node, Mapping(named), "keywords"),
        }
        made = Instance(Ext(MANAGER), kept, arguments.node)
        found.append(after.push(m.new(after, arguments.node, made, "manager")))
    return found


@calls.method(MANAGER, "__enter__")
def _enter_generator(
    m: Machine, state: State, receiver: Value, arguments: calls.Arguments
) -> list[State]:
    identity = _generator(state, receiver)
    if identity is None or not isinstance(state.heap.get(identity), Generator):
        return [state.push(m.unknown())]
    yielded, ended = generators.resume(m, state, identity, arguments.node)
    return yielded + ended


@calls.method(MANAGER, "__exit__")
def _leave_generator(
    m: Machine, state: State, receiver: Value, arguments: calls.Arguments
) -> list[State]:
    """Resume the generator: it goes on after its yield, or the exception is raised there."""
    identity = _generator(state, receiver)
    if identity is None or not isinstance(state.heap.get(identity), Generator):
        return [state.push(NONE)]
    constant = arguments.positional[0]
    thrown = constant.value if isinstance(constant, Const) else None
    if not isinstance(thrown, Signal):
        yielded, ended = generators.resume(m, state, identity, arguments.node)
        for after in (*yielded, *ended):
            after.pop()
            after.push(NONE)
        return yielded + ended

    def throw(states: list[State]) -> list[State]:
        yielded, ended = generators.resume(m, states[0], identity, arguments.node, thrown=thrown)
        return yielded + ended

    normal, abrupt = m.captured(throw, [state])
    for after in normal:  # it ended without raising again: the exception is swallowed
        after.pop()
        after.push(Const(value=True))
    for after in abrupt:
        if after.signal is not None and after.signal.value == thrown.value:
            after.signal = None
            normal.append(after.push(NONE))
        else:
            m.abrupt.append(after)
    return normal


@calls.method("contextlib.closing", "__init__")
def _make_closing(
    m: Machine, state: State, receiver: Value, arguments: calls.Arguments
) -> list[State]:
    assert isinstance(receiver, Ref)
    value = arguments.get(0, "thing") or NONE
    state.edit(Instance, receiver.id).attributes["thing"] = value
    return [state.push(NONE)]


@calls.method("contextlib.closing", "__enter__")
def _enter_closing(
    m: Machine, state: State, receiver: Value, arguments: calls.Arguments
) -> list[State]:
    instance = state.look(Instance, receiver)
    assert instance is not None
    return [state.push(instance.attributes.get("thing", NONE))]


@calls.method("contextlib.closing", "__exit__")
def _leave_closing(
    m: Machine, state: State, receiver: Value, arguments: calls.Arguments
) -> list[State]:
    from flushlint.machine.attributes import get

    instance = state.look(Instance, receiver)
    assert instance is not None
    thing = instance.attributes.get("thing", NONE)
    found: list[State] = []
    for after in get(m, state, thing, "close", arguments.node):
        function = after.pop()
        for done in calls.call(m, after, function, calls.Arguments(arguments.node, [])):
            done.pop()
            found.append(done.push(NONE))
    return found


@calls.method("contextlib.nullcontext", "__init__")
def _make_null(
    m: Machine, state: State, receiver: Value, arguments: calls.Arguments
) -> list[State]:
    assert isinstance(receiver, Ref)
    value = arguments.get(0, "enter_result") or NONE
    state.edit(Instance, receiver.id).attributes["thing"] = value
    return [state.push(NONE)]


calls.METHODS["contextlib.nullcontext", "__enter__"] = _enter_closing


@calls.method("contextlib.nullcontext", "__exit__")
def _leave_null(
    m: Machine, state: State, receiver: Value, arguments: calls.Arguments
) -> list[State]:
    return [state.push(NONE)]


@calls.method("contextlib.suppress", "__init__")
def _make_suppress(
    m: Machine, state: State, receiver: Value, arguments: calls.Arguments
) -> list[State]:
    assert isinstance(receiver, Ref)
    kinds = m.new(state, arguments.node, Sequence("tuple", list(arguments.positional)), "kinds")
    state.edit(Instance, receiver.id).attributes["kinds"] = kinds
    return [state.push(NONE)]


@calls.method("contextlib.suppress", "__enter__")
def _enter_suppress(
    m: Machine, state: State, receiver: Value, arguments: calls.Arguments
) -> list[State]:
    return [state.push(NONE)]


@calls.method("contextlib.suppress", "__exit__")
def _leave_suppress(
    m: Machine, state: State, receiver: Value, arguments: calls.Arguments
) -> list[State]:
    instance = state.look(Instance, receiver)
    assert instance is not None
    constant = arguments.positional[0]
    signal = constant.value if isinstance(constant, Const) else None
    if not isinstance(signal, Signal):
        return [state.push(NONE)]
    answer = catches(state, instance.attributes.get("kinds"), signal)
    if answer == "maybe":
        other = state.copy()
        if signal.implicit:
            other.facts[DOUBTFUL] = True
        return [state.push(Const(value=True)), other.push(Const(value=False))]
    return [state.push(Const(answer == "yes"))]


def _redirect(name: str) -> None:
    """`redirect_stdout` and `redirect_stderr` rebind the stream while they last."""
    kind, full = f"contextlib.redirect_{name}", f"sys.{name}"

    @calls.method(kind, "__init__")
    def make(m: Machine, state: State, receiver: Value, arguments: calls.Arguments) -> list[State]:
        assert isinstance(receiver, Ref)
        value = arguments.get(0, "new_target") or NONE
        state.edit(Instance, receiver.id).attributes["target"] = value
        return [state.push(NONE)]

    @calls.method(kind, "__enter__")
    def begin(m: Machine, state: State, receiver: Value, arguments: calls.Arguments) -> list[State]:
        assert isinstance(receiver, Ref)
        attributes = state.edit(Instance, receiver.id).attributes
        attributes["before"] = state.externals.get(full, NONE)
        state.externals[full] = attributes["target"]
        return [state.push(attributes["target"])]

    @calls.method(kind, "__exit__")
    def end(m: Machine, state: State, receiver: Value, arguments: calls.Arguments) -> list[State]:
        instance = state.look(Instance, receiver)
        assert instance is not None
        state.externals[full] = instance.attributes.get("before", NONE)
        state.dirty = True
        return [state.push(NONE)]


_redirect("stdout")
_redirect("stderr")


# -- ExitStack ------------------------------------------------------------------------------------

_STACK = "contextlib.ExitStack"


@calls.method(_STACK, "__init__")
def _make_stack(
    m: Machine, state: State, receiver: Value, arguments: calls.Arguments
) -> list[State]:
    assert isinstance(receiver, Ref)
    entries = m.new(state, None, Sequence("list", []), f"exits{receiver.id}")
    state.edit(Instance, receiver.id).attributes["entries"] = entries
    return [state.push(NONE)]


def _entries(state: State, receiver: Value) -> Ref | None:
    instance = state.look(Instance, receiver)
    value = None if instance is None else instance.attributes.get("entries")
    return value if isinstance(value, Ref) else None


def _push_exit(m: Machine, state: State, receiver: Value, kind: str, values: list[Value],
               node: cst.CSTNode) -> None:  # fmt: skip
    from flushlint.machine.containers import append

    entries = _entries(state, receiver)
    if entries is None:
        return
    item = Sequence("tuple", [Const(kind), *values])
    append(state, entries.id, m.new(state, node, item, f"exit-{kind}"))


@calls.method(_STACK, "enter_context", "enter_async_context")
def _enter_context(
    m: Machine, state: State, receiver: Value, arguments: calls.Arguments
) -> list[State]:
    manager = arguments.get(0, "cm") or NONE
    _push_exit(m, state, receiver, "manager", [manager], arguments.node)
    found: list[State] = []
    for after, option in m.choose(state, manager):
        found += enter(m, after, option, arguments.node)
    return found


@calls.method(_STACK, "push", "push_async_exit")
def _push(m: Machine, state: State, receiver: Value, arguments: calls.Arguments) -> list[State]:
    manager = arguments.get(0, "exit") or NONE
    kind = "callback" if state.look(Instance, manager) is None else "manager"
    kind = "manager" if state.look(Stream, manager) is not None else kind
    _push_exit(m, state, receiver, kind, [manager], arguments.node)
    return [state.push(manager)]


@calls.method(_STACK, "callback", "push_async_callback")
def _callback(m: Machine, state: State, receiver: Value, arguments: calls.Arguments) -> list[State]:
    function = arguments.get(0, "callback") or NONE
    values = [function, *arguments.positional[1:]]
    _push_exit(m, state, receiver, "callback", values, arguments.node)
    return [state.push(function)]


@calls.method(_STACK, "pop_all")
def _pop_all(m: Machine, state: State, receiver: Value, arguments: calls.Arguments) -> list[State]:
    entries = _entries(state, receiver)
    assert isinstance(receiver, Ref)
    other = Instance(Ext(_STACK), {"entries": entries or NONE}, arguments.node)
    made = m.new(state, arguments.node, other, "stack")
    fresh = m.new(state, arguments.node, Sequence("list", []), "exits")
    state.edit(Instance, receiver.id).attributes["entries"] = fresh
    return [state.push(made)]


@calls.method(_STACK, "__enter__")
def _enter_stack(
    m: Machine, state: State, receiver: Value, arguments: calls.Arguments
) -> list[State]:
    return [state.push(receiver)]


@calls.method(_STACK, "__exit__", "close", "aclose")
def _leave_stack(
    m: Machine, state: State, receiver: Value, arguments: calls.Arguments
) -> list[State]:
    """Run what was pushed, last first."""
    entries = _entries(state, receiver)
    sequence = None if entries is None else state.look(Sequence, entries)
    states = [state]
    if sequence is not None and entries is not None:
        items = list(reversed(sequence.items))
        for item in items:
            states = [after for s in states for after in _run_exit(m, s, item, arguments)]
        for after in states:
            after.edit(Sequence, entries.id).items.clear()
    return [after.push(NONE) for after in states]


def _run_exit(m: Machine, state: State, item: Value, arguments: calls.Arguments) -> list[State]:
    entry = state.look(Sequence, item)
    if entry is None:
        return [state]
    kind, subject, rest = entry.items[0], entry.items[1], entry.items[2:]
    found: list[State] = []
    for branch, option in m.choose(state, subject):
        if kind == Const("manager"):
            found += leave(m, branch, option, arguments.node)
        else:
            found += calls.call(m, branch, option, calls.Arguments(arguments.node, list(rest)))
    for after in found:
        after.pop()
    return found


calls.derive("contextlib.AsyncExitStack", _STACK)
