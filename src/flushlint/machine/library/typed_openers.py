"""Making objects that hold writes back: a stream of their type, by the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.knowledge.stream_types import LIBRARY_OPENERS, NOWHERE, TypeOpener
from flushlint.knowledge.third_party import OPENERS
from flushlint.machine import streams
from flushlint.machine.calls import Arguments, Handler, library, unknown_call
from flushlint.machine.objects import Stream
from flushlint.machine.typed_streams import STREAM_TYPES
from flushlint.machine.values import Const, Ref, Value

if TYPE_CHECKING:
    from flushlint.knowledge.stream_types import StreamType
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["open_typed", "place"]

_WRITING = frozenset("wax+cn")


def open_typed(name: str, opener: TypeOpener, spec: StreamType) -> Handler:
    """Return what a call of an opener does."""

    def handler(m: Machine, state: State, arguments: Arguments) -> list[State]:
        m.may_raise(state, "builtins.OSError", arguments.node)
        below = _file_below(state, opener, arguments)
        if not _is_claimed(state, opener, arguments) or (below is None and opener.file >= 0):
            return unknown_call(m, state, arguments, external=name)
        stream = Stream(
            arguments.node, state.process, opener.type, text=False, below=below,
            owns_below=False, needs_close=spec.needs_close, spec=spec,
        )  # fmt: skip
        stream.writable = _is_writable(opener, arguments)
        made = place(m, state, stream)
        if opener.header and below is not None:
            streams.write(m.log, state, below, arguments.node, None)
        return [state.push(made)]

    return handler


def place(m: Machine, state: State, stream: Stream) -> Ref:
    """Put a new stream into the heap and into the log."""
    made = m.new(state, stream.opened, stream, stream.kind)
    m.log.streams[made.id] = stream
    return made


def _file_below(state: State, opener: TypeOpener, arguments: Arguments) -> int | None:
    """Return the open file that the object writes to, None if it opens one itself."""
    given = arguments.get(opener.file, "") if opener.file >= 0 else None
    return given.id if isinstance(given, Ref) and state.look(Stream, given) is not None else None


def _is_claimed(state: State, opener: TypeOpener, arguments: Arguments) -> bool:
    """Say whether it is known that the object holds back what is written to it."""
    if arguments.open or not opener.silent.isdisjoint(arguments.keywords):
        return False
    if any(not _is(arguments, *argument) for argument in opener.held):
        return False
    if any(arguments.get(index, name) is not None for name, index, _ in opener.direct):
        return all(_is_known(arguments.get(index, name)) for name, index, _ in opener.direct)
    target = arguments.get(opener.target, "") if opener.target >= 0 else None
    if opener.suffixes:
        path = target.value if isinstance(target, Const) else None
        return isinstance(path, str) and path.lower().endswith(opener.suffixes)
    return not isinstance(target, Ref) or not _is_file_object(state, target)


def _is_file_object(state: State, target: Ref) -> bool:
    """Say whether the target is an object rather than a path: what that does is not known."""
    return state.look(Stream, target) is not None


def _is_known(value: Value | None) -> bool:
    return value is None or isinstance(value, Const)


def _is(arguments: Arguments, name: str, index: int, wanted: object) -> bool:
    value = arguments.get(index, name)
    return isinstance(value, Const) and value.value is wanted


def _is_writable(opener: TypeOpener, arguments: Arguments) -> bool:
    """Say whether what is written to the object is held back."""
    if any(_is(arguments, *argument) for argument in opener.direct):
        return False
    target = arguments.get(opener.target, "") if opener.target >= 0 else None
    if isinstance(target, Const) and target.value in NOWHERE:
        return False
    if opener.mode < 0:
        return True
    mode = arguments.get(opener.mode, "mode") or arguments.get(opener.mode, "flag")
    text = opener.default if mode is None else getattr(mode, "value", None)
    return isinstance(text, str) and not _WRITING.isdisjoint(text)


for _name, _opener in (*LIBRARY_OPENERS.items(), *OPENERS.items()):
    library(_name)(open_typed(_name, _opener, STREAM_TYPES[_opener.type]))
