"""What iterating over a value yields, for values that run no code of the program's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flushlint.machine.classes import fields
from flushlint.machine.joining import join_values
from flushlint.machine.objects import Instance, Mapping, Sequence
from flushlint.machine.values import Const, Ref, Unknown, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["Elements", "iterate"]


class Elements(NamedTuple):
    """The elements of an iterable: all of them, in order, only where `exact`.

    `nonempty` says that there is at least one.
    """

    items: list[Value]
    exact: bool
    nonempty: bool

    def any(self, m: Machine, state: State) -> Value:
        """Return one value that stands for any of the elements.

        An unknown element is another unknown each time it is asked for.
        """
        if not self.items:
            return m.unknown()
        value = join_values(self.items, m.fresh)
        if not isinstance(value, Unknown):
            return value
        fresh = m.unknown(value.newline)
        if value.key in state.holds:
            state.hold(fresh.key, (value,))
        return fresh


_LONGEST_TEXT = 64
CALLING = "%iter"
"""The type of what `iter(function, sentinel)` returns."""


def iterate(m: Machine, state: State, value: Value) -> Elements:
    """Return the elements of a value; nothing is known of those of an unknown one."""
    sequence = state.look(Sequence, value)
    if sequence is not None:
        # A list that a loop has filled with objects holds one: else they would not exist.
        objects = any(v.__class__ is Ref for v in sequence.items)
        nonempty = sequence.nonempty or objects or (sequence.exact and bool(sequence.items))
        return Elements(list(sequence.items), sequence.exact, nonempty)
    mapping = state.look(Mapping, value)
    if mapping is not None:
        keys: list[Value] = [Const(key) for key in mapping.entries]
        if mapping.exact:
            return Elements(keys, exact=True, nonempty=bool(keys))
        return Elements([*keys, m.unknown()], exact=False, nonempty=bool(keys or mapping.rest))
    instance = state.look(Instance, value)
    if instance is not None:
        names = fields(state, instance)
        if names is not None:
            found = [instance.attributes.get(name, m.unknown()) for name in names]
            return Elements(found, exact=True, nonempty=bool(found))
    if isinstance(value, Const) and isinstance(value.value, (str, bytes)):
        return _text(m, value.value)
    if isinstance(value, Unknown) and value.key in state.holds:
        element = m.unknown()
        state.hold(element.key, (value,))
        return Elements([element], exact=False, nonempty=False)
    if isinstance(value, Ref):
        element = m.unknown()
        return Elements([element], exact=False, nonempty=False)
    return Elements([], exact=False, nonempty=False)


def _text(m: Machine, text: str | bytes) -> Elements:
    if len(text) <= _LONGEST_TEXT:
        return Elements([Const(text[i : i + 1]) for i in range(len(text))], True, bool(text))
    return Elements([m.unknown()], exact=False, nonempty=True)
