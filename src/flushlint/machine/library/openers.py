"""Opening files: what layers each opener of the standard library builds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flushlint.knowledge.streams import MEMORY_FILES, OPENERS, Opener
from flushlint.knowledge.third_party import (
    COMPRESSED_SUFFIXES,
    FACTORIES,
    FILE_OPENERS,
    FILE_SYSTEMS,
)
from flushlint.machine import calls, classes
from flushlint.machine.calls import Arguments, Handler, library, method, unknown_call
from flushlint.machine.log import Misuse
from flushlint.machine.objects import Instance, Place, Stream
from flushlint.machine.places import is_same_everywhere
from flushlint.machine.streams import layers
from flushlint.machine.values import NONE, Const, Ext, Ref, Unknown, Value

if TYPE_CHECKING:
    import libcst as cst

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["empties", "open_file", "standard_stream"]

_MISSING = object()
_PLAIN = frozenset({"enum.IntEnum", "enum.StrEnum", "builtins.int", "builtins.str"})


def standard_stream(m: Machine, state: State, name: str) -> Ref:
    """Give the process its own stdout or stderr: a buffered file unless it is a terminal."""
    old = m.options.python_version is not None and m.options.python_version < (3, 9)
    lower = Stream(None, 0, name, text=False, std=True)
    below = state.place(m.identity(("std", name, "buffer")), lower)
    upper = Stream(None, 0, name, text=True, std=True, below=below.id)
    upper.line_buffered = name == "stderr" and not old
    return state.place(m.identity(("std", name)), upper)


def constant(arguments: Arguments, index: int, name: str, default: object) -> object:
    """Return a constant argument, the default where it is not given, `_MISSING` if unknown."""
    value = arguments.get(index, name)
    if value is None:
        return _MISSING if arguments.open else default
    return value.value if isinstance(value, Const) else _MISSING


def with_plain_values(state: State, arguments: Arguments) -> Arguments:
    """Return arguments with the numbers and texts that members of enumerations are."""
    return replace(
        arguments,
        positional=[_plain(state, value) for value in arguments.positional],
        keywords={name: _plain(state, value) for name, value in arguments.keywords.items()},
    )


def _plain(state: State, value: Value) -> Value:
    member = state.look(Instance, value)
    if member is None or not isinstance(member.cls, Ref):
        return value
    kinds = classes.external_bases(state, member.cls)
    return member.attributes.get("_value_", value) if _PLAIN.intersection(kinds) else value


def open_file(
    m: Machine,
    state: State,
    arguments: Arguments,
    mode: object,
    buffering: object,
    node: cst.CSTNode,
) -> list[State]:
    """Open a file as the builtin does. Unknown mode or buffering: no stream is claimed."""
    if not isinstance(mode, str) or not isinstance(buffering, int):
        return [state.push(_doubtful(m, state, arguments, mode, node))]
    writable = any(c in mode for c in "wax+")
    if "b" in mode:
        return [state.push(_binary(m, state, node, writable, buffering))]
    if buffering == 0:
        m.log.misuses.append(Misuse("unbuffered-text", node))
        calls.stop(m, state, node, "ValueError")
        return []
    below = _place(m, state, Stream(node, state.process, "file", False, writable), "buffer")
    upper = Stream(
        node, state.process, "file", True, writable, below=below.id, line_buffered=buffering == 1
    )
    return [state.push(_place(m, state, upper, "text"))]


def _place(m: Machine, state: State, stream: Stream, tag: str) -> Ref:
    made = m.new(state, stream.opened, stream, tag)
    m.log.streams[made.id] = stream
    return made


def _binary(m: Machine, state: State, node: cst.CSTNode, writable: bool, buffering: int) -> Ref:
    stream = Stream(node, state.process, "file", False, writable, buffered=buffering != 0)
    stream.binary_line_buffering = buffering == 1 and writable
    return _place(m, state, stream, "binary")


def _doubtful(
    m: Machine, state: State, arguments: Arguments, mode: object, node: cst.CSTNode
) -> Value:
    """A file of which the machine can't say how it buffers: open, but never pending."""
    if mode is _MISSING:
        return _place(m, state, Stream(node, state.process, "file", True, False), "text")
    text = isinstance(mode, str) and "b" not in mode
    return _place(m, state, Stream(node, state.process, "file", text, False), "text")


