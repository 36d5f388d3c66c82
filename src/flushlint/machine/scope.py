"""Scopes: which names each function binds, which it only uses, whether it yields.

One pass over the tree collects them for every function, class body and the module. It
touches only the fields that carry code: LibCST keeps white space and punctuation in nodes
too, and visiting those costs as much as parsing.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import libcst as cst

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["Scope", "build_scopes", "children", "closure", "generator_function"]

_PUNCTUATION = frozenset(
    {
        "lpar", "rpar", "comma", "semicolon", "leading_lines", "lines_after_decorators",
        "header", "footer", "trailing_whitespace", "lbracket", "rbracket", "lbrace", "rbrace",
        "equal", "dot", "operator", "indent", "annotation", "returns", "type_parameters",
        "asynchronous", "first_colon", "second_colon", "star_ind", "posonly_ind", "colon",
        "empty_lines", "newline", "comment", "lines_after_module_docstring",
    }
)  # fmt: skip


_FIELDS: dict[type[cst.CSTNode], tuple[str, ...]] = {}


def _code_fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    names = tuple(
        f.name
        for f in dataclasses.fields(kind)
        if f.name not in _PUNCTUATION and not f.name.startswith("whitespace")
    )
    _FIELDS[kind] = names
    return names


# To ask an abstract class for each node whether it is one takes longer than all else.
_IS_NODE: dict[type, bool] = {}


def _is_node(kind: type) -> bool:
    _IS_NODE[kind] = found = issubclass(kind, cst.CSTNode)
    return found


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield the child nodes that carry code, in source order."""
    kind = type(node)
    for name in _FIELDS.get(kind) or _code_fields(kind):
        child = getattr(node, name)
        kind = child.__class__
        if kind is list or kind is tuple:
            yield from child
        elif _IS_NODE[kind] if kind in _IS_NODE else _is_node(kind):
            yield child


@dataclass(slots=True, eq=False)
class Scope:
    """What one function, class body or module binds and uses.

    `used` holds every identifier in it, attribute names and nested functions included.
    `stores` says that it changes something beyond its own variables, or manages a context.
    """

    node: cst.CSTNode
    name: str
    parent: Scope | None
    bound: set[str] = field(default_factory=set)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)
    yields: bool = False
    stores: bool = False
    nested: list[Scope] = field(default_factory=list)
    is_function: bool = field(init=False)
    is_enclosed: bool = field(init=False)

    def __post_init__(self) -> None:
        """Say whether it is that of a function or lambda, and whether one encloses it."""
        above = self.parent
        self.is_function = isinstance(self.node, (cst.FunctionDef, cst.Lambda))
        self.is_enclosed = above is not None and (above.is_function or above.is_enclosed)

    def walk(self) -> Iterator[Scope]:
        """Yield this scope and all those in it."""
        yield self
        for inner in self.nested:
            yield from inner.walk()


def build_scopes(module: cst.Module) -> dict[cst.CSTNode, Scope]:
    """Map the module and each function, lambda and class in it to its scope."""
    scopes: dict[cst.CSTNode, Scope] = {}
    root = Scope(module, "<module>", None)
    scopes[module] = root
    for statement in module.body:
        _collect(statement, root, scopes)
    for scope in scopes.values():
        scope.bound -= scope.globals | scope.nonlocals
    return scopes


def _collect(start: cst.CSTNode, scope: Scope, scopes: dict[cst.CSTNode, Scope]) -> None:
    """Walk iteratively: deep expressions must not cost a Python frame for each level."""
    todo = [start]
    while todo:
        node = todo.pop()
        handler = _HANDLERS.get(type(node))
        todo.extend(children(node) if handler is None else handler(node, scope, scopes))


def closure(scopes: Iterable[Scope], words: Iterable[str]) -> set[str]:
    """Return the names behind which one of the words stands, directly or by calls."""
    found = set(words)
    known = list(scopes)
    size = 0
    while len(found) != size:
        size = len(found)
        for scope in known:
            if scope.parent is not None and not scope.used.isdisjoint(found):
                found.add(scope.name)
            for alias, original in scope.aliases.items():
                if original in found:
                    found.add(alias)
    return found


_SOURCE = "__outermost_iterable__"


