"""`argparse`: arguments of type `FileType` are files that are open when parsing is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine import calls
from flushlint.machine.calls import Arguments, method
from flushlint.machine.library.openers import open_file
from flushlint.machine.library.threads import apart, attribute, keep
from flushlint.machine.objects import Instance, Sequence
from flushlint.machine.values import NONE, TRUE, Const, Ext, Ref, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []


_PARSER = "argparse.ArgumentParser"


@method(_PARSER, "__init__")
@method("argparse.FileType", "__init__")
def _parser(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    keep(state, receiver, {"%mode": arguments.get(0, "mode")})
    return [state.push(NONE)]


@method("argparse.FileType", "__call__")
def _file_type(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    mode = attribute(state, receiver, "%mode")
    constant = mode.value if isinstance(mode, Const) and mode.value is not None else "r"
    return open_file(m, state, arguments, constant, -1, arguments.node)


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
        always = not words[0].startswith("-") or "required" in arguments.keywords
        default = arguments.keywords.get("default")
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


apart(_PARSER, "set_defaults", "print_help", "format_help", "add_subparsers")


@method(_PARSER, "error", "exit")
def _parser_exit(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    calls.stop(m, state, arguments.node, "SystemExit")
    return []


@method(_PARSER, "parse_args", "parse_known_args")
def _parse_args(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """Return a namespace in which file arguments are open; the rest is unknown."""
    parser = state.look(Instance, receiver)
    assert parser is not None
    namespace = Instance(Ext("argparse.Namespace"), {}, arguments.node)
    made = m.new(state, arguments.node, namespace, "namespace")
    state.push(made)
    states = [state]
    for name, value in list(parser.attributes.items()):
        if name.startswith("%file:"):
            states = [
                after
                for s in states
                for after in _open_argument(m, s, made, name.partition(":")[2], value)
            ]
    return states


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
        other.edit(Instance, namespace.id).attributes[name] = default
        found.append(other)
    for after in calls.call(m, state, kind, given):
        after.edit(Instance, namespace.id).attributes[name] = after.pop()
        found.append(after)
    return found
