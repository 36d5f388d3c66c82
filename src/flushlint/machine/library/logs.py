"""`logging`: the program's own handlers run; `MemoryHandler` holds records back.

The library's other handlers flush each record, so they leave nothing pending, unless a class
of the program's own overrides their `flush`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.knowledge.stream_types import LIBRARY_TYPES
from flushlint.machine import calls, classes, streams
from flushlint.machine.attributes import get
from flushlint.machine.calls import Arguments, library, method
from flushlint.machine.library.openers import empties, open_file
from flushlint.machine.library.stream_methods import empty, send
from flushlint.machine.library.threads import apart, attribute, keep
from flushlint.machine.objects import Instance, Sequence, Stream
from flushlint.machine.values import FALSE, NONE, Const, Ext, Ref, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []

_LOGGER = "logging.Logger"
_HANDLER = "logging.Handler"
_MEMORY = "logging.handlers.MemoryHandler"
_LEAST = "%least"
_NUMBERS = {
    "debug": 10, "info": 20, "warning": 30, "warn": 30, "error": 40, "exception": 40,
    "critical": 50, "fatal": 50, "log": 20,
}  # fmt: skip


def _logger(m: Machine, state: State, name: Value) -> Ref:
    """Return the logger of this name: the same one for the same name."""
    identity = m.identity(("logger", name))
    if identity not in state.heap:
        handlers = state.place(m.identity(("handlers", name)), Sequence("list", []))
        state.place(identity, Instance(Ext(_LOGGER), {"handlers": handlers}))
        state.externals[f"%logger{identity}"] = Ref(identity)
    return Ref(identity)


@library("logging.getLogger")
def _get_logger(m: Machine, state: State, arguments: Arguments) -> list[State]:
    name = arguments.get(0, "name") or NONE
    return [state.push(_logger(m, state, name if isinstance(name, Const) else Const("?")))]


@method(_LOGGER, "addHandler", "removeHandler")
def _add_handler(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    instance = state.look(Instance, receiver)
    handlers = None if instance is None else instance.attributes.get("handlers")
    given = arguments.get(0, "hdlr") or NONE
    if isinstance(handlers, Ref):
        items = state.edit(Sequence, handlers.id).items
        name = getattr(getattr(arguments.node, "func", None), "attr", None)
        if name is not None and name.value == "removeHandler":
            items[:] = [item for item in items if item != given]
            state.dirty = True
        elif given not in items:
            items.append(given)
    return [state.push(NONE)]


apart(_LOGGER, "setLevel", "isEnabledFor", "getEffectiveLevel", "hasHandlers", "addFilter")


@method(_LOGGER, "getChild")
def _child(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(receiver)]


def _handlers(m: Machine, state: State, logger: Value) -> list[Value]:
    """Return the handlers that a record reaches: the logger's own and the root's."""
    found: list[Value] = []
    for owner in (logger, _logger(m, state, NONE)):
        instance = state.look(Instance, owner)
        held = None if instance is None else instance.attributes.get("handlers")
        sequence = None if held is None else state.look(Sequence, held)
        if sequence is not None:
            found.extend(v for v in sequence.items if v not in found)
    return found


def _log(m: Machine, state: State, logger: Value, level: str, arguments: Arguments) -> list[State]:
    states = [state]
    for handler in _handlers(m, state, logger):
        again: list[State] = []
        for current in states:
            for branch, option in m.choose(current, handler):
                again += _emit(m, branch, option, level, arguments)
        states = m.join(again)
    return [after.push(NONE) for after in states]


def _emit(
    m: Machine, state: State, handler: Value, level: str, arguments: Arguments
) -> list[State]:
    instance = state.look(Instance, handler)
    if instance is None or _is_below(instance, level):
        return [state]
    records = instance.attributes.get("%records")
    if isinstance(records, Ref) and isinstance(handler, Ref):
        streams.write(m.log, state, records.id, arguments.node, newline=True)
        if _is_full(state, handler) or _NUMBERS[level] >= _flush_level(instance):
            _pass_on(m, state, handler, records)
        return [state]
    own = classes.class_attribute(state, instance.cls, "emit")
    if own is None:
        return _write_record(m, state, handler, instance, arguments)
    found = calls.call(m, state, own, Arguments(arguments.node, [handler, m.unknown()]))
    for after in found:
        after.pop()
    return found


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


def _level(level: str) -> None:
    @method(_LOGGER, level)
    def through_logger(
        m: Machine, state: State, receiver: Value, arguments: Arguments
    ) -> list[State]:
        return _log(m, state, receiver, level, arguments)

    @library(f"logging.{level}")
    def through_module(m: Machine, state: State, arguments: Arguments) -> list[State]:
        return _log(m, state, _logger(m, state, NONE), level, arguments)


for _name in _NUMBERS:
    _level(_name)


@method("logging.StreamHandler", "emit")
def _emit_method(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`super().emit(record)`."""
    instance = state.look(Instance, receiver)
    assert instance is not None
    return [after.push(NONE) for after in _write_record(m, state, receiver, instance, arguments)]


