"""Classes: method resolution over the program's own classes and library types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.knowledge.processes import PROCESS_TYPES
from flushlint.machine.objects import Class, Instance
from flushlint.machine.values import Ext, Ref, Unknown, Value

if TYPE_CHECKING:
    from flushlint.machine.state import State

__all__ = [
    "METACLASS",
    "TYPE",
    "class_attribute",
    "external_bases",
    "fields",
    "has_unknown_base",
    "is_a",
    "is_exception_class",
    "is_process",
    "lineage",
    "metaclass",
    "owned_attribute",
]

TYPE = "builtins.type"
METACLASS = "%metaclass"
"""The attribute of a class that holds its metaclass."""


def lineage(state: State, cls: Value) -> list[Value]:
    """Return the class and its bases in method resolution order.

    Depth first, a shared base last: for the hierarchies of one module it is what C3 gives.
    """
    found: list[Value] = [cls]
    obj = state.look(Class, cls)
    if obj is not None:
        for base in obj.bases:
            for ancestor in lineage(state, base):
                if ancestor in found:
                    found.remove(ancestor)
                found.append(ancestor)
    return found


def owned_attribute(state: State, cls: Value, name: str) -> tuple[Value, Value] | None:
    """Return an attribute of a class of the program and the class that defines it."""
    for candidate in lineage(state, cls):
        obj = state.look(Class, candidate)
        if obj is not None and name in obj.attributes:
            return obj.attributes[name], candidate
    return None


def class_attribute(state: State, cls: Value, name: str) -> Value | None:
    """Return an attribute that the program's own classes define, unbound."""
    found = owned_attribute(state, cls, name)
    return None if found is None else found[0]


def external_bases(state: State, cls: Value) -> list[str]:
    """Return the names of the library types that a class derives from, or is."""
    return [c.name for c in lineage(state, cls) if isinstance(c, Ext)]


def has_unknown_base(state: State, cls: Value) -> bool:
    """Say whether a class inherits from something the machine knows nothing of."""
    return any(isinstance(c, Unknown) for c in lineage(state, cls))


def is_a(state: State, cls: Value, name: str) -> bool:
    """Say whether a class is, or derives from, the library type of this name."""
    bases = external_bases(state, cls)
    return name in bases or (name == "enum.Enum" and any(b.startswith("enum.") for b in bases))


def metaclass(state: State, cls: Value) -> Value | None:
    """Return the metaclass of a class, where that is one of the program's own."""
    found = class_attribute(state, cls, METACLASS)
    return found if found is not None and state.look(Class, found) is not None else None


def fields(state: State, instance: Instance) -> tuple[str, ...] | None:
    """Return the field names of a named tuple's instance, in order; None for others."""
    if not isinstance(instance.cls, Ref):
        return None
    for candidate in lineage(state, instance.cls):
        obj = state.look(Class, candidate)
        if (
            obj is not None
            and obj.fields is not None
            and is_a(state, candidate, "typing.NamedTuple")
        ):
            return obj.fields
    return None


def is_exception_class(state: State, value: Value) -> bool:
    """Say whether a value is a class that can be raised, rather than an instance."""
    if isinstance(value, Ext):
        return True
    return state.look(Class, value) is not None


def is_process(state: State, instance: Instance) -> bool:
    """Say whether an instance is a process object."""
    return any(name in PROCESS_TYPES for name in external_bases(state, instance.cls))
