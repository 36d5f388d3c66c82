"""Calls: running the program's functions, making instances, and what unknown code may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import libcst as cst

from flushlint.machine import classes, typed_streams
from flushlint.machine.objects import (
    Class,
    Env,
    Function,
    Generator,
    Instance,
    Mapping,
    Sequence,
    Stream,
)
from flushlint.machine.state import STD_STREAMS, Frame, Signal, State
from flushlint.machine.unknown_code import unknown_call
from flushlint.machine.values import NONE, Bound, Const, Ext, Method, Ref, Value
from flushlint.slicing import LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from flushlint.machine.interpreter import Machine

__all__ = [
    "BECAUSE",
    "LIBRARY",
    "METHODS",
    "Arguments",
    "LeftOutError",
    "become",
    "call",
    "called",
    "defaults",
    "field_names",
    "finalize",
    "has_finalizer",
    "library",
    "library_method",
    "method",
    "unknown_call",
]

BECAUSE = "%because"
_DEEPEST = 40


@dataclass(slots=True)
class Arguments:
    """The arguments of a call. `node` is the call; `nodes` are the positional expressions.

    `open` says that there may be more than is listed: what a star spread; `rest` holds the
    values that it may have spread.
    """

    node: cst.CSTNode
    positional: list[Value]
    keywords: dict[str, Value] = field(default_factory=dict)
    nodes: list[cst.CSTNode] = field(default_factory=list)
    open: bool = False
    rest: list[Value] = field(default_factory=list)

    def get(self, index: int, name: str) -> Value | None:
        """Return the argument of this position or name, None where it is not given."""
        if name in self.keywords:
            return self.keywords[name]
        if 0 <= index < len(self.positional):
            return self.positional[index]
        return None

    def values(self) -> list[Value]:
        """Return everything that is passed."""
        return [*self.positional, *self.keywords.values(), *self.rest]

    def after(self, count: int) -> Arguments:
        """Return the arguments without the first `count` positional ones."""
        return Arguments(
            self.node,
            self.positional[count:],
            self.keywords,
            self.nodes[count:],
            self.open,
            self.rest,
        )

    def with_receiver(self, receiver: Value) -> Arguments:
        """Return the arguments with another one before them."""
        return Arguments(
            self.node,
            [receiver, *self.positional],
            self.keywords,
            [self.node, *self.nodes],
            self.open,
            self.rest,
        )


Handler: TypeAlias = "Callable[[Machine, State, Arguments], list[State]]"
MethodHandler: TypeAlias = "Callable[[Machine, State, Value, Arguments], list[State]]"

LIBRARY: dict[str, Handler] = {}
METHODS: dict[tuple[str, str], MethodHandler] = {}
TYPES: dict[str, tuple[str, ...]] = {}


def library(*names: str) -> Callable[[Handler], Handler]:
    """Register what a call of these library functions does. Raises ValueError for a known one."""

    def register(handler: Handler) -> Handler:
        for name in names:
            if name in LIBRARY:
                raise ValueError(f"{name} is registered twice")
            LIBRARY[name] = handler
        return handler

    return register


def method(kind: str, *names: str) -> Callable[[MethodHandler], MethodHandler]:
    """Register what these methods of a library type do; the type can then be instantiated."""

    def register(handler: MethodHandler) -> MethodHandler:
        TYPES.setdefault(kind, ())
        for name in names:
            METHODS[kind, name] = handler
        return handler

    return register


def derive(kind: str, *bases: str) -> None:
    """Let a library type take the methods of others that it lacks itself."""
    TYPES[kind] = bases


def library_method(kinds: list[str], name: str) -> MethodHandler | None:
    """Find a method of library types, those that they derive from included."""
    for kind in kinds:
        handler = METHODS.get((kind, name))
        if handler is not None:
            return handler
        inherited = library_method(list(TYPES.get(kind, ())), name)
        if inherited is not None:
            return inherited
    return None


# -- dispatch -----------------------------------------------------------------------------------


def call(m: Machine, state: State, function: Value, arguments: Arguments) -> list[State]:
    """Call a value; each resulting state has the result on top of its operands."""
    m.steps += 1
    found: list[State] = []
    for branch, option in m.choose(state, function):
        found += _call_one(m, branch, option, arguments)
    return found


def _call_one(m: Machine, state: State, function: Value, arguments: Arguments) -> list[State]:
    if isinstance(function, Bound):
        return call(m, state, function.function, arguments.with_receiver(function.receiver))
    if isinstance(function, Ext):
        return _call_external(m, state, function, arguments)
    if isinstance(function, Method):
        return _call_method(m, state, function, arguments)
    if isinstance(function, Ref):
        obj = state.heap.get(function.id)
        if isinstance(obj, Function):
            return _call_function(m, state, function.id, obj, arguments)
        if isinstance(obj, Class):
            return _call_class(m, state, function, arguments)
        if isinstance(obj, Instance):
            return _call_instance(m, state, function, obj, arguments)
    written = typed_streams.written_by(state, function, arguments)
    if written is not None:
        from flushlint.machine.library.stream_methods import send

        return send(m, state, written[0], arguments, written[1].newline)
    return unknown_call(m, state, arguments, receiver=function)


def _call_external(m: Machine, state: State, function: Ext, arguments: Arguments) -> list[State]:
    handler = m.declared.functions.get(function.name) or LIBRARY.get(function.name)
    if handler is not None:
        return handler(m, state, arguments)
    if function.name in TYPES or _is_exception(function.name):
        return instantiate(m, state, function, arguments)
    kind, _, name = function.name.rpartition(".")
    receiver = arguments.positional[0] if arguments.positional else NONE
    instance = state.look(Instance, receiver)
    if instance is not None:  # `Process.start(self)`
        unbound = library_method([kind], name)
        own = library_method(classes.external_bases(state, instance.cls), name)
        if unbound is not None and unbound is own:
            return unbound(m, state, receiver, arguments.after(1))
    return unknown_call(m, state, arguments, external=function.name)


def _is_exception(name: str) -> bool:
    import builtins

    module, _, last = name.rpartition(".")
    found = getattr(builtins, last, None) if module == "builtins" else None
    return isinstance(found, type) and issubclass(found, BaseException)


def _call_method(m: Machine, state: State, function: Method, arguments: Arguments) -> list[State]:
    from flushlint.machine.library import builtin_methods, stream_methods

    receiver = function.receiver
    if isinstance(receiver, Ref):
        obj = state.heap.get(receiver.id)
        if isinstance(obj, Stream):
            return stream_methods.call_stream(m, state, receiver, function.name, arguments)
        if isinstance(obj, Instance):
            handler = library_method(classes.external_bases(state, obj.cls), function.name)
            if handler is not None:
                return handler(m, state, receiver, arguments)
        elif obj is not None:
            return builtin_methods.call_object(m, state, receiver, function.name, arguments)
    elif isinstance(receiver, Const):
        return builtin_methods.call_constant(m, state, receiver, function.name, arguments)
    return unknown_call(m, state, arguments, receiver=receiver, name=function.name)


def _call_class(m: Machine, state: State, cls: Ref, arguments: Arguments) -> list[State]:
    meta = classes.metaclass(state, cls)
    own = None if meta is None else classes.class_attribute(state, meta, "__call__")
    if own is not None:
        return call(m, state, own, arguments.with_receiver(cls))
    return instantiate(m, state, cls, arguments)


def _call_instance(
    m: Machine, state: State, value: Ref, instance: Instance, arguments: Arguments
) -> list[State]:
    own = classes.class_attribute(state, instance.cls, "__call__")
    if own is not None:
        return call(m, state, own, arguments.with_receiver(value))
    handler = library_method(classes.external_bases(state, instance.cls), "__call__")
    if handler is not None:
        return handler(m, state, value, arguments)
    return unknown_call(m, state, arguments, receiver=value)


# -- functions ----------------------------------------------------------------------------------


class LeftOutError(Exception):
    """A function is called whose body `slicing` has left out."""


def _is_left_out(node: cst.FunctionDef | cst.Lambda) -> bool:
    if node.body.__class__ is not cst.SimpleStatementSuite:
        return False
    line = node.body.body[0]
    value = line.value if isinstance(line, cst.Expr) else None
    return isinstance(value, cst.Name) and value.value == LEFT_OUT


def _call_function(
    m: Machine, state: State, identity: int, function: Function, arguments: Arguments
) -> list[State]:
    node = function.node
    if _is_left_out(node):
        raise LeftOutError
    m.executed.add(node)
    if m.passes_over(function.scope):
        result = m.unknown()
        state.hold(result.key, arguments.values())
        return [state.push(result)]
    active = sum(1 for frame in state.frames if frame.code is node)
    if active >= 2 or len(state.frames) > _DEEPEST:
        return _recurse(m, state, function, arguments)
    env_id = _enter(m, state, identity, function, arguments)
    if isinstance(node, cst.FunctionDef):
        if function.scope.yields or node.asynchronous is not None:
            state.frames.pop()
            kind = "generator" if function.scope.yields else "coroutine"
            generator = Generator(identity, env_id, kind)  # type: ignore[arg-type]  # one of two
            return [state.push(m.new(state, arguments.node, generator, "generator"))]
        return execute(m, state, node)
    assert isinstance(node, cst.Lambda)
    base = state.frames[-1].base
    normal, abrupt = m.captured(lambda states: m.eval(node.body, states), [state])
    for after in abrupt:
        unwind(m, after)
    return _finish(m, normal, base)


def _enter(
    m: Machine, state: State, identity: int, function: Function, arguments: Arguments
) -> int:
    """Push the frame of a call with its arguments bound."""
    caller = state.frames[-1].context if state.frames else 0
    context = m.identity(("context", caller, arguments.node, function.node))
    env = Env(dict(function.defaults), function.scope, function.closure)
    parameters = function.node.params
    variables = env.variables
    named = [*parameters.posonly_params, *parameters.params]
    for parameter, value in zip(named, arguments.positional, strict=False):
        variables[parameter.name.value] = value
    extra: dict[object, Value] = {}
    known = {p.name.value for p in (*named, *parameters.kwonly_params)}
    for name, value in arguments.keywords.items():
        if name in known:
            variables[name] = value
        else:
            extra[name] = value
    for name in sorted(known - variables.keys()):
        variables[name] = _missing(m, state, arguments)
    spare = arguments.positional[len(named) :]
    state.frames.append(
        Frame(
            0, function.module, context, len(state.stack), identity, function.node, arguments.node
        )
    )
    if isinstance(parameters.star_arg, cst.Param):
        rest = Sequence("tuple", [*spare, *arguments.rest], exact=not arguments.open)
        star = parameters.star_arg
        variables[star.name.value] = m.new(state, star, rest)
    if parameters.star_kwarg is not None:
        mapping = Mapping(dict(extra), list(arguments.rest), exact=not arguments.open)
        double = parameters.star_kwarg
        variables[double.name.value] = m.new(state, double, mapping)
    env_id = m.new(state, function.node, env, "frame").id
    state.frames[-1] = state.frames[-1]._replace(env=env_id)
    return env_id


def _missing(m: Machine, state: State, arguments: Arguments) -> Value:
    value = m.unknown()
    if arguments.open:
        state.hold(value.key, arguments.rest)
    return value


def execute(m: Machine, state: State, node: cst.FunctionDef) -> list[State]:
    """Run the body of the topmost frame and pop it, the result on top of the operands."""
    base = state.frames[-1].base
    m.resuming.append(None)  # a generator being taken up is not resumed in what it calls
    try:
        normal, abrupt = m.captured(lambda states: m.suite(node.body, states), [state])
    finally:
        m.resuming.pop()
    for after in normal:
        after.push(NONE)
    for after in abrupt:
        assert after.signal is not None
        if after.signal.kind == "return":
            after.push(after.signal.value or NONE)
            after.signal = None
            normal.append(after)
        else:
            unwind(m, after)
    return _finish(m, normal, base)


def unwind(m: Machine, state: State) -> None:
    """Leave a frame by an exception, which keeps the frame alive through its traceback."""
    frame = m.drop_frame(state)
    signal = state.signal
    assert signal is not None
    instance = state.look(Instance, signal.value) if signal.value is not None else None
    if instance is not None and isinstance(signal.value, Ref):
        traceback = state.edit(Instance, signal.value.id).attributes
        traceback[f"%frame{frame.env}"] = Ref(frame.env)
    m.abrupt.append(state)


def _finish(m: Machine, states: list[State], base: int) -> list[State]:
    for state in states:
        result = state.pop()
        m.drop_frame(state)
        del state.stack[base:]
        state.push(result)
        if state.dirty and len(state.streams) > STD_STREAMS:
            m.collect(state)
    return m.join(states)


def _recurse(m: Machine, state: State, function: Function, arguments: Arguments) -> list[State]:
    """Cut a recursion: its effects are those of the calls under way.

    Writes of the cut call are like those of the calls around it. A flush is not claimed to
    have happened nor to be missing: if the function mentions one, pending writes are silent.
    """
    result = m.unknown()
    values = arguments.values()
    if function.scope.calls & (EMPTYING | m.declared.words):
        reached = state.reach(values) | {i for i in state.streams if not state.stream(i).std}
        m.forget(state, reached)
    state.hold(result.key, values)
    return [state.push(result)]


EMPTYING = typed_streams.EMPTYING | {
    "flush", "close", "seek", "truncate", "detach", "reconfigure",
}  # fmt: skip


def defaults(m: Machine, parameters: cst.Parameters, states: list[State]) -> list[State]:
    """Evaluate the defaults of parameters; each state gets a mapping of name to value."""
    given = [
        p
        for p in (*parameters.posonly_params, *parameters.params, *parameters.kwonly_params)
        if p.default is not None
    ]
    states = m.eval_all([p.default for p in given if p.default is not None], states)
    for state in states:
        values = state.take(len(given))
        names: dict[object, Value] = {p.name.value: v for p, v in zip(given, values, strict=True)}
        state.push(m.new(state, parameters, Mapping(dict(names)), "defaults"))
    return states


# -- classes ------------------------------------------------------------------------------------


def instantiate(m: Machine, state: State, cls: Value, arguments: Arguments) -> list[State]:
    """Make an instance and run its `__init__`, the program's own or the library's."""
    found: list[State] = []
    for after in _allocate(m, state, cls, arguments):
        made = after.stack[-1]
        if not isinstance(made, Ref) or after.look(Instance, made) is None:
            found.append(after)
            continue
        own = classes.class_attribute(after, cls, "__init__")
        if own is None:
            found += initialise(m, after, made, arguments)
            continue
        for done in call(m, after, Bound(own, made), arguments):
            done.pop()
            found.append(done)
    return found


def _allocate(m: Machine, state: State, cls: Value, arguments: Arguments) -> list[State]:
    """Make the bare instance, by the program's own `__new__` if it has one."""
    own = classes.class_attribute(state, cls, "__new__")
    if own is not None:
        found: list[State] = []
        for after in call(m, state, own, arguments.with_receiver(cls)):
            found.extend(s.push(v) for s, v in m.choose(after, after.pop()))
        return found
    if m.finalizes and classes.class_attribute(state, cls, "__del__") is not None:
        state.watched = True
    instance = Instance(cls, {}, arguments.node)
    return [state.push(m.new(state, arguments.node, instance, "instance"))]


