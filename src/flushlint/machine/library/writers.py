"""Functions and objects that write to a file they are given, and `os.fsync`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.knowledge.streams import WRITER_TYPES, WRITERS, Writer, WriterType
from flushlint.knowledge.third_party import FILE_WRITER_TYPES, FILE_WRITERS
from flushlint.machine.calls import Arguments, library, method
from flushlint.machine.library.stream_methods import empty, send
from flushlint.machine.objects import Instance, Stream
from flushlint.machine.values import FALSE, NONE, Const, Ref, Unknown, Value, contains_newline

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []


@library("builtins.print")
def _print(m: Machine, state: State, arguments: Arguments) -> list[State]:
    target = arguments.keywords.get("file")
    if target is None or target == NONE:
        target = state.externals.get("sys.stdout", NONE)
    newline = _printed_newline(arguments)
    flush = arguments.keywords.get("flush")
    found: list[State] = []
    for after in send(m, state, target, arguments, newline):
        after.pop()
        if flush is None or flush in (FALSE, NONE):
            found.append(after.push(NONE))
        else:
            found += _flush_if(m, after, flush, target, arguments)
    return found


def _printed_newline(arguments: Arguments) -> bool | None:
    """Say whether what `print` writes last has a newline: it writes part by part."""
    end = arguments.keywords.get("end", NONE)
    if end == NONE:
        return True
    if end != Const(""):
        return contains_newline(end)
    if arguments.open:
        return None
    return contains_newline(arguments.positional[-1]) if arguments.positional else False


def _flush_if(
    m: Machine, state: State, flush: Value, target: Value, arguments: Arguments
) -> list[State]:
    true, false = m.split([state.push(flush)])
    found = [after.push(NONE) for after in false]
    for after in true:
        for done in empty(m, after, target, arguments):
            done.pop()
            found.append(done.push(NONE))
    return found


def _writer(name: str, spec: Writer) -> None:
    @library(name)
    def handler(m: Machine, state: State, arguments: Arguments) -> list[State]:
        target = arguments.get(spec.file, spec.keyword)
        if target is None and spec.default_stdout:
            target = state.externals.get("sys.stdout")
        if name == "json.dump" or name.endswith("pickle.dump"):
            m.may_raise(state, "builtins.TypeError", arguments.node)
        if target is None:
            return [state.push(m.unknown())]
        return send(m, state, target, arguments, spec.newline)


for _name, _spec in (*WRITERS.items(), *FILE_WRITERS.items()):
    _writer(_name, _spec)


def _writer_type(name: str, spec: WriterType) -> None:
    @method(name, "__init__")
    def make(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
        assert isinstance(receiver, Ref)
        target = arguments.get(spec.file, spec.keyword) or NONE
        attributes = state.edit(Instance, receiver.id).attributes
        attributes["%file"] = target
        attributes["%flush"] = (arguments.keywords.get(spec.flush) if spec.flush else None) or NONE
        ending = arguments.keywords.get("lineterminator")
        attributes["%newline"] = Const(spec.newline if ending is None else contains_newline(ending))
        return [state.push(NONE)]

    @method(name, *spec.methods)
    def write(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
        instance = state.look(Instance, receiver)
        target = NONE if instance is None else instance.attributes.get("%file", NONE)
        flush = NONE if instance is None else instance.attributes.get("%flush", NONE)
        ending = NONE if instance is None else instance.attributes.get("%newline", NONE)
        newline = ending.value if isinstance(ending, Const) else None
        found = send(m, state, target, arguments, newline)  # type: ignore[arg-type]  # a bool or None
        if flush == NONE:
            return found
        for after in found:
            after.pop()
        return [done for after in found for done in _flush_if(m, after, flush, target, arguments)]

    @method(name, *spec.harmless)
    def leave_alone(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
        return [state.push(m.unknown())]


for _name, _type in (*WRITER_TYPES.items(), *FILE_WRITER_TYPES.items()):
    _writer_type(_name, _type)


@library("os.fsync", "os.fdatasync")
def _fsync(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Sync a file: what is pending in its buffers is not there yet to be synced."""
    value = arguments.get(0, "fd")
    if isinstance(value, Unknown) and isinstance(value.key, tuple) and value.key[0] == "fileno":
        identity = value.key[1]
        stream = state.heap.get(identity)
        if isinstance(stream, Stream):
            layers = [identity]
            while state.stream(layers[-1]).below is not None:
                below = state.stream(layers[-1]).below
                assert below is not None
                layers.append(below)
            for layer in layers:
                if state.stream(layer).pending:
                    state.edit(Stream, layer).synced = arguments.node
        return [state.push(NONE)]
    stream_itself = state.look(Stream, value or NONE)
    if isinstance(value, Ref) and stream_itself is not None and stream_itself.pending:
        state.edit(Stream, value.id).synced = arguments.node
    return [state.push(NONE)]


@method("xml.etree.ElementTree.ElementTree", "__init__")
def _tree(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(NONE)]


@method("xml.etree.ElementTree.ElementTree", "write")
@method("configparser.ConfigParser", "write")
def _write_to(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """Objects that write themselves to a file; given a path they open and close it."""
    target = arguments.get(0, "fp") or NONE
    if isinstance(target, Unknown):
        return [state.push(m.unknown())]
    return send(m, state, target, arguments, None)


@method("configparser.ConfigParser", "__init__", "read", "add_section", "set")
def _config(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(m.unknown())]
