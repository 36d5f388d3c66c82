"""Builtin functions about objects, numbers and text."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from flushlint.machine import attributes, calls, classes
from flushlint.machine.attributes import NAMESPACES
from flushlint.machine.calls import Arguments, called, library
from flushlint.machine.iteration import iterate
from flushlint.machine.objects import (
    Class,
    Function,
    Instance,
    Mapping,
    Sequence,
    Stream,
)
from flushlint.machine.values import NONE, Const, Ext, Ref, Unknown, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []


def _quiet(*names: str) -> None:
    """Register functions that touch no stream and raise nothing worth following."""

    @library(*names)
    def handler(m: Machine, state: State, arguments: Arguments) -> list[State]:
        return [state.push(m.unknown(newline=None))]


_quiet(
    *(
        f"builtins.{name}"
        for name in (
            "abs", "ascii", "bin", "bool", "breakpoint", "bytearray", "chr", "complex", "divmod",
            "format", "hash", "help", "hex", "id", "memoryview", "object", "object.__init__",
            "oct", "ord", "pow", "round", "slice",
        )
    ),
)  # fmt: skip


@library("builtins.str", "builtins.repr", "builtins.bytes")
def _text(m: Machine, state: State, arguments: Arguments) -> list[State]:
    value = arguments.positional[0] if arguments.positional else Const("")
    if isinstance(value, Const) and isinstance(value.value, (int, str, float)):
        return [state.push(Const(str(value.value)))]
    return [state.push(m.unknown())]


def _number(name: str, convert: type[int | float]) -> None:
    @library(name)
    def handler(m: Machine, state: State, arguments: Arguments) -> list[State]:
        value = arguments.positional[0] if arguments.positional else Const(0)
        number = value.value if isinstance(value, Const) else None
        if isinstance(number, (int, float, str)) and len(arguments.positional) == 1:
            try:
                return [state.push(Const(convert(number)))]
            except (ValueError, OverflowError):
                calls.stop(m, state, arguments.node, "ValueError")
                return []
        m.may_raise(state, "builtins.ValueError", arguments.node)
        return [state.push(m.unknown())]


_number("builtins.int", int)
_number("builtins.float", float)


@library("builtins.len")
def _len(m: Machine, state: State, arguments: Arguments) -> list[State]:
    value = arguments.positional[0] if arguments.positional else NONE
    sequence, mapping = state.look(Sequence, value), state.look(Mapping, value)
    if sequence is not None and sequence.exact:
        return [state.push(Const(len(sequence.items)))]
    if mapping is not None and mapping.exact:
        return [state.push(Const(len(mapping.entries)))]
    if isinstance(value, Const) and isinstance(value.value, (str, bytes)):
        return [state.push(Const(len(value.value)))]
    if isinstance(value, Unknown):
        return [state.push(Unknown(("len", value.key)))]
    if sequence is not None:
        return [state.push(Unknown(("len", value)))]
    return [state.push(m.unknown())]


@library("builtins.isinstance", "builtins.issubclass", "builtins.callable")
def _is(m: Machine, state: State, arguments: Arguments) -> list[State]:
    subject = arguments.positional[0] if arguments.positional else NONE
    wanted = arguments.positional[1] if len(arguments.positional) > 1 else NONE
    instance = state.look(Instance, subject)
    if instance is not None and isinstance(wanted, Ref) and state.look(Class, wanted):
        return [state.push(Const(wanted in classes.lineage(state, instance.cls)))]
    key = subject.key if isinstance(subject, Unknown) else subject
    return [state.push(Unknown(("is a", key, wanted)))]


@library("builtins.hasattr")
def _hasattr(m: Machine, state: State, arguments: Arguments) -> list[State]:
    known = _has(state, *arguments.positional) if len(arguments.positional) == 2 else None
    if known is not None:
        return [state.push(Const(known))]
    return [state.push(Unknown(("has", *arguments.positional[:2])))]


def _has(state: State, value: Value, name: Value) -> bool | None:
    """Say whether an object has an attribute: streams and the program's own instances."""
    word = name.value if isinstance(name, Const) else None
    if not isinstance(word, str):
        return None
    stream = state.look(Stream, value)
    if stream is not None:
        return hasattr(io.TextIOWrapper if stream.text else io.BufferedWriter, word)
    instance = state.look(Instance, value)
    if instance is None or not isinstance(instance.cls, Ref):
        return None
    if word in instance.attributes or classes.class_attribute(state, instance.cls, word):
        return True
    foreign = classes.external_bases(state, instance.cls)
    return None if foreign or classes.has_unknown_base(state, instance.cls) else False


