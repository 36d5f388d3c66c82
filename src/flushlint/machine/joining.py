"""Joining states: those with equal stream states become one, so that paths don't multiply.

What the joined states disagree on otherwise becomes a `Union` of the values, or unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

from flushlint.machine.objects import (
    Class,
    Env,
    Function,
    Generator,
    Instance,
    Mapping,
    Obj,
    Sequence,
    Stream,
)
from flushlint.machine.state import SIGNALLED
from flushlint.machine.values import (
    Const,
    Union,
    Unknown,
    Value,
    count,
    is_count,
    is_positive,
    key_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from flushlint.machine.state import State

__all__ = ["Fresh", "compact", "finite", "join", "join_values", "signature", "weaken"]

Fresh: TypeAlias = "Callable[[], int]"

_MOST_OPTIONS = 4
_MOST_STATES = 64
_LONGEST_WORD = 24


def signature(state: State, among: Iterable[int] | None = None) -> Hashable:
    """Return what must be equal for states at one point of the program to be joined.

    Of the streams those `among` these count, by default all.
    """
    streams = []
    for identity in sorted(state.streams if among is None else among):
        stream = state.heap[identity]
        streams.append((identity, _essence(stream)) if stream.__class__ is Stream else identity)
    suspended = []
    for identity in sorted(state.generators):
        obj = state.heap.get(identity)
        if isinstance(obj, Generator):
            suspended.append((identity, obj.at, obj.status))
    return (
        state.process,
        state.start_method,
        tuple([frame.env for frame in state.frames]),
        len(state.stack),
        None if state.signal is None else (state.signal.kind, state.signal.implicit),
        tuple(streams),
        tuple(suspended),
        state.roots,
        tuple([held.lock for held in state.locks]),
        state.facts.get(SIGNALLED),
    )


def _unlike(states: list[State]) -> list[int] | None:
    """Return the streams that are not the same object in all states; None if some lack one."""
    first, *rest = states
    if any(state.streams != first.streams for state in rest):
        return None
    mine = first.heap
    return [
        identity
        for identity in first.streams
        for stream in (mine[identity],)
        if any(state.heap[identity] is not stream for state in rest)
    ]


def _essence(stream: Obj) -> Hashable:
    assert stream.__class__ is Stream
    return (
        stream.closed,
        # Which write came first is the witness's affair; that there is one is the state.
        tuple([(w.process, w.forks) for w in stream.pending]),
        None if stream.trailer is None else stream.trailer.process,
        stream.line_buffered,
        stream.write_through,
        stream.synced,
        stream.below,
        tuple([g.locks() for g in stream.guarded]),
    )


def join(states: list[State], fresh: Fresh) -> list[State]:
    """Join states with equal stream states; above 64 of them, drop what is uncertain."""
    if len(states) < 2:
        return states
    groups: dict[Hashable, State] = {}
    unlike = _unlike(states)
    for state in states:
        key = signature(state, unlike)
        known = groups.get(key)
        if known is None:
            groups[key] = state
        else:
            _merge(known, state, fresh)
    if len(groups) > _MOST_STATES:
        return _collapse(list(groups.values()), fresh)
    return list(groups.values())


def _collapse(states: list[State], fresh: Fresh) -> list[State]:
    """Join all states that agree on anything but their streams; what differs goes silent.

    A buffer that is pending in one and empty in another counts as empty: the join can no
    longer say on which path, and what it can't show it must not report.
    """
    kept: dict[Hashable, State] = {}
    for state in states:
        key = (state.process, tuple(f.env for f in state.frames), len(state.stack),
               state.signal and state.signal.kind)  # fmt: skip
        known = kept.get(key)
        if known is None:
            kept[key] = state
            continue
        for identity in known.streams & state.streams:
            mine, other = known.stream(identity), state.stream(identity)
            if _essence(mine) != _essence(other):
                edited = known.edit(Stream, identity)
                edited.pending = tuple(w for w in mine.pending if w in other.pending)
                edited.closed = mine.closed and other.closed
                edited.trailer = None
                edited.guarded = ()
        known.locks = tuple(dict.fromkeys((*known.locks, *state.locks)))
        _merge(known, state, fresh)
    return list(kept.values())


def join_values(values: Iterable[Value], fresh: Fresh) -> Value:
    """Return one value for several: the value itself, a `Union`, or an unknown."""
    options: dict[Value, None] = {}
    for value in values:
        if isinstance(value, Union):
            options.update(dict.fromkeys(value.options))
        else:
            options[value] = None
    if len(options) == 1:
        return next(iter(options))
    unknown = [o for o in options if o.__class__ is Unknown]
    known = [o for o in options if o.__class__ is not Unknown]
    # Constants are worth little in a crowd; objects are what the machine is about.
    constants = [o for o in known if o.__class__ is Const]
    objects = [o for o in known if o.__class__ is not Const]
    if len(constants) > _MOST_OPTIONS:
        constants = []
        unknown.append(Unknown(fresh()))
    if not objects and unknown:
        positive = all(is_positive(option) for option in options)
        return count(fresh()) if positive else Unknown(fresh())
    return Union(fresh(), (*objects, *constants, *unknown[:1]))


def compact(values: Iterable[Value]) -> list[Value]:
    """Return what a container of any length may hold: every object, a few of the rest.

    Of several values that are one of the same things it holds the first.
    """
    found: dict[Value, None] = {}
    choices: set[tuple[Value, ...]] = set()
    constants = unknowns = 0
    for value in values:
        if value in found:
            continue
        if value.__class__ is Union:
            if value.options in choices:
                continue
            choices.add(value.options)
        elif value.__class__ is Const:
            constants += 1
            if constants > _MOST_OPTIONS:
                continue
        elif value.__class__ is Unknown:
            unknowns += 1
            if unknowns > 1:
                continue
        found[value] = None
    return list(found)


class _Joined:
    """Joins values of two states. What neither can be, the value that stands for both can't be.

    To be made before the facts of the states are joined.
    """

    def __init__(self, into: State, other: State, fresh: Fresh) -> None:
        self._into = into
        self._facts = (into.facts, other.facts)
        self._fresh = fresh
        self._excluded: tuple[_Known, _Known] | None = None

    def __call__(self, mine: Value, other: Value) -> Value:
        value = join_values((mine, other), self._fresh)
        if isinstance(value, Unknown):
            if self._excluded is None:
                self._excluded = (_excluded(self._facts[0]), _excluded(self._facts[1]))
            for symbol, constant in _shared(mine, other, *self._excluded):
                self._into.facts[symbol, value.key, constant] = False
        return value


# How a value was compared, and with what; and all that of each value, by its key.
_Exclusion: TypeAlias = "tuple[Hashable, Hashable]"
_Known: TypeAlias = "dict[Hashable, set[_Exclusion]]"


def _excluded(facts: dict[Hashable, object]) -> _Known:
    """Return which constants unknown values are known not to equal, or not to be."""
    found: _Known = {}
    for key, answer in facts.items():
        if answer is False and isinstance(key, tuple) and key[0] in ("==", "is"):
            constant = key[2]
            if not (isinstance(constant, tuple) and constant[:1] == ("key",)):
                found.setdefault(key[1], set()).add((key[0], constant))
    return found


def _shared(mine: Value, other: Value, by_mine: _Known, by_other: _Known) -> Iterable[_Exclusion]:
    """Return what is known of both values. A constant is no other constant."""
    of_mine, of_other = by_mine.get(key_of(mine), set()), by_other.get(key_of(other), set())
    if isinstance(mine, Const):
        return [one for one in of_other if one[1] != mine.value]
    if isinstance(other, Const):
        return [one for one in of_mine if one[1] != other.value]
    return of_mine & of_other


def _merge(into: State, other: State, fresh: Fresh) -> None:
    if into is other:
        return
    joined = _Joined(into, other, fresh)
    if into.facts != other.facts:
        facts = other.facts
        into.facts = {k: v for k, v in into.facts.items() if k in facts and facts[k] == v}
    mine = into.heap
    for identity in into.differing(other):
        obj = other.heap.get(identity)
        if obj is None:
            continue
        known = mine.get(identity)
        if known is None:
            mine[identity] = obj
            into.epoch.changed.add(identity)
        elif known is not obj:
            _merge_object(into, identity, obj, joined)
    into.stack = [
        a if a == b else joined(a, b) for a, b in zip(into.stack, other.stack, strict=True)
    ]
    into.streams |= other.streams
    into.generators |= other.generators
    into.reached |= other.reached
    into.modules = into.modules if into.modules is other.modules else other.modules | into.modules
    _merge_holds(into, other)
    if into.externals != other.externals:
        _merge_externals(into, other, fresh)
    if into.signal is not None and other.signal is not None and into.signal != other.signal:
        one, two = into.signal.value, other.signal.value
        if one is not None and two is not None and one != two:
            into.signal = into.signal._replace(value=joined(one, two))
    if into.running != other.running:
        into.running = tuple(dict.fromkeys((*into.running, *other.running)))
    into.dirty |= other.dirty
    into.watched |= other.watched
    if into.workers is not other.workers:
        _merge_workers(into, other, fresh)


def _merge_workers(into: State, other: State, fresh: Fresh) -> None:
    """A pool's workers may be in what state they are on either path."""
    merged = dict(into.workers)
    for pool, crew in other.workers.items():
        known = merged.get(pool)
        merged[pool] = crew if known is None else known.merged(crew, fresh)
    into.workers = merged