def initialise(m: Machine, state: State, made: Ref, arguments: Arguments) -> list[State]:
    """Run the initialiser that an instance inherits from the library, or from nowhere."""
    instance = state.look(Instance, made)
    assert instance is not None
    names = field_names(state, instance.cls)
    if names is not None:
        return _bind_fields(m, state, made, names, arguments)
    handler = library_method(classes.external_bases(state, instance.cls), "__init__")
    if handler is not None:
        states = handler(m, state, made, arguments)
        for after in states:
            after.pop()
        return states
    values = arguments.values()
    if values:
        keeper = m.unknown()
        state.hold(keeper.key, values)
        state.edit(Instance, made.id).attributes["%given"] = keeper
    return [state]


def field_names(state: State, cls: Value) -> tuple[str, ...] | None:
    """Return the fields of a dataclass or named tuple, None for other classes."""
    for candidate in classes.lineage(state, cls):
        obj = state.look(Class, candidate)
        if obj is not None and obj.fields is not None:
            return obj.fields
    return None


def _bind_fields(
    m: Machine, state: State, made: Ref, names: tuple[str, ...], arguments: Arguments
) -> list[State]:
    """Bind the arguments of a dataclass or named tuple to its fields."""
    states = [state]
    for index, name in enumerate(names):
        value = arguments.get(index, name)
        again: list[State] = []
        for current in states:
            for after in _field_value(m, current, made, name, value, arguments):
                given = after.pop()
                after.edit(Instance, made.id).attributes[name] = given
                again.append(after)
        states = again
    found: list[State] = []
    for after in states:
        instance = after.look(Instance, made)
        own = instance and classes.class_attribute(after, instance.cls, "__post_init__")
        if own:
            for done in call(m, after, own, Arguments(arguments.node, [made])):
                done.pop()
                found.append(done)
        else:
            found.append(after)
    return found


