"""Loggers of `logging`: which handlers a record reaches, by names and levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine import calls, classes
from flushlint.machine.attributes import get
from flushlint.machine.calls import Arguments, called, library, method
from flushlint.machine.library.handlers import (
    FILTERED,
    LEAST,
    LEVELS,
    emit,
    is_below,
    number,
    put_filter,
)
from flushlint.machine.library.threads import apart, attribute, keep
from flushlint.machine.objects import Instance, Sequence
from flushlint.machine.values import FALSE, NONE, TRUE, Const, Ext, Ref, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["add_handler", "handlers_of", "logger_named", "loggers", "shut_down"]

_LOGGER = "logging.Logger"
_ADAPTER = "logging.LoggerAdapter"
_MOST_ADAPTERS = 4
_PLACE = "%logger"
_DISABLED = "%logging.disable"
_ROOT_LEVEL = Const(LEVELS["WARNING"])


def logger_named(m: Machine, state: State, name: Value) -> Ref:
    """Return the logger of this name: the same one for the same name."""
    if name in (Const(""), Const("root")):
        name = NONE
    identity = m.identity(("logger", name))
    if identity not in state.heap:
        handlers = state.place(m.identity(("handlers", name)), Sequence("list", []))
        attributes: dict[str, Value] = {"handlers": handlers, "name": name}
        if name == NONE:
            attributes[LEAST] = _ROOT_LEVEL
        state.place(identity, Instance(Ext(_LOGGER), attributes))
        state.externals[f"{_PLACE}{identity}"] = Ref(identity)
    return Ref(identity)


def loggers(state: State) -> list[Ref]:
    """Return all loggers that there are."""
    held = (value for name, value in state.externals.items() if name.startswith(_PLACE))
    return [value for value in held if isinstance(value, Ref)]


@library("logging.getLogger")
def _get_logger(m: Machine, state: State, arguments: Arguments) -> list[State]:
    name = arguments.get(0, "name") or NONE
    return [state.push(logger_named(m, state, name if isinstance(name, Const) else Const("?")))]


@method(_LOGGER, "getChild")
def _child(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    name, suffix = attribute(state, receiver, "name"), arguments.get(0, "suffix")
    if not isinstance(name, Const) or not isinstance(suffix, Const):
        return [state.push(receiver)]
    full = suffix if name == NONE else Const(f"{name.value}.{suffix.value}")
    return [state.push(logger_named(m, state, full))]


def _lineage(m: Machine, state: State, logger: Value) -> Iterator[Instance]:
    """Yield a logger and those above it, of which not all need exist; the root comes last."""
    own = state.look(Instance, logger)
    if own is None:
        return
    yield own
    name = own.attributes.get("name", NONE)
    if name == NONE:
        return
    path = str(name.value) if isinstance(name, Const) else ""
    while path := path.rpartition(".")[0]:
        above = state.heap.get(m.identity(("logger", Const(path))))
        if isinstance(above, Instance):
            yield above
    root = state.look(Instance, logger_named(m, state, NONE))
    assert root is not None
    yield root


# -- handlers -----------------------------------------------------------------------------------


@method(_LOGGER, "addHandler", "removeHandler")
def _add_handler(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    given = arguments.get(0, "hdlr") or NONE
    if called(arguments) != "removeHandler":
        add_handler(state, receiver, given)
    elif (items := _items(state, receiver)) is not None:
        items[:] = [item for item in items if item != given]
        state.dirty = True
    return [state.push(NONE)]


def add_handler(state: State, logger: Value, handler: Value) -> None:
    """Give a logger a handler, once."""
    items = _items(state, logger)
    if items is not None and handler not in items:
        items.append(handler)


def _items(state: State, logger: Value) -> list[Value] | None:
    """Return the handlers of a logger's own, for writing."""
    held = attribute(state, logger, "handlers")
    known = state.look(Sequence, held)
    return (
        None if known is None or not isinstance(held, Ref) else state.edit(Sequence, held.id).items
    )


def handlers_of(state: State, logger: Instance) -> list[Value]:
    """Return the handlers of a logger's own."""
    sequence = state.look(Sequence, logger.attributes.get("handlers", NONE))
    return [] if sequence is None else sequence.items


def _reached(m: Machine, state: State, logger: Value) -> list[Value]:
    """Return the handlers that a record reaches: the logger's own, and of those above it."""
    found: list[Value] = []
    for owner in _lineage(m, state, logger):
        found.extend(v for v in handlers_of(state, owner) if v not in found)
        if owner.attributes.get("propagate") == FALSE:
            break
    return found


# -- levels -------------------------------------------------------------------------------------


