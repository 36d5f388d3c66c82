"""States put together by hand: streams, names and frames without a program around them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import libcst as cst

from flushlint.machine.objects import Env, Guarded, Instance, Stream, Write
from flushlint.machine.scope import Scope, build_scopes
from flushlint.machine.state import Frame, State
from flushlint.machine.values import Ext, Ref

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flushlint.machine.objects import Obj
    from flushlint.machine.trace import Trace
    from flushlint.machine.values import Value

__all__ = [
    "Recorder",
    "Site",
    "bind",
    "function_scope",
    "instance",
    "new_state",
    "opened",
    "place",
    "scope",
]

_NUMBERS = itertools.count(1_000)

_MODULE = cst.Module([])


class Site(cst.Name):
    """A place in a program, equal to no other."""


class Recorder:
    """A log that keeps what was emitted, shared or not."""

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.guarded: list[Guarded] = []
        self.trace: Trace | None = None

    def let_out(self, state: State, guarded: Iterable[Guarded]) -> None:
        """What was written under a lock is not what these tests look at."""

    def emitted(self, state: State, writes: Iterable[Write]) -> None:  # noqa: ARG002  # as Log
        self.writes.extend(writes)


def scope(parent: Scope | None = None) -> Scope:
    """Return the scope of an empty module."""
    return Scope(_MODULE, "<module>", parent)


def function_scope(text: str, name: str) -> Scope:
    """Return the scope of a function, by its name, of a module's text."""
    scopes = build_scopes(cst.parse_module(text))
    (found,) = [s for s in scopes.values() if s.name == name]
    return found


def new_state(**variables: Value) -> State:
    """Return a state with one frame, that of the module, with these variables."""
    state = State()
    env = place(state, Env(dict(variables), scope(), None))
    state.frames.append(Frame(env.id, env.id, 0, 0))
    return state


def bind(state: State, name: str, value: Value) -> None:
    """Bind a variable of the module."""
    state.names_of(state.frames[0].module)[name] = value


def opened(state: State, kind: str = "file", **fields: Any) -> Ref:  # noqa: ANN401  # a Stream's
    """Put a stream into the heap; a binary file unless the fields say otherwise."""
    fields.setdefault("text", False)
    return place(state, Stream(Site("open"), state.process, kind, **fields))


def instance(state: State, **attributes: Value) -> Ref:
    """Put an object of a library class into the heap."""
    return place(state, Instance(Ext("library.Thing"), dict(attributes)))


def place(state: State, obj: Obj) -> Ref:
    """Put an object into the heap under a number of its own."""
    return state.place(next(_NUMBERS), obj)