def _is_nowhere(value: Value | None) -> bool:
    return isinstance(value, Const) and value.value == "/dev/null"


def _opener(name: str, spec: Opener) -> Handler:
    def handler(m: Machine, state: State, arguments: Arguments) -> list[State]:
        arguments = with_plain_values(state, arguments)
        target = arguments.get(spec.target, "file") if spec.target >= 0 else None
        m.may_raise(state, "builtins.OSError", arguments.node)
        if _is_nowhere(target):
            mode: object = "r"
        else:
            mode = constant(arguments, spec.mode, "mode", spec.default)
        if mode is None:
            mode = spec.default
        buffering = -1
        if spec.buffering >= 0:
            found = constant(arguments, spec.buffering, "buffering", -1)
            buffering = found if isinstance(found, int) else -2
        if spec.by_suffix and (compression := _compression(arguments, target)) is not False:
            if compression is None:
                return unknown_call(m, state, arguments, external=name)
            packed = spec._replace(layer="compressed")
            return _open_layered(m, state, arguments, mode, packed)
        opened = _open_by_spec(m, state, arguments, mode, buffering, spec)
        node = arguments.nodes[spec.target] if 0 <= spec.target < len(arguments.nodes) else None
        return _shared_by_path(m, empties(m, opened, mode, target, node), mode, target)

    return handler


def _open_by_spec(
    m: Machine, state: State, arguments: Arguments, mode: object, buffering: int, spec: Opener
) -> list[State]:
    if spec.layer == "file":
        given: object = None if buffering == -2 else buffering
        return open_file(m, state, arguments, mode, given, arguments.node)
    if spec.layer == "binary":
        return _open_codecs(m, state, arguments, mode, buffering)
    return _open_layered(m, state, arguments, mode, spec)


def empties(
    m: Machine, states: list[State], mode: object, path: Value | None, node: cst.CSTNode | None
) -> list[State]:
    """Note of the file on top of the operands that opening it has emptied it.

    `path` is its path and `node` the expression that says it.
    """
    if not isinstance(mode, str) or "w" not in mode or not states:
        return states
    if not is_same_everywhere(m, states[0], path, node):
        return states
    for state in states:
        made = state.stack[-1]
        if isinstance(made, Ref) and state.look(Stream, made) is not None:
            lowest = layers(state, made.id)[-1]
            file = state.edit(Stream, lowest)
            if file.opened is not None and file.opened is state.stream(made.id).opened:
                place = Place(file.opened, path.value if isinstance(path, Const) else None)
                file.empties = m.log.streams[lowest].empties = place
                m.log.emptied.add(place)
    return states


def _shared_by_path(
    m: Machine, states: list[State], mode: object, path: Value | None
) -> list[State]:
    """Let each opening of one path that adds to the file count as the same file."""
    if isinstance(mode, str) and "a" in mode and isinstance(path, Const):
        for state in states:
            made = state.stack[-1]
            if isinstance(made, Ref) and state.look(Stream, made) is not None:
                for layer in layers(state, made.id):
                    state.edit(Stream, layer).birth = -m.identity(("path", path.value))
    return states


def _compression(arguments: Arguments, target: Value | None) -> bool | None:
    """Say whether an opener compresses: by its argument, else by the file's suffix."""
    path = target.value if isinstance(target, Const) else None
    told = arguments.keywords.get("compression")
    if told is not None and not isinstance(told, Const):
        return None
    if told is not None and told.value not in (None, "infer", "disable", "infer_from_extension"):
        return True
    by_name = told is None or told.value is not None
    return by_name and isinstance(path, str) and path.endswith(COMPRESSED_SUFFIXES)


