"""What a fix has to know of a run: who writes to a file, and by which names it can be reached.

A run is traced only where a fix is looked for. Around each statement the trace notes the
expressions that lead to an open file in every state that comes by, and the calls under way.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from flushlint.machine import classes
from flushlint.machine.objects import Class, Env, Function, Instance, Mapping, Sequence, Stream
from flushlint.machine.streams import is_closed
from flushlint.machine.values import Ref, Union, Value

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    import libcst as cst

    from flushlint.machine.state import State

__all__ = ["Active", "Path", "Route", "Trace", "Writing"]

When = Literal["before", "after"]

_DEEPEST = 3
_MOST_ITEMS = 8
_OWN_METHODS = ("flush", "close")


class Active(NamedTuple):
    """A call under way: the function that runs, None for a module's body, and what calls it."""

    code: cst.CSTNode | None
    call: cst.CSTNode | None


Path: TypeAlias = "tuple[Active, ...]"


class Route(NamedTuple):
    """An expression that leads to an open file.

    `over` is an expression for several files, each of which is `file` in a loop over it. `owns`
    is a method of the program's own, without arguments, that an object on the way has: ``flush``
    or ``close``; the expression is then that of the object.
    """

    expression: str
    over: str = ""
    owns: str = ""


class Writing(NamedTuple):
    """A write to a layer of a file, by the call `node`; `newline` says whether its text has one."""

    node: cst.CSTNode
    process: int
    stream: int
    newline: bool | None
    path: Path


@dataclass
class _Visits:
    """What holds in all states that have come by, and how they have come."""

    routes: dict[Route, set[int]] = field(default_factory=dict)
    seen: bool = False

    def add(self, routes: dict[Route, frozenset[int]]) -> None:
        if not self.seen:
            self.routes = {route: set(streams) for route, streams in routes.items()}
            self.seen = True
            return
        for route in list(self.routes):
            if route in routes:
                self.routes[route] |= routes[route]
            else:
                del self.routes[route]


@dataclass
class Trace:
    """What a run has shown of its writes and of the places in which a fix may stand."""

    writings: dict[Writing, None] = field(default_factory=dict)
    stopped: set[cst.CSTNode] = field(default_factory=set)
    _paths: dict[cst.CSTNode, dict[Path, None]] = field(default_factory=lambda: defaultdict(dict))
    _visits: dict[tuple[cst.CSTNode, When], _Visits] = field(
        default_factory=lambda: defaultdict(_Visits)
    )

    def wrote(self, state: State, identity: int, node: cst.CSTNode, newline: bool | None) -> None:
        """Note a write to a layer."""
        self.writings[Writing(node, state.process, identity, newline, _path(state))] = None

    def visit(self, state: State, node: cst.CSTNode, when: When) -> None:
        """Note what leads where before or after the statement `node` runs in a state."""
        if not state.frames:
            return
        self._visits[node, when].add(_routes(state))
        if when == "before":
            self._paths[node][_path(state)] = None

    def raised(self, node: cst.CSTNode) -> None:
        """Note that the statement `node` has raised something that the code shows."""
        self.stopped.add(node)

    def routes(self, node: cst.CSTNode, when: When) -> dict[Route, set[int]]:
        """Return what leads to an open file in every state there, and to which layers."""
        visits = self._visits.get((node, when))
        return {} if visits is None else visits.routes

    def paths(self, node: cst.CSTNode) -> tuple[Path, ...]:
        """Return the calls that are under way where a statement runs, outermost first."""
        return tuple(self._paths.get(node, ()))


def _path(state: State) -> Path:
    return tuple(Active(frame.code, frame.call) for frame in state.frames)


# -- routes -------------------------------------------------------------------------------------


def _routes(state: State) -> dict[Route, frozenset[int]]:
    """Return what leads to the open files of a state from the topmost frame."""
    found: dict[Route, frozenset[int]] = {}
    if not state.streams:
        return found
    for name, value in _visible(state):
        for route, streams in _from(state, name, value, _DEEPEST):
            found.setdefault(route, streams)
    return found


