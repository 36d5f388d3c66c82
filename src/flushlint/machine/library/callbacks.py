"""Methods of library classes that call back methods of the program's own subclasses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine import calls, classes
from flushlint.machine.calls import Arguments, method
from flushlint.machine.loops import repeat
from flushlint.machine.objects import Class, Function, Instance
from flushlint.machine.values import NONE, Const, Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []

_COMMANDS = "cmd.Cmd"


def _own(state: State, receiver: Value, prefixes: Iterable[str]) -> list[Value]:
    """Return the methods of the program's own whose names begin with one of the prefixes."""
    instance = state.look(Instance, receiver)
    held: dict[str, Value] = {}
    for cls in reversed(classes.lineage(state, instance.cls)) if instance is not None else ():
        known = state.look(Class, cls)
        held |= {} if known is None else known.attributes
    return [
        value
        for name, value in held.items()
        if name.startswith(tuple(prefixes)) and state.look(Function, value) is not None
    ]


def _call_back(
    m: Machine, state: State, receiver: Value, functions: list[Value], arguments: Arguments
) -> list[State]:
    """Call any of some methods any number of times, with arguments that nobody knows."""
    if not functions:
        return [state.push(m.unknown())]

    def once(states: list[State]) -> tuple[list[State], list[State]]:
        exits = [each.copy() for each in states]
        again: list[State] = []
        for current in states:
            for function in functions:
                given = Arguments(arguments.node, [receiver], open=True)
                for after in calls.call(m, current.copy(), function, given):
                    after.pop()
                    again.append(after)
        return exits, again

    return [after.push(m.unknown()) for after in repeat(m, [state], once)]


def _calling(kind: str, names: tuple[str, ...], *prefixes: str) -> None:
    """Register methods of a library class that call those whose names begin so."""

    @method(kind, *names)
    def handler(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
        return _call_back(m, state, receiver, _own(state, receiver, prefixes), arguments)

    @method(kind, "__init__")
    def make(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
        return [state.push(NONE)]


_calling("html.parser.HTMLParser", ("feed", "close"), "handle_", "unknown_decl")
_calling("ast.NodeVisitor", ("visit", "generic_visit"), "visit_")
_calling("ast.NodeTransformer", ("visit", "generic_visit"), "visit_")
_calling(_COMMANDS, ("cmdloop",), "do_", "default", "emptyline", "precmd", "postcmd")


@method(_COMMANDS, "onecmd")
def _command(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`onecmd("save now")` calls `do_save`, if there is one."""
    line = arguments.get(0, "line")
    words = str(line.value).split(maxsplit=1) if isinstance(line, Const) else []
    found = _own(state, receiver, ("do_",))
    instance = state.look(Instance, receiver)
    if words and instance is not None:
        function = classes.class_attribute(state, instance.cls, f"do_{words[0]}")
        if function is not None:
            rest = Const(words[1] if len(words) > 1 else "")
            return calls.call(m, state, function, Arguments(arguments.node, [receiver, rest]))
        found = _own(state, receiver, ("default",))
    return _call_back(m, state, receiver, found, arguments)
