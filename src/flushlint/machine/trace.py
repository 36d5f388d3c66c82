"""What a fix has to know of a run: who writes to a file, and by which names it can be reached.

A run is traced only where a fix is looked for. Around each statement the trace notes the
expressions that lead to an open file in every state that comes by, and the calls under way.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from flushlint.machine import calls, classes
from flushlint.machine.objects import Class, Env, Function, Instance, Mapping, Sequence, Stream
from flushlint.machine.streams import is_closed
from flushlint.machine.values import NONE, Bound, Const, Ext, Method, Ref, Union, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    import libcst as cst

    from flushlint.machine.state import State

__all__ = ["Active", "Lead", "Path", "Route", "Trace", "Writing"]

When = Literal["before", "after"]

_DEEPEST = 3
_MOST_ITEMS = 8
_OWN_METHODS = ("flush", "close")
_WRITING = frozenset(
    {"write", "writelines", "print", "writerow", "writerows", "dump", "info", "debug", "log"}
)
_PROPERTY = Ext("builtins.property")
_PLAIN = (Const, Ext, Unknown, Bound, Method)


class Active(NamedTuple):
    """A call under way: what runs, a function or the body of an imported module, and what calls it.

    A generator is called by the statement that goes on with it.
    """

    code: cst.CSTNode | None
    call: cst.CSTNode | None


Path: TypeAlias = "tuple[Active, ...]"


class Route(NamedTuple):
    """An expression that leads to an open file.

    `over` is an expression for several files, or objects that hold one, which are to be taken one
    after the other. `owns` is a method without arguments that an object on the way has, ``flush``
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


class Lead(NamedTuple):
    """The layers to which a route leads, and whether it may as well lead to None."""

    streams: frozenset[int]
    or_none: bool = False


@dataclass
class _Visits:
    """What holds in all states that have come by."""

    routes: dict[Route, Lead] = field(default_factory=dict)
    seen: bool = False

    def add(self, routes: dict[Route, Lead]) -> None:
        if not self.seen:
            self.routes = routes
            self.seen = True
            return
        both = (
            (route, lead, routes[route]) for route, lead in self.routes.items() if route in routes
        )
        self.routes = {
            route: Lead(one.streams | other.streams, one.or_none or other.or_none)
            for route, one, other in both
        }


@dataclass
class Trace:
    """What a run has shown of its writes and of the places in which a fix may stand.

    One that is `brief` notes only which statements raise: that is all that a proof asks for.
    """

    brief: bool = False
    writings: dict[Writing, None] = field(default_factory=dict)
    stopped: set[cst.CSTNode] = field(default_factory=set)
    running: list[cst.CSTNode] = field(default_factory=list)
    _paths: dict[cst.CSTNode, dict[Path, None]] = field(default_factory=lambda: defaultdict(dict))
    _visits: dict[tuple[cst.CSTNode, When], _Visits] = field(
        default_factory=lambda: defaultdict(_Visits)
    )

    @property
    def current(self) -> cst.CSTNode | None:
        """The statement that runs, None before the first."""
        return self.running[-1] if self.running else None

    def wrote(
        self, state: State, identity: int, node: cst.CSTNode | None, newline: bool | None
    ) -> None:
        """Note a write to a layer, by a call, or by a layer above that the statement empties."""
        at = node or self.current
        if at is not None and not self.brief:
            self.writings[Writing(at, state.process, identity, newline, _path(state))] = None

    def visit(self, state: State, node: cst.CSTNode, when: When) -> None:
        """Note what leads where before or after the statement `node` runs in a state."""
        if self.brief or not state.frames:
            return
        self._visits[node, when].add(_routes(state))
        if when == "before":
            self._paths[node][_path(state)] = None

    def raised(self, node: cst.CSTNode) -> None:
        """Note that a statement or a call raises something that the code shows."""
        self.stopped.add(node)

    def routes(self, node: cst.CSTNode, when: When) -> dict[Route, Lead]:
        """Return what leads to an open file in every state there, or in some, and else to None."""
        visits = self._visits.get((node, when))
        return {} if visits is None else {r: to for r, to in visits.routes.items() if to.streams}

    def paths(self, node: cst.CSTNode) -> tuple[Path, ...]:
        """Return the calls that are under way where a statement runs, outermost first."""
        return tuple(self._paths.get(node, ()))


def _path(state: State) -> Path:
    return tuple(Active(frame.code, frame.call) for frame in state.frames)


# -- routes -------------------------------------------------------------------------------------


def _routes(state: State) -> dict[Route, Lead]:
    """Return what leads to the open files of a state from the topmost frame."""
    found: dict[Route, Lead] = {}
    if not state.streams:
        return found
    for name, value in _visible(state):
        for route, lead in _from(state, name, value, _DEEPEST):
            found.setdefault(route, lead)
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


def _from(state: State, expression: str, value: Value, depth: int) -> Iterator[tuple[Route, Lead]]:
    """Yield what an expression leads to: itself, or below its attributes and items."""
    if value.__class__ in _PLAIN:
        if value == NONE:
            yield Route(expression), Lead(frozenset(), or_none=True)
        return
    options = _options(state, value)
    lead = _lead(state, options)
    if lead is not None:
        yield Route(expression), lead
        return
    if len(options) != 1 or not isinstance(options[0], Ref) or not depth:
        return
    yield from _below(state, expression, options[0], depth)


