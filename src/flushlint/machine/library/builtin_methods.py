"""Methods of lists, dicts, sets, generators, functions and constants."""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING, Literal

from flushlint.machine import calls
from flushlint.machine.generators import exhaust, resume
from flushlint.machine.iteration import Elements, iterate
from flushlint.machine.joining import join_values
from flushlint.machine.library.iterables import ranked
from flushlint.machine.objects import Generator, Mapping, Sequence
from flushlint.machine.state import Signal, State
from flushlint.machine.values import NONE, Const, Ext, Ref, Value, contains_newline

if TYPE_CHECKING:
    from flushlint.machine.calls import Arguments
    from flushlint.machine.interpreter import Machine

__all__ = ["call_constant", "call_object"]

# Methods of texts that are short and make no long ones.
_PURE = frozenset(
    {"capitalize", "casefold", "center", "count", "endswith", "find", "isalnum", "isalpha",
     "isdigit", "isidentifier", "islower", "isspace", "isupper", "ljust", "lower", "lstrip",
     "partition", "removeprefix", "removesuffix", "replace", "rfind", "rjust", "rpartition",
     "rsplit", "rstrip", "split", "startswith", "strip", "swapcase", "title", "upper", "zfill"}
)  # fmt: skip
_LONGEST_TEXT = 200
_MOST_WORDS = 8

_TEXT = frozenset(
    {"join", "format", "strip", "lstrip", "rstrip", "upper", "lower", "title", "replace",
     "encode", "decode", "ljust", "rjust", "center", "zfill", "expandtabs", "capitalize"}
)  # fmt: skip


def call_object(
    m: Machine, state: State, receiver: Ref, name: str, arguments: Arguments
) -> list[State]:
    """Call a method of a heap object that is no stream and no instance."""
    obj = state.heap[receiver.id]
    if isinstance(obj, Sequence):
        return _call_sequence(m, state, receiver, obj, name, arguments)
    if isinstance(obj, Mapping):
        return _call_mapping(m, state, receiver, obj, name, arguments)
    if isinstance(obj, Generator):
        return _call_generator(m, state, receiver, name, arguments)
    if name in ("__init__", "__new__"):
        return [state.push(NONE)]
    return calls.unknown_call(m, state, arguments, receiver=receiver, name=name)


def _call_sequence(
    m: Machine, state: State, receiver: Ref, sequence: Sequence, name: str, arguments: Arguments
) -> list[State]:
    given = arguments.positional
    if name in ("pop", "popleft"):
        return [state.push(_pop(m, state, receiver, sequence, name, given))]
    if name == "copy":
        return [state.push(m.new(state, arguments.node, sequence.copy()))]
    if name == "sort":
        return [after.push(NONE) for after in ranked(m, state, sequence, arguments)]
    if name == "reverse" or _change(m, state, receiver, sequence, name, given):
        return [state.push(NONE)]
    return [state.push(m.unknown())]


def _change(
    m: Machine, state: State, receiver: Ref, sequence: Sequence, name: str, given: list[Value]
) -> bool:
    """Add to a list or remove from it; say whether the method is one that does."""
    from flushlint.machine.containers import append

    if name in ("append", "add", "appendleft") and given:
        append(state, receiver.id, given[0])
    elif name == "insert" and len(given) == 2:
        append(state, receiver.id, given[1])
    elif name in ("extend", "update", "__iadd__") and given:
        elements = iterate(m, state, given[0])
        for item in elements.items:
            append(state, receiver.id, item)
        if not elements.exact:
            state.edit(Sequence, receiver.id).exact = False
    elif name == "clear":
        edited = state.edit(Sequence, receiver.id)
        edited.items, edited.exact = [], True
        state.dirty = True
    elif name in ("remove", "discard") and given:
        if given[0] in sequence.items:
            state.edit(Sequence, receiver.id).items.remove(given[0])
            state.dirty = True
    else:
        return False
    return True


def _pop(
    m: Machine, state: State, receiver: Ref, sequence: Sequence, name: str, given: list[Value]
) -> Value:
    if not sequence.exact or not sequence.items:
        state.edit(Sequence, receiver.id).nonempty = False
        return Elements(sequence.items, exact=False, nonempty=False).any(m, state)
    index = 0 if name == "popleft" else -1
    if given:
        constant = given[0].value if isinstance(given[0], Const) else None
        if not isinstance(constant, int) or not -len(sequence.items) <= constant < len(
            sequence.items
        ):
            return join_values(sequence.items, m.fresh)
        index = constant
    return state.edit(Sequence, receiver.id).items.pop(index)


