"""Handlers of `logging`: the program's own run; `MemoryHandler` holds records back.

The library's other handlers flush each record, so they leave nothing pending, unless a class
of the program's own overrides their `flush`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.knowledge.stream_types import LIBRARY_TYPES
from flushlint.machine import calls, classes, streams
from flushlint.machine.calls import Arguments, method
from flushlint.machine.library.openers import empties, open_file
from flushlint.machine.library.stream_methods import empty, send
from flushlint.machine.library.threads import apart, attribute, keep
from flushlint.machine.objects import Instance, Stream
from flushlint.machine.values import FALSE, NONE, Const, Ext, Ref, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["FILTERED", "LEAST", "LEVELS", "emit", "is_below", "number", "put_filter"]

LEAST = "%least"
"""The attribute of a logger or handler that holds its level."""
FILTERED = "%filtered"
"""The attribute of a logger or handler that has filters: which records pass, nobody knows."""
LEVELS = {
    "NOTSET": 0, "DEBUG": 10, "INFO": 20, "WARN": 30, "WARNING": 30, "ERROR": 40, "EXCEPTION": 40,
    "CRITICAL": 50, "FATAL": 50,
}  # fmt: skip
_HANDLER = "logging.Handler"
_MEMORY = "logging.handlers.MemoryHandler"


def number(level: Value | None) -> int | None:
    """Return the number of a level, which may be given by its name; None if it is not known."""
    known = level.value if isinstance(level, Const) else None
    if isinstance(known, str):
        return LEVELS.get(known.upper())
    return known if isinstance(known, int) else None


def is_below(least: Value | None, level: int | None) -> bool:
    """Say whether a record of a level is known to be of too low a one."""
    bound = number(least)
    return bound is not None and level is not None and level < bound


def emit(
    m: Machine, state: State, handler: Value, level: int | None, arguments: Arguments
) -> list[State]:
    """Let a handler have a record of a level, None if that is not known."""
    instance = state.look(Instance, handler)
    if instance is None or is_below(instance.attributes.get(LEAST), level):
        return [state]
    if FILTERED in instance.attributes:
        return [state]
    own = classes.class_attribute(state, instance.cls, "emit")
    if own is not None:
        found = calls.call(m, state, own, Arguments(arguments.node, [handler, m.unknown()]))
        for after in found:
            after.pop()
        return found
    if "%records" in instance.attributes:
        _hold_back(m, state, handler, instance, level, arguments)
        return [state]
    return _write_record(m, state, handler, instance, arguments)


def _hold_back(
    m: Machine,
    state: State,
    handler: Value,
    instance: Instance,
    level: int | None,
    arguments: Arguments,
) -> None:
    """Let a `MemoryHandler` keep a record; one that it would pass on to nobody is no loss."""
    records = instance.attributes["%records"]
    target = instance.attributes.get("target", NONE)
    goes_on = state.look(Instance, target)
    if target == NONE or (goes_on is not None and goes_on.cls == Ext("logging.NullHandler")):
        return
    if not isinstance(records, Ref) or not isinstance(handler, Ref):
        return
    streams.write(m.log, state, records.id, arguments.node, newline=True)
    # One of the program's own says itself when it is full.
    is_own = classes.class_attribute(state, instance.cls, "shouldFlush") is not None
    if is_own or _is_full(state, handler) or (level or 0) >= _flush_level(instance):
        _pass_on(m, state, handler, records)


def _write_record(
    m: Machine, state: State, handler: Value, instance: Instance, arguments: Arguments
) -> list[State]:
    """Write a record as `StreamHandler.emit` does: its own `flush` may not be the library's."""
    target = instance.attributes.get("stream")
    if target is None:
        return [state]
    flush = classes.class_attribute(state, instance.cls, "flush")
    found: list[State] = []
    for after in send(m, state, target, arguments, newline=True):
        after.pop()
        if flush is None:
            found += empty(m, after, target, arguments)
        else:
            found += calls.call(m, after, flush, Arguments(arguments.node, [handler]))
    for after in found:
        after.pop()
    return found