def _merge_holds(into: State, other: State) -> None:
    if into.holds == other.holds:
        return
    for key, values in other.holds.items():
        known = into.holds.get(key)
        if known is None:
            into.holds[key] = values
        elif known != values:
            into.hold(key, values)


def _merge_externals(into: State, other: State, fresh: Fresh) -> None:
    for name in into.externals.keys() | other.externals.keys():
        a = into.externals.get(name, Unknown(fresh()))
        b = other.externals.get(name, a)
        into.externals[name] = a if a == b else join_values((a, b), fresh)


def _merge_object(into: State, identity: int, other: Obj, joined: _Joined) -> None:
    mine = into.heap[identity]
    if mine.__class__ is not other.__class__ or mine == other:
        return
    if isinstance(mine, Env) and isinstance(other, Env):
        env = into.edit(Env, identity)
        _merge_names(env.variables, other.variables, joined)
    elif isinstance(mine, Sequence) and isinstance(other, Sequence):
        sequence = into.edit(Sequence, identity)
        if len(mine.items) == len(other.items) and mine.exact and other.exact:
            sequence.items = [
                a if a == b else joined(a, b) for a, b in zip(mine.items, other.items, strict=True)
            ]
        else:
            sequence.items = compact((*mine.items, *other.items))
            sequence.nonempty = _holds_one(mine) and _holds_one(other)
            sequence.exact = False
    elif isinstance(mine, Mapping) and isinstance(other, Mapping):
        mapping = into.edit(Mapping, identity)
        if mine.entries.keys() != other.entries.keys():
            mapping.exact = False
        _merge_names(mapping.entries, other.entries, joined)
        mapping.rest = compact((*mine.rest, *other.rest))
        mapping.exact = mapping.exact and other.exact
    elif isinstance(other, (Instance, Function, Class)):
        _merge_names(into.names_of(identity), other.attributes, joined)


