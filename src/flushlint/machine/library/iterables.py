"""Builtins and `itertools` that make, join or consume iterables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine import calls, classes
from flushlint.machine.calls import Arguments, called, library
from flushlint.machine.generators import MOST_YIELDS, exhaust, resume
from flushlint.machine.iteration import CALLING, iterate
from flushlint.machine.objects import (
    Generator,
    Instance,
    Mapping,
    Sequence,
)
from flushlint.machine.values import NONE, Bound, Const, Ext, Method, Ref, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["ranked"]

_LARGEST_RANGE = 64
_MOST_OBJECTS = 16


@library("builtins.range")
def _range(m: Machine, state: State, arguments: Arguments) -> list[State]:
    given = [v.value if isinstance(v, Const) else None for v in arguments.positional]
    numbers = [n for n in given if isinstance(n, int)]
    if not 1 <= len(numbers) <= 3 or len(numbers) < len(given) or 0 in numbers[2:]:
        return [state.push(m.unknown())]
    span = range(*numbers)
    if len(span) <= _LARGEST_RANGE:
        items: list[Value] = [Const(n) for n in span]
        return [state.push(m.new(state, arguments.node, Sequence("tuple", items)))]
    many = Sequence("tuple", [m.unknown()], exact=False, nonempty=True)
    return [state.push(m.new(state, arguments.node, many))]


def _elements(
    m: Machine, state: State, value: Value, arguments: Arguments
) -> list[tuple[State, Sequence]]:
    """Iterate over a value as a library function does, running generators to their end."""
    found: list[tuple[State, Sequence]] = []
    for branch, option in m.choose(state, value):
        instance = branch.look(Instance, option)
        own = instance and classes.class_attribute(branch, instance.cls, "__iter__")
        if branch.look(Generator, option) is not None and isinstance(option, Ref):
            for after in exhaust(m, branch, option.id, arguments.node):
                sequence = after.look(Sequence, after.pop())
                assert sequence is not None
                found.append((after, sequence.copy()))
        elif own:
            for after in calls.call(m, branch, own, Arguments(arguments.node, [option])):
                inner = after.pop()
                if after.look(Generator, inner) is not None:
                    found += _elements(m, after, inner, arguments)
                else:
                    found.append((after, Sequence("list", [], exact=False)))
        else:
            elements = iterate(m, branch, option)
            found.append((branch, Sequence("list", elements.items, elements.exact)))
    return found


@library("builtins.sum", "builtins.max", "builtins.min", "statistics.mean", "math.fsum",
         "collections.Counter")  # fmt: skip
def _consume(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Functions that run an iterable to its end."""
    if len(arguments.positional) != 1:
        return [state.push(m.unknown())]
    found: list[State] = []
    for after, elements in _elements(m, state, arguments.positional[0], arguments):
        for done in ranked(m, after, elements, arguments):
            found.append(done.push(m.unknown()))
    return found


def ranked(m: Machine, state: State, elements: Sequence, arguments: Arguments) -> list[State]:
    """Call the `key` function of `sorted`, `max` and `min` for each element."""
    key = arguments.keywords.get("key")
    if key is None or not isinstance(key, (Ref, Bound, Method)):
        return [state]
    states = [state]
    for item in elements.items if elements.exact else [m.unknown()]:
        again: list[State] = []
        for current in states:
            for after in calls.call(m, current, key, Arguments(arguments.node, [item])):
                after.pop()
                again.append(after)
        states = m.join(again)
    return states


def _stopping(name: str, *, stop: bool) -> None:
    """`any` stops at the first element that is true, `all` at the first that is not."""

    @library(name)
    def handler(m: Machine, state: State, arguments: Arguments) -> list[State]:
        value = arguments.positional[0] if arguments.positional else NONE
        if state.look(Generator, value) is None or not isinstance(value, Ref):
            return _consume(m, state, arguments)
        found: list[State] = []
        going = [state.push(value)]
        for _ in range(MOST_YIELDS):
            again: list[State] = []
            for current in going:
                yielded, ended = resume(m, current, value.id, arguments.node)
                true, false = m.split(yielded)
                found += [after.push(Const(stop)) for after in (true if stop else false)]
                for after in ended:
                    after.stack[-1] = Const(not stop)
                found += ended
                again += false if stop else true
            going = m.join(again)
        for after in found:
            del after.stack[-2]  # the generator
        return m.join(found)


_stopping("builtins.any", stop=True)
_stopping("builtins.all", stop=False)


def _container(name: str, kind: str) -> None:
    @library(name)
    def handler(m: Machine, state: State, arguments: Arguments) -> list[State]:
        if not arguments.positional:
            made = Sequence(kind, [])  # type: ignore[arg-type]  # one of the three words
            return [state.push(m.new(state, arguments.node, made))]
        found = []
        for after, sequence in _elements(m, state, arguments.positional[0], arguments):
            sequence.kind = kind  # type: ignore[assignment]  # one of the three words
            for done in ranked(m, after, sequence, arguments):
                found.append(done.push(m.new(done, arguments.node, sequence.copy())))
        return found


