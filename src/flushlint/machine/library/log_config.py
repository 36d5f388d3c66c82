"""`logging.basicConfig` and `logging.config.dictConfig`: loggers are given their handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine import calls
from flushlint.machine.attributes import external
from flushlint.machine.calls import Arguments, library
from flushlint.machine.library.handlers import FILTERED, LEAST
from flushlint.machine.library.logs import (
    add_handler,
    handlers_of,
    logger_named,
    loggers,
    shut_down,
)
from flushlint.machine.library.openers import empties, open_file
from flushlint.machine.library.threads import keep
from flushlint.machine.modules import load, module_named
from flushlint.machine.objects import Env, Instance, Mapping, Sequence
from flushlint.machine.values import FALSE, NONE, TRUE, Const, Ext, Ref, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []

# Keys of a handler's table that are no arguments of its class.
_OWN_KEYS = frozenset({"class", "()", "level", "formatter", "filters", "."})


@library("logging.basicConfig")
def _basic_config(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """`basicConfig(stream=f)` and `handlers=[...]` give the root logger its handlers, once."""
    root = logger_named(m, state, NONE)
    states = [state]
    if arguments.keywords.get("force", FALSE) != FALSE:
        states = shut_down(m, state, arguments, [root])
        for after in states:
            _take_handlers(after, root)
    for after in states:
        before = after.look(Instance, root)
        assert before is not None
        if not handlers_of(after, before):
            _configure_root(m, after, root, arguments)
        after.push(NONE)
    return states


def _configure_root(m: Machine, state: State, root: Ref, arguments: Arguments) -> None:
    given = state.look(Sequence, arguments.keywords.get("handlers", NONE))
    if given is not None:
        found = list(given.items)
    elif arguments.keywords.get("filemode") == Const("w"):
        found = [_emptied_file(m, state, arguments)]
    else:
        target = arguments.keywords.get("stream")
        # One that appends to a file flushes each record, and destroys nothing; so does stderr's.
        attributes = {} if target is None else {"stream": target}
        made = Instance(Ext("logging.StreamHandler"), attributes, arguments.node)
        found = [m.new(state, arguments.node, made, "handler")]
    for handler in found:
        add_handler(state, root, handler)
    keep(state, root, {LEAST: arguments.keywords.get("level")})


def _take_handlers(state: State, logger: Ref) -> None:
    held = state.look(Instance, logger)
    own = None if held is None else held.attributes.get("handlers")
    if isinstance(own, Ref):
        state.edit(Sequence, own.id).items.clear()
        state.dirty = True


def _emptied_file(m: Machine, state: State, arguments: Arguments) -> Value:
    """Make the handler of `basicConfig(filename=..., filemode="w")`."""
    path = arguments.keywords.get("filename")
    empties(m, open_file(m, state, arguments, "w", -1, arguments.node), "w", path, None)
    made = Instance(Ext("logging.FileHandler"), {"stream": state.pop()}, arguments.node)
    return m.new(state, arguments.node, made, "handler")


@library("logging.config.dictConfig")
def _dict_config(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Make the handlers of a table, and give them to the loggers that it names.

    What has been set up before is flushed and closed. Raises what the classes raise.
    """
    config = arguments.get(0, "config") or NONE
    states = [state]
    if _entry(state, config, "incremental") != TRUE:
        states = shut_down(m, state, arguments)
    found: list[State] = []
    for current in states:
        for after, handlers in _handlers(m, current, config, arguments):
            _disable_others(after, config)
            for name, table in _tables(after, _entry(after, config, "loggers")):
                _configure(m, after, Const(name), table, handlers)
            root = _entry(after, config, "root")
            if root is not None:
                _configure(m, after, NONE, root, handlers)
            found.append(after.push(NONE))
    return found


def _entry(state: State, table: Value | None, key: str) -> Value | None:
    mapping = state.look(Mapping, table or NONE)
    return None if mapping is None else mapping.entries.get(key)


def _tables(state: State, table: Value | None) -> Iterator[tuple[str, Value]]:
    mapping = state.look(Mapping, table or NONE)
    for key, value in mapping.entries.items() if mapping is not None else ():
        yield str(key), value