def _holds_one(sequence: Sequence) -> bool:
    return sequence.nonempty or (sequence.exact and bool(sequence.items))


def _merge_names(
    mine: dict[Hashable, Value] | dict[str, Value], other: object, joined: _Joined
) -> None:
    assert isinstance(other, dict)
    for name, value in other.items():
        known = mine.get(name)
        if known is None:
            mine[name] = value  # bound on one path only: a later use shows which
        elif known is not value and known != value:
            mine[name] = joined(known, value)


def finite(state: State, before: State) -> Hashable:
    """Return what a loop has changed of which there is little: flags, words, list contents.

    Of what is unknown, that is which constants it is known not to be.
    """
    found: list[Hashable] = []
    known = _excluded(state.facts)
    for identity in state.differing(before):
        obj, old = state.heap.get(identity), before.heap.get(identity)
        if isinstance(obj, Sequence) and obj.kind == "iterator":
            found.append((identity, len(obj.items)))
        if obj is None or old is None or obj is old:
            continue
        if isinstance(obj, Sequence):
            found.append((identity, tuple(_outline(item, {}) for item in obj.items)))
        names = _named_values(obj)
        if names is not None:
            found.extend(
                (identity, name, _outline(value, known))
                for name, value in names.items()
                if (_is_finite(value) or isinstance(value, Unknown))
                and (_named_values(old) or {}).get(name) != value
            )
    return frozenset(found)


