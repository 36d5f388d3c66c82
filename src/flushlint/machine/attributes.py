"""Attributes: reading, setting and deleting them, with descriptors and module attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.knowledge import constants
from flushlint.knowledge.processes import POOL_TYPES, PROCESS_PACKAGES, PROCESS_TYPES
from flushlint.machine import calls, classes, typed_streams
from flushlint.machine.namespaces import namespace
from flushlint.machine.objects import Class, Env, Function, Generator, Instance, Sequence, Stream
from flushlint.machine.values import Bound, Const, Ext, Method, Ref, Unknown, Value

if TYPE_CHECKING:
    import libcst as cst

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["NAMESPACES", "bind", "delete", "get", "put"]

# Attributes of library objects that hold no reference to the object.
_PLAIN = frozenset({"args", "errno", "strerror", "filename", "code", "pid", "exitcode", "name"})
# Library types that hold what the program gives them, and have nothing else.
NAMESPACES = frozenset({"types.SimpleNamespace", "threading.local"})
_OBJECT = Ext("builtins.object")
_OF_OBJECT = ("__init__", "__new__", "__setattr__", "__init_subclass__")
_SHARED = frozenset(Ext(f"{package}.Value") for package in PROCESS_PACKAGES)
_PROPERTIES = (Ext("builtins.property"), Ext("functools.cached_property"))


def get(m: Machine, state: State, value: Value, name: str, node: cst.CSTNode) -> list[State]:
    """Read an attribute and push it. Properties run."""
    if isinstance(value, Ext):
        return [state.push(external(m, state, value, name))]
    if isinstance(value, Unknown):
        return [state.push(_of_unknown(state, value, name))]
    if isinstance(value, Ref):
        obj = state.heap.get(value.id)
        if isinstance(obj, Instance):
            return _of_instance(m, state, value, obj, name, node)
        if isinstance(obj, Class):
            return [state.push(_of_class(m, state, value, obj, name, node))]
        if isinstance(obj, Stream):
            return [state.push(_of_stream(m, state, value, obj, name))]
        if isinstance(obj, Function):
            return [state.push(_of_function(m, obj, value, name))]
        if isinstance(obj, Generator):
            return [state.push(Method(value, name))]
        if isinstance(obj, Env):
            return _of_module(m, state, value, obj, name, node)
    if isinstance(value, Bound) and name in ("__self__", "__func__"):
        return [state.push(value.receiver if name == "__self__" else value.function)]
    return [state.push(Method(value, name))]


def external(m: Machine, state: State, value: Ext, name: str) -> Value:
    """Read an attribute of a module or of anything else outside the program."""
    full = constants.CANONICAL.get(f"{value.name}.{name}", f"{value.name}.{name}")
    assigned = state.externals.get(full)
    if assigned is not None:
        return assigned
    if full in constants.CONSTANTS:
        return Const(constants.CONSTANTS[full])
    if full in constants.PLATFORM_FACTS:
        known = constants.platform_fact(full, m.options.platform)
        return Unknown(("fact", full)) if known is None else Const(known)
    return Ext(full)


def _of_module(
    m: Machine, state: State, value: Ref, module: Env, name: str, node: cst.CSTNode
) -> list[State]:
    """Read a name of a module of the program; one that it does not bind is external."""
    if name in module.variables:
        return [state.push(module.variables[name])]
    if name == "__dict__":
        return [state.push(namespace(m, state, value, node))]
    own = module.variables.get("__getattr__")
    if own is not None:
        return calls.call(m, state, own, calls.Arguments(node, [Const(name)]))
    full = module.variables.get("__name__")
    known = full.value if isinstance(full, Const) else ""
    return [state.push(external(m, state, Ext(str(known)), name))]


def _of_unknown(state: State, value: Unknown, name: str) -> Value:
    key = ("attr", value.key, name)
    if value.key == ("fact", "sys.version_info") and name == "major":
        return Const(3)
    assigned = state.externals.get(f"?{key}")
    if assigned is not None:
        return assigned
    if value.key in state.holds:
        state.hold(key, (value,))
    return Unknown(key)


def _of_function(m: Machine, obj: Function, value: Value, name: str) -> Value:
    if name in obj.attributes:
        return obj.attributes[name]
    if name in ("__name__", "__qualname__"):
        return Const(obj.name)
    return Method(value, name) if name.startswith("__") else m.unknown()


def _of_stream(m: Machine, state: State, value: Ref, stream: Stream, name: str) -> Value:
    if stream.spec is not None and not stream.spec.is_file:
        return typed_streams.attribute(m, state, value, stream.spec, name)
    if name == "buffer" and stream.text and stream.below is not None:
        return Ref(stream.below)
    if name in ("raw", "fileobj", "file", "fp") and stream.below is not None and not stream.text:
        return Ref(stream.below)
    if name == "closed":
        return Const(stream.closed)
    if name in ("name", "mode", "encoding", "newlines", "errors"):
        return Unknown((name, value.id))
    return Method(value, name)


def _of_class(
    m: Machine, state: State, value: Ref, cls: Class, name: str, node: cst.CSTNode
) -> Value:
    if name == "__name__":
        return Const(cls.name)
    if name == "__dict__":
        return namespace(m, state, value, node)
    found = classes.class_attribute(state, value, name)
    if found is not None:
        return _of_own_class(m, state, value, name, found)
    meta = classes.metaclass(state, value)
    found = None if meta is None else classes.class_attribute(state, meta, name)
    if found is not None:
        return bind(state, found, value, meta or value)
    bases = classes.external_bases(state, value)
    if cls.fields is not None and "typing.NamedTuple" in bases:
        if name == "_make":
            return Bound(Ext("typing.NamedTuple._make"), value)
        if name == "_fields":
            return m.new(state, node, Sequence("tuple", [Const(f) for f in cls.fields]), name)
    if bases:
        return Ext(f"{bases[0]}.{name}")
    return m.unknown()


def _of_own_class(m: Machine, state: State, cls: Ref, name: str, found: Value) -> Value:
    if classes.is_a(state, cls, "enum.Enum"):
        return _member(m, state, cls, name, found)
    instance = state.look(Instance, found)
    if instance is not None and instance.cls == Ext("builtins.staticmethod"):
        return instance.attributes["function"]
    if instance is not None and instance.cls == Ext("builtins.classmethod"):
        return Bound(instance.attributes["function"], cls)
    return found


def _member(m: Machine, state: State, cls: Ref, name: str, found: Value) -> Value:
    """Return the member of an enumeration: one instance for each name."""
    if name.startswith("_") or state.look(Function, found) or state.look(Instance, found):
        return found
    identity = m.identity(("member", cls.id, name))
    if identity not in state.heap:
        values = {"value": found, "_value_": found, "name": Const(name)}
        state.place(identity, Instance(cls, values))
        state.externals[f"%member{identity}"] = Ref(identity)
    return Ref(identity)


def _of_instance(
    m: Machine, state: State, value: Ref, instance: Instance, name: str, node: cst.CSTNode
) -> list[State]:
    if instance.cls == Ext("builtins.super"):
        return [state.push(_of_super(m, state, instance, name))]
    if instance.cls == Ext("multiprocessing.context"):
        return [state.push(context_member(instance, name))]
    if name == "value" and instance.cls in _SHARED:
        return [state.push(m.unknown())]  # another process may have changed it
    found = classes.class_attribute(state, instance.cls, name)
    descriptor = None if found is None else state.look(Instance, found)
    if name in instance.attributes:
        return [state.push(instance.attributes[name])]
    if descriptor is not None and descriptor.cls in _PROPERTIES:
        return _read_property(m, state, value, name, descriptor, node)
    getter = descriptor and classes.class_attribute(state, descriptor.cls, "__get__")
    if getter and found is not None:
        arguments = calls.Arguments(node, [found, value, instance.cls])
        return calls.call(m, state, getter, arguments)
    if found is not None:
        return [state.push(bind(state, found, value, instance.cls))]
    if name == "__class__":
        return [state.push(instance.cls)]
    if name == "__dict__":
        return [state.push(namespace(m, state, value, node))]
    own = classes.class_attribute(state, instance.cls, "__getattr__")
    if own is not None:
        # Delegation: `def __getattr__(self, name): return getattr(self._file, name)`.
        return calls.call(m, state, own, calls.Arguments(node, [value, Const(name)]))
    return [state.push(_missing(state, value, instance, name))]


def _read_property(
    m: Machine, state: State, value: Ref, name: str, descriptor: Instance, node: cst.CSTNode
) -> list[State]:
    found = calls.call(m, state, descriptor.attributes["fget"], calls.Arguments(node, [value]))
    for after in found:
        if descriptor.cls == Ext("functools.cached_property"):
            after.edit(Instance, value.id).attributes[name] = after.stack[-1]
        else:
            after.dirty = True  # nothing else may hold what it has returned
    return found


def _missing(state: State, value: Ref, instance: Instance, name: str) -> Value:
    """What no one was seen to set: a library's method, or an attribute set elsewhere."""
    kinds = classes.external_bases(state, instance.cls)
    if name in _PLAIN or "argparse.Namespace" in kinds or not NAMESPACES.isdisjoint(kinds):
        return Unknown(("attr", value, name))
    if calls.library_method(kinds, name) is not None or kinds:
        return Method(value, name)
    key = ("attr", value, name)
    if classes.has_unknown_base(state, instance.cls):
        return Method(value, name)
    return Unknown(key)


