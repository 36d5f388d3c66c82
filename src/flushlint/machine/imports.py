"""Imports: everything that is imported is external, under its qualified name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from flushlint.knowledge import constants
from flushlint.machine.interpreter import Machine, statement
from flushlint.machine.names import store
from flushlint.machine.values import Ext, Value

if TYPE_CHECKING:
    from flushlint.machine.state import State

__all__: list[str] = []


def dotted(node: cst.BaseExpression | None) -> str:
    """Return ``a.b.c`` of a dotted name."""
    if isinstance(node, cst.Attribute):
        return f"{dotted(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""


@statement(cst.Import)
def _import(m: Machine, node: cst.Import, states: list[State]) -> list[State]:
    for alias in node.names:
        full = dotted(alias.name)
        for state in states:
            if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
                name = constants.CANONICAL.get(full, full)
                store(m, state, alias.asname.name.value, Ext(name))
            else:
                first = full.partition(".")[0]
                store(m, state, first, Ext(constants.CANONICAL.get(first, first)))
    return states


@statement(cst.ImportFrom)
def _import_from(m: Machine, node: cst.ImportFrom, states: list[State]) -> list[State]:
    module = "." * len(node.relative) + dotted(node.module)
    if module == "__future__":
        return states
    if isinstance(node.names, cst.ImportStar):
        for state in states:
            for name in exported(module):
                store(m, state, name, member(m, state, module, name))
        return states
    for alias in node.names:
        name = dotted(alias.name)
        bound = name
        if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
            bound = alias.asname.name.value
        for state in states:
            store(m, state, bound, member(m, state, module, name))
    return states


def exported(module: str) -> list[str]:
    """Return the names of a library module that the machine knows: what a star imports."""
    from flushlint.machine.calls import LIBRARY, TYPES

    prefix = f"{constants.CANONICAL.get(module, module)}."
    known = [*LIBRARY, *TYPES, *constants.CANONICAL, *constants.CONSTANTS]
    rest = (name.removeprefix(prefix) for name in known if name.startswith(prefix))
    return sorted({name for name in rest if "." not in name})


def member(m: Machine, state: State, module: str, name: str) -> Value:
    """Return what `from module import name` binds, as of now."""
    from flushlint.machine.attributes import external

    return external(m, state, Ext(constants.CANONICAL.get(module, module)), name)