def _field_value(
    m: Machine, state: State, made: Ref, name: str, value: Value | None, arguments: Arguments
) -> list[State]:
    """Push the value of a field: what is given, its default, or what its factory makes."""
    if value is not None:
        return [state.push(value)]
    instance = state.look(Instance, made)
    assert instance is not None
    default = classes.class_attribute(state, instance.cls, name)
    field_object = None if default is None else state.look(Instance, default)
    if field_object is not None and field_object.cls == Ext("%field"):
        factory = field_object.attributes["factory"]
        if factory == NONE:
            return [state.push(m.unknown())]
        return call(m, state, factory, Arguments(arguments.node, []))
    return [state.push(m.unknown() if default is None else default)]


def has_finalizer(state: State, identity: int) -> bool:
    """Say whether an instance has a `__del__` of the program's own that has not yet run."""
    instance = state.heap[identity]
    assert isinstance(instance, Instance)
    if "%finalized" in instance.attributes:
        return False
    if any(name.startswith("%finalizer") for name in instance.attributes):
        return True
    return classes.class_attribute(state, instance.cls, "__del__") is not None


def finalize(m: Machine, state: State, dying: list[int]) -> None:
    """Run what is to run when these instances go, in place; paths in it join at its end."""
    for identity in dying:
        if identity not in state.heap:
            continue
        instance = state.edit(Instance, identity)
        instance.attributes["%finalized"] = Const(value=True)
        node = instance.node or m.module
        function = classes.class_attribute(state, instance.cls, "__del__")
        if function is not None:
            _run_in_place(m, state, function, Arguments(node, [Ref(identity)]))
        for name, value in list(instance.attributes.items()):
            entry = state.look(Sequence, value) if name.startswith("%finalizer") else None
            if entry is not None:
                _run_in_place(m, state, entry.items[0], Arguments(node, entry.items[1:]))


