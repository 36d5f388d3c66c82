"""Objects that hold writes back and are no plain files: their methods, items and attributes.

What they do is said by the tables; this is how it is done to a stream. A part of such an object (a
data set, a cursor, a sheet) is an unbuffered stream on top of it.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal, TypeAlias

from flushlint.knowledge.stream_types import LIBRARY_OPENERS, LIBRARY_TYPES, StreamType
from flushlint.knowledge.third_party import OPENERS, TYPES, WRITING_METHODS
from flushlint.machine import streams
from flushlint.machine.objects import Stream
from flushlint.machine.unknown_code import unknown_call
from flushlint.machine.values import NONE, Const, Method, Ref, Unknown, Value

if TYPE_CHECKING:
    import libcst as cst

    from flushlint.knowledge.streams import Writer
    from flushlint.machine.calls import Arguments
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import Signal, State

__all__ = ["EMPTYING", "STREAM_TYPES", "WORDS", "attribute", "call_typed", "item", "leave",
           "put_item", "set_attribute", "written_by"]  # fmt: skip

_Effect: TypeAlias = Literal["write", "flush", "close", "end", "nothing"]

STREAM_TYPES: dict[str, StreamType] = {**LIBRARY_TYPES, **TYPES}
EMPTYING = frozenset(
    name for spec in STREAM_TYPES.values() for name in (*spec.flushes, *spec.closes)
)
"""Methods that may empty such an object."""

WORDS = frozenset(
    {
        *EMPTYING,
        *WRITING_METHODS,
        *(name.rpartition(".")[2] for name in (*LIBRARY_OPENERS, *OPENERS)),
        *(
            name
            for spec in STREAM_TYPES.values()
            for name in (*spec.writes, *spec.commanded, *spec.parts)
        ),
    }
)
"""Words without which a function can't touch such an object."""

_OF_FILES = frozenset(dir(io.TextIOWrapper)) | {"next"}
_ITSELF = frozenset({"__enter__", "__aenter__", "__iter__", "__aiter__"})


def call_typed(
    m: Machine, state: State, receiver: Ref, name: str, arguments: Arguments
) -> list[State] | None:
    """Call a method of such an object; None for what its type leaves to those of a file."""
    stream = state.stream(receiver.id)
    spec = stream.spec
    if spec is None:
        return None
    effect = _effect(spec, name, arguments)
    if effect is None and spec.is_file and name in _OF_FILES:
        return None
    if name in _ITSELF:
        return [state.push(receiver)]
    if name == "__exit__":
        if not leave(m, state, receiver.id, None):
            streams.close(m.log, state, receiver.id)
        return [state.push(NONE)]
    if effect is None:
        return unknown_call(m, state, arguments, receiver=receiver, name=name)
    _apply(m, state, receiver.id, effect, arguments.node)
    part = spec.parts.get(name)
    if part is not None:
        return [state.push(_part(m, state, receiver, part, arguments.node))]
    return [state.push(m.unknown())]


def _effect(spec: StreamType, name: str, arguments: Arguments) -> _Effect | None:
    """Return what a method does, None where the tables don't say."""
    if name in spec.commanded:
        return _commanded(spec, arguments)
    for effect, names in (
        ("write", spec.writes), ("flush", spec.flushes), ("close", spec.closes),
        ("end", spec.ends), ("nothing", spec.harmless), ("nothing", spec.parts),
    ):  # fmt: skip
        if name in names:
            return effect  # type: ignore[return-value]  # one of these
    return "nothing" if spec.rest_is_harmless else None


def _commanded(spec: StreamType, arguments: Arguments) -> _Effect | None:
    """Return what a command does, by its first word; unknown text may do anything."""
    given = arguments.positional[0] if arguments.positional else NONE
    text = given.value if isinstance(given, Const) else None
    lines = text.splitlines() if isinstance(text, str) else []
    words = " ".join(line for line in lines if not line.lstrip().startswith("--")).split(None, 1)
    return spec.commands.get(words[0].strip(";").upper()) if words else None


def _apply(m: Machine, state: State, identity: int, effect: _Effect, node: cst.CSTNode) -> None:
    if effect == "write":
        streams.write(m.log, state, identity, node, None)
    elif effect == "flush":
        streams.drain(m.log, state, identity)
    elif effect == "close":
        streams.close(m.log, state, identity)
    elif effect == "end":
        streams.end(state, identity)


def written_by(state: State, function: Value, arguments: Arguments) -> tuple[Value, Writer] | None:
    """Return the open file that a method of an unknown object writes to, and how."""
    key = function.key if isinstance(function, Unknown) else None
    if not (isinstance(key, tuple) and len(key) == 3 and key[0] == "attr"):
        return None
    writer = WRITING_METHODS.get(key[2])
    target = None if writer is None else arguments.get(writer.file, writer.keyword)
    if writer is None or target is None or state.look(Stream, target) is None:
        return None
    return target, writer


def _part(m: Machine, state: State, owner: Ref, kind: str, node: cst.CSTNode) -> Ref:
    """Return a part of an object: what is written to it goes to the object."""
    part = Stream(
        node, state.process, kind, text=False, below=owner.id, owns_below=False, buffered=False,
        spec=STREAM_TYPES[kind],
    )  # fmt: skip
    part.writable = state.stream(owner.id).writable
    made = m.new(state, node, part, kind)
    m.log.streams[made.id] = part
    return made


def attribute(m: Machine, state: State, receiver: Ref, spec: StreamType, name: str) -> Value:
    """Read an attribute: a part, or a method; what else it is can't be told from one."""
    part = spec.parts.get(f".{name}")
    if part is not None:
        node = state.stream(receiver.id).opened
        return Method(receiver, name) if node is None else _part(m, state, receiver, part, node)
    return Method(receiver, name)


def set_attribute(state: State, receiver: Ref, spec: StreamType, name: str, value: Value) -> None:
    """Set an attribute, which may change when the object writes: nothing is claimed from here."""
    if not spec.is_file:
        streams.forget(state, streams.layers(state, receiver.id))
        state.edit(Stream, receiver.id).writable = False


def item(m: Machine, state: State, receiver: Ref, spec: StreamType, node: cst.CSTNode) -> Value:
    """Read an item, which may be a part."""
    part = spec.parts.get("[]")
    if part is not None:
        return _part(m, state, receiver, part, node)
    return Unknown(("item", receiver, m.fresh()))


def put_item(m: Machine, state: State, receiver: Value, node: cst.CSTNode) -> None:
    """Set an item of such an object: where its type says so, that writes."""
    stream = state.look(Stream, receiver)
    if stream is not None and stream.spec is not None and stream.spec.items:
        assert isinstance(receiver, Ref)
        streams.write(m.log, state, receiver.id, node, None)


def leave(m: Machine, state: State, identity: int, signal: Signal | None) -> bool:
    """Leave `with obj:` if that does not close the object; say whether that is so."""
    spec = state.stream(identity).spec
    if spec is None or not spec.with_commits:
        return False
    if signal is not None and signal.kind == "raise":
        streams.forget(state, [identity])
    else:
        streams.drain(m.log, state, identity)
    return True
