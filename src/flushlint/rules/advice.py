"""What a message says of the remedy that works for a write, and of other start methods.

A file is flushed. A compressed stream or an archive has to be closed, and leaves a file that
it was given to be flushed after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flushlint.rules.finding import Written, owner_of, written_to

if TYPE_CHECKING:
    import libcst as cst

    from flushlint.machine.log import Log, Loss, Process
    from flushlint.machine.objects import Stream, Write

__all__ = [
    "Remedy",
    "before",
    "elsewhere",
    "flush_first",
    "is_the_parents",
    "must_reopen",
    "remedy",
    "under_others",
    "unflushed",
]

_DEFAULT = "the default from 3.14 on"
_LARGE_BUFFERS = (3, 14)


class Remedy(NamedTuple):
    """What saves a write: `verb` as a command, `ending` as what comes last in a process.

    `file` names what has to be flushed, or closed if `closes`. One that `borrows` was given an
    open file, which it leaves open. `method` is the one that an object lacks which is no file.
    `layer` is the heap object whose own methods save it, None where those of a file do.
    """

    file: str
    verb: str
    ending: str
    closes: bool
    borrows: bool = False
    method: str = ""
    layer: int | None = None


def remedy(module: cst.Module, log: Log, write: Write, stream: Stream | None = None) -> Remedy:
    """Return what saves a write that is pending in `stream`, by default where it was written."""
    target = written_to(module, write.node)
    if target.kind == "logger":
        return _call(_behind(target), "logging.shutdown()", closes=False)
    known = _layers(log, write.stream)
    typed = _of_type(module, write.node, target, known)
    if typed is not None:
        return typed
    layers = list(known.values())
    closer = next((i for i, layer in enumerate(layers) if layer.needs_close), None)
    if closer is None:
        return _do(target, closes=stream is not None and stream.needs_close)
    if layers[closer].owns_below:
        return _do(target, closes=True)
    if stream is not None and _is_below(layers, closer, stream):
        return _do(target._replace(kind="guide"), closes=False)
    done = _do(target, closes=True)
    after = " and flush the file below it"
    return Remedy(
        done.file, f"{done.verb}{after}", f"{done.ending}{after}", closes=True, borrows=True
    )


def _of_type(
    module: cst.Module, node: cst.CSTNode, target: Written, layers: dict[int, Stream]
) -> Remedy | None:
    """Return what saves the data of an object by its own methods, None if there is none below."""
    for depth, (identity, layer) in enumerate(layers.items()):
        spec = layer.spec
        if spec is None or not layer.buffered:
            continue
        closes = spec.needs_close or not (spec.flushes or spec.is_file)
        known = spec.closes if closes else spec.flushes
        name = known[0] if known else "close" if closes else "flush"
        lacking = "" if spec.is_file and not closes and name == "flush" else name
        owner = owner_of(module, node, depth) or (target.source if target.is_path else "")
        if owner and (depth == 0 or owner != target.source):
            done = _call(f"`{owner}`", f"{owner}.{name}()", closes=closes)
        elif not lacking:
            done = _do(target._replace(kind="guide"), closes=closes)
        else:
            file = f"the {layer.kind.rpartition('.')[2]}{_led_to(target)}"
            done = Remedy(
                file, f"call `{name}()` of {file}", f"with `{name}()` of {file}", closes=closes
            )
        return done._replace(method=lacking, layer=identity)
    return None


def _led_to(target: Written) -> str:
    return f" behind `{target.source}`" if target.source else ""


def _layers(log: Log, identity: int | None) -> dict[int, Stream]:
    """Return the layers of the stream as they were when they were opened, topmost first."""
    found: dict[int, Stream] = {}
    while identity is not None and identity in log.streams and identity not in found:
        found[identity] = log.streams[identity]
        identity = found[identity].below
    return found


def _is_below(layers: list[Stream], closer: int, stream: Stream) -> bool:
    """Say whether a stream is what the closer passes its data to."""
    return any(
        (layer.opened, layer.kind, layer.text) == (stream.opened, stream.kind, stream.text)
        for layer in layers[closer + 1 :]
    )


def _do(target: Written, *, closes: bool) -> Remedy:
    if target.kind == "file":
        code = f"{target.source}.{'close' if closes else 'flush'}()"
        return _call(f"`{target.source}`", code, closes=closes)
    file = _behind(target)
    verb, doing = ("close", "closing") if closes else ("flush", "flushing")
    return Remedy(file, f"{verb} {file}", f"by {doing} {file}", closes)


def _call(file: str, code: str, *, closes: bool) -> Remedy:
    return Remedy(file, f"call `{code}`", f"with `{code}`", closes)


def _behind(target: Written) -> str:
    return f"the file{_led_to(target)}"


def unflushed(log: Log) -> str:
    """Say how much is lost: what fits into a buffer of the Python that the program runs on."""
    if log.python_version is not None and log.python_version >= _LARGE_BUFFERS:
        return "with up to 128 KiB unflushed"
    return "with up to 8 KiB unflushed (128 KiB from Python 3.14 on)"


def before(process: Process) -> str:
    """Name the moment at which a process gets its copy of the buffers."""
    if process.kind == "worker":
        return "the workers start"
    return "start()" if process.kind == "process" else "the fork"


def flush_first(loss: Loss) -> bool:
    """Say whether the process was born with writes in this buffer, which would come twice."""
    return any(write.process != loss.process for write in loss.stream.pending)


def must_reopen(loss: Loss, saved: Remedy) -> bool:
    """Say whether closing its copy in the child is not enough, since the parent spoils the file.

    It writes its own end: that of an archive over the beginning, that of a stream of which
    something is written already beside the child's.
    """
    if loss.stream.process == loss.process:
        return False
    if is_the_parents(loss):
        return True
    if not saved.closes:
        return False
    return loss.stream.kind == "zip" or saved.borrows or flush_first(loss)


def is_the_parents(loss: Loss) -> bool:
    """Say whether nothing that the child does can save what it writes to this object."""
    spec = loss.stream.spec
    return spec is not None and spec.private and loss.stream.process != loss.process


def elsewhere(log: Log, loss: Loss) -> str:
    """Say what the other start methods make of a loss, if nobody has chosen one."""
    process = log.processes[loss.process]
    is_started = process.kind in ("process", "worker") and process.method == "fork"
    if process.chosen or not is_started:
        return ""
    opened_there = loss.stream.process == loss.process
    if loss.hand_over is not None and not opened_there:
        spec = loss.stream.spec
        if spec is not None and not spec.unpicklable:
            return ""  # nobody knows whether it can be pickled
        raised = "TypeError" if spec is None else spec.unpicklable
        return under_others(raised if loss.hand_over.own else "can't be pickled")
    if loss.node is not None:  # a hard exit is the same under each of them
        return ""
    if opened_there:
        return f"; lost under forkserver as well, {_DEFAULT}"
    return under_others("not shared")


def under_others(what: str) -> str:
    """Say what happens under the start methods that do not fork the program itself."""
    return f"; {what} under spawn and forkserver, {_DEFAULT}"