def _call_mapping(
    m: Machine, state: State, receiver: Ref, mapping: Mapping, name: str, arguments: Arguments
) -> list[State]:
    given = arguments.positional
    if name in ("get", "pop", "setdefault") and given:
        return [state.push(_get(m, state, receiver, mapping, name, given))]
    if name in ("values", "items", "keys"):
        return [state.push(_view(m, state, mapping, name, arguments))]
    if name == "update":
        edited = state.edit(Mapping, receiver.id)
        edited.entries.update(arguments.keywords)
        for value in given:
            other = state.look(Mapping, value)
            if other is None:
                edited.exact = False
            else:
                edited.entries.update(other.entries)
                edited.rest.extend(other.rest)
                edited.exact = edited.exact and other.exact
        return [state.push(NONE)]
    if name == "popitem":
        return [state.push(_popitem(m, state, receiver, mapping, arguments))]
    if name == "clear":
        edited = state.edit(Mapping, receiver.id)
        edited.entries, edited.rest, edited.exact = {}, [], True
        state.dirty = True
        return [state.push(NONE)]
    if name == "copy":
        return [state.push(m.new(state, arguments.node, mapping.copy()))]
    return [state.push(m.unknown())]


def _popitem(
    m: Machine, state: State, receiver: Ref, mapping: Mapping, arguments: Arguments
) -> Value:
    if mapping.exact and mapping.entries:
        key, value = state.edit(Mapping, receiver.id).entries.popitem()
        pair: list[Value] = [Const(key), value]
    else:
        held = [*mapping.entries.values(), *mapping.rest]
        pair = [m.unknown(), join_values(held, m.fresh) if held else m.unknown()]
    return m.new(state, arguments.node, Sequence("tuple", pair), "popped")


def _get(
    m: Machine, state: State, receiver: Ref, mapping: Mapping, name: str, given: list[Value]
) -> Value:
    key = given[0]
    default = given[1] if len(given) > 1 else NONE
    if isinstance(key, Const) and key.value in mapping.entries:
        value = mapping.entries[key.value]
        if name == "pop":
            del state.edit(Mapping, receiver.id).entries[key.value]
            state.dirty = True
        return value
    if name == "setdefault":
        from flushlint.machine.containers import put_item

        put_item(state.edit(Mapping, receiver.id), key, default)
        return join_values([default, *mapping.rest], m.fresh)
    if mapping.exact and isinstance(key, Const):
        return default
    options = (
        [*mapping.rest, *mapping.entries.values()]
        if not isinstance(key, Const)
        else [*mapping.rest]
    )
    if name == "pop" and len(given) == 1 and options:
        return join_values(options, m.fresh)  # what is not there raises
    return join_values([*options, default], m.fresh)


def _view(m: Machine, state: State, mapping: Mapping, name: str, arguments: Arguments) -> Value:
    items: list[Value] = []
    pairs: list[tuple[Value, Value]] = [(Const(k), v) for k, v in mapping.entries.items()]
    pairs += [(m.unknown(), v) for v in mapping.rest]
    for index, (key, value) in enumerate(pairs):
        if name == "keys":
            items.append(key)
        elif name == "values":
            items.append(value)
        else:
            pair = Sequence("tuple", [key, value])
            items.append(m.new(state, arguments.node, pair, f"item{index}"))
    if not items and not mapping.exact:
        return m.unknown()
    view = Sequence("list", items, mapping.exact)
    return m.new(state, arguments.node, view, "view")


def _call_generator(
    m: Machine, state: State, receiver: Ref, name: str, arguments: Arguments
) -> list[State]:
    if name in ("send", "__next__", "__anext__", "asend"):
        sent = arguments.positional[0] if arguments.positional else NONE
        yielded, ended = resume(m, state, receiver.id, arguments.node, sent=sent)
        for after in ended:
            after.pop()
            calls.stop(m, after, arguments.node, "StopIteration")
        return yielded
    if name in ("close", "aclose", "throw"):
        raised = Signal("raise", Ext("builtins.GeneratorExit"), arguments.node)
        if name == "throw" and arguments.positional:
            raised = Signal("raise", arguments.positional[0], arguments.node)

        def action(states: list[State]) -> list[State]:
            yielded, ended = resume(m, states[0], receiver.id, arguments.node, thrown=raised)
            return yielded + ended

        normal, abrupt = m.captured(action, [state])
        for after in abrupt:
            if name == "throw":
                m.abrupt.append(after)
            else:
                after.signal = None
                normal.append(after.push(NONE))
        return normal
    return [state.push(receiver if name in ("__iter__", "__aiter__") else m.unknown())]


