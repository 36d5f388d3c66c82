"""`functools`, `dataclasses`, `weakref`, named tuples: what wraps, copies or holds weakly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine import calls, classes
from flushlint.machine.attributes import get
from flushlint.machine.calls import Arguments, called, library, method
from flushlint.machine.iteration import iterate
from flushlint.machine.joining import join_values
from flushlint.machine.objects import (
    Class,
    Instance,
    Mapping,
    Sequence,
)
from flushlint.machine.values import NONE, Const, Ext, Ref, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []


@library("dataclasses.field")
def _field(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """A field's default, or what makes it for each instance anew."""
    default = arguments.keywords.get("default")
    if default is not None:
        return [state.push(default)]
    factory = arguments.keywords.get("default_factory") or NONE
    values = {"factory": factory, "init": arguments.keywords.get("init") or Const(value=True)}
    made = Instance(Ext("%field"), values, arguments.node)
    return [state.push(m.new(state, arguments.node, made))]


def _replaced(m: Machine, state: State, instance: Instance, arguments: Arguments) -> list[State]:
    """Make a dataclass anew from the values of the old one: `__post_init__` runs again."""
    given: dict[str, Value] = {}
    for name in calls.field_names(state, instance.cls) or ():
        default = classes.class_attribute(state, instance.cls, name)
        field = None if default is None else state.look(Instance, default)
        excluded = field is not None and field.attributes.get("init") == Const(value=False)
        if name in instance.attributes and not excluded:
            given[name] = instance.attributes[name]
    given.update(arguments.keywords)
    return calls.instantiate(m, state, instance.cls, Arguments(arguments.node, [], given))