def _of_type(state: State, receiver: Value, rest: list[Value], name: str) -> Value:
    """Return what `super()` finds in a method of a metaclass."""
    for candidate in rest:
        cls = state.look(Class, candidate)
        if cls is not None and name in cls.attributes:
            found = cls.attributes[name]
            break
    else:
        found = Ext(f"{classes.TYPE}.{name}")
    return found if name == "__new__" else Bound(found, receiver)


def _of_super(m: Machine, state: State, instance: Instance, name: str) -> Value:
    receiver, owner = instance.attributes["self"], instance.attributes["owner"]
    obj = state.look(Instance, receiver)
    start = receiver if obj is None else obj.cls
    order = classes.lineage(state, start)
    if owner not in order and (meta := classes.metaclass(state, receiver)) is not None:
        order = classes.lineage(state, meta)
    if Ext(classes.TYPE) in order:
        return _of_type(state, receiver, order[order.index(owner) + 1 :], name)
    rest = order[order.index(owner) + 1 :] if owner in order else order[1:]
    for candidate in rest:
        cls = state.look(Class, candidate)
        if cls is not None and name in cls.attributes:
            return bind(state, cls.attributes[name], receiver, start)
    names = [c.name for c in rest if isinstance(c, Ext) and c != _OBJECT]
    if name in _OF_OBJECT and not names:
        return Ext(f"builtins.object.{name}")
    if calls.library_method(names, name) is None and not names:
        result = m.unknown()
        state.hold(result.key, (receiver,))
        return result
    return Method(receiver, name)