def _visible(state: State) -> Iterator[tuple[str, Value]]:
    """Yield the variables that a statement of the topmost frame can name."""
    frame = state.frames[-1]
    seen: set[str] = set()
    identity: int | None = frame.env
    innermost = True
    while identity is not None:
        env = state.heap.get(identity)
        if not isinstance(env, Env):
            break
        if innermost or env.scope.is_function or env.parent is None:
            for name, value in env.variables.items():
                if name.isidentifier() and name not in seen:
                    seen.add(name)
                    yield name, value
            seen |= env.scope.bound if env.scope.is_function else set()
        innermost = False
        identity = env.parent


def _options(state: State, value: Value) -> tuple[Value, ...]:
    """Return what a value may be, as far as the path has not decided it."""
    if not isinstance(value, Union):
        return (value,)
    known: Hashable = state.facts.get(value.key)
    chosen = value.options if known is None else (known,)
    return tuple(o for option in chosen for o in _options(state, option))  # type: ignore[arg-type]  # facts of unions are values


def _from(
    state: State, expression: str, value: Value, depth: int
) -> Iterator[tuple[Route, frozenset[int]]]:
    """Yield what an expression leads to: itself, or below its attributes and items."""
    options = _options(state, value)
    streams = _open_streams(state, options)
    if streams:
        yield Route(expression), streams
        return
    if len(options) != 1 or not isinstance(options[0], Ref) or not depth:
        return
    identity = options[0].id
    obj = state.heap.get(identity)
    if isinstance(obj, (Instance, Class)):
        for name, held in obj.attributes.items():
            if name.isidentifier() and not isinstance(state.heap.get(_id(held)), Function):
                yield from _from(state, f"{expression}.{name}", held, depth - 1)
        if isinstance(obj, Instance):
            reached = frozenset(
                i for i in state.reach(obj.attributes.values()) if _is_open(state, i)
            )
            if reached:
                for method in _own_methods(state, obj):
                    yield Route(expression, owns=method), reached
    elif isinstance(obj, (Sequence, Mapping)):
        yield from _items(state, expression, obj, depth)


def _id(value: Value) -> int:
    return value.id if isinstance(value, Ref) else 0


def _items(
    state: State, expression: str, obj: Sequence | Mapping, depth: int
) -> Iterator[tuple[Route, frozenset[int]]]:
    """Yield what leads to the items of a container, one by one and all together."""
    held = list(obj.values())
    options = tuple(o for value in held for o in _options(state, value))
    each = [_open_streams(state, _options(state, value)) for value in held]
    if options and all(each):
        over = f"{expression}.values()" if isinstance(obj, Mapping) else expression
        yield Route("file", over), frozenset[int]().union(*each)
    if not obj.exact or len(held) > _MOST_ITEMS:
        return
    if isinstance(obj, Mapping):
        keyed = [(key, value) for key, value in obj.entries.items() if type(key) in (int, str)]
        for key, value in keyed:
            yield from _from(state, f"{expression}[{_literal(key)}]", value, depth - 1)
    elif obj.kind in ("list", "tuple"):
        for index, value in enumerate(obj.items):
            yield from _from(state, f"{expression}[{index}]", value, depth - 1)


def _literal(key: Hashable) -> str:
    """Write a constant as most programs do, in double quotes."""
    if isinstance(key, str) and key.isprintable() and '"' not in key and "\\" not in key:
        return f'"{key}"'
    return repr(key)


def _open_streams(state: State, options: tuple[Value, ...]) -> frozenset[int]:
    """Return the streams that all options are, none if one is no stream or closed."""
    if all(isinstance(o, Ref) and _is_open(state, o.id) for o in options):
        return frozenset(map(_id, options))
    return frozenset()


def _is_open(state: State, identity: int) -> bool:
    return isinstance(state.heap.get(identity), Stream) and not is_closed(state, identity)


def _own_methods(state: State, instance: Instance) -> Iterator[str]:
    """Yield the methods of a program's class that are called like those of a file."""
    for name in _OWN_METHODS:
        own = classes.class_attribute(state, instance.cls, name)
        function = None if own is None else state.look(Function, own)
        if function is not None and len(function.node.params.params) == 1:
            yield name