@library("dataclasses.replace", "copy.copy", "copy.replace")
def _replace(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """A shallow copy, with some attributes replaced: it shares the rest."""
    value = arguments.positional[0] if arguments.positional else NONE
    found: list[State] = []
    for branch, option in m.choose(state, value):
        obj = branch.heap.get(option.id) if isinstance(option, Ref) else None
        if isinstance(obj, (Instance, Sequence, Mapping)):
            other = obj.copy()
            if isinstance(obj, Instance) and calls.field_names(branch, obj.cls):
                found += _replaced(m, branch, obj, arguments)
                continue
            found.append(branch.push(m.new(branch, arguments.node, other, "copy")))
        else:
            found.append(branch.push(option))
    return found


@library("dataclasses.dataclass", "functools.wraps",
         "functools.lru_cache")  # fmt: skip
def _decorator_factory(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Calls that return a decorator, which is then the identity."""
    kind = {"dataclass": "%dataclass", "lru_cache": "%cache"}.get(called(arguments), "%decorator")
    return [state.push(m.new(state, arguments.node, Instance(Ext(kind), {})))]


@method("functools.partial", "__init__")
def _make_partial(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    assert isinstance(receiver, Ref)
    given = Sequence("tuple", list(arguments.positional[1:]))
    keywords = Mapping(dict(arguments.keywords.items()))
    values = {
        "func": arguments.positional[0] if arguments.positional else NONE,
        "args": m.new(state, arguments.node, given, "partial args"),
        "keywords": m.new(state, arguments.node, keywords, "partial keywords"),
    }
    state.edit(Instance, receiver.id).attributes.update(values)
    return [state.push(NONE)]


@method("functools.partial", "__call__")
def _call_partial(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    instance = state.look(Instance, receiver)
    assert instance is not None
    names = ("args", "keywords", "func")
    given, named, function = (instance.attributes.get(name, m.unknown()) for name in names)
    found: list[State] = []
    for branch, args in m.choose(state, given):
        for after, keywords in m.choose(branch, named):
            whole = _completed(after, args, keywords, arguments)
            if whole is None:
                found += calls.unknown_call(m, after, arguments, receiver=receiver)
            else:
                found += calls.call(m, after, function, whole)
    return found


def _completed(
    state: State, args: Value, keywords: Value, arguments: Arguments
) -> Arguments | None:
    """Return the arguments of a partial together with those of its call."""
    given, named = state.look(Sequence, args), state.look(Mapping, keywords)
    if given is None or named is None:
        return None
    return Arguments(
        arguments.node,
        [*given.items, *arguments.positional],
        {**{str(k): v for k, v in named.entries.items()}, **arguments.keywords},
        open=arguments.open,
        rest=arguments.rest,
    )


@method("functools.lru_cache", "__call__")
def _call_cached(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """A cached function keeps its results, and hands them out again for equal arguments."""
    instance = state.look(Instance, receiver)
    assert instance is not None
    assert isinstance(receiver, Ref)
    known = all(isinstance(v, Const) for v in arguments.values()) and not arguments.open
    slot = f"[{arguments.positional}, {arguments.keywords}]" if known else "[]"
    if known and slot in instance.attributes:
        return [state.push(instance.attributes[slot])]
    states = calls.call(m, state, instance.attributes["function"], arguments)
    for after in states:
        kept = after.edit(Instance, receiver.id).attributes
        values = [*([kept[slot]] if slot in kept else []), after.stack[-1]]
        kept[slot] = join_values(values, m.fresh)
    return states


@method("functools.lru_cache", "cache_clear")
def _clear_cache(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    assert isinstance(receiver, Ref)
    kept = state.edit(Instance, receiver.id).attributes
    for slot in [name for name in kept if name.startswith("[")]:
        del kept[slot]
    state.dirty = True
    return [state.push(NONE)]


@method("functools.lru_cache", "cache_info", "cache_parameters")
def _cache_info(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(m.unknown())]


@library("collections.namedtuple")
def _namedtuple(m: Machine, state: State, arguments: Arguments) -> list[State]:
    name, given = arguments.get(0, "typename"), arguments.get(1, "field_names") or NONE
    words: list[str] = []
    if isinstance(given, Const) and isinstance(given.value, str):
        words = given.value.replace(",", " ").split()
    else:
        for item in iterate(m, state, given).items:
            if isinstance(item, Const):
                words.append(str(item.value))
    title = str(name.value) if isinstance(name, Const) else "namedtuple"
    made = Class(title, (Ext("typing.NamedTuple"),), {}, None, tuple(words))
    return [state.push(m.new(state, arguments.node, made))]


@library("typing.NamedTuple._make")
def _make_named(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """`Cls._make(values)`: the class and an iterable."""
    cls, values = arguments.positional[0], arguments.get(1, "iterable") or NONE
    found: list[State] = []
    for after in calls.call(m, state, Ext("builtins.list"), Arguments(arguments.node, [values])):
        given = iterate(m, after, after.pop())
        whole = Arguments(arguments.node, given.items, open=not given.exact)
        found += calls.instantiate(m, after, cls, whole)
    return found


@method("typing.NamedTuple", "_replace")
def _replace_named(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    instance = state.look(Instance, receiver)
    assert instance is not None
    made = instance.copy()
    made.attributes.update(arguments.keywords)
    return [state.push(m.new(state, arguments.node, made, "copy"))]


def _weak(kind: str) -> None:
    """Containers that hold what is in them weakly: nothing is known of what comes out."""

    @method(kind, "__init__", "get", "__getitem__", "setdefault", "add", "pop", "items", "values",
            "keys", "clear", "discard", "remove", "__call__")  # fmt: skip
    def handler(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
        return [state.push(m.unknown())]


for _name in ("WeakValueDictionary", "WeakKeyDictionary", "WeakSet", "ref", "proxy"):
    _weak(f"weakref.{_name}")


@library("functools.reduce")
def _reduce(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Call the function with what has come out so far and each element in turn."""
    if len(arguments.positional) < 2:
        return [state.push(m.unknown())]
    function, iterable, *start = arguments.positional
    found: list[State] = []
    for after in calls.call(m, state, Ext("builtins.list"), Arguments(arguments.node, [iterable])):
        elements = iterate(m, after, after.pop())
        items: list[Value] = [*start, *elements.items]
        if not elements.exact:
            items = [m.unknown(), m.unknown()]
        found += _folded(m, after.push(items[0] if items else NONE), function, items, arguments)
    return found


def _folded(
    m: Machine, state: State, function: Value, items: list[Value], arguments: Arguments
) -> list[State]:
    states = [state]
    for item in items[1:]:
        states = [
            after
            for before in states
            for after in calls.call(
                m, before, function, Arguments(arguments.node, [before.pop(), item])
            )
        ]
    return m.join(states)


@method("operator.methodcaller", "__init__")
@method("operator.attrgetter", "__init__")
def _make_getter(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    assert isinstance(receiver, Ref)
    kept = m.new(state, arguments.node, Sequence("tuple", arguments.positional[1:]), "given")
    names = m.new(state, arguments.node, Mapping(dict(arguments.keywords.items())), "named")
    name = arguments.positional[0] if arguments.positional else NONE
    values = {"name": name, "args": kept, "keywords": names}
    state.edit(Instance, receiver.id).attributes.update(values)
    return [state.push(NONE)]


@method("operator.attrgetter", "__call__")
def _call_getter(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    instance = state.look(Instance, receiver)
    name = NONE if instance is None else instance.attributes["name"]
    if not isinstance(name, Const) or "." in str(name.value) or not arguments.positional:
        return calls.unknown_call(m, state, arguments, receiver=receiver)
    found: list[State] = []
    for branch, option in m.choose(state, arguments.positional[0]):
        for after in get(m, branch.push(option), option, str(name.value), arguments.node):
            del after.stack[-2]
            found.append(after)
    return found


@method("operator.methodcaller", "__call__")
def _call_caller(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    instance = state.look(Instance, receiver)
    assert instance is not None
    given = state.look(Sequence, instance.attributes["args"])
    named = state.look(Mapping, instance.attributes["keywords"])
    found: list[State] = []
    for after in _call_getter(m, state, receiver, arguments):
        inner = Arguments(arguments.node, [] if given is None else list(given.items))
        if named is not None:
            inner.keywords = {str(k): v for k, v in named.entries.items()}
        found += calls.call(m, after, after.pop(), inner)
    return found


@library("operator.itemgetter")
def _item_getter(m: Machine, state: State, arguments: Arguments) -> list[State]:
    return [state.push(m.unknown())]


@method("types.SimpleNamespace", "__init__")
def _make_namespace(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    assert isinstance(receiver, Ref)
    state.edit(Instance, receiver.id).attributes.update(arguments.keywords)
    return [state.push(NONE)]
