"""Definitions: functions and classes, with the decorators that the machine knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from flushlint.machine import calls, classes
from flushlint.machine.interpreter import Machine, statement
from flushlint.machine.names import store
from flushlint.machine.objects import Class, Env, Function, Instance, Mapping, Sequence
from flushlint.machine.state import Frame, State
from flushlint.machine.values import Bound, Const, Ext, Method, Ref, Value

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__: list[str] = []

_DESCRIPTORS = {
    "builtins.staticmethod": "function",
    "builtins.classmethod": "function",
    "builtins.property": "fget",
    "functools.cached_property": "fget",
    "contextlib.contextmanager": "function",
    "contextlib.asynccontextmanager": "function",
    "abc.abstractproperty": "fget",
    "functools.lru_cache": "function",
    "functools.cache": "function",
}


@statement(cst.FunctionDef)
def _function(m: Machine, node: cst.FunctionDef, states: list[State]) -> list[State]:
    found: list[State] = []
    for state in calls.defaults(m, node.params, states):
        mapping = state.look(Mapping, state.pop())
        assert mapping is not None
        frame = state.frames[-1]
        values = {str(k): v for k, v in mapping.entries.items()}
        function = Function(node, m.scopes[node], frame.env, frame.module, values, node.name.value)
        state.push(m.new(state, node, function))
        found.append(state)
    found = _decorate(m, node.decorators, found)
    for state in found:
        store(m, state, node.name.value, state.pop())
    return found


def _decorate(m: Machine, decorators: object, states: list[State]) -> list[State]:
    """Apply decorators, the lowest first. One that the machine does not know is the identity."""
    assert isinstance(decorators, (list, tuple))
    for decorator in reversed(decorators):
        found: list[State] = []
        for state in m.chosen(m.eval(decorator.decorator, states)):
            function = state.pop()
            target = state.stack[-1]
            found += _apply(m, state, function, target, decorator)
        states = found
    return states


def _apply(
    m: Machine, state: State, decorator: Value, target: Value, node: cst.CSTNode
) -> list[State]:
    """Replace the topmost operand by what the decorator makes of it."""
    if isinstance(decorator, Ext):
        slot = _DESCRIPTORS.get(decorator.name)
        if slot is not None:
            kind = decorator.name.replace("async", "")
            if kind == "functools.cache":
                kind = "functools.lru_cache"
            state.pop()
            made = Instance(Ext(kind), {slot: target}, node)
            return [state.push(m.new(state, node, made, decorator.name))]
        if decorator.name in ("atexit.register", "functools.singledispatch"):
            return _called(m, state, decorator, target, node)
        if decorator.name == "dataclasses.dataclass":
            _make_dataclass(state, target)
        return [state]
    if isinstance(decorator, (Ref, Bound)):
        instance = state.look(Instance, decorator)
        if instance is not None and isinstance(instance.cls, Ext):
            if instance.cls.name == "%dataclass":
                _make_dataclass(state, target)
            if instance.cls.name == "%cache":
                return _apply(m, state, Ext("functools.lru_cache"), target, node)
            if calls.library_method([instance.cls.name], "__call__") is None:
                return [state]
        return _called(m, state, decorator, target, node)
    if isinstance(decorator, Method):
        return _method_decorator(m, state, decorator, target, node)
    return [state]


def _called(
    m: Machine, state: State, decorator: Value, target: Value, node: cst.CSTNode
) -> list[State]:
    found: list[State] = []
    for after in calls.call(m, state, decorator, calls.Arguments(node, [target])):
        result = after.pop()
        after.pop()
        found.append(after.push(result))
    return found


def _method_decorator(
    m: Machine, state: State, decorator: Method, target: Value, node: cst.CSTNode
) -> list[State]:
    """`@name.setter` on a property; any other method is unknown, so the identity."""
    receiver, name = decorator.receiver, decorator.name
    instance = state.look(Instance, receiver)
    if instance is not None and instance.cls == Ext("functools.singledispatch"):
        return _called(m, state, decorator, target, node)
    if instance is None or instance.cls != Ext("builtins.property"):
        return [state]
    slots = {"setter": "fset", "getter": "fget", "deleter": "fdel"}
    if name in slots:
        state.pop()
        values = dict(instance.attributes)
        values[slots[name]] = target
        made = Instance(instance.cls, values, node)
        state.push(m.new(state, node, made, name))
    return [state]


def _make_dataclass(state: State, target: Value) -> None:
    cls = state.look(Class, target)
    if cls is None or not isinstance(target, Ref):
        return
    own = list(cls.fields or ())
    inherited: list[str] = []
    for base in reversed(classes.lineage(state, target)[1:]):
        obj = state.look(Class, base)
        inherited.extend(obj.fields or () if obj is not None else ())
    edited = state.edit(Class, target.id)
    edited.fields = tuple(dict.fromkeys([*inherited, *own]))


@statement(cst.ClassDef)
def _class(m: Machine, node: cst.ClassDef, states: list[State]) -> list[State]:
    states = m.eval_all([argument.value for argument in node.bases], states)
    for state in states:
        bases = tuple(state.take(len(node.bases)))
        frame = state.frames[-1]
        env = Env({"%bases": Const(None)}, m.scopes[node], frame.env)
        env_id = m.new(state, node, env, "class").id
        # The bases stay on the stack while the body runs.
        state.stack.extend(bases)
        context = m.identity(("class", frame.context, node))
        state.frames.append(Frame(env_id, frame.module, context, len(state.stack)))
    states, abrupt = m.captured(lambda inside: m.suite(node.body, inside), states)
    for state in abrupt:
        m.drop_frame(state)
    m.abrupt.extend(abrupt)
    states = [after for state in states for after in _finish_class(m, state, node)]
    states = [after for state in states for after in _tell_metaclass(m, node, state)]
    states = _tell_bases(m, node, _tell_attributes(m, node, states))
    states = _decorate(m, node.decorators, states)
    for state in states:
        store(m, state, node.name.value, state.pop())
    return states


def _finish_class(m: Machine, state: State, node: cst.ClassDef) -> list[State]:
    """Make the class, one for each choice of bases, and push it."""
    frame = state.frames.pop()
    chosen: list[tuple[State, tuple[Value, ...]]] = [(state, ())]
    for base in state.take(len(node.bases)):
        chosen = [
            (after, (*before, option))
            for current, before in chosen
            for after, option in m.choose(current, base)
        ]
    for after, bases in chosen:
        _make_class(m, after, node, frame, bases)
    return [after for after, _ in chosen]


def _make_class(
    m: Machine, state: State, node: cst.ClassDef, frame: Frame, bases: tuple[Value, ...]
) -> None:
    env = state.heap[frame.env]
    assert isinstance(env, Env)
    attributes = {k: v for k, v in env.variables.items() if not k.startswith("%")}
    # One with other bases is another class, whichever of them a program takes.
    made = m.new(state, node, Class(node.name.value, bases, attributes, node), f"of {bases}")
    state.push(made)
    for value in attributes.values():
        _own(state, value, made.id)
    cls = state.edit(Class, made.id)
    cls.fields = _annotated(node)
    if not any(classes.is_a(state, base, "typing.NamedTuple") for base in bases):
        decorated = any(_mentions_dataclass(d.decorator) for d in node.decorators)
        cls.fields = cls.fields if decorated else None


def _tell_metaclass(m: Machine, node: cst.ClassDef, state: State) -> list[State]:
    """Let the metaclass make a new class: its `__new__` and `__init__` may note it somewhere."""
    made = state.stack[-1]
    given = {k.keyword.value: k.value for k in node.keywords if k.keyword is not None}
    states = [state]
    if "metaclass" in given:
        states = m.chosen(m.eval(given.pop("metaclass"), states))
        for after in states:
            assert isinstance(made, Ref)
            after.edit(Class, made.id).attributes[classes.METACLASS] = after.pop()
    found: list[State] = []
    for after in states:
        meta = classes.metaclass(after, made)
        if meta is None:
            found.append(after)
            continue
        for ready in m.eval_all(list(given.values()), [after]):
            named = dict(zip(given, ready.take(len(given)), strict=True))
            found += _made_by(m, ready, meta, node, named)
    return found


def _made_by(
    m: Machine, state: State, meta: Value, node: cst.ClassDef, named: dict[str, Value]
) -> list[State]:
    made = state.stack[-1]
    cls = state.look(Class, made)
    assert cls is not None
    contents: dict[Hashable, Value] = dict(cls.attributes.items())
    bases = m.new(state, node, Sequence("tuple", list(cls.bases)), "bases")
    names = m.new(state, node, Mapping(contents), "contents")
    states = [state]
    for name in ("__new__", "__init__"):
        own = classes.class_attribute(state, meta, name)
        if own is None:
            continue
        receiver = meta if name == "__new__" else made
        given = calls.Arguments(node, [receiver, Const(cls.name), bases, names], named)
        m.making.append(made)
        try:
            states = [after for before in states for after in calls.call(m, before, own, given)]
        finally:
            m.making.pop()
        for after in states:
            after.pop()
    return states


def _tell_attributes(m: Machine, node: cst.ClassDef, states: list[State]) -> list[State]:
    """Call the `__set_name__` of what is bound in the body of a new class."""
    for name in m.scopes[node].bound if "__set_name__" in m.defined else ():
        found: list[State] = []
        for state in states:
            made = state.stack[-1]
            cls = state.look(Class, made)
            value = None if cls is None else cls.attributes.get(name)
            held = None if value is None else state.look(Instance, value)
            hook = held and classes.class_attribute(state, held.cls, "__set_name__")
            if value is None or not hook:
                found.append(state)
                continue
            given = calls.Arguments(node, [value, made, Const(name)])
            for after in calls.call(m, state, hook, given):
                after.pop()
                found.append(after)
        states = found
    return states


def _tell_bases(m: Machine, node: cst.ClassDef, states: list[State]) -> list[State]:
    """Call the `__init_subclass__` that a new class inherits."""
    found: list[State] = []
    for state in states:
        made = state.stack[-1]
        for base in classes.lineage(state, made)[1:]:
            cls = state.look(Class, base)
            hook = None if cls is None else cls.attributes.get("__init_subclass__")
            if hook is not None:
                break
        else:
            found.append(state)
            continue
        names = [k.keyword.value for k in node.keywords if k.keyword is not None]
        for before in m.eval_all([k.value for k in node.keywords], [state]):
            given = dict(zip(names, before.take(len(node.keywords)), strict=False))
            given.pop("metaclass", None)
            for after in calls.call(m, before, hook, calls.Arguments(node, [made], given)):
                after.pop()
                found.append(after)
    return found


def _mentions_dataclass(node: cst.CSTNode) -> bool:
    """`@dataclass`, `@dataclass(frozen=True)`, `@dataclasses.dataclass`, `@attr.s`..."""
    if isinstance(node, cst.Call):
        node = node.func
    name = node.attr if isinstance(node, cst.Attribute) else node
    return isinstance(name, cst.Name) and name.value in {"dataclass", "define", "frozen"}


def _own(state: State, value: Value, owner: int) -> None:
    """Tell methods which class they were defined in: `super()` asks."""
    if isinstance(value, Ref):
        obj = state.heap.get(value.id)
        if isinstance(obj, Function):
            state.edit(Function, value.id).owner = owner
        elif isinstance(obj, Instance) and isinstance(obj.cls, Ext):
            for inner in obj.attributes.values():
                if isinstance(inner, Ref) and state.look(Function, inner) is not None:
                    state.edit(Function, inner.id).owner = owner


def _annotated(node: cst.ClassDef) -> tuple[str, ...]:
    """Return the annotated names of a class body: the fields of a dataclass."""
    parts = [
        part
        for line in node.body.body
        if isinstance(line, cst.SimpleStatementLine)
        for part in line.body
        if isinstance(part, cst.AnnAssign)
    ]
    return tuple(
        part.target.value
        for part in parts
        if isinstance(part.target, cst.Name) and not _is_class_variable(part.annotation.annotation)
    )


def _is_class_variable(node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.Subscript):
        node = node.value
    name = node.attr if isinstance(node, cst.Attribute) else node
    return isinstance(name, cst.Name) and name.value == "ClassVar"
