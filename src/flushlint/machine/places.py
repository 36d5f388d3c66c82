"""Paths: whether an opener opens the same file when another process makes the call again."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

import libcst as cst

from flushlint.knowledge.streams import VARYING_WORDS
from flushlint.machine.modules import tree_of
from flushlint.machine.scope import children
from flushlint.machine.values import Const, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["is_same_everywhere"]


def is_same_everywhere(
    m: Machine, state: State, path: Value | None, node: cst.CSTNode | None
) -> bool:
    """Say whether a path is the same in every process that runs the module's body.

    So it is if it is a constant, or computed from constants, the program's arguments and what
    else doesn't change. What the parameters of a function hold can't be told.
    """
    if isinstance(path, Const):
        is_path = isinstance(path.value, (str, bytes))
        # What it is made of may be another constant in each process: its name.
        return is_path and (node is None or _is_steady(m, tree_of(state), node, known=True))
    return node is not None and path is not None and _is_steady(m, tree_of(state), node)


def _is_steady(m: Machine, module: cst.Module, node: cst.CSTNode, *, known: bool = False) -> bool:
    """Follow the names in an expression to what the body of its module binds them to.

    Of one that is `known` names that are bound elsewhere are taken for steady.
    """
    bindings: dict[str, list[cst.CSTNode]] | None = None
    seen: set[str] = set()
    todo = [node]
    while todo:
        part = todo.pop()
        word = _word(part)
        if word in VARYING_WORDS or (isinstance(part, _OPAQUE) and not known):
            return False
        if isinstance(part, (cst.FunctionDef, cst.ClassDef)):
            if not m.scopes[part].used.isdisjoint(VARYING_WORDS):
                return False
        elif isinstance(part, (cst.Attribute, cst.Arg)):
            todo.append(part.value)
        elif not isinstance(part, cst.Name):
            todo.extend(children(part))
        elif part.value not in seen:
            seen.add(part.value)
            bindings = bindings if bindings is not None else _bindings(module)
            if part.value in bindings:
                todo.extend(bindings[part.value])
            elif part.value != "__file__" and not hasattr(builtins, part.value) and not known:
                return False
    return True


_OPAQUE = (cst.Lambda, cst.Await, cst.Yield)


def _word(node: cst.CSTNode) -> str:
    last = node.attr if isinstance(node, cst.Attribute) else node
    return last.value if isinstance(last, cst.Name) else ""


def _bindings(module: cst.Module) -> dict[str, list[cst.CSTNode]]:
    """Return what the module's body binds each name to; nothing stands for an import."""
    found: dict[str, list[cst.CSTNode]] = {}
    todo: list[cst.CSTNode] = list(module.body)
    while todo:
        node = todo.pop()
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            found.setdefault(node.name.value, []).append(node)
        elif isinstance(node, (cst.Import, cst.ImportFrom)):
            for name in _imported(node):
                found.setdefault(name, [])
        elif isinstance(node, cst.Assign):
            for target in node.targets:
                found.setdefault(_word(target.target), []).append(node.value)
        elif isinstance(node, cst.AnnAssign) and node.value is not None:
            found.setdefault(_word(node.target), []).append(node.value)
        elif not isinstance(node, cst.BaseExpression):
            if isinstance(node, cst.For):
                found.setdefault(_word(node.target), []).append(node.iter)
            todo.extend(children(node))
    return found


def _imported(node: cst.Import | cst.ImportFrom) -> list[str]:
    names = [] if isinstance(node.names, cst.ImportStar) else node.names
    return [
        _first(alias.name) if alias.asname is None else _word(alias.asname.name) for alias in names
    ]


def _first(node: cst.BaseExpression) -> str:
    while isinstance(node, cst.Attribute):
        node = node.value
    return _word(node)
