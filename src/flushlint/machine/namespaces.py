"""Names as a mapping: `vars(obj)`, `obj.__dict__`, `globals()`, `locals()`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine import calls, classes
from flushlint.machine.calls import Arguments, called, library, method
from flushlint.machine.objects import Class, Env, Instance, Mapping, Sequence
from flushlint.machine.values import NONE, Const, Ext, Method, Ref, Value

if TYPE_CHECKING:
    from collections.abc import Hashable

    import libcst as cst

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["has_name", "namespace", "put_name"]

_KIND = "%namespace"


@library("builtins.globals", "builtins.locals", "builtins.vars")
def _namespace(m: Machine, state: State, arguments: Arguments) -> list[State]:
    frame = state.frames[-1]
    env = frame.module if called(arguments) == "globals" else frame.env
    owner = arguments.positional[0] if arguments.positional else Ref(env)
    return [state.push(namespace(m, state, owner, arguments.node))]


def namespace(m: Machine, state: State, owner: Value, node: cst.CSTNode) -> Value:
    """Return the names of an instance, a class or a frame as a dict-like object."""
    return m.new(state, node, Instance(Ext(_KIND), {"names": owner}, node), "names")


@library("builtins.dir")
def _dir(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """`dir(obj)` returns the names of a module, an instance or a class, those of its class too."""
    owner = arguments.positional[0] if arguments.positional else Ref(state.frames[-1].env)
    known = isinstance(owner, Ref) and owner.id in state.heap
    names = _names(state, owner) if isinstance(owner, Ref) and known else None
    if names is None or not isinstance(owner, Ref):
        return [state.push(m.unknown())]
    found = set(names)
    instance = state.look(Instance, owner)
    for cls in classes.lineage(state, owner if instance is None else instance.cls):
        held = state.look(Class, cls)
        found |= set() if held is None else held.attributes.keys()
    items: list[Value] = [Const(name) for name in sorted(found) if name.isidentifier()]
    return [state.push(m.new(state, arguments.node, Sequence("list", items), "names"))]


def _owner(state: State, value: Value) -> Ref | None:
    instance = state.look(Instance, value)
    if instance is None or instance.cls != Ext(_KIND):
        return None
    owner = instance.attributes["names"]
    return owner if isinstance(owner, Ref) and owner.id in state.heap else None


def _names(state: State, owner: Ref) -> dict[str, Value] | None:
    """Return the names that a program can see, for reading."""
    obj = state.heap[owner.id]
    if isinstance(obj, Env):
        return obj.variables
    if isinstance(obj, (Instance, Class)):
        return {k: v for k, v in obj.attributes.items() if k[0] not in "%["}
    return None


def has_name(state: State, value: Value, name: Hashable) -> bool | None:
    """Say whether a namespace has a name; None if the value is none, or nobody knows."""
    owner = _owner(state, value)
    names = None if owner is None else _names(state, owner)
    return None if names is None else name in names


def put_name(state: State, value: Value, name: Value, item: Value) -> bool:
    """Set a name in a namespace; say whether the value is one."""
    owner = _owner(state, value)
    if owner is not None and isinstance(name, Const) and _names(state, owner) is not None:
        state.names_of(owner.id)[str(name.value)] = item
    return owner is not None


@method(_KIND, "__getitem__", "get")
def _named(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    owner = _owner(state, receiver)
    names = None if owner is None else _names(state, owner)
    key = arguments.positional[0] if arguments.positional else NONE
    if names is not None and isinstance(key, Const):
        default = arguments.positional[1] if len(arguments.positional) > 1 else NONE
        return [state.push(names.get(str(key.value), default))]
    result = m.unknown()
    state.hold(result.key, (receiver,))
    return [state.push(result)]


def _as_mapping(name: str) -> None:
    """Let a method do to the names what it does to a dict of them."""

    @method(_KIND, name)
    def handler(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
        owner = _owner(state, receiver)
        names = None if owner is None else _names(state, owner)
        if owner is None or names is None:
            return calls.unknown_call(m, state, arguments, receiver=receiver, name=name)
        entries: dict[Hashable, Value] = dict(names.items())
        copied = m.new(state, arguments.node, Mapping(entries), "copied names")
        found = calls.call(m, state, Method(copied, name), arguments)
        for after in found:
            mapping = after.look(Mapping, copied)
            assert mapping is not None
            if mapping.entries != names:
                held = after.names_of(owner.id)
                for gone in names.keys() - mapping.entries.keys():
                    del held[gone]
                held.update({str(k): v for k, v in mapping.entries.items()})
                after.dirty = True
        return found


for _name in ("update", "pop", "setdefault", "clear", "copy", "items", "keys", "values"):
    _as_mapping(_name)
