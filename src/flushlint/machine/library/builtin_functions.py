"""Builtin functions, and the few of `functools`, `itertools` and `operator` that matter."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import libcst as cst

from flushlint.machine import attributes, calls, classes
from flushlint.machine.calls import Arguments, library, method
from flushlint.machine.generators import exhaust, resume
from flushlint.machine.iteration import iterate
from flushlint.machine.joining import join_values
from flushlint.machine.objects import (
    Class,
    Function,
    Generator,
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

_LARGEST_RANGE = 8


def _quiet(*names: str) -> None:
    """Register functions that touch no stream and raise nothing worth following."""

    @library(*names)
    def handler(m: Machine, state: State, arguments: Arguments) -> list[State]:
        return [state.push(m.unknown(newline=None))]


_quiet(
    *(
        f"builtins.{name}"
        for name in (
            "abs", "ascii", "bin", "bool", "bytearray", "bytes", "chr", "complex",
            "dir", "divmod", "format", "hash", "hex", "id", "input", "memoryview", "object", "oct", "ord", "pow", "repr",
            "round", "slice", "object.__init__", "help", "breakpoint",
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
                return [state.push(Const(convert(number)))]  # type: ignore[union-attr,arg-type]  # known
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
    return [state.push(m.unknown())]


@library("builtins.range")
def _range(m: Machine, state: State, arguments: Arguments) -> list[State]:
    given = [v.value if isinstance(v, Const) else None for v in arguments.positional]
    numbers = [n for n in given if isinstance(n, int)]
    if not 1 <= len(numbers) <= 3 or len(numbers) < len(given) or 0 in numbers[2:]:
        return [state.push(m.unknown())]
    span = range(*numbers)
    if len(span) <= _LARGEST_RANGE:
        items: list[Value] = [Const(n) for n in span]
        return [state.push(m.new(state, arguments.node, Sequence("tuple", items)))]
    many = Sequence("tuple", [m.unknown()], exact=False, nonempty=True)
    return [state.push(m.new(state, arguments.node, many))]


# -- containers -----------------------------------------------------------------------------------


def _elements(
    m: Machine, state: State, value: Value, arguments: Arguments
) -> list[tuple[State, Sequence]]:
    """Iterate over a value as a library function does, running generators to their end."""
    found: list[tuple[State, Sequence]] = []
    for branch, option in m.choose(state, value):
        instance = branch.look(Instance, option)
        own = instance and classes.class_attribute(branch, instance.cls, "__iter__")
        if branch.look(Generator, option) is not None and isinstance(option, Ref):
            for after in exhaust(m, branch, option.id, arguments.node):
                sequence = after.look(Sequence, after.pop())
                assert sequence is not None
                found.append((after, sequence.copy()))
        elif own:
            for after in calls.call(m, branch, own, Arguments(arguments.node, [option])):
                inner = after.pop()
                if after.look(Generator, inner) is not None:
                    found += _elements(m, after, inner, arguments)
                else:
                    found.append((after, Sequence("list", [], exact=False)))
        else:
            elements = iterate(m, branch, option)
            found.append((branch, Sequence("list", elements.items, elements.exact)))
    return found


@library("builtins.sum", "builtins.max", "builtins.min", "builtins.any", "builtins.all",
         "statistics.mean", "math.fsum", "collections.Counter")  # fmt: skip
def _consume(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Functions that run an iterable to its end; `any` and `all` may stop before."""
    if len(arguments.positional) != 1:
        return [state.push(m.unknown())]
    found: list[State] = []
    for after, _ in _elements(m, state, arguments.positional[0], arguments):
        found.append(after.push(m.unknown()))
    return found


def _container(name: str, kind: str) -> None:
    @library(name)
    def handler(m: Machine, state: State, arguments: Arguments) -> list[State]:
        if not arguments.positional:
            made = Sequence(kind, [])  # type: ignore[arg-type]  # one of the three words
            return [state.push(m.new(state, arguments.node, made))]
        found = []
        for after, sequence in _elements(m, state, arguments.positional[0], arguments):
            sequence.kind = kind  # type: ignore[assignment]  # one of the three words
            found.append(after.push(m.new(after, arguments.node, sequence)))
        return found


for _name, _kind in {
    "builtins.list": "list",
    "builtins.tuple": "tuple",
    "builtins.set": "set",
    "builtins.frozenset": "set",
    "builtins.sorted": "list",
    "builtins.reversed": "list",
    "collections.deque": "list",
    "itertools.chain.from_iterable": "list",
    "itertools.cycle": "list",
    "itertools.islice": "list",
}.items():
    _container(_name, _kind)


@library("itertools.chain")
def _chain(m: Machine, state: State, arguments: Arguments) -> list[State]:
    everything = Sequence("list", [])
    for value in arguments.positional:
        elements = iterate(m, state, value)
        everything.items.extend(elements.items)
        everything.exact = everything.exact and elements.exact
    return [state.push(m.new(state, arguments.node, everything))]