for _name, _kind in {
    "builtins.list": "list",
    "builtins.tuple": "tuple",
    "builtins.set": "set",
    "builtins.frozenset": "set",
    "builtins.sorted": "list",
    "collections.deque": "list",
    "itertools.chain.from_iterable": "list",
    "itertools.cycle": "list",
}.items():
    _container(_name, _kind)


def _first_of(
    m: Machine, state: State, generator: Ref, count: int | None, arguments: Arguments
) -> list[State]:
    """Resume a generator as often as a slice of it does, any number of times for None."""
    taken = m.new(state, arguments.node, Sequence("iterator", []), "slice")
    going = [state.push(generator).push(taken)]
    found: list[State] = []
    for _ in range(MOST_YIELDS if count is None else min(count, MOST_YIELDS)):
        if count is None:
            found += [current.copy() for current in going]
        again: list[State] = []
        for current in going:
            yielded, ended = resume(m, current, generator.id, arguments.node)
            for after in yielded:
                item = after.pop()
                after.edit(Sequence, taken.id).items.append(item)
            for after in ended:
                after.pop()
            again += yielded
            found += ended
        going = m.join(again)
    found = m.join(found + going)
    for after in found:
        del after.stack[-2]  # the generator
    return found


@library("itertools.islice", "builtins.reversed")
def _part(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Take a part, or the reverse, of what an iterable holds."""
    value = arguments.positional[0] if arguments.positional else NONE
    bounds = [v.value if isinstance(v, Const) else "?" for v in arguments.positional[1:]]
    numbers = [b for b in bounds if b is None or isinstance(b, int)]
    if isinstance(value, Ref) and state.look(Generator, value) is not None and bounds:
        stop = bounds[min(len(bounds) - 1, 1)]
        return _first_of(m, state, value, stop if isinstance(stop, int) else None, arguments)
    found: list[State] = []
    for after, elements in _elements(m, state, value, arguments):
        if called(arguments) == "reversed":
            elements.items.reverse()
        elif elements.exact and len(numbers) == len(bounds):
            elements.items = elements.items[slice(*numbers)]
        else:
            elements.exact = False
        elements.kind = "iterator"
        found.append(after.push(m.new(after, arguments.node, elements)))
    return found


@library("itertools.chain")
def _chain(m: Machine, state: State, arguments: Arguments) -> list[State]:
    everything = Sequence("list", [])
    for value in arguments.positional:
        elements = iterate(m, state, value)
        everything.items.extend(elements.items)
        everything.exact = everything.exact and elements.exact
    return [state.push(m.new(state, arguments.node, everything))]


@library("collections.defaultdict")
def _defaultdict(m: Machine, state: State, arguments: Arguments) -> list[State]:
    factory = arguments.get(0, "default_factory")
    states = _dict(m, state, arguments.after(1))
    for after in states:
        made = after.stack[-1]
        if isinstance(made, Ref) and factory is not None:
            after.edit(Mapping, made.id).factory = factory
    return states


@library("builtins.dict", "collections.OrderedDict")
def _dict(m: Machine, state: State, arguments: Arguments) -> list[State]:
    if arguments.positional and state.look(Mapping, arguments.positional[-1]) is None:
        m.may_raise(state, "builtins.ValueError", arguments.node)
        found: list[State] = []
        for after, values in _drained(m, state, arguments):
            found.append(after.push(_new_dict(m, after, values, arguments)))
        return found
    return [state.push(_new_dict(m, state, arguments.positional, arguments))]


def _new_dict(m: Machine, state: State, values: list[Value], arguments: Arguments) -> Value:
    mapping = Mapping(dict(arguments.keywords.items()))
    if values:
        source = state.look(Mapping, values[-1])
        if source is not None:
            mapping.entries = {**source.entries, **mapping.entries}
            mapping.rest, mapping.exact = list(source.rest), source.exact
        else:
            mapping.exact = False
            for item in iterate(m, state, values[-1]).items:
                pair = state.look(Sequence, item)
                mapping.rest.extend(pair.items[1:] if pair is not None else ())
    return m.new(state, arguments.node, mapping)


@library("builtins.enumerate", "builtins.zip", "itertools.zip_longest", "itertools.product")
def _zip(m: Machine, state: State, arguments: Arguments) -> list[State]:
    return [
        after.push(_rows(m, after, given, arguments))
        for after, given in _drained(m, state, arguments)
    ]


def _drained(
    m: Machine, state: State, arguments: Arguments, start: int = 0
) -> list[tuple[State, list[Value]]]:
    """Run the generators among the arguments to their ends, as if they were consumed here."""
    paths: list[tuple[State, list[Value]]] = [(state, list(arguments.positional[:start]))]
    for value in arguments.positional[start:]:
        again: list[tuple[State, list[Value]]] = []
        for current, done in paths:
            if current.look(Generator, value) is None:
                again.append((current, [*done, value]))
                continue
            for after, sequence in _elements(m, current, value, arguments):
                made = m.new(after, arguments.node, sequence, f"drained{len(done)}")
                again.append((after, [*done, made]))
        paths = again
    return paths


def _rows(m: Machine, state: State, values: list[Value], arguments: Arguments) -> Value:
    columns = [iterate(m, state, v) for v in values]
    start = called(arguments) == "enumerate"
    if start and columns:
        given = arguments.get(1, "start")
        first = given.value if isinstance(given, Const) and isinstance(given.value, int) else 0
        columns = columns[:1]
        numbers: list[Value] = [Const(first + i) for i in range(len(columns[0].items))]
        counted = columns[0]._replace(items=numbers)
        columns = [counted, columns[0]]
    exact = all(c.exact for c in columns)
    if exact:
        rows = [list(row) for row in zip(*(c.items for c in columns), strict=False)]
    else:
        rows = [[c.any(m, state) for c in columns]]
    items: list[Value] = [
        m.new(state, arguments.node, Sequence("tuple", row), f"row{i}")
        for i, row in enumerate(rows)
    ]
    result = Sequence("iterator", items, exact)
    objects = any(v.__class__ is Ref for c in columns for v in c.items)
    if not exact and not objects and not all(c.nonempty for c in columns):
        # There may be no row at all, so a loop over it may not run.
        return m.unknown()
    return m.new(state, arguments.node, result)


@library("builtins.map", "builtins.filter", "itertools.starmap")
def _map(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Run the function over the elements at once, although it would run when consumed."""
    if len(arguments.positional) < 2:
        return [state.push(m.unknown())]
    found: list[State] = []
    for after, values in _drained(m, state, arguments, 1):
        found += _mapped(m, after, values, arguments)
    return found


def _mapped(m: Machine, state: State, values: list[Value], arguments: Arguments) -> list[State]:
    function = values[0]
    columns = [iterate(m, state, v) for v in values[1:]]
    exact = all(c.exact and len(c.items) <= 8 for c in columns)
    if len(columns) == 1 and any(v.__class__ is Ref for v in columns[0].items):
        exact = len(columns[0].items) <= _MOST_OBJECTS  # each object once, as in a loop
    made = m.new(state, arguments.node, Sequence("iterator", [], exact))
    states = [state.push(made)]
    rows = (
        [list(r) for r in zip(*(c.items for c in columns), strict=False)]
        if exact
        else [[c.any(m, state) for c in columns]]
    )
    for row in rows:
        again: list[State] = []
        for current in states:
            for after in calls.call(m, current, function, Arguments(arguments.node, list(row))):
                value = after.pop()
                after.edit(Sequence, made.id).items.append(value)
                again.append(after)
        states = m.join(again)
    return states


@library("builtins.iter")
def _iter(m: Machine, state: State, arguments: Arguments) -> list[State]:
    if len(arguments.positional) == 2:
        function, sentinel = arguments.positional
        made = Instance(Ext(CALLING), {"%function": function, "%sentinel": sentinel})
        return [state.push(m.new(state, arguments.node, made, "iterator"))]
    if len(arguments.positional) != 1:
        return calls.unknown_call(m, state, arguments, name="iter")
    found: list[State] = []
    for branch, option in m.choose(state, arguments.positional[0]):
        sequence = branch.look(Sequence, option)
        if sequence is None:
            found.append(branch.push(option))
        else:
            left = Sequence("iterator", list(sequence.items), sequence.exact, sequence.nonempty)
            found.append(branch.push(m.new(branch, arguments.node, left, "iterator")))
    return found


def _next_item(
    m: Machine, state: State, value: Ref, sequence: Sequence, arguments: Arguments
) -> list[State]:
    """Take the first of the elements that are left."""
    if sequence.exact and sequence.items:
        return [state.push(state.edit(Sequence, value.id).items.pop(0))]
    found: list[State] = []
    if not sequence.exact:
        found.append(state.copy().push(iterate(m, state, value).any(m, state)))
    if len(arguments.positional) > 1:
        found.append(state.push(arguments.positional[1]))
    elif sequence.exact or m.handlers:
        calls.stop(m, state, arguments.node, "StopIteration")
    return found


@library("builtins.next", "builtins.anext")
def _next(m: Machine, state: State, arguments: Arguments) -> list[State]:
    value = arguments.positional[0] if arguments.positional else NONE
    generator = state.look(Generator, value)
    if generator is None or not isinstance(value, Ref):
        instance = state.look(Instance, value)
        own = instance and classes.class_attribute(state, instance.cls, "__next__")
        if own:
            return calls.call(m, state, own, Arguments(arguments.node, [value]))
        sequence = state.look(Sequence, value)
        if sequence is not None and isinstance(value, Ref):
            return _next_item(m, state, value, sequence, arguments)
        m.may_raise(state, "builtins.StopIteration", arguments.node)
        return [state.push(iterate(m, state, value).any(m, state))]
    yielded, ended = resume(m, state, value.id, arguments.node)
    for after in ended:
        after.pop()
        if len(arguments.positional) > 1:
            yielded.append(after.push(arguments.positional[1]))
        else:
            calls.stop(m, after, arguments.node, "StopIteration")
    return yielded
