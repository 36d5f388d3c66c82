"""`argparse`: arguments of type `FileType` are files that are open when parsing is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine import calls
from flushlint.machine.calls import Arguments, method
from flushlint.machine.containers import append
from flushlint.machine.library.openers import open_file
from flushlint.machine.library.threads import apart, attribute, keep
from flushlint.machine.objects import Instance, Sequence
from flushlint.machine.values import NONE, TRUE, Const, Ext, Ref, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []


_PARSER = "argparse.ArgumentParser"
_COMMANDS = "argparse.%commands"


@method(_PARSER, "__init__")
def _parser(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(NONE)]


@method("argparse.FileType", "__init__")
def _make_type(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    buffering = arguments.get(1, "bufsize")
    keep(state, receiver, {"%mode": arguments.get(0, "mode"), "%buffering": buffering})
    return [state.push(NONE)]


@method("argparse.FileType", "__call__")
def _file_type(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    mode = attribute(state, receiver, "%mode")
    constant = mode.value if isinstance(mode, Const) and mode.value is not None else "r"
    size = attribute(state, receiver, "%buffering")
    buffering = -1 if size == NONE else getattr(size, "value", None)
    return open_file(m, state, arguments, constant, buffering, arguments.node)


@method(_PARSER, "add_argument")
def _add_argument(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """Remember an argument that is opened as a file, under the name it will have."""
    kind = arguments.keywords.get("type", NONE)
    instance = state.look(Instance, kind)
    opened = instance is not None and instance.cls == Ext("argparse.FileType")
    flags = [v.value for v in arguments.positional if isinstance(v, Const)]
    dest = arguments.keywords.get("dest")
    words = [w for w in flags if isinstance(w, str)]
    if opened and words:
        long = next((w for w in words if w.startswith("--")), words[0])
        name = long.lstrip("-").replace("-", "_")
        if isinstance(dest, Const) and isinstance(dest.value, str):
            name = dest.value
        default = arguments.keywords.get("default")
        is_opened = isinstance(default, Const) and isinstance(default.value, str)
        always = not words[0].startswith("-") or "required" in arguments.keywords or is_opened
        entry = Sequence(
            "tuple",
            [kind, Const(arguments.node), Const(always), default or NONE],
        )
        made = m.new(state, arguments.node, entry, "argument")
        keep(state, receiver, {f"%file:{name}": made})
    return [state.push(m.unknown())]


@method(_PARSER, "add_argument_group", "add_mutually_exclusive_group")
def _group(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(receiver)]


apart(_PARSER, "print_help", "format_help", "print_usage")


@method(_PARSER, "set_defaults")
def _set_defaults(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    values = {f"%default:{name}": value for name, value in arguments.keywords.items()}
    keep(state, receiver, dict(values))
    return [state.push(NONE)]


@method(_PARSER, "add_subparsers")
def _add_subparsers(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """Sub-commands are parsers of their own, kept by the parser that they belong to."""
    parsers = m.new(state, arguments.node, Sequence("list", []), "subparsers")
    keep(state, receiver, {"%parsers": parsers})
    made = Instance(Ext(_COMMANDS), {"%parsers": parsers}, arguments.node)
    return [state.push(m.new(state, arguments.node, made, "commands"))]


@method(_COMMANDS, "add_parser")
def _add_parser(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    made = m.new(state, arguments.node, Instance(Ext(_PARSER), {}, arguments.node), "parser")
    parsers = attribute(state, receiver, "%parsers")
    if isinstance(parsers, Ref):
        append(state, parsers.id, made)
    return [state.push(made)]


@method(_PARSER, "error", "exit")
def _parser_exit(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    calls.stop(m, state, arguments.node, "SystemExit")
    return []


@method(_PARSER, "parse_args", "parse_known_args")
def _parse_args(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """Return a namespace in which file arguments are open; the rest is unknown."""
    namespace = Instance(Ext("argparse.Namespace"), {}, arguments.node)
    made = m.new(state, arguments.node, namespace, "namespace")
    state.push(made)
    return _fill(m, state, made, receiver)


def _fill(m: Machine, state: State, namespace: Ref, receiver: Value) -> list[State]:
    """Set what a parser sets, then what one of its sub-commands does."""
    parser = state.look(Instance, receiver)
    if parser is None:
        return [state]
    states = [state]
    for slot, value in list(parser.attributes.items()):
        kind, _, name = slot.partition(":")
        if kind == "%default":
            for current in states:
                current.edit(Instance, namespace.id).attributes[name] = value
        elif kind == "%file":
            states = [
                after for s in states for after in _open_argument(m, s, namespace, name, value)
            ]
    commands = state.look(Sequence, parser.attributes.get("%parsers", NONE))
    if commands is None or not commands.items:
        return states
    return [
        after
        for current in states
        for command in commands.items
        for after in _fill(m, current.copy(), namespace, command)
    ]


def _open_argument(
    m: Machine, state: State, namespace: Ref, name: str, value: Value
) -> list[State]:
    entry = state.look(Sequence, value)
    if entry is None:
        return [state]
    kind, node, always, default = entry.items
    assert isinstance(node, Const)
    given = Arguments(node.value, [m.unknown()])  # type: ignore[arg-type]  # a node
    found: list[State] = []
    if always != TRUE:
        other = state.copy()
        standard = other.externals.get("sys.stdout", default)
        value = standard if default == Const("-") else default
        other.edit(Instance, namespace.id).attributes[name] = value
        found.append(other)
    for after in calls.call(m, state, kind, given):
        after.edit(Instance, namespace.id).attributes[name] = after.pop()
        found.append(after)
    return found