def _outline(value: Value, known: _Known) -> Hashable:
    """Return what of a value tells one round from another: not what is unknown of it."""
    if isinstance(value, Unknown):
        return frozenset(known.get(value.key, ()))
    if isinstance(value, Union):
        return frozenset(_outline(option, known) for option in value.options)
    return value


def _is_finite(value: Value) -> bool:
    """Say whether a constant is a flag or a word: of numbers a loop may make ever new ones."""
    return isinstance(value, Const) and (
        value.value is None
        or isinstance(value.value, bool)
        or (isinstance(value.value, str) and len(value.value) <= _LONGEST_WORD)
    )


def _is_number(value: Value) -> bool:
    """Say whether a value is one of several numbers: what a count may have come to."""
    return isinstance(value, Union) and all(
        isinstance(option, Const) and isinstance(option.value, int) for option in value.options
    )


def _named_values(obj: Obj) -> dict[str, Value] | None:
    if isinstance(obj, Env):
        return obj.variables
    return obj.attributes if isinstance(obj, Instance) else None


def _widened(old: Value, new: Value, fresh: Fresh) -> Value:
    """Return an unknown value; a count that has grown is known to be a positive number."""
    if isinstance(old, Const) and isinstance(new, Const):
        numbers = (old.value, new.value)
        if type(numbers[0]) is int and type(numbers[1]) is int and 0 <= numbers[0] < numbers[1]:
            return count(fresh())
    return count(fresh()) if is_count(new) else Unknown(fresh())


def weaken(state: State, before: State, fresh: Fresh, *, everything: bool) -> None:
    """Widen: what changed between two rounds of a loop is unknown from now on.

    Only plain values are widened, and the lengths of containers; objects stay, since the
    machine is about them. Flags and lists that get shorter are spared at first: there is an
    end to them. `everything` spares nothing.
    """
    for identity in list(state.differing(before)):
        obj, old = state.heap.get(identity), before.heap.get(identity)
        if obj is None or old is None or old is obj:
            continue
        if isinstance(obj, Sequence) and isinstance(old, Sequence):
            shrinks = obj.exact and len(obj.items) < len(old.items)
            if obj.items != old.items and (everything or not shrinks):
                sequence = state.edit(Sequence, identity)
                sequence.nonempty = _holds_one(obj) and _holds_one(old)
                sequence.items = compact((*old.items, *obj.items))
                sequence.exact = False
        elif isinstance(obj, Mapping) and isinstance(old, Mapping):
            if obj.entries != old.entries or obj.rest != old.rest:
                mapping = state.edit(Mapping, identity)
                mapping.entries = {**old.entries, **obj.entries}
                mapping.exact = False
                _widen(state, mapping.entries, old.entries, fresh, everything=everything)
        elif isinstance(obj, (Env, Instance)) and type(old) is type(obj):
            previous = _named_values(old) or {}
            _widen(state, state.names_of(identity), previous, fresh, everything=everything)


K = TypeVar("K", bound="Hashable")


def _widen(
    state: State,
    names: dict[K, Value],
    previous: dict[K, Value],
    fresh: Fresh,
    *,
    everything: bool,
) -> None:
    """Widen those of some names whose plain values have changed."""
    for name, value in names.items():
        plain = isinstance(value, Unknown) or (
            (isinstance(value, Const) or _is_number(value))
            and (everything or not _is_finite(value))
        )
        if plain and previous.get(name, value) != value:
            names[name] = widened = _widened(previous[name], value, fresh)
            if isinstance(value, Unknown) and not everything:
                # What a round has found it not to be, the next one need not ask again.
                for symbol, constant in _excluded(state.facts).get(value.key, ()):
                    state.facts[symbol, key_of(widened), constant] = False