def _joined(m: Machine, state: State, receiver: Const, arguments: Arguments) -> list[State]:
    """Join texts: there is no newline in the whole where there is none in its parts."""
    value = arguments.positional[0]
    states = [state.push(value)]
    if isinstance(value, Ref) and state.look(Generator, value) is not None:
        state.pop()
        states = exhaust(m, state, value.id, arguments.node)
    for after in states:
        given = after.pop()
        found = iterate(m, after, given)
        texts = [_plain(item) for item in found.items] if found.exact else [None]
        if isinstance(receiver.value, str) and all(isinstance(text, str) for text in texts):
            after.push(Const(receiver.value.join(map(str, texts))))
            continue
        parts = [receiver, *found.items] if found.items else [receiver, given]
        quiet = all(contains_newline(part) is False for part in parts)
        after.push(m.unknown(False if quiet else None))
    return states


def _lacks_field(template: Const, arguments: Arguments) -> bool:
    """Say whether a template names a field that is not among the arguments of its `format`."""
    try:
        fields = [field for _, field, _, _ in Formatter().parse(str(template.value)) if field]
    except ValueError:
        return False
    words = [re.split(r"[.\[]", field, maxsplit=1)[0] for field in fields]
    return any(word and not word.isdigit() and word not in arguments.keywords for word in words)


def _plain(value: Value) -> str | int | None:
    """Return a short text or a small number as it is, None for anything else."""
    known = value.value if isinstance(value, Const) else None
    if isinstance(known, str):
        return known if len(known) <= _LONGEST_TEXT else None
    return known if isinstance(known, int) and abs(known) <= _LONGEST_TEXT else None


def _computed(
    m: Machine, state: State, receiver: Const, name: str, arguments: Arguments
) -> Value | None:
    """Compute what a method of a short text returns, None where that can't be known."""
    text = receiver.value
    if not isinstance(text, str) or name not in _PURE or len(text) > _LONGEST_TEXT:
        return None
    given = [_plain(value) for value in arguments.positional]
    named = {key: _plain(value) for key, value in arguments.keywords.items()}
    if arguments.open or None in given or None in named.values():
        return None
    try:
        result = getattr(text, name)(*given, **named)
    except (TypeError, ValueError):
        return None
    if not isinstance(result, (list, tuple)):
        return Const(result)
    if len(result) > _MOST_WORDS:
        return None
    words: list[Value] = [Const(word) for word in result]
    kind: Literal["list", "tuple"] = "list" if isinstance(result, list) else "tuple"
    return m.new(state, arguments.node, Sequence(kind, words))


def call_constant(
    m: Machine, state: State, receiver: Const, name: str, arguments: Arguments
) -> list[State]:
    """Call a method of a string, number or None."""
    from flushlint.machine.values import contains_newline

    if receiver.value is None:
        # An attribute of None: the path is one that the program does not take.
        return [state.push(m.unknown())]
    known = _computed(m, state, receiver, name, arguments)
    if known is not None:
        return [state.push(known)]
    if name == "join" and len(arguments.positional) == 1:
        return _joined(m, state, receiver, arguments)
    if name == "format" and _lacks_field(receiver, arguments):
        if not arguments.open:
            calls.stop(m, state, arguments.node, "KeyError")
            return []
        m.may_raise(state, "builtins.KeyError", arguments.node)
    if name in _TEXT:
        held = contains_newline(receiver)
        given = [contains_newline(v) for v in arguments.positional]
        if name in ("strip", "rstrip", "lstrip"):
            return [state.push(m.unknown(False if held is False else None))]
        if name in ("encode", "decode") and isinstance(receiver.value, (str, bytes)):
            return [state.push(m.unknown(held))]
        if held and name in ("format", "upper", "lower", "ljust", "rjust", "center", "zfill"):
            return [state.push(m.unknown(newline=True))]
        quiet = held is False and given and all(g is False for g in given)
        return [state.push(m.unknown(False if quiet else None))]
    return [state.push(m.unknown())]