def _below(state: State, expression: str, value: Ref, depth: int) -> Iterator[tuple[Route, Lead]]:
    """Yield what the names, attributes and items of an object lead to."""
    obj = state.heap.get(value.id)
    if isinstance(obj, Class) and _is_enumeration(state, value):
        return  # its attributes are members, which hold what is bound in its body
    if isinstance(obj, Env):
        for name, held in obj.variables.items():
            if name.isidentifier() and not name.startswith("_"):
                yield from _from(state, f"{expression}.{name}", held, depth - 1)
    elif isinstance(obj, (Instance, Class)):
        for name, held in obj.attributes.items():
            if name.isidentifier() and not _is_method(state, held) and _is_plain(state, obj, name):
                yield from _from(state, f"{expression}.{name}", held, depth - 1)
        if isinstance(obj, Instance):
            for method, own in _own(state, obj):
                yield Route(expression, owns=method), own
    elif isinstance(obj, (Sequence, Mapping)):
        yield from _items(state, expression, obj, depth)


def _is_plain(state: State, obj: Instance | Class, name: str) -> bool:
    """Say whether reading an attribute runs nothing: no property, no `__getattribute__`."""
    if isinstance(obj, Class):
        return True
    own = classes.class_attribute(state, obj.cls, name)
    held = None if own is None else state.look(Instance, own)
    runs = held is not None and (
        held.cls == _PROPERTY or classes.class_attribute(state, held.cls, "__set__") is not None
    )
    return not runs and classes.class_attribute(state, obj.cls, "__getattribute__") is None


def _is_method(state: State, held: Value) -> bool:
    """Say whether an attribute is a function, or a descriptor, which gives out something else."""
    obj = state.heap.get(_id(held))
    if isinstance(obj, Instance):
        return classes.class_attribute(state, obj.cls, "__get__") is not None
    return isinstance(obj, Function)


def _id(value: Value) -> int:
    return value.id if isinstance(value, Ref) else 0


def _items(
    state: State, expression: str, obj: Sequence | Mapping, depth: int
) -> Iterator[tuple[Route, Lead]]:
    """Yield what leads to the items of a container, one by one and all together."""
    over = f"{expression}.values()" if isinstance(obj, Mapping) else expression
    held = list(obj.values())
    if all(value.__class__ in _PLAIN for value in held):
        if not held:
            yield Route("file", over), Lead(frozenset())
        return
    yield from _each(state, over, held)
    if not obj.exact or len(held) > _MOST_ITEMS:
        return
    if isinstance(obj, Mapping):
        for key, value in obj.entries.items():
            if type(key) in (int, str):
                yield from _from(state, f"{expression}[{_literal(key)}]", value, depth - 1)
    elif obj.kind in ("list", "tuple"):
        for index, value in enumerate(obj.items):
            yield from _from(state, f"{expression}[{index}]", value, depth - 1)


def _each(state: State, over: str, held: list[Value]) -> Iterator[tuple[Route, Lead]]:
    """Yield a loop over values that are files, or have a method that flushes them."""
    leads = [_lead(state, _options(state, value)) for value in held]
    files = [lead for lead in leads if lead is not None and lead.streams and not lead.or_none]
    if len(files) == len(held):
        yield Route("file", over), _united(files)
        return
    owners = [state.look(Instance, value) for value in held]
    for method in _OWN_METHODS:
        owned = [
            lead
            for owner in owners
            if owner is not None
            for name, lead in _own(state, owner)
            if name == method
        ]
        if owned and len(owned) == len(held):
            yield Route("handler", over, method), _united(owned)


def _united(leads: list[Lead]) -> Lead:
    return Lead(frozenset[int]().union(*(lead.streams for lead in leads)))


def _literal(key: Hashable) -> str:
    """Write a constant as most programs do, in double quotes."""
    if isinstance(key, str) and key.isprintable() and '"' not in key and "\\" not in key:
        return f'"{key}"'
    return repr(key)


def _lead(state: State, options: tuple[Value, ...]) -> Lead | None:
    """Return the streams that a value may be, None if it may be something else or closed."""
    files = [option for option in options if option != NONE]
    if not all(isinstance(o, Ref) and _is_open(state, o.id) for o in files):
        return None
    return Lead(frozenset(map(_id, files)), len(files) < len(options))


def _is_open(state: State, identity: int) -> bool:
    return isinstance(state.heap.get(identity), Stream) and not is_closed(state, identity)


def _is_enumeration(state: State, cls: Value) -> bool:
    return any(name.startswith("enum.") for name in classes.external_bases(state, cls))


def _own(state: State, instance: Instance) -> Iterator[tuple[str, Lead]]:
    """Yield the methods of an object that are called like those of a file, and its open files."""
    held = state.reach(instance.attributes.values())
    streams = frozenset(i for i in held if _is_open(state, i))
    if not streams:
        return
    for name in _OWN_METHODS:
        own = classes.class_attribute(state, instance.cls, name)
        function = None if own is None else state.look(Function, own)
        if function is None or len(function.node.params.params) != 1:
            continue
        if function.scope.calls.isdisjoint(_WRITING):
            yield name, Lead(streams)
    if calls.library_method(classes.external_bases(state, instance.cls), "flush") is not None:
        yield "flush", Lead(streams)