@method(_HANDLER, "__init__")
def _make_handler(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
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


calls.derive("logging.StreamHandler", _HANDLER)
calls.derive("logging.FileHandler", "logging.StreamHandler")
calls.derive("logging.handlers.RotatingFileHandler", "logging.FileHandler")
calls.derive("logging.handlers.TimedRotatingFileHandler", "logging.FileHandler")
apart(_HANDLER, "setFormatter", "setLevel", "format", "close", "flush", "acquire", "release",
      "handleError", "addFilter")  # fmt: skip


def _flush_level(instance: Instance) -> int:
    """Return the level from which on a `MemoryHandler` flushes; unknown ones are low."""
    level = instance.attributes.get("%level", Const(_NUMBERS["error"]))
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
    }
    keep(state, receiver, values)
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


@library("logging.shutdown")
def _shutdown(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Flush every handler that a logger has."""
    loggers = [v for name, v in state.externals.items() if name.startswith("%logger")]
    handlers = {h: None for logger in loggers for h in _handlers(m, state, logger)}
    states = [state]
    for handler in handlers:
        again: list[State] = []
        for current in states:
            for after in get(m, current.push(handler), handler, "flush", arguments.node):
                function = after.pop()
                again += calls.call(m, after, function, Arguments(arguments.node, []))
        for after in again:
            del after.stack[-2:]
        states = again
    return [after.push(NONE) for after in states]


@library("logging.basicConfig")
def _basic_config(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """`basicConfig(stream=f)` and `handlers=[...]` give the root logger its handlers."""
    root = _logger(m, state, NONE)
    target = arguments.keywords.get("stream")
    found: list[Value] = []
    if target is not None:
        made = Instance(Ext("logging.StreamHandler"), {"stream": target}, arguments.node)
        found.append(m.new(state, arguments.node, made, "handler"))
    if arguments.keywords.get("filemode") == Const("w"):
        found.append(_emptied_file(m, state, arguments))
    given = state.look(Sequence, arguments.keywords.get("handlers", NONE))
    found.extend(given.items if given is not None else ())
    instance = state.look(Instance, root)
    held = None if instance is None else instance.attributes.get("handlers")
    if isinstance(held, Ref):
        state.edit(Sequence, held.id).items.extend(found)
    return [state.push(NONE)]


def _emptied_file(m: Machine, state: State, arguments: Arguments) -> Value:
    """Make the handler of `basicConfig(filename=..., filemode="w")`.

    One that appends needs none here: it flushes each record, and destroys nothing.
    """
    path = arguments.keywords.get("filename")
    empties(m, open_file(m, state, arguments, "w", -1, arguments.node), "w", path, None)
    level = arguments.keywords.get("level", Const("WARNING"))
    kept = {"stream": state.pop(), _LEAST: level}
    made = Instance(Ext("logging.FileHandler"), kept, arguments.node)
    return m.new(state, arguments.node, made, "handler")


def _is_below(instance: Instance, level: str) -> bool:
    """Say whether a record is of too low a level for `basicConfig`."""
    least = instance.attributes.get(_LEAST)
    known = least.value if isinstance(least, Const) else None
    known = _NUMBERS.get(known.lower(), 0) if isinstance(known, str) else known
    return isinstance(known, int) and _NUMBERS[level] < known