def _run_in_place(m: Machine, state: State, function: Value, arguments: Arguments) -> None:
    normal, _ = m.captured(lambda inside: call(m, inside[0], function, arguments), [state.copy()])
    if normal:
        joined = m.join(normal)[0]
        joined.pop()
        become(state, joined)


def become(state: State, other: State) -> None:
    """Let a state take over what another has become."""
    for name in State.__slots__:
        setattr(state, name, getattr(other, name))


def stop(
    m: Machine, state: State, node: cst.CSTNode, name: str, because: tuple[Hashable, ...] = ()
) -> None:
    """Raise a library exception in a state.

    `because` is what the log says of it: a program that names the exception in a handler has
    seen to that.
    """
    kind = Ext(name if "." in name else f"builtins.{name}")
    attributes: dict[str, Value] = {BECAUSE: Const(because)} if because else {}
    if m.log.trace is not None:
        m.log.trace.raised(node)
    value = m.new(state, node, Instance(kind, attributes), "raised")
    m.leave(state, Signal("raise", value, node))


def called(arguments: Arguments) -> str:
    """Return the last part of the name under which a function is called."""
    function = getattr(arguments.node, "func", None)
    name = function.attr if isinstance(function, cst.Attribute) else function
    return name.value if isinstance(name, cst.Name) else ""
