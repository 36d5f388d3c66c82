"""Methods of library classes that call back methods of the program's own subclasses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine import calls, classes
from flushlint.machine.calls import Arguments, method
from flushlint.machine.loops import repeat
from flushlint.machine.objects import Class, Function, Instance, Sequence
from flushlint.machine.values import NONE, Const, Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []

_COMMANDS = "cmd.Cmd"
_PARSER = "html.parser.HTMLParser"
_PARSED = ("handle_", "unknown_decl")
_LONGEST_TEXT = 2_000


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
    """Call any of some methods any number of times, with arguments that nobody knows.

    What one of them flushes or closes may be flushed or closed last.
    """
    emptied: set[int] = set()

    def once(states: list[State]) -> tuple[list[State], list[State]]:
        exits = [each.copy() for each in states]
        again: list[State] = []
        for current in states:
            for function in functions:
                given = Arguments(arguments.node, [receiver], open=True)
                for after in calls.call(m, current.copy(), function, given):
                    after.pop()
                    emptied.update(_emptied(current, after))
                    again.append(after)
        return exits, again

    if not functions:
        return [state.push(m.unknown())]
    found = repeat(m, [state], once)
    for after in found:
        m.forget(after, emptied & after.heap.keys())
        after.push(m.unknown())
    return found


def _emptied(before: State, after: State) -> set[int]:
    """Return the streams that have been closed, or that hold nothing any more."""
    found = set(before.streams - after.streams)
    for identity in before.streams & after.streams:
        then, now = before.stream(identity), after.stream(identity)
        if (now.closed and not then.closed) or (then.pending and not now.pending):
            found.add(identity)
    return found


def _in_turn(
    m: Machine, state: State, receiver: Value, names: Iterable[str], arguments: Arguments
) -> list[State]:
    """Call methods of the program's own by their names, those that there are."""
    states = [state]
    for name in names:
        found: list[State] = []
        for current in states:
            own = _own_named(current, receiver, name)
            if own is None:
                found.append(current)
                continue
            for after in calls.call(m, current, own, Arguments(arguments.node, [receiver])):
                after.pop()
                found.append(after)
        states = found
    return states


def _own_named(state: State, receiver: Value, name: str) -> Value | None:
    instance = state.look(Instance, receiver)
    return None if instance is None else classes.class_attribute(state, instance.cls, name)


def _calling(kind: str, names: tuple[str, ...], *prefixes: str) -> None:
    """Register methods of a library class that call those whose names begin so."""

    @method(kind, *names)
    def handler(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
        return _call_back(m, state, receiver, _own(state, receiver, prefixes), arguments)

    @method(kind, "__init__")
    def make(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
        return [state.push(NONE)]


for _kind in ("ast.NodeVisitor", "ast.NodeTransformer"):
    _calling(_kind, ("generic_visit",), "visit_")
    _calling(_kind, ("visit",), "visit_", "generic_visit")
_calling(_PARSER, ("close",), *_PARSED)


@method(_PARSER, "feed")
def _feed(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """Call the handlers: those of a known text as often and in the order as the library does."""
    from flushlint.machine.html_events import events_of

    text = arguments.get(0, "data")
    known = text.value if isinstance(text, Const) else None
    events = events_of(known) if isinstance(known, str) and len(known) <= _LONGEST_TEXT else None
    if events is None:
        return _call_back(m, state, receiver, _own(state, receiver, _PARSED), arguments)
    states = [state]
    for name, given in events:
        found: list[State] = []
        for current in states:
            own = _own_named(current, receiver, name)
            if own is None:
                found.append(current)
                continue
            values = [_value(m, current, item, arguments) for item in given]
            for after in calls.call(
                m, current, own, Arguments(arguments.node, [receiver, *values])
            ):
                after.pop()
                found.append(after)
        states = m.join(found)
    return [after.push(NONE) for after in states]


def _value(m: Machine, state: State, given: object, arguments: Arguments) -> Value:
    """Return a text, or the attributes of a tag, as a value."""
    if not isinstance(given, (list, tuple)):
        return Const(given)
    items = [_value(m, state, item, arguments) for item in given]
    return m.new(state, arguments.node, Sequence("list", items), "attributes")


# -- command loops ------------------------------------------------------------------------------


@method(_COMMANDS, "__init__")
def _make_commands(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(NONE)]


@method(_COMMANDS, "cmdloop")
def _loop(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    found: list[State] = []
    functions = _own(state, receiver, ("do_", "default", "precmd", "postcmd"))
    for begun in _in_turn(m, state, receiver, ("preloop",), arguments):
        for after in _call_back(m, begun, receiver, functions, arguments):
            found += _in_turn(m, after, receiver, ("postloop",), arguments)
    return found


@method(_COMMANDS, "onecmd")
def _command(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`onecmd("save now")` calls `do_save`, if there is one."""
    line = arguments.get(0, "line")
    if not isinstance(line, Const):
        return _call_back(m, state, receiver, _own(state, receiver, ("do_", "default")), arguments)
    name, rest = _parsed_command(str(line.value).strip())
    own = _own_named(state, receiver, f"do_{name}") if name else None
    given = [receiver, Const(rest)]
    if own is None:
        own = _own_named(state, receiver, "default" if name else "emptyline")
        given = [receiver, line] if name else [receiver]
    if own is None:
        # An empty line does once more what the last one did, which is not kept.
        return (
            [state.push(NONE)]
            if name
            else calls.unknown_call(m, state, arguments, receiver=receiver)
        )
    return calls.call(m, state, own, Arguments(arguments.node, given))


def _parsed_command(line: str) -> tuple[str, str]:
    """Take a line apart as `Cmd.parseline` does."""
    for sign, name in (("?", "help"), ("!", "shell")):
        if line.startswith(sign):
            return name, line[1:].strip()
    length = next((i for i, c in enumerate(line) if not (c.isalnum() or c == "_")), len(line))
    return line[:length], line[length:].strip()