@library("collections.defaultdict")
def _defaultdict(m: Machine, state: State, arguments: Arguments) -> list[State]:
    factory = arguments.get(0, "default_factory")
    states = _dict(m, state, arguments.after(1))
    for after in states:
        made = after.stack[-1]
        if isinstance(made, Ref) and factory is not None:
            after.edit(Mapping, made.id).factory = factory
    return states


@library("builtins.dict", "collections.OrderedDict")
def _dict(m: Machine, state: State, arguments: Arguments) -> list[State]:
    if arguments.positional and state.look(Mapping, arguments.positional[-1]) is None:
        m.may_raise(state, "builtins.ValueError", arguments.node)
        found: list[State] = []
        for after, values in _drained(m, state, arguments):
            found.append(after.push(_new_dict(m, after, values, arguments)))
        return found
    return [state.push(_new_dict(m, state, arguments.positional, arguments))]


def _new_dict(m: Machine, state: State, values: list[Value], arguments: Arguments) -> Value:
    mapping = Mapping({**arguments.keywords})
    if values:
        source = state.look(Mapping, values[-1])
        if source is not None:
            mapping.entries = {**source.entries, **mapping.entries}
            mapping.rest, mapping.exact = list(source.rest), source.exact
        else:
            mapping.exact = False
            for item in iterate(m, state, values[-1]).items:
                pair = state.look(Sequence, item)
                mapping.rest.extend(pair.items[1:] if pair is not None else ())
    return m.new(state, arguments.node, mapping)


@library("builtins.enumerate", "builtins.zip", "itertools.zip_longest", "itertools.product")
def _zip(m: Machine, state: State, arguments: Arguments) -> list[State]:
    return [
        after.push(_rows(m, after, given, arguments))
        for after, given in _drained(m, state, arguments)
    ]


def _drained(
    m: Machine, state: State, arguments: Arguments, start: int = 0
) -> list[tuple[State, list[Value]]]:
    """Run the generators among the arguments to their ends, as if they were consumed here."""
    paths: list[tuple[State, list[Value]]] = [(state, list(arguments.positional[:start]))]
    for value in arguments.positional[start:]:
        again: list[tuple[State, list[Value]]] = []
        for current, done in paths:
            if current.look(Generator, value) is None:
                again.append((current, [*done, value]))
                continue
            for after, sequence in _elements(m, current, value, arguments):
                made = m.new(after, arguments.node, sequence, f"drained{len(done)}")
                again.append((after, [*done, made]))
        paths = again
    return paths


def _rows(m: Machine, state: State, values: list[Value], arguments: Arguments) -> Value:
    columns = [iterate(m, state, v) for v in values]
    start = _called(arguments) == "enumerate"
    if start and columns:
        given = arguments.get(1, "start")
        first = given.value if isinstance(given, Const) and isinstance(given.value, int) else 0
        columns = columns[:1]
        numbers: list[Value] = [Const(first + i) for i in range(len(columns[0].items))]
        counted = columns[0]._replace(items=numbers)
        columns = [counted, columns[0]]
    exact = all(c.exact for c in columns)
    if exact:
        rows = [list(row) for row in zip(*(c.items for c in columns), strict=False)]
    else:
        rows = [[c.any(m, state) for c in columns]]
    items: list[Value] = [
        m.new(state, arguments.node, Sequence("tuple", row), f"row{i}")
        for i, row in enumerate(rows)
    ]
    result = Sequence("list", items, exact)
    objects = any(v.__class__ is Ref for c in columns for v in c.items)
    if not exact and not objects and not all(c.nonempty for c in columns):
        # There may be no row at all, so a loop over it may not run.
        return m.unknown()
    return m.new(state, arguments.node, result)