def _handlers(
    m: Machine, state: State, config: Value, arguments: Arguments
) -> list[tuple[State, dict[str, Value]]]:
    """Make the handlers, those first that others pass on to."""
    tables = dict(_tables(state, _entry(state, config, "handlers")))
    ordered = sorted(tables, key=lambda name: _entry(state, tables[name], "target") is not None)
    found: list[tuple[State, dict[str, Value]]] = [(state, {})]
    for name in ordered:
        found = [
            (after, {**known, name: handler})
            for before, known in found
            for after, handler in _handler(m, before, name, tables[name], known, arguments)
        ]
    return found


def _handler(
    m: Machine,
    state: State,
    name: str,
    table: Value,
    known: dict[str, Value],
    arguments: Arguments,
) -> list[tuple[State, Value]]:
    outer = state.frames[-1].context
    # Each of them is a thing of its own, though one call makes them all.
    context = m.identity(("configured", outer, arguments.node, name))
    factory = _entry(state, table, "()") or _entry(state, table, "class") or NONE
    found: list[tuple[State, Value]] = []
    for ready, cls in _resolved(m, state, factory):
        ready.frames[-1] = ready.frames[-1]._replace(context=context)
        keywords = {
            key: known.get(str(value.value), value)
            if key == "target" and isinstance(value, Const)
            else _external(m, ready, value)
            for key, value in _tables(ready, table)
            if key not in _OWN_KEYS
        }
        for after in calls.call(m, ready, cls, Arguments(arguments.node, [], keywords)):
            made = after.pop()
            after.frames[-1] = after.frames[-1]._replace(context=outer)
            if after.look(Instance, made) is not None:
                filters = _entry(after, table, "filters")
                keep(after, made, {LEAST: _entry(after, table, "level"), FILTERED: filters})
            found.append((after, made))
    return found


def _resolved(m: Machine, state: State, factory: Value) -> list[tuple[State, Value]]:
    """Find what a dotted name stands for, by importing its module."""
    if not isinstance(factory, Const):
        return [(state, factory)]
    module, _, name = str(factory.value).rpartition(".")
    found: list[tuple[State, Value]] = []
    for after in load(m, state, module):
        known = module_named(after, module)
        env = None if known is None else after.look(Env, known)
        own = None if env is None else env.variables.get(name)
        found.append((after, own or external(m, after, Ext(module), name)))
    return found


def _external(m: Machine, state: State, value: Value) -> Value:
    """Return what `ext://sys.stdout` stands for, any other value as it is."""
    text = value.value if isinstance(value, Const) else None
    if not isinstance(text, str) or not text.startswith("ext://"):
        return value
    module, _, name = text.removeprefix("ext://").rpartition(".")
    known = module_named(state, module)
    env = None if known is None else state.look(Env, known)
    own = None if env is None else env.variables.get(name)
    return own or external(m, state, Ext(module), name)


def _disable_others(state: State, config: Value) -> None:
    """Switch loggers off that there were before and that the table knows nothing of."""
    if _entry(state, config, "disable_existing_loggers") == FALSE:
        return
    names = [name for name, _ in _tables(state, _entry(state, config, "loggers"))]
    for logger in loggers(state):
        own = state.look(Instance, logger)
        name = None if own is None else own.attributes.get("name")
        if isinstance(name, Const) and isinstance(name.value, str):
            is_named = any(f"{name.value}.".startswith(f"{other}.") for other in names)
            keep(state, logger, {"disabled": Const(not is_named)})


def _configure(
    m: Machine, state: State, name: Value, table: Value, handlers: dict[str, Value]
) -> None:
    logger = logger_named(m, state, name)
    _take_handlers(state, logger)
    level, propagate = _entry(state, table, "level"), _entry(state, table, "propagate")
    keep(state, logger, {LEAST: level, "propagate": propagate})
    listed = state.look(Sequence, _entry(state, table, "handlers") or NONE)
    for item in listed.items if listed is not None else ():
        if isinstance(item, Const) and str(item.value) in handlers:
            add_handler(state, logger, handlers[str(item.value)])