def generator_function(node: cst.GeneratorExp, scopes: dict[cst.CSTNode, Scope]) -> cst.FunctionDef:
    """Write a generator expression as a function that takes its outermost iterable.

    The nodes of the expression itself are used again, so that they keep their places.
    """
    source = cst.Name(_SOURCE)
    element = cst.SimpleStatementLine([cst.Expr(cst.Yield(node.elt))])
    body = _loop(node.for_in, source, element)
    definition = cst.FunctionDef(
        cst.Name("genexpr"), cst.Parameters([cst.Param(source)]), cst.IndentedBlock([body])
    )
    outer = scopes[next(iter(scopes))]
    scope = Scope(definition, "<genexpr>", outer, yields=True)
    scope.bound.add(_SOURCE)
    _collect(body, scope, scopes)
    scopes[definition] = scope
    return definition


def _loop(
    clause: cst.CompFor, source: cst.BaseExpression, innermost: cst.SimpleStatementLine
) -> cst.For:
    inner: cst.BaseStatement = innermost
    if clause.inner_for_in is not None:
        inner = _loop(clause.inner_for_in, clause.inner_for_in.iter, innermost)
    for condition in reversed(clause.ifs):
        inner = cst.If(condition.test, cst.IndentedBlock([inner]))
    return cst.For(clause.target, source, cst.IndentedBlock([inner]))


def _name(node: cst.Name, scope: Scope, _: object) -> tuple[cst.CSTNode, ...]:
    scope.used.add(node.value)
    return ()


def _call(node: cst.Call, scope: Scope, _: object) -> Iterator[cst.CSTNode]:
    function = node.func
    if isinstance(function, cst.Name):
        scope.calls.add(function.value)
    elif isinstance(function, cst.Attribute):
        scope.calls.add(function.attr.value)
    return children(node)


def _target(node: cst.CSTNode, scope: Scope) -> None:
    """Bind the names that an assignment target binds."""
    todo = [node]
    while todo:
        part = todo.pop()
        if isinstance(part, cst.Name):
            scope.bound.add(part.value)
        elif isinstance(part, (cst.Tuple, cst.List)):
            todo.extend(element.value for element in part.elements)
        else:
            scope.stores = True


def _assign(node: cst.AssignTarget, scope: Scope, _: object) -> tuple[cst.CSTNode, ...]:
    _target(node.target, scope)
    return (node.target,)


def _assignment(node: cst.Assign, scope: Scope, _: object) -> Iterator[cst.CSTNode]:
    """Another name for something: `Worker = mp.Process`."""
    value = node.value
    word = value.attr if isinstance(value, cst.Attribute) else value
    if isinstance(word, cst.Name):
        for target in node.targets:
            if isinstance(target.target, cst.Name):
                scope.aliases[target.target.value] = word.value
    return children(node)


def _targeted(
    node: cst.AnnAssign | cst.AugAssign | cst.NamedExpr | cst.For | cst.CompFor,
    scope: Scope,
    _: object,
) -> Iterator[cst.CSTNode]:
    _target(node.target, scope)
    return children(node)


def _as_name(node: cst.AsName, scope: Scope, _: object) -> tuple[cst.CSTNode, ...]:
    _target(node.name, scope)
    return (node.name,)


def _del(node: cst.Del, scope: Scope, _: object) -> tuple[cst.CSTNode, ...]:
    _target(node.target, scope)
    return (node.target,)


def _import(node: cst.Import | cst.ImportFrom, scope: Scope, _: object) -> tuple[cst.CSTNode, ...]:
    if isinstance(node.names, cst.ImportStar):
        return ()
    for alias in node.names:
        # The imported name itself counts as used: `Process as P` makes P a spawner.
        scope.used.update(part.value for part in _dotted(alias.name))
        if alias.asname is not None:
            _target(alias.asname.name, scope)
            if isinstance(alias.asname.name, cst.Name):
                scope.aliases[alias.asname.name.value] = list(_dotted(alias.name))[-1].value
        else:
            scope.bound.add(next(_dotted(alias.name)).value)
    return ()


def _dotted(node: cst.BaseExpression) -> Iterator[cst.Name]:
    """Yield the names of ``a.b.c``, first to last."""
    if isinstance(node, cst.Attribute):
        yield from _dotted(node.value)
        yield node.attr
    elif isinstance(node, cst.Name):
        yield node