@library("builtins.map", "builtins.filter", "itertools.starmap")
def _map(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Run the function over the elements at once, although it would run when consumed."""
    if len(arguments.positional) < 2:
        return [state.push(m.unknown())]
    found: list[State] = []
    for after, values in _drained(m, state, arguments, 1):
        found += _mapped(m, after, values, arguments)
    return found


def _mapped(m: Machine, state: State, values: list[Value], arguments: Arguments) -> list[State]:
    function = values[0]
    columns = [iterate(m, state, v) for v in values[1:]]
    result = Sequence("list", [], exact=False)
    made = m.new(state, arguments.node, result)
    states = [state.push(made)]
    exact = all(c.exact and len(c.items) <= 8 for c in columns)
    rows = (
        [list(r) for r in zip(*(c.items for c in columns), strict=False)]
        if exact
        else [[c.any(m, state) for c in columns]]
    )
    for row in rows:
        again: list[State] = []
        for current in states:
            for after in calls.call(m, current, function, Arguments(arguments.node, list(row))):
                value = after.pop()
                after.edit(Sequence, made.id).items.append(value)
                again.append(after)
        states = m.join(again)
    return states


@library("builtins.iter")
def _iter(m: Machine, state: State, arguments: Arguments) -> list[State]:
    if len(arguments.positional) != 1:
        return calls.unknown_call(m, state, arguments, name="iter")
    return [state.push(arguments.positional[0])]


@library("builtins.next", "builtins.anext")
def _next(m: Machine, state: State, arguments: Arguments) -> list[State]:
    value = arguments.positional[0] if arguments.positional else NONE
    generator = state.look(Generator, value)
    if generator is None or not isinstance(value, Ref):
        instance = state.look(Instance, value)
        own = instance and classes.class_attribute(state, instance.cls, "__next__")
        if own:
            return calls.call(m, state, own, Arguments(arguments.node, [value]))
        m.may_raise(state, "builtins.StopIteration", arguments.node)
        return [state.push(iterate(m, state, value).any(m, state))]
    yielded, ended = resume(m, state, value.id, arguments.node)
    for after in ended:
        after.pop()
        if len(arguments.positional) > 1:
            yielded.append(after.push(arguments.positional[1]))
        else:
            calls.stop(m, after, arguments.node, "StopIteration")
    return yielded


# -- objects --------------------------------------------------------------------------------------


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
        if not known and not classes.external_bases(state, instance.cls):
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
    if len(arguments.positional) == 2 and isinstance(arguments.positional[1], Const):
        attributes.delete(state, arguments.positional[0], str(arguments.positional[1].value))
    return [state.push(NONE)]


@library("builtins.type")
def _type(m: Machine, state: State, arguments: Arguments) -> list[State]:
    value = arguments.positional[0] if len(arguments.positional) == 1 else NONE
    instance = state.look(Instance, value)
    return [state.push(m.unknown() if instance is None else instance.cls)]


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
    name = _called(arguments) or "property"
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
    kind = {"dataclass": "%dataclass", "lru_cache": "%cache"}.get(_called(arguments), "%decorator")
    return [state.push(m.new(state, arguments.node, Instance(Ext(kind), {})))]


def _called(arguments: Arguments) -> str:
    """Return the last part of the name under which a function is called."""
    function = getattr(arguments.node, "func", None)
    name = function.attr if isinstance(function, cst.Attribute) else function
    return name.value if isinstance(name, cst.Name) else ""


# -- functools ------------------------------------------------------------------------------------


@method("functools.partial", "__init__")
def _make_partial(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    assert isinstance(receiver, Ref)
    given = Sequence("tuple", list(arguments.positional[1:]))
    keywords = Mapping({**arguments.keywords})
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
    args = state.look(Sequence, instance.attributes["args"])
    keywords = state.look(Mapping, instance.attributes["keywords"])
    assert args is not None
    assert keywords is not None
    named = {str(k): v for k, v in keywords.entries.items()}
    whole = Arguments(
        arguments.node,
        [*args.items, *arguments.positional],
        {**named, **arguments.keywords},
        open=arguments.open,
        rest=arguments.rest,
    )
    return calls.call(m, state, instance.attributes["func"], whole)


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


@library("builtins.globals", "builtins.locals", "builtins.vars")
def _namespace(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """The names of the module, of this frame or of an object, as a dict-like object."""
    frame = state.frames[-1]
    env = frame.module if _called(arguments) == "globals" else frame.env
    if arguments.positional:
        names: Value = arguments.positional[0]
    else:
        names = Ref(env)
    made = Instance(Ext("%namespace"), {"names": names}, arguments.node)
    return [state.push(m.new(state, arguments.node, made))]


@method("%namespace", "__getitem__", "get")
def _named(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    instance = state.look(Instance, receiver)
    names = None if instance is None else instance.attributes["names"]
    owner = state.heap.get(names.id) if isinstance(names, Ref) else None
    held = owner.attributes if isinstance(owner, Instance) else getattr(owner, "variables", None)
    key = arguments.positional[0] if arguments.positional else NONE
    if held is not None and isinstance(key, Const):
        value = held.get(str(key.value))
        if value is not None:
            return [state.push(value)]
        return [state.push(arguments.positional[1] if len(arguments.positional) > 1 else NONE)]
    result = m.unknown()
    state.hold(result.key, (receiver,))
    return [state.push(result)]


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


@library("builtins.object.__new__", "object.__new__")
def _object_new(m: Machine, state: State, arguments: Arguments) -> list[State]:
    cls = arguments.positional[0] if arguments.positional else NONE
    made = Instance(cls, {}, arguments.node)
    return [state.push(m.new(state, arguments.node, made))]


@library("weakref.finalize")
def _weak_finalize(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Run a callback when an object goes. At a child's end it does not run."""
    subject, *call = arguments.positional or [NONE]
    if call and isinstance(subject, Ref) and state.look(Instance, subject) is not None:
        entry = m.new(state, arguments.node, Sequence("tuple", call), "finalizer")
        state.names_of(subject.id)[f"%finalizer{entry.id}"] = entry
    return [state.push(m.unknown())]


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
    return calls.unknown_call(m, state, arguments, name="reduce")


@library("operator.methodcaller", "operator.attrgetter", "operator.itemgetter")
def _getter(m: Machine, state: State, arguments: Arguments) -> list[State]:
    return [state.push(m.unknown())]
