"""Imports: the program's own modules run; everything else is external, under its qualified name."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import libcst as cst

from flushlint.knowledge import constants
from flushlint.machine.calls import Arguments, called, library
from flushlint.machine.interpreter import Machine, statement
from flushlint.machine.modules import load, module_named, package_of
from flushlint.machine.names import store
from flushlint.machine.objects import Class, Env, Instance, Sequence
from flushlint.machine.values import NONE, Const, Ext, Value
from flushlint.module_names import absolute

if TYPE_CHECKING:
    from flushlint.machine.state import State

__all__: list[str] = []

_NAMED_TUPLE = Ext("typing.NamedTuple")


def dotted(node: cst.BaseExpression | None) -> str:
    """Return ``a.b.c`` of a dotted name."""
    if isinstance(node, cst.Attribute):
        return f"{dotted(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""


@statement(cst.Import)
def _import(m: Machine, node: cst.Import, states: list[State]) -> list[State]:
    for alias in node.names:
        full = dotted(alias.name)
        found: list[State] = []
        for before in states:
            _may_be_missing(m, before, full, alias)
            for state in load(m, before, full):
                if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
                    store(m, state, alias.asname.name.value, _module(state, full))
                else:
                    first = full.partition(".")[0]
                    store(m, state, first, _module(state, first))
                found.append(state)
        states = found
    return states


def _may_be_missing(m: Machine, state: State, name: str, node: cst.CSTNode) -> None:
    """An import of what is neither the program's own nor the standard library's may fail."""
    if m.handlers and name not in m.imported:
        first = name.partition(".")[0]
        if first not in sys.stdlib_module_names and first not in m.imported:
            m.may_raise(state, "builtins.ImportError", node)


def _module(state: State, name: str) -> Value:
    return module_named(state, name) or Ext(constants.CANONICAL.get(name, name))


@statement(cst.ImportFrom)
def _import_from(m: Machine, node: cst.ImportFrom, states: list[State]) -> list[State]:
    if node.module is not None and dotted(node.module) == "__future__":
        return states
    found: list[State] = []
    for before in states:
        name, level = dotted(node.module), len(node.relative)
        # Where there is no such package it stays relative, with its dots.
        module = absolute(name, level, package_of(before)) or "." * level + name
        _may_be_missing(m, before, module, node)
        for state in load(m, before, module):
            if isinstance(node.names, cst.ImportStar):
                found += _import_all(m, state, module)
            else:
                found += _import_names(m, state, module, node.names)
    return found


def _import_names(m: Machine, state: State, module: str, names: object) -> list[State]:
    assert isinstance(names, (list, tuple))
    states = [state]
    for alias in names:
        name = bound = dotted(alias.name)
        if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
            bound = alias.asname.name.value
        found = []
        for before in states:
            for after in _member(m, before, module, name, alias):
                store(m, after, bound, after.pop())
                found.append(after)
        states = found
    return states


def _member(m: Machine, state: State, module: str, name: str, node: cst.CSTNode) -> list[State]:
    """Push what `from module import name` binds, as of now."""
    from flushlint.machine import attributes

    origin = module_named(state, module)
    submodule = f"{module}.{name}"
    if origin is not None:
        env = state.heap[origin.id]
        if isinstance(env, Env) and name not in env.variables and submodule in m.imported:
            return [s.push(module_named(s, submodule) or NONE) for s in load(m, state, submodule)]
        return attributes.get(m, state, origin, name, node)
    known = Ext(constants.CANONICAL.get(module, module))
    return [state.push(attributes.external(m, state, known, name))]


def _import_all(m: Machine, state: State, module: str) -> list[State]:
    origin = module_named(state, module)
    if origin is None:
        from flushlint.machine.attributes import external

        known = Ext(constants.CANONICAL.get(module, module))
        for name in exported(module):
            store(m, state, name, external(m, state, known, name))
        return [state]
    env = state.heap[origin.id]
    assert isinstance(env, Env)
    listed = state.look(Sequence, env.variables.get("__all__", NONE))
    if listed is None:
        names = [name for name in env.variables if name[0] not in "_%"]
    else:
        names = [str(item.value) for item in listed.items if isinstance(item, Const)]
    states = [state]
    for name in names:
        found = []
        for before in states:
            for after in _member(m, before, module, name, env.scope.node):
                store(m, after, name, after.pop())
                found.append(after)
        states = found
    return states


def exported(module: str) -> list[str]:
    """Return the names of a library module that the machine knows: what a star imports."""
    from flushlint.machine.calls import LIBRARY, TYPES

    prefix = f"{constants.CANONICAL.get(module, module)}."
    known = [*LIBRARY, *TYPES, *constants.CANONICAL, *constants.CONSTANTS]
    rest = (name.removeprefix(prefix) for name in known if name.startswith(prefix))
    return sorted({name for name in rest if "." not in name})


@library("importlib.import_module")
def _import_module(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """`import_module(name, package)` returns the module itself."""
    name, package = arguments.get(0, "name"), arguments.get(1, "package")
    if not isinstance(name, Const) or not isinstance(name.value, str):
        return [state.push(m.unknown())]
    full = name.value.lstrip(".")
    within = str(package.value) if isinstance(package, Const) else ""
    full = absolute(full, len(name.value) - len(full), within)
    return [s.push(_module(s, full)) for s in load(m, state, full)]


@library("builtins.__import__")
def _dunder_import(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """`__import__("a.b")` returns `a`."""
    name = arguments.get(0, "name")
    if not isinstance(name, Const) or not isinstance(name.value, str):
        return [state.push(m.unknown())]
    full = name.value
    return [s.push(_module(s, full.partition(".")[0])) for s in load(m, state, full)]


@library("pkgutil.iter_modules", "pkgutil.walk_packages")
def _iter_modules(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """`iter_modules(package.__path__, prefix)` tells which modules a package has."""
    path, prefix = arguments.get(0, "path"), arguments.get(1, "prefix") or Const("")
    package = path.name.removesuffix(".__path__") if isinstance(path, Ext) else ""
    if package not in m.imported or not isinstance(prefix, Const):
        return [state.push(m.unknown())]
    node = arguments.node
    fields = ("module_finder", "name", "ispkg")
    cls = m.new(state, node, Class("ModuleInfo", (_NAMED_TUPLE,), {}, None, fields), "info")
    found: list[Value] = []
    for name in sorted(m.imported):
        inner = name.removeprefix(f"{package}.")
        is_found = inner != name and (called(arguments) != "iter_modules" or "." not in inner)
        if is_found:
            info: dict[str, Value] = {
                "module_finder": m.unknown(),
                "name": Const(f"{prefix.value}{inner}"),
                "ispkg": Const(m.imported[name].is_package),
            }
            found.append(m.new(state, node, Instance(cls, info), name))
    return [state.push(m.new(state, node, Sequence("list", found), "modules"))]
