"""`functools.singledispatch`: which function is called, by the class of the first argument."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine import calls, classes
from flushlint.machine.calls import Arguments, library, method
from flushlint.machine.library.threads import attribute
from flushlint.machine.objects import Class, Function, Instance, Mapping, Sequence
from flushlint.machine.values import NONE, Const, Ext, Ref, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []

_KIND = "functools.singledispatch"
_OBJECT = Ext("builtins.object")


@library(_KIND)
def _make(m: Machine, state: State, arguments: Arguments) -> list[State]:
    function = arguments.get(0, "func") or NONE
    table = {
        "kinds": m.new(state, arguments.node, Sequence("list", [_OBJECT]), "kinds"),
        "functions": m.new(state, arguments.node, Sequence("list", [function]), "functions"),
    }
    made = Instance(Ext(_KIND), {**table, "function": function}, arguments.node)
    return [state.push(m.new(state, arguments.node, made, "dispatching"))]


@method(_KIND, "register")
def _register(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`@f.register` goes by the annotation, `@f.register(cls)` and `f.register(cls, g)` do not."""
    kind, function = arguments.get(0, "cls") or NONE, arguments.get(1, "func")
    annotated = state.look(Function, kind)
    if annotated is not None:
        return _annotated(m, state, receiver, kind, annotated)
    if function is None:
        made = Instance(Ext(f"{_KIND}.register"), {"kind": kind, "of": receiver}, arguments.node)
        return [state.push(m.new(state, arguments.node, made, "registering"))]
    _add(state, receiver, kind, function)
    return [state.push(function)]


@method(f"{_KIND}.register", "__call__")
def _register_for(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    function = arguments.get(0, "func") or NONE
    _add(state, attribute(state, receiver, "of"), attribute(state, receiver, "kind"), function)
    return [state.push(function)]


def _annotated(
    m: Machine, state: State, receiver: Value, value: Value, function: Function
) -> list[State]:
    parameters = function.node.params
    named = [*parameters.posonly_params, *parameters.params]
    annotation = named[0].annotation if named else None
    if annotation is None:
        return [state.push(value)]
    found = m.eval(annotation.annotation, [state])
    for after in found:
        _add(after, receiver, after.pop(), value)
        after.push(value)
    return found


def _add(state: State, receiver: Value, kind: Value, function: Value) -> None:
    for name, value in (("kinds", kind), ("functions", function)):
        held = attribute(state, receiver, name)
        if isinstance(held, Ref):
            state.edit(Sequence, held.id).items.append(value)


@method(_KIND, "__call__")
def _call(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    found: list[State] = []
    first = arguments.positional[0] if arguments.positional else NONE
    for branch, option in m.choose(state, first):
        chosen = _chosen(branch, receiver, option)
        for function in chosen:
            ready = branch.copy() if len(chosen) > 1 else branch
            found += calls.call(m, ready, function, arguments)
    return m.join(found)


def _chosen(state: State, receiver: Value, given: Value) -> list[Value]:
    """Return the function for an argument; all of them where its class is not known."""
    kinds, functions = (
        state.look(Sequence, attribute(state, receiver, name)) for name in ("kinds", "functions")
    )
    assert kinds is not None
    assert functions is not None
    table = dict(zip(kinds.items, functions.items, strict=True))
    lineage = _lineage(state, given)
    # An abstract base class of the library may be one of any class.
    vague = any(isinstance(kind, Ext) and not _is_builtin(kind) for kind in table)
    for cls in lineage:
        if cls in table and (cls != _OBJECT or not vague):
            return [table[cls]]
    if lineage and not vague:
        return [functions.items[0]]
    return list(dict.fromkeys(functions.items))


def _lineage(state: State, given: Value) -> list[Value]:
    """Return the classes of a value in method resolution order, none if they are not known."""
    if isinstance(given, Const):
        return [Ext(f"builtins.{kind.__name__}") for kind in type(given.value).__mro__]
    obj = state.heap.get(given.id) if isinstance(given, Ref) else None
    if isinstance(obj, Instance) and not classes.has_unknown_base(state, obj.cls):
        return [*classes.lineage(state, obj.cls), _OBJECT]
    if isinstance(obj, Sequence) and obj.kind in ("list", "tuple", "set"):
        return [Ext(f"builtins.{obj.kind}"), _OBJECT]
    if isinstance(obj, Mapping):
        return [Ext("builtins.dict"), _OBJECT]
    if isinstance(obj, Class):
        return [Ext("builtins.type"), _OBJECT]
    return []


def _is_builtin(kind: Ext) -> bool:
    return kind.name.startswith("builtins.")