@library("builtins.getattr")
def _getattr(m: Machine, state: State, arguments: Arguments) -> list[State]:
    if len(arguments.positional) < 2:
        return [state.push(m.unknown())]
    value, name = arguments.positional[:2]
    if not isinstance(name, Const) or not isinstance(name.value, str):
        result = m.unknown()
        state.hold(result.key, (value,))
        return [state.push(result)]
    instance = state.look(Instance, value)
    if len(arguments.positional) > 2 and instance is not None:
        known = name.value in instance.attributes or classes.class_attribute(
            state, instance.cls, name.value
        )
        kinds = classes.external_bases(state, instance.cls)
        if not known and NAMESPACES.issuperset(kinds):
            return [state.push(arguments.positional[2])]
    found: list[State] = []
    for branch, option in m.choose(state, value):
        found += attributes.get(m, branch, option, name.value, arguments.node)
    return found


@library("builtins.setattr", "object.__setattr__", "builtins.object.__setattr__")
def _setattr(m: Machine, state: State, arguments: Arguments) -> list[State]:
    if len(arguments.positional) < 3:
        return [state.push(NONE)]
    receiver, name, value = arguments.positional[:3]
    word = name.value if isinstance(name, Const) else f"%{m.fresh()}"
    found: list[State] = []
    for branch, option in m.choose(state, receiver):
        found += attributes.put(m, branch, option, str(word), value, arguments.node)
    return [after.push(NONE) for after in found]


@library("builtins.delattr")
def _delattr(m: Machine, state: State, arguments: Arguments) -> list[State]:
    if len(arguments.positional) != 2 or not isinstance(arguments.positional[1], Const):
        return [state.push(NONE)]
    receiver, name = arguments.positional[0], str(arguments.positional[1].value)
    found = attributes.delete(m, state, receiver, name, arguments.node)
    return [after.push(NONE) for after in found]


@library("builtins.object.__init_subclass__")
def _init_subclass(m: Machine, state: State, arguments: Arguments) -> list[State]:
    return [state.push(NONE)]


@library("builtins.type")
def _type(m: Machine, state: State, arguments: Arguments) -> list[State]:
    if len(arguments.positional) == 3:
        return [state.push(_made_class(m, state, arguments))]
    value = arguments.positional[0] if len(arguments.positional) == 1 else NONE
    instance = state.look(Instance, value)
    return [state.push(m.unknown() if instance is None else instance.cls)]


def _made_class(m: Machine, state: State, arguments: Arguments) -> Value:
    """`type(name, bases, names)`: a class statement in one call."""
    name, bases, names = arguments.positional
    mapping = state.look(Mapping, names)
    if mapping is None:
        return m.unknown()
    attributes = {str(key): value for key, value in mapping.entries.items()}
    title = str(name.value) if isinstance(name, Const) else "class"
    made = Class(title, tuple(iterate(m, state, bases).items), attributes, None)
    return m.new(state, arguments.node, made, "class")


@library("builtins.super")
def _super(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """`super()`: the receiver of the running method, and the class that defines it."""
    frame = state.frames[-1]
    function = None if frame.function is None else state.heap.get(frame.function)
    receiver: Value | None = None
    owner: Value | None = None
    if len(arguments.positional) == 2:
        owner, receiver = arguments.positional
    elif isinstance(function, Function) and function.owner is not None:
        owner = Ref(function.owner)
        env = state.heap[frame.env]
        parameters = function.node.params
        named = [*parameters.posonly_params, *parameters.params]
        if named:
            receiver = getattr(env, "variables", {}).get(named[0].name.value)
    if owner is None or receiver is None:
        return [state.push(m.unknown())]
    made = Instance(Ext("builtins.super"), {"self": receiver, "owner": owner}, arguments.node)
    return [state.push(m.new(state, arguments.node, made, "super"))]


@library("builtins.property", "builtins.staticmethod", "builtins.classmethod")
def _descriptor(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Descriptors made by a call: `name = property(get, set)`."""
    name = called(arguments) or "property"
    values: dict[str, Value] = {}
    if name == "property":
        for index, slot in enumerate(("fget", "fset", "fdel")):
            given = arguments.get(index, slot)
            if given is not None:
                values[slot] = given
    elif arguments.positional:
        values["function"] = arguments.positional[0]
    made = Instance(Ext(f"builtins.{name}"), values, arguments.node)
    return [state.push(m.new(state, arguments.node, made))]


@library("sys.exit", "builtins.exit", "builtins.quit")
def _exit(m: Machine, state: State, arguments: Arguments) -> list[State]:
    calls.stop(m, state, arguments.node, "SystemExit")
    return []


@library("builtins.object.__new__", "object.__new__")
def _object_new(m: Machine, state: State, arguments: Arguments) -> list[State]:
    cls = arguments.positional[0] if arguments.positional else NONE
    made = Instance(cls, {}, arguments.node)
    return [state.push(m.new(state, arguments.node, made))]
