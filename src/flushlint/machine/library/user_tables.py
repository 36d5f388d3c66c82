"""The user's own openers, writers, flushers, closers and spawners, by qualified name.

They are compiled once for each configuration into what the library's own functions are: handlers
by name.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from flushlint.knowledge.stream_types import StreamType
from flushlint.machine import streams
from flushlint.machine.calls import Arguments, Handler, unknown_call
from flushlint.machine.library.typed_openers import place
from flushlint.machine.objects import Class, Function, Instance, Stream
from flushlint.machine.processes import argument_node
from flushlint.machine.values import Bound, Const, Method, Ref, Value

if TYPE_CHECKING:
    import libcst as cst

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State
    from flushlint.user_tables import UserTables

__all__ = ["Declared", "declare"]


class Declared(NamedTuple):
    """What a configuration declares: functions by name, and the words that they go by.

    `words` are the last parts of the names that touch a file, `spawners` those of the names that
    start a process.
    """

    functions: dict[str, Handler]
    words: frozenset[str]
    spawners: frozenset[str]


@lru_cache(maxsize=8)
def declare(tables: UserTables) -> Declared:
    """Return what the user's tables declare."""
    functions: dict[str, Handler] = {}
    for name in tables.openers:
        functions[name] = _opener(name, _type_of(name, tables))
    for effect, names in (
        ("write", tables.writers), ("flush", tables.flushers), ("close", tables.closers),
    ):  # fmt: skip
        for name in names:
            functions[name] = _function(name, effect)  # type: ignore[arg-type]  # one of three
    for name in tables.spawners:
        functions[name] = _spawner(name)
    touching = (*tables.openers, *tables.writers, *tables.flushers, *tables.closers)
    return Declared(
        functions, frozenset(map(_last, touching)), frozenset(map(_last, tables.spawners))
    )


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _type_of(opener: str, tables: UserTables) -> StreamType:
    """Return the type of what an opener returns: the methods that are named below it."""
    prefix = f"{opener}."
    writes, flushes, closes = (
        tuple(name.removeprefix(prefix) for name in names if name.startswith(prefix))
        for names in (tables.writers, tables.flushers, tables.closers)
    )
    return StreamType(
        source="[tool.flushlint]",
        writes=writes,
        flushes=flushes,
        closes=closes,
        needs_close=bool(closes) and not flushes,
        doubles=True,
        is_file=True,
    )


def _opener(name: str, spec: StreamType) -> Handler:
    def handler(m: Machine, state: State, arguments: Arguments) -> list[State]:
        m.may_raise(state, "builtins.OSError", arguments.node)
        stream = Stream(arguments.node, state.process, name, text=True, spec=spec)
        stream.needs_close = spec.needs_close
        stream.writable = _is_writable(arguments)
        return [state.push(place(m, state, stream))]

    return handler


def _is_writable(arguments: Arguments) -> bool:
    """Say whether the file is open for writing: by its `mode`, if the call names one."""
    mode = arguments.keywords.get("mode", arguments.get(1, ""))
    if mode is None:
        return True
    text = mode.value if isinstance(mode, Const) else None
    if "mode" not in arguments.keywords and not _looks_like_a_mode(text):
        return True
    return isinstance(text, str) and any(c in text for c in "wax+")


def _looks_like_a_mode(text: object) -> bool:
    return isinstance(text, str) and text[:1] in tuple("rwax") and set(text) <= set("rwaxbtU+")


def _function(name: str, effect: Literal["write", "flush", "close"]) -> Handler:
    def handler(m: Machine, state: State, arguments: Arguments) -> list[State]:
        files = _files(state, arguments)  # what is done to them is taken not to raise
        for identity in files:
            if effect == "write":
                streams.write(m.log, state, identity, arguments.node, None)
            elif effect == "flush":
                streams.drain(m.log, state, identity)
            else:
                streams.close(m.log, state, identity)
        if not files and effect != "write":
            # It empties some file all the same, and nobody knows which.
            streams.forget(state, [i for i in state.streams if not state.stream(i).std])
        return [state.push(m.unknown())]

    return handler


def _files(state: State, arguments: Arguments) -> list[int]:
    """Return the open files among the arguments, and those that objects among them hold."""
    reached = state.reach(arguments.values(), through_classes=False) & state.streams
    below = {state.stream(identity).below for identity in reached}
    return sorted(i for i in reached if i not in below and not state.stream(i).std)


def _spawner(name: str) -> Handler:
    def handler(m: Machine, state: State, arguments: Arguments) -> list[State]:
        from flushlint.machine.spawners import spawn

        found: list[State] = []
        for branch, target, node, rest in _targets(m, state, arguments):
            if target is None:
                found += unknown_call(m, branch, arguments, external=name)
            else:
                found += spawn(m, branch, target, node, rest)
        return found

    return handler


def _targets(
    m: Machine, state: State, arguments: Arguments
) -> list[tuple[State, Value | None, cst.CSTNode, Arguments]]:
    """Find `target` or the first callable argument, its expression, and what is left for it."""
    named = arguments.keywords.get("target")
    if named is not None:
        rest = {k: v for k, v in arguments.keywords.items() if k != "target"}
        given = Arguments(
            arguments.node, arguments.positional, rest, arguments.nodes, arguments.open,
            arguments.rest,
        )  # fmt: skip
        node = argument_node(arguments, -1, "target")
        return [(s, v, node, given) for s, v in m.choose(state, named)]
    for index, value in enumerate(arguments.positional):
        branches = m.choose(state.copy(), value)
        if all(_is_callable(branch, option) for branch, option in branches):
            node = arguments.nodes[index] if index < len(arguments.nodes) else arguments.node
            after = arguments.after(index + 1)
            return [(s, v, node, after) for s, v in m.choose(state, value)]
    return [(state, None, arguments.node, arguments)]


def _is_callable(state: State, value: Value) -> bool:
    if isinstance(value, (Bound, Method)):
        return True
    return isinstance(value, Ref) and state.heap.get(value.id).__class__ in (
        Function, Class, Instance,
    )  # fmt: skip
