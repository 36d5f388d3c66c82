"""Exceptions: `try` statements and which handler catches what."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Literal

import libcst as cst

from flushlint.machine import classes, names
from flushlint.machine.calls import BECAUSE
from flushlint.machine.interpreter import Machine, statement
from flushlint.machine.objects import Instance, Sequence
from flushlint.machine.state import DOUBTFUL, EXCEPTED
from flushlint.machine.values import NONE, Const, Ext, Ref, Union, Unknown, Value

if TYPE_CHECKING:
    from flushlint.machine.state import Signal, State

__all__ = ["catches", "trim"]

Answer = Literal["yes", "no", "maybe"]

_UNSEEN = ("KeyboardInterrupt", "SystemExit", "GeneratorExit", "BaseExceptionGroup")


class _CancelledError(BaseException):
    """Stands for that of `asyncio`, which is no Exception and costs much to import."""


def _builtin_class(name: str) -> type[BaseException] | None:
    if name == "asyncio.CancelledError":
        return _CancelledError
    module, _, last = name.rpartition(".")
    found = getattr(builtins, last, None) if module == "builtins" else None
    if isinstance(found, type) and issubclass(found, BaseException):
        return found
    return None


def catches(state: State, handler: Value | None, signal: Signal) -> Answer:
    """Say whether an `except` clause with this type catches what is being raised."""
    if handler is None:
        return "yes"
    sequence = state.look(Sequence, handler)
    if sequence is not None:
        answers = [catches(state, item, signal) for item in sequence.items]
        if "yes" in answers:
            return "yes"
        return "maybe" if "maybe" in answers else "no"
    if isinstance(signal.value, Union):
        options = {catches(state, handler, signal._replace(value=v)) for v in signal.value.options}
        return options.pop() if len(options) == 1 else "maybe"
    raised = _raised_classes(state, signal.value)
    if raised is None:
        return _catches_anything(handler)
    return _catches_class(state, handler, raised, implicit=signal.implicit)


def _catches_anything(handler: Value) -> Answer:
    """An exception of which nothing is known: some exception, but no request to exit."""
    if isinstance(handler, Ext):
        found = _builtin_class(handler.name)
        if found is Exception or found is BaseException:
            return "yes"
        if found is not None and found.__name__ in _UNSEEN:
            return "no"
    return "maybe"


def _raised_classes(state: State, value: Value | None) -> list[Value] | None:
    if value is None:
        return None
    if isinstance(value, Ext):
        return [value]
    instance = state.look(Instance, value)
    return None if instance is None else classes.lineage(state, instance.cls)


def _catches_class(state: State, handler: Value, raised: list[Value], *, implicit: bool) -> Answer:
    if handler in raised:
        return "yes"
    wanted = _builtin_class(handler.name) if isinstance(handler, Ext) else None
    if wanted is None:
        # A class of the program that is not among the bases, or a library's.
        unknown = isinstance(handler, Unknown) or any(isinstance(r, Unknown) for r in raised)
        foreign = isinstance(handler, Ext) and any(
            isinstance(r, Ext) and _builtin_class(r.name) is None for r in raised
        )
        return "maybe" if unknown or foreign else "no"
    answer: Answer = "no"
    for cls in raised:
        if isinstance(cls, Unknown):
            answer = "maybe"
        if not isinstance(cls, Ext):
            continue
        found = _builtin_class(cls.name)
        if found is None:
            # A library's exception is an Exception, whatever else it is.
            if wanted in (Exception, BaseException):
                return "yes"
            if wanted.__name__ not in _UNSEEN:
                answer = "maybe"
        elif issubclass(found, wanted):
            return "yes"
        elif implicit and issubclass(wanted, found):
            answer = "maybe"
    return answer


def trim(state: State) -> None:
    """Drop the operands of the expression that was interrupted."""
    frame = state.frames[-1]
    del state.stack[frame.base :]


@statement(cst.Try, cst.TryStar)
def _try(m: Machine, node: cst.Try | cst.TryStar, states: list[State]) -> list[State]:
    normal, abrupt = m.captured(lambda inside: _protected(m, node, inside), states)
    if node.finalbody is None:
        m.abrupt.extend(abrupt)
        return normal
    if m.resumes_in(node.finalbody):
        return m.suite(node.finalbody.body, states)
    normal = m.suite(node.finalbody.body, normal)
    for state in m.join(abrupt):
        _finally(m, node.finalbody, state)
    return normal


def _finally(m: Machine, node: cst.Finally, state: State) -> None:
    """Run a `finally` for a state that is leaving; then it goes on leaving."""
    signal = state.signal
    assert signal is not None
    if signal.kind == "yield":
        m.abrupt.append(state)
        return
    state.signal = None
    trim(state)
    # What is being returned or raised is held meanwhile.
    state.handling = (*state.handling, signal)
    for after in m.suite(node.body, [state]):
        after.handling = after.handling[:-1]
        after.signal = signal
        m.abrupt.append(after)


def _protected(m: Machine, node: cst.Try | cst.TryStar, states: list[State]) -> list[State]:
    """Run body, handlers and `else`: all that a `finally` protects."""
    for handler in node.handlers:
        if m.resumes_in(handler):
            return m.suite(handler.body, states)
    if node.orelse is not None and m.resumes_in(node.orelse):
        return m.suite(node.orelse.body, states)
    m.handlers += bool(node.handlers)
    try:
        normal, abrupt = m.captured(lambda inside: m.suite(node.body, inside), states)
    finally:
        m.handlers -= bool(node.handlers)
    if node.orelse is not None:
        normal = m.suite(node.orelse.body, normal)
    raised: list[State] = []
    for state in abrupt:
        signal = state.signal
        (raised if signal is not None and signal.kind == "raise" else m.abrupt).append(state)
    for state in raised:
        trim(state)
    return normal + _handle(m, node, m.join(raised))


def _handle(m: Machine, node: cst.Try | cst.TryStar, raised: list[State]) -> list[State]:
    done: list[State] = []
    for handler in node.handlers:
        left: list[State] = []
        for state in raised:
            signal = state.signal
            for after, answer in _ask(m, handler, state):
                if answer == "no":
                    left.append(after)
                    continue
                if answer == "maybe":
                    passed = after.copy()
                    if signal is not None and signal.implicit:
                        passed.facts[DOUBTFUL] = True
                    left.append(passed)
                done += _enter_handler(m, handler, after)
        raised = left
    m.abrupt.extend(raised)
    return done


def _ask(
    m: Machine, handler: cst.ExceptHandler | cst.ExceptStarHandler, state: State
) -> list[tuple[State, Answer]]:
    signal = state.signal
    assert signal is not None
    if handler.type is None:
        return [(state, "yes")]
    state.signal = None
    state.handling = (*state.handling, signal)
    found: list[tuple[State, Answer]] = []
    for after in m.chosen(m.eval(handler.type, [state])):
        wanted = after.pop()
        after.handling = after.handling[:-1]
        after.signal = signal
        answer = catches(after, wanted, signal)
        if answer == "yes" and _is_specific(after, wanted):
            _excuse(m, after, signal)
        found.append((after, answer))
    return found


def _is_specific(state: State, wanted: Value) -> bool:
    """Say whether a handler names what it catches, rather than any exception."""
    sequence = state.look(Sequence, wanted)
    options = [wanted] if sequence is None else sequence.items
    return not any(o in (Ext("builtins.Exception"), Ext("builtins.BaseException")) for o in options)


def _excuse(m: Machine, state: State, signal: Signal) -> None:
    """The program expects this exception: what the log says of it is no finding."""
    raised = None if signal.value is None else state.look(Instance, signal.value)
    because = None if raised is None else raised.attributes.get(BECAUSE)
    if isinstance(because, Const):
        m.log.excuse(because.value)  # type: ignore[arg-type]  # `stop` has set it


def _enter_handler(
    m: Machine, handler: cst.ExceptHandler | cst.ExceptStarHandler, state: State
) -> list[State]:
    """Run a handler's body. Its name is unbound at its end, however it ends."""
    signal = state.signal
    assert signal is not None
    state.signal = None
    if m.kills and signal.implicit:
        state.facts[EXCEPTED] = True
    depth = len(state.handling)
    state.handling = (*state.handling, signal)
    name = handler.name.name if handler.name is not None else None
    bound = name.value if isinstance(name, cst.Name) else None
    instance = None if signal.value is None else state.look(Instance, signal.value)
    if instance is not None and isinstance(signal.value, Ref):
        # The traceback holds this frame too: an exception that is kept makes a cycle.
        frame = state.frames[-1].env
        state.edit(Instance, signal.value.id).attributes[f"%frame{frame}"] = Ref(frame)
    if bound is not None:
        names.store(m, state, bound, signal.value or m.unknown())
    normal, abrupt = m.captured(lambda inside: m.suite(handler.body, inside), [state])
    for after in (*normal, *abrupt):
        after.handling = after.handling[:depth]
        after.drop(signal.value or NONE)
        yielding = after.signal is not None and after.signal.kind == "yield"
        if bound is not None and not yielding:
            names.delete(after, bound)
    m.abrupt.extend(abrupt)
    return normal