def _global(node: cst.Global, scope: Scope, _: object) -> tuple[cst.CSTNode, ...]:
    scope.stores = True
    scope.globals.update(item.name.value for item in node.names)
    return ()


def _nonlocal(node: cst.Nonlocal, scope: Scope, _: object) -> tuple[cst.CSTNode, ...]:
    scope.stores = True
    scope.nonlocals.update(item.name.value for item in node.names)
    return ()


def _with(node: cst.With, scope: Scope, _: object) -> Iterator[cst.CSTNode]:
    scope.stores = True
    return children(node)


def _yield(node: cst.Yield, scope: Scope, _: object) -> Iterator[cst.CSTNode]:
    scope.yields = True
    return children(node)


def _match_binding(
    node: cst.MatchAs | cst.MatchStar, scope: Scope, _: object
) -> Iterator[cst.CSTNode]:
    if node.name is not None:
        scope.bound.add(node.name.value)
    return children(node)


def _parameters(parameters: cst.Parameters, inner: Scope) -> Iterator[cst.CSTNode]:
    """Bind the parameters in the inner scope and yield their defaults, which the outer runs."""
    every: list[cst.Param] = [
        *parameters.posonly_params,
        *parameters.params,
        *parameters.kwonly_params,
    ]
    for star in (parameters.star_arg, parameters.star_kwarg):
        if isinstance(star, cst.Param):
            every.append(star)
    for parameter in every:
        inner.bound.add(parameter.name.value)
        if parameter.default is not None:
            yield parameter.default


def _function(
    node: cst.FunctionDef, scope: Scope, scopes: dict[cst.CSTNode, Scope]
) -> list[cst.CSTNode]:
    scope.bound.add(node.name.value)
    inner = _open(node, node.name.value, scope, scopes)
    outer: list[cst.CSTNode] = [*_parameters(node.params, inner)]
    outer.extend(decorator.decorator for decorator in node.decorators)
    _collect(node.body, inner, scopes)
    _close(inner)
    return outer


def _lambda(node: cst.Lambda, scope: Scope, scopes: dict[cst.CSTNode, Scope]) -> list[cst.CSTNode]:
    inner = _open(node, "<lambda>", scope, scopes)
    outer = [*_parameters(node.params, inner)]
    _collect(node.body, inner, scopes)
    _close(inner)
    return outer


def _class(node: cst.ClassDef, scope: Scope, scopes: dict[cst.CSTNode, Scope]) -> list[cst.CSTNode]:
    scope.bound.add(node.name.value)
    inner = _open(node, node.name.value, scope, scopes)
    outer: list[cst.CSTNode] = [argument.value for argument in (*node.bases, *node.keywords)]
    for base in outer:
        _collect(base, inner, scopes)
    outer.extend(decorator.decorator for decorator in node.decorators)
    _collect(node.body, inner, scopes)
    _close(inner)
    return outer


def _open(node: cst.CSTNode, name: str, outer: Scope, scopes: dict[cst.CSTNode, Scope]) -> Scope:
    inner = Scope(node, name, outer)
    scopes[node] = inner
    outer.nested.append(inner)
    return inner


def _close(inner: Scope) -> None:
    """What a nested scope uses, the enclosing one uses too: it is how closures are found."""
    if inner.parent is not None:
        inner.parent.used |= inner.used
        inner.parent.calls |= inner.calls
        inner.parent.stores |= inner.stores


_HANDLERS: dict[type[cst.CSTNode], Callable[..., Iterable[cst.CSTNode]]] = {
    cst.Name: _name,
    cst.Call: _call,
    cst.Assign: _assignment,
    cst.AssignTarget: _assign,
    cst.AnnAssign: _targeted,
    cst.AugAssign: _targeted,
    cst.NamedExpr: _targeted,
    cst.For: _targeted,
    cst.CompFor: _targeted,
    cst.AsName: _as_name,
    cst.Del: _del,
    cst.Import: _import,
    cst.ImportFrom: _import,
    cst.Global: _global,
    cst.Nonlocal: _nonlocal,
    cst.With: _with,
    cst.Yield: _yield,
    cst.MatchAs: _match_binding,
    cst.MatchStar: _match_binding,
    cst.FunctionDef: _function,
    cst.Lambda: _lambda,
    cst.ClassDef: _class,
}
