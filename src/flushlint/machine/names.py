"""Names: looking them up and binding them by Python's scoping rules."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

import libcst as cst

from flushlint.machine.objects import Env
from flushlint.machine.values import Ext, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = [
    "delete",
    "get_hidden",
    "hide",
    "lookup",
    "put_hidden",
    "reveal",
    "store",
    "targets_of",
]


def environment(state: State, identity: int) -> Env:
    found = state.heap[identity]
    assert isinstance(found, Env)
    return found


def lookup(m: Machine, state: State, name: str) -> Value:
    """Return what a name means: local, enclosing, global, builtin, or unknown."""
    frame = state.frames[-1]
    env = environment(state, frame.env)
    value = env.variables.get(name)
    if value is not None and name not in env.scope.globals:
        return value
    if name not in env.scope.globals:
        for _, outer in _enclosing(state, env):
            if outer.scope.is_function and name in outer.variables:
                return outer.variables[name]
    value = environment(state, frame.module).variables.get(name)
    if value is not None:
        return value
    if hasattr(builtins, name):
        return Ext(f"builtins.{name}")
    return m.unknown()


def _home(state: State, name: str) -> int:
    """Return the environment in which an assignment to the name binds it."""
    frame = state.frames[-1]
    env = environment(state, frame.env)
    if name in env.scope.globals:
        return frame.module
    if name in env.scope.nonlocals:
        for identity, outer in _enclosing(state, env):
            if outer.scope.is_function and name in outer.scope.bound:
                return identity
    return frame.env


def _enclosing(state: State, env: Env) -> Iterator[tuple[int, Env]]:
    """Yield the scopes around one, as far as they have come along to this process."""
    identity = env.parent
    while identity is not None and identity in state.heap:
        outer = environment(state, identity)
        yield identity, outer
        identity = outer.parent


def store(m: Machine, state: State, name: str, value: Value) -> None:
    """Bind a name; what it held before loses a reference."""
    home = _home(state, name)
    variables = state.edit(Env, home).variables
    old = variables.get(name)
    variables[name] = value
    if old is not None:
        state.drop(old)


def delete(state: State, name: str) -> None:
    """Unbind a name."""
    home = _home(state, name)
    if name in environment(state, home).variables:
        state.drop(state.edit(Env, home).variables.pop(name))


def targets_of(clause: cst.CompFor) -> list[str]:
    """Return the names that a comprehension binds for itself alone."""
    found: list[str] = []
    todo: list[cst.CSTNode] = [clause.target]
    while todo:
        node = todo.pop()
        if isinstance(node, cst.Name):
            found.append(node.value)
        elif isinstance(node, (cst.Tuple, cst.List)):
            todo.extend(element.value for element in node.elements)
    inner = clause.inner_for_in
    return found if inner is None else found + targets_of(inner)


def hide(state: State, targets: Iterable[str]) -> None:
    """Set aside what the names of a comprehension mean outside it."""
    variables = state.edit(Env, state.frames[-1].env).variables
    for name in targets:
        if name in variables:
            variables[f"%{name}"] = variables[name]


def reveal(state: State, targets: Iterable[str]) -> None:
    """Give the names of a comprehension back what they meant outside it."""
    variables = state.edit(Env, state.frames[-1].env).variables
    for name in targets:
        inside = variables.pop(name, None)
        if f"%{name}" in variables:
            variables[name] = variables.pop(f"%{name}")
        if inside is not None:
            state.drop(inside)


def put_hidden(state: State, node: cst.CSTNode, value: Value) -> None:
    """Keep a value that the program can't name: a loop's iterator, a context manager."""
    state.edit(Env, state.frames[-1].env).variables[f"%{id(node)}"] = value


def get_hidden(state: State, node: cst.CSTNode, *, remove: bool = False) -> Value | None:
    """Return what `put_hidden` kept for the node in this frame."""
    env = state.frames[-1].env
    name = f"%{id(node)}"
    if remove and name in environment(state, env).variables:
        value = state.edit(Env, env).variables.pop(name)
        state.drop(value)
        return value
    return environment(state, env).variables.get(name)