@method("logging.StreamHandler", "emit")
def _emit_method(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`super().emit(record)`."""
    instance = state.look(Instance, receiver)
    assert instance is not None
    return [after.push(NONE) for after in _write_record(m, state, receiver, instance, arguments)]


@method(_HANDLER, "__init__", "setLevel")
def _make_handler(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    keep(state, receiver, {LEAST: arguments.get(0, "level")})
    return [state.push(NONE)]


@method("logging.StreamHandler", "__init__")
def _make_stream_handler(
    m: Machine, state: State, receiver: Value, arguments: Arguments
) -> list[State]:
    """It flushes the stream that it is given after each record."""
    keep(state, receiver, {"stream": arguments.get(0, "stream")})
    return [state.push(NONE)]


@method("logging.FileHandler", "__init__")
def _make_file_handler(
    m: Machine, state: State, receiver: Value, arguments: Arguments
) -> list[State]:
    """It opens a file of its own, and flushes it after each record as well."""
    mode = arguments.get(1, "mode") or Const("a")
    chosen = mode.value if isinstance(mode, Const) else "a"
    opened = open_file(m, state, arguments, "a", -1, arguments.node)
    path = arguments.nodes[0] if arguments.nodes else None
    found = empties(m, opened, chosen, arguments.get(0, "filename"), path)
    for after in found:
        keep(after, receiver, {"stream": after.pop()})
    return [after.push(NONE) for after in found]


@method("logging.StreamHandler", "flush")
def _flush_handler(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return empty(m, state, attribute(state, receiver, "stream"), arguments)


@method("logging.FileHandler", "close")
def _close_handler(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    target = attribute(state, receiver, "stream")
    if isinstance(target, Ref) and state.look(Stream, target) is not None:
        streams.close(m.log, state, target.id)
    return [state.push(NONE)]


calls.derive("logging.NullHandler", _HANDLER)
calls.derive("logging.StreamHandler", _HANDLER)
calls.derive("logging.FileHandler", "logging.StreamHandler")
calls.derive("logging.handlers.RotatingFileHandler", "logging.FileHandler")
calls.derive("logging.handlers.TimedRotatingFileHandler", "logging.FileHandler")
apart(_HANDLER, "setFormatter", "format", "close", "flush", "acquire", "release",
      "handleError", "removeFilter")  # fmt: skip


@method(_HANDLER, "addFilter")
def put_filter(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """Give a handler or logger a filter."""
    keep(state, receiver, {FILTERED: arguments.get(0, "filter")})
    return [state.push(NONE)]


def _flush_level(instance: Instance) -> int:
    """Return the level from which on a `MemoryHandler` flushes; unknown ones are low."""
    level = instance.attributes.get("%level", Const(LEVELS["ERROR"]))
    return level.value if isinstance(level, Const) and isinstance(level.value, int) else 0


_MOST_COUNTED = 16


def _is_full(state: State, handler: Ref) -> bool:
    """Count a record; say whether it is known to fill a `MemoryHandler` of a small capacity."""
    attributes = state.edit(Instance, handler.id).attributes
    capacity, held = attributes.get("%capacity"), attributes.get("%count")
    if not (isinstance(capacity, Const) and isinstance(held, Const)):
        return False
    if not (isinstance(capacity.value, int) and isinstance(held.value, int)):
        return False
    if capacity.value > _MOST_COUNTED:
        return False
    attributes["%count"] = Const(held.value + 1)
    return held.value + 1 >= capacity.value


def _pass_on(m: Machine, state: State, handler: Ref, records: Ref) -> None:
    streams.drain(m.log, state, records.id)
    state.edit(Instance, handler.id).attributes["%count"] = Const(0)


@method(_MEMORY, "__init__")
def _make_memory(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """A buffer of records, which one of a high level or `flush()` passes on."""
    records = Stream(
        arguments.node, state.process, "records", text=False, spec=LIBRARY_TYPES[_MEMORY]
    )
    made = m.new(state, arguments.node, records, "records")
    m.log.streams[made.id] = records
    values = {
        "%records": made,
        "%level": arguments.get(1, "flushLevel"),
        "%capacity": arguments.get(0, "capacity"),
        "%count": Const(0),
        "%at close": arguments.get(3, "flushOnClose"),
        "target": arguments.get(2, "target"),
    }
    keep(state, receiver, values)
    return [state.push(NONE)]


@method(_MEMORY, "setTarget")
def _set_target(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    keep(state, receiver, {"target": arguments.get(0, "target")})
    return [state.push(NONE)]


@method(_MEMORY, "emit")
def _emit_memory(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`super().emit(record)`: of what level it is, nobody knows."""
    instance = state.look(Instance, receiver)
    assert instance is not None
    if "%records" in instance.attributes:
        _hold_back(m, state, receiver, instance, None, arguments)
    return [state.push(NONE)]


@method(_MEMORY, "flush")
def _flush_memory(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    records = attribute(state, receiver, "%records")
    if isinstance(records, Ref) and isinstance(receiver, Ref):
        _pass_on(m, state, receiver, records)
    return [state.push(NONE)]


@method(_MEMORY, "close")
def _close_memory(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`flushOnClose=False`: it closes, and what it holds is gone."""
    if attribute(state, receiver, "%at close") == FALSE:
        return [state.push(NONE)]
    return _flush_memory(m, state, receiver, arguments)


calls.derive(_MEMORY, _HANDLER)