@method(_LOGGER, "setLevel")
def _set_level(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    keep(state, receiver, {LEAST: arguments.get(0, "level")})
    return [state.push(NONE)]


@library("logging.disable")
def _disable(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Of this level and below no record is made."""
    level = number(arguments.get(0, "level") or Const("CRITICAL"))
    state.externals[_DISABLED] = m.unknown() if level is None else Const(level + 1)
    return [state.push(NONE)]


def _is_made(m: Machine, state: State, logger: Value, level: int | None) -> bool | None:
    """Say whether a logger makes a record of a level, None if nobody knows."""
    least = _level(m, state, logger)
    disabled = state.externals.get(_DISABLED)
    own = state.look(Instance, logger)
    kept = {} if own is None else own.attributes
    is_off = kept.get("disabled") == TRUE or FILTERED in kept
    if is_off or is_below(least, level) or is_below(disabled, level):
        return False
    return None if number(least) is None or level is None or disabled is not None else True


def _level(m: Machine, state: State, logger: Value) -> Value:
    """Return the level of a logger: its own one, or the next above that is set."""
    for owner in _lineage(m, state, logger):
        least = owner.attributes.get(LEAST)
        if least is not None and number(least) != LEVELS["NOTSET"]:
            return least
    return Const(LEVELS["NOTSET"])


@method(_LOGGER, "isEnabledFor")
def _is_enabled(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    made = _is_made(m, state, receiver, number(arguments.get(0, "level")))
    return [state.push(m.unknown() if made is None else Const(made))]


@method(_LOGGER, "getEffectiveLevel")
def _effective(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(_level(m, state, receiver))]


apart(_LOGGER, "hasHandlers", "removeFilter")
method(_LOGGER, "addFilter")(put_filter)

# -- records ------------------------------------------------------------------------------------


def _log(
    m: Machine, state: State, logger: Value, level: int | None, arguments: Arguments
) -> list[State]:
    if _is_made(m, state, logger, level) is False:
        return [state.push(NONE)]
    states = [state]
    for handler in _reached(m, state, logger):
        again: list[State] = []
        for current in states:
            for branch, option in m.choose(current, handler):
                again += emit(m, branch, option, level, arguments)
        states = m.join(again)
    return [after.push(NONE) for after in states]


def _recording(name: str) -> None:
    """Register a function and methods that make a record."""

    def level(arguments: Arguments) -> int | None:
        return number(arguments.get(0, "level")) if name == "log" else LEVELS[name.upper()]

    @method(_LOGGER, name)
    def through_logger(
        m: Machine, state: State, receiver: Value, arguments: Arguments
    ) -> list[State]:
        return _log(m, state, receiver, level(arguments), arguments)

    @method(_ADAPTER, name)
    def through_adapter(
        m: Machine, state: State, receiver: Value, arguments: Arguments
    ) -> list[State]:
        return _log(m, state, _adapted(state, receiver), level(arguments), arguments)

    @library(f"logging.{name}")
    def through_module(m: Machine, state: State, arguments: Arguments) -> list[State]:
        return _log(m, state, logger_named(m, state, NONE), level(arguments), arguments)


for _name in ("debug", "info", "warn", "warning", "error", "exception", "critical", "fatal", "log"):
    _recording(_name)


@method(_ADAPTER, "__init__")
def _make_adapter(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    keep(state, receiver, {"logger": arguments.get(0, "logger")})
    return [state.push(NONE)]


def _adapted(state: State, adapter: Value) -> Value:
    """Return the logger behind an adapter, which may stand before another one."""
    for _ in range(_MOST_ADAPTERS):
        instance = state.look(Instance, adapter)
        if instance is None or not classes.is_a(state, instance.cls, _ADAPTER):
            break
        adapter = instance.attributes.get("logger", NONE)
    return adapter


def _through(name: str) -> None:
    """Let an adapter do what its logger does."""

    @method(_ADAPTER, name)
    def handler(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
        logger = _adapted(state, receiver)
        instance = state.look(Instance, logger)
        kinds = [] if instance is None else classes.external_bases(state, instance.cls)
        own = calls.library_method(kinds, name)
        if own is None:
            return calls.unknown_call(m, state, arguments, receiver=receiver, name=name)
        return own(m, state, logger, arguments)


for _name in ("isEnabledFor", "getEffectiveLevel", "setLevel"):
    _through(_name)


@library("logging.shutdown")
def _shutdown(m: Machine, state: State, arguments: Arguments) -> list[State]:
    return [after.push(NONE) for after in shut_down(m, state, arguments)]


def shut_down(
    m: Machine, state: State, arguments: Arguments, among: list[Ref] | None = None
) -> list[State]:
    """Flush and close every handler that a logger has, or one of some loggers."""
    owners = [state.look(Instance, logger) for logger in among or loggers(state)]
    handlers = {h: None for owner in owners if owner for h in handlers_of(state, owner)}
    states = [state]
    for handler in handlers:
        for name in ("flush", "close"):
            again: list[State] = []
            for current in states:
                for after in get(m, current.push(handler), handler, name, arguments.node):
                    function = after.pop()
                    again += calls.call(m, after, function, Arguments(arguments.node, []))
            for after in again:
                del after.stack[-2:]
            states = again
    return states