for _name, _spec in (*OPENERS.items(), *FILE_OPENERS.items()):
    library(_name)(_opener(_name, _spec))


def _file_system(kind: str, methods: dict[str, Opener]) -> None:
    """Make a class whose instances open files."""

    @method(kind, "__init__")
    def make(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
        return [state.push(NONE)]

    for name, spec in methods.items():
        opens = _opener(f"{kind}.{name}", spec)

        @method(kind, name)
        def open_there(
            m: Machine, state: State, receiver: Value, arguments: Arguments, opens: Handler = opens
        ) -> list[State]:
            return opens(m, state, arguments)


def _factory(name: str, values: frozenset[str], kind: str) -> None:
    @library(name)
    def make(m: Machine, state: State, arguments: Arguments) -> list[State]:
        first = arguments.positional[0] if arguments.positional else NONE
        if isinstance(first, Const) and first.value in values:
            return calls.instantiate(m, state, Ext(kind), Arguments(arguments.node, []))
        return unknown_call(m, state, arguments, external=name)


for _kind, _methods in FILE_SYSTEMS.items():
    _file_system(_kind, _methods)
for _name, (_values, _kind) in FACTORIES.items():
    _factory(_name, _values, _kind)


def _open_codecs(
    m: Machine, state: State, arguments: Arguments, mode: object, buffering: int
) -> list[State]:
    if constant(arguments, 2, "encoding", None) is None or not isinstance(mode, str):
        return open_file(m, state, arguments, mode, buffering, arguments.node)
    if "b" not in mode:
        mode += "b"
    return open_file(m, state, arguments, mode, buffering, arguments.node)


def _open_layered(
    m: Machine, state: State, arguments: Arguments, mode: object, spec: Opener
) -> list[State]:
    """Open a compressed stream or an archive over a file of its own, or over a given one."""
    node = arguments.node
    if not isinstance(mode, str):
        return [state.push(_doubtful(m, state, arguments, mode, node))]
    writable = any(c in mode for c in "wax")
    given = arguments.get(spec.fileobj, "fileobj") if spec.fileobj >= 0 else None
    target = given if given not in (None, NONE) else arguments.get(spec.target, "filename")
    below: int | None = None
    owns = True
    if target is not None and isinstance(target, Ref):
        if state.look(Stream, target) is not None:
            below, owns = target.id, False
        elif _in_memory(state, target):
            return [state.push(m.unknown())]
    elif isinstance(target, Unknown) and target.key in state.holds:
        return [state.push(m.unknown())]
    if below is None:
        lower = Stream(node, state.process, "file", False, writable)
        below = _place(m, state, lower, "raw").id
    stream = Stream(
        node,
        state.process,
        spec.layer,
        False,
        writable,
        below=below,
        owns_below=owns,
        buffered=spec.layer != "tar" or ":" in mode.rstrip(":") or "|" in mode,
        needs_close=True,
    )
    made = _place(m, state, stream, "layer")
    if "t" in mode and spec.layer == "compressed":
        text = Stream(node, state.process, "text", True, writable, below=made.id)
        made = _place(m, state, text, "text")
    return [state.push(made)]


def _in_memory(state: State, value: Value) -> bool:
    instance = state.look(Instance, value)
    return (
        instance is not None and isinstance(instance.cls, Ext) and instance.cls.name in MEMORY_FILES
    )


def _memory_file(name: str) -> None:
    @method(name, "__init__", "write", "writelines", "flush", "close", "seek", "truncate",
            "getvalue", "read", "readline", "readlines", "tell", "getbuffer")  # fmt: skip
    def handler(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
        return [state.push(m.unknown())]


for _name in MEMORY_FILES:
    _memory_file(_name)


# -- wrappers -----------------------------------------------------------------------------------


@library("io.TextIOWrapper")
def _text_wrapper(m: Machine, state: State, arguments: Arguments) -> list[State]:
    return _wrap(m, state, arguments, text=True)


@library("io.BufferedWriter", "io.BufferedRandom")
def _buffered_writer(m: Machine, state: State, arguments: Arguments) -> list[State]:
    return _wrap(m, state, arguments, text=False)


@library("io.FileIO")
def _raw_file(m: Machine, state: State, arguments: Arguments) -> list[State]:
    mode = constant(arguments, 1, "mode", "r")
    writable = isinstance(mode, str) and any(c in mode for c in "wax+")
    stream = Stream(arguments.node, state.process, "raw", False, writable, buffered=False)
    return [state.push(_place(m, state, stream, "raw"))]


def _wrap(m: Machine, state: State, arguments: Arguments, *, text: bool) -> list[State]:
    found: list[State] = []
    given = arguments.get(0, "buffer" if text else "raw") or NONE
    for branch, target in m.choose(state, given):
        if _in_memory(branch, target) or isinstance(target, Const):
            found.append(branch.push(m.unknown()))
            continue
        below = target.id if isinstance(target, Ref) and branch.look(Stream, target) else None
        if below is not None and not branch.stream(below).writable:
            found.append(branch.push(m.unknown()))
            continue
        stream = Stream(arguments.node, branch.process, "text" if text else "file", text,
                        below=below)  # fmt: skip
        if text and not _configure(stream, arguments):
            stream.writable = False
        found.append(branch.push(_place(m, branch, stream, "wrapper")))
    return found


def _configure(stream: Stream, arguments: Arguments) -> bool:
    line = constant(arguments, 4, "line_buffering", False)
    through = constant(arguments, 5, "write_through", False)
    if line is _MISSING or through is _MISSING:
        return False
    stream.line_buffered, stream.write_through = bool(line), bool(through)
    return True


# -- paths and sockets --------------------------------------------------------------------------

_PATH = "pathlib.Path"


@method(_PATH, "__init__")
def _path(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(NONE)]


@method(_PATH, "open")
def _path_open(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    m.may_raise(state, "builtins.OSError", arguments.node)
    mode = constant(arguments, 0, "mode", "r")
    buffering = constant(arguments, 1, "buffering", -1)
    opened = open_file(m, state, arguments, mode, buffering, arguments.node)
    function = getattr(arguments.node, "func", None)
    return empties(m, opened, mode, receiver, getattr(function, "value", None))


@method(_PATH, "joinpath", "with_suffix", "with_name", "with_stem", "resolve", "absolute",
        "expanduser", "rename", "replace")  # fmt: skip
def _path_again(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(receiver)]


@method(_PATH, "write_text", "write_bytes")
def _path_write(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    m.may_raise(state, "builtins.OSError", arguments.node)
    m.log.wrote(state, arguments.node)
    return [state.push(m.unknown())]


@method(_PATH, "mkdir", "unlink", "touch", "exists", "is_file",
        "is_dir", "iterdir", "glob", "rglob", "stat", "relative_to", "as_posix")  # fmt: skip
def _path_apart(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    m.may_raise(state, "builtins.OSError", arguments.node)
    return [state.push(m.unknown())]


@library("pathlib.Path.cwd", "pathlib.Path.home")
def _path_made(m: Machine, state: State, arguments: Arguments) -> list[State]:
    return calls.instantiate(m, state, Ext(_PATH), Arguments(arguments.node, []))


@library("tarfile.TarInfo", "zipfile.ZipInfo", "os.path.join", "os.path.exists",
         "os.path.abspath", "os.getppid",
         "time.time", "time.strftime", "time.perf_counter", "time.monotonic",
         "random.random", "random.randint", "random.seed", "random.choice",
         "os.makedirs", "os.unlink", "os.remove", "os.getcwd", "os.path.getsize",
         "json.dumps", "pickle.dumps", "os.urandom")  # fmt: skip
def _apart(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Functions that are known not to touch any stream."""
    return [state.push(m.unknown(newline=None))]