def context_member(instance: Instance, name: str) -> Value:
    """Return an attribute of a `multiprocessing` context, which fixes the start method."""
    chosen = instance.attributes.get("%method")
    if name == "Process" and isinstance(chosen, Const):
        for kind, method in PROCESS_TYPES.items():
            if method == chosen.value:
                return Ext(kind)
    if name == "Pool" and isinstance(chosen, Const):
        for kind, pool in POOL_TYPES.items():
            if pool.method == chosen.value:
                return Ext(kind)
    return Ext(f"multiprocessing.{name}")


def bind(state: State, found: Value, receiver: Value, cls: Value) -> Value:
    """Bind what a class holds to an instance, as the descriptor protocol does."""
    if state.look(Function, found) is not None:
        return Bound(found, receiver)
    instance = state.look(Instance, found)
    if instance is not None and isinstance(instance.cls, Ext):
        kind = instance.cls.name
        if kind == "builtins.staticmethod":
            return instance.attributes["function"]
        if kind == "builtins.classmethod":
            return Bound(instance.attributes["function"], cls)
        if kind in ("contextlib.contextmanager", "contextlib.decorated", "functools.lru_cache"):
            return Bound(found, receiver)
    return found


def put(
    m: Machine, state: State, receiver: Value, name: str, value: Value, node: cst.CSTNode
) -> list[State]:
    """Set an attribute; property setters run."""
    if isinstance(receiver, Ext):
        full = f"{receiver.name}.{name}"
        state.externals[constants.CANONICAL.get(full, full)] = value
        state.dirty = True
    elif isinstance(receiver, Unknown):
        key = ("attr", receiver.key, name)
        state.externals[f"?{key}"] = value
        state.hold(receiver.key, (value,))
    elif isinstance(receiver, Ref):
        obj = state.heap.get(receiver.id)
        if isinstance(obj, Instance):
            descriptor = classes.class_attribute(state, obj.cls, name)
            setter = _accessor(state, descriptor, "fset")
            if setter is not None:
                arguments = calls.Arguments(node, [receiver, value])
                found = calls.call(m, state, setter, arguments)
                for after in found:
                    after.pop()
                return found
            own = None if descriptor is None else state.look(Instance, descriptor)
            method = own and classes.class_attribute(state, own.cls, "__set__")
            if method and descriptor is not None:
                arguments = calls.Arguments(node, [descriptor, receiver, value])
                found = calls.call(m, state, method, arguments)
                for after in found:
                    after.pop()
                return found
            attributes = state.edit(Instance, receiver.id).attributes
            old = attributes.get(name)
            attributes[name] = value
            if old is not None:
                state.drop(old)
        elif isinstance(obj, (Class, Env, Function)):
            state.names_of(receiver.id)[name] = value
            state.dirty = True
        elif isinstance(obj, Stream) and obj.spec is not None:
            typed_streams.set_attribute(m, state, receiver, obj.spec, name, node)
    return [state]


def _accessor(state: State, descriptor: Value | None, slot: str) -> Value | None:
    instance = None if descriptor is None else state.look(Instance, descriptor)
    if instance is not None and instance.cls == Ext("builtins.property"):
        return instance.attributes.get(slot)
    return None


def delete(m: Machine, state: State, receiver: Value, name: str, node: cst.CSTNode) -> list[State]:
    """Delete an attribute; property deleters run."""
    if not isinstance(receiver, Ref):
        return [state]
    obj = state.heap.get(receiver.id)
    if isinstance(obj, Instance):
        deleter = _accessor(state, classes.class_attribute(state, obj.cls, name), "fdel")
        if deleter is not None:
            found = calls.call(m, state, deleter, calls.Arguments(node, [receiver]))
            for after in found:
                after.pop()
            return found
    if isinstance(obj, Env):
        held = name in obj.variables
    else:
        held = isinstance(obj, (Instance, Class, Function)) and name in obj.attributes
    if held:
        del state.names_of(receiver.id)[name]
        state.dirty = True
    return [state]
