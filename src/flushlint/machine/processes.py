"""Processes: creating and starting them, forking, and what is left in buffers at their end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import libcst as cst

from flushlint.knowledge.processes import (
    FORKS,
    HARD_EXITS,
    PICKLED_BY_DILL,
    PROCESS_PACKAGES,
    PROCESS_TYPES,
    default_start_method,
)
from flushlint.machine import calls, classes, streams
from flushlint.machine.calls import Arguments, derive, library, method
from flushlint.machine.library.threads import apart, spread
from flushlint.machine.log import HandOver, How, Loss, Pickled, Process
from flushlint.machine.objects import Class, Function, Instance, Mapping, Sequence, Stream
from flushlint.machine.values import NONE, Bound, Const, Ext, Ref, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = ["end_interpreter", "escape", "is_process", "start"]

_PROCESS = "multiprocessing.Process"
_CONTEXT = "multiprocessing.context"
_METHODS = ("fork", "spawn", "forkserver")
_FIRST_PID = 4000

for _name in PROCESS_TYPES:
    if _name != _PROCESS:
        derive(_name, _PROCESS)


def is_process(state: State, instance: Instance) -> bool:
    """Say whether an instance is a process object."""
    return any(name in PROCESS_TYPES for name in classes.external_bases(state, instance.cls))


# -- creation -------------------------------------------------------------------------------------


@method(_PROCESS, "__init__")
def _make(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`Process(group, target, name, args, kwargs, *, daemon)`: keep it all for the start."""
    assert isinstance(receiver, Ref)
    target = arguments.get(1, "target")
    args = arguments.get(3, "args")
    kwargs = arguments.get(4, "kwargs")
    attributes = state.edit(Instance, receiver.id).attributes
    attributes["%target"] = target or NONE
    attributes["%args"] = args or NONE
    attributes["%kwargs"] = kwargs or NONE
    attributes["name"] = arguments.get(2, "name") or Const("Process-1")
    found: list[HandOver] = []
    for index, name, value in ((1, "target", target), (3, "args", args), (4, "kwargs", kwargs)):
        if value is not None:
            node = _argument_node(arguments, index, name)
            found += _expressions(state, node, value, own=name != "target")
    attributes["%hand-overs"] = Const(tuple(found))
    return [state.push(NONE)]


def _argument_node(arguments: Arguments, index: int, name: str) -> cst.CSTNode:
    node = arguments.node
    if isinstance(node, cst.Call):
        for argument in node.args:
            if argument.keyword is not None and argument.keyword.value == name:
                return argument.value
    if index < len(arguments.nodes) and name not in arguments.keywords:
        return arguments.nodes[index]
    return node


def _expressions(state: State, node: cst.CSTNode, value: Value, *, own: bool) -> Iterable[HandOver]:
    """Take displays apart, so that each file is found at its own expression."""
    if isinstance(node, (cst.Tuple, cst.List)):
        sequence = state.look(Sequence, value)
        starred = any(isinstance(e, cst.StarredElement) for e in node.elements)
        if sequence is not None and len(sequence.items) == len(node.elements) and not starred:
            for element, item in zip(node.elements, sequence.items, strict=True):
                yield from _expressions(state, element.value, item, own=own)
            return
    if isinstance(node, cst.Dict):
        mapping = state.look(Mapping, value)
        if mapping is not None and len(mapping.entries) == len(node.elements):
            for part, item in zip(node.elements, mapping.entries.values(), strict=True):
                yield from _expressions(state, part.value, item, own=own)
            return
    yield HandOver(node, value, own)


def _contexts(package: str) -> None:
    @library(f"{package}.get_context")
    def get_context(m: Machine, state: State, arguments: Arguments) -> list[State]:
        chosen = arguments.get(0, "method") or NONE
        found: list[State] = []
        for branch, option in m.choose(state, chosen):
            if isinstance(option, Const) and option.value in _METHODS:
                made = Instance(Ext(_CONTEXT), {"%method": option}, arguments.node)
                found.append(branch.push(m.new(branch, arguments.node, made, "context")))
            else:
                found.append(branch.push(Ext(package)))
        return found

    @library(f"{package}.set_start_method")
    def set_start_method(m: Machine, state: State, arguments: Arguments) -> list[State]:
        chosen = arguments.get(0, "method") or NONE
        found: list[State] = []
        m.may_raise(state, "builtins.RuntimeError", arguments.node)
        for branch, option in m.choose(state, chosen):
            if isinstance(option, Const) and option.value in _METHODS:
                branch.start_method = str(option.value)
            found.append(branch.push(NONE))
        return found

    @library(f"{package}.get_start_method")
    def get_start_method(m: Machine, state: State, arguments: Arguments) -> list[State]:
        known = state.start_method or m.options.start_method
        return [state.push(Unknown("start method") if known is None else Const(known))]

    @library(f"{package}.current_process")
    def current_process(m: Machine, state: State, arguments: Arguments) -> list[State]:
        process = m.log.processes[state.process]
        if process.receiver is not None and process.receiver in state.heap:
            return [state.push(Ref(process.receiver))]
        values: dict[str, Value] = {
            "name": Const("MainProcess" if process.kind != "process" else "Process-1")
        }
        made = Instance(Ext(_PROCESS), values)
        return [state.push(m.new(state, arguments.node, made, "current"))]

    @library(f"{package}.parent_process")
    def parent_process(m: Machine, state: State, arguments: Arguments) -> list[State]:
        process = m.log.processes[state.process]
        if process.kind == "main":
            return [state.push(NONE)]
        parent = Unknown("parent process")
        state.facts[parent.key] = True
        return [state.push(parent)]

    @library(f"{package}.freeze_support", f"{package}.active_children", f"{package}.cpu_count")
    def quiet(m: Machine, state: State, arguments: Arguments) -> list[State]:
        return [state.push(m.unknown())]


for _package in PROCESS_PACKAGES:
    _contexts(_package)

apart(_PROCESS, "is_alive", "terminate", "kill")


@method(_PROCESS, "join", "close")
def _join(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """A joined process is no longer kept by `multiprocessing` itself."""
    if receiver in state.roots:
        state.roots = tuple(r for r in state.roots if r != receiver)
        state.dirty = True
    return [state.push(NONE)]


@method(_PROCESS, "run")
def _run(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`run()` called directly runs in the calling process."""
    instance = state.look(Instance, receiver)
    target = NONE if instance is None else instance.attributes.get("%target", NONE)
    if target == NONE:
        return [state.push(NONE)]
    return calls.call(m, state, target, spread(m, state, receiver, arguments))


# -- starting -------------------------------------------------------------------------------------


def _start_method(m: Machine, state: State, instance: Instance) -> tuple[str, bool]:
    """Return the start method, and whether the program or the configuration chose it."""
    for name in classes.external_bases(state, instance.cls):
        fixed = PROCESS_TYPES.get(name)
        if fixed is not None:
            return fixed, True
    if state.start_method is not None:
        return state.start_method, True
    options = m.options
    if options.start_method is not None:
        return options.start_method, True
    chosen = options.platform is not None
    return default_start_method(options.platform, options.python_version), chosen


@method(_PROCESS, "start")
def start(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """Start a process: the child runs to its end here, then the parent goes on."""
    instance = state.look(Instance, receiver)
    assert instance is not None
    assert isinstance(receiver, Ref)
    if "%started" in instance.attributes:
        return [state.push(NONE)]
    m.log.boundaries += 1
    _flush_standard_streams(m, state)
    how, chosen = _start_method(m, state, instance)
    state.edit(Instance, receiver.id).attributes["%started"] = Const(value=True)
    if receiver not in state.roots:
        state.roots = (*state.roots, receiver)
    found: list[State] = []
    for branch, hand_overs in _hand_overs(m, state, instance):
        process = Process(
            0, "process", _name(m, branch, receiver), branch.process, arguments.node, how,
            chosen, hand_overs, receiver.id,
        )  # fmt: skip
        if how == "fork":
            child = _fork(m, branch, process, arguments.node)
            _run_child(m, child, receiver, arguments)
        elif _pickles(m, branch, process, instance, receiver):
            calls.stop(m, branch, arguments.node, "TypeError")
            continue
        else:
            _run_spawned(m, branch, process, receiver, arguments)
        found.append(branch.push(NONE))
    return found


def _hand_overs(
    m: Machine, state: State, instance: Instance
) -> list[tuple[State, tuple[HandOver, ...]]]:
    found = []
    given = instance.attributes.get("%hand-overs", Const(()))
    for branch, option in m.choose(state, given):
        found.append((branch, option.value if isinstance(option, Const) else ()))
    return found  # type: ignore[return-value]  # only `_make` sets it


def _name(m: Machine, state: State, receiver: Value) -> str:
    """Return how to call the child: by its target, or by its class."""
    instance = state.look(Instance, receiver)
    assert instance is not None
    target = instance.attributes.get("%target", NONE)
    while isinstance(target, Bound):
        target = target.function
    function = state.look(Function, target)
    if function is not None:
        return function.name
    cls = state.look(Class, instance.cls)
    if cls is not None:
        return cls.name
    if isinstance(target, Ext):
        return target.name.rpartition(".")[2]
    return getattr(target, "name", "") or "child"


def _flush_standard_streams(m: Machine, state: State) -> None:
    """`multiprocessing` flushes whatever sys.stdout and sys.stderr are bound to."""
    from flushlint.machine.library.stream_methods import empty

    for name in ("sys.stdout", "sys.stderr"):
        target = state.externals.get(name)
        if isinstance(target, Ref) and state.look(Stream, target) is not None:
            streams.drain(m.log, state, target.id)
        elif isinstance(target, Ref):
            branch = state.copy()
            done, _ = m.captured(
                lambda s, t=target: empty(m, s[0], t, Arguments(m.module, [])),  # type: ignore[misc]  # bound now
                [branch],
            )
            if done:
                done[0].pop()
                calls.become(state, done[0])


def _fork(m: Machine, state: State, process: Process, node: cst.CSTNode) -> State:
    """Copy the process with all that is pending, and note that two hold it now."""
    _run_hooks(m, state, "before")
    context = state.frames[-1].context
    held = {number for i in state.streams for w in state.stream(i).pending for number in w.forks}
    number = m.identity(("fork", node, context, state.process, 0))
    if number in held:
        number = m.identity(("fork", node, context, state.process, 1))
    for identity in state.streams:
        stream = state.stream(identity)
        if stream.pending:
            state.edit(Stream, identity).pending = tuple(
                w if number in w.forks else replace(w, forks=(*w.forks, number))
                for w in stream.pending
            )
    process.id, process.depth = number, len(state.frames)
    process.height = len(state.stack)
    m.log.processes[number] = process
    child = state.copy()
    child.process = number
    _run_hooks(m, child, "after_in_child")
    _run_hooks(m, state, "after_in_parent")
    return child


def _run_hooks(m: Machine, state: State, when: str) -> None:
    """Run what `os.register_at_fork` and `register_after_fork` have registered, in place."""
    registered = state.externals.get(f"%{when}")
    sequence = None if registered is None else state.look(Sequence, registered)
    for hook in list(sequence.items) if sequence is not None else ():
        branch = state.copy()
        pair = branch.look(Sequence, hook)
        function, given = (hook, []) if pair is None else (pair.items[0], pair.items[1:])
        arguments = Arguments(m.module, list(given))

        def action(
            inside: list[State], function: Value = function, arguments: Arguments = arguments
        ) -> list[State]:
            return calls.call(m, inside[0], function, arguments)

        done, _ = m.captured(action, [branch])
        for after in done:
            after.pop()
        if done:
            calls.become(state, m.join(done)[0])


@library("os.register_at_fork")
def _at_fork(m: Machine, state: State, arguments: Arguments) -> list[State]:
    for when in ("before", "after_in_parent", "after_in_child"):
        callback = arguments.keywords.get(when)
        if callback is not None:
            _enlist(m, state, f"%{when}", callback)
    return [state.push(NONE)]


@library("multiprocessing.util.register_after_fork")
def _after_fork(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """`register_after_fork(obj, func)`: the child calls `func(obj)`."""
    subject, function = arguments.get(0, "obj") or NONE, arguments.get(1, "func") or NONE
    pair = m.new(state, arguments.node, Sequence("tuple", [function, subject]), "hook")
    _enlist(m, state, "%after_in_child", pair)
    return [state.push(NONE)]


def _enlist(m: Machine, state: State, slot: str, value: Value) -> None:
    known = state.externals.get(slot)
    if known is None or state.look(Sequence, known) is None:
        known = m.new(state, None, Sequence("list", []), slot)
        state.externals[slot] = known
    if isinstance(known, Ref):
        state.edit(Sequence, known.id).items.append(value)


def _apart(
    m: Machine, action: Callable[[list[State]], list[State]], child: State
) -> tuple[list[State], list[State]]:
    """Run something in a child: no handler of the parent sees what it raises."""
    handlers, m.handlers = m.handlers, 0
    try:
        return m.captured(action, [child])
    finally:
        m.handlers = handlers


def _target(state: State, receiver: Ref) -> tuple[Value | None, bool]:
    """Return what the child runs: its own `run`, else its target."""
    instance = state.look(Instance, receiver)
    assert instance is not None
    own = classes.class_attribute(state, instance.cls, "run")
    if own is not None:
        return own, True
    return instance.attributes.get("%target", NONE), False


def _run_child(m: Machine, child: State, receiver: Ref, arguments: Arguments) -> None:
    """Run a child to its end, and see what is left in its buffers there."""
    child.stack.append(receiver)  # the frames that started it hold the process object
    function, own = _target(child, receiver)
    height = len(child.stack)

    def action(states: list[State]) -> list[State]:
        if function is None or function == NONE:
            return [states[0].push(NONE)]
        if own:
            given = Arguments(arguments.node, [receiver])
            return calls.call(m, states[0], function, given)
        found: list[State] = []
        for branch, option in m.choose(states[0], function):
            found += calls.call(m, branch, option, spread(m, branch, receiver, arguments))
        return found

    normal, abrupt = _apart(m, action, child)
    for state in abrupt:
        if state.signal is not None and not state.signal.implicit:
            state.signal = None
            normal.append(state)
    for state in normal:
        del state.stack[height:]
        state.dirty = True
    for state in m.join(normal):
        _end_child(m, state)


def _end_child(m: Machine, state: State) -> None:
    """Leave a child the clean way: finalizers, standard streams, then `os._exit`."""
    process = m.log.processes[state.process]
    m.collect(state)
    for after in _run_finalizers(m, state):
        _flush_standard_streams(m, after)
        if process.method == "spawn":
            end_interpreter(m, after)
        else:
            lose(m, after, "return", None, std=False)


def _run_finalizers(m: Machine, state: State) -> list[State]:
    """Run what the child registered with `multiprocessing.util.Finalize`."""
    registered = state.externals.get(f"%finalizers{state.process}")
    sequence = None if registered is None else state.look(Sequence, registered)
    states = [state]
    for callback in reversed(sequence.items) if sequence is not None else ():

        def action(inside: list[State], callback: Value = callback) -> list[State]:
            found: list[State] = []
            for s in inside:
                found += calls.call(m, s, callback, Arguments(m.module, []))
            return found

        states, _ = m.captured(action, states)
        for after in states:
            after.pop()
    return states


@library("multiprocessing.util.Finalize")
def _finalize(m: Machine, state: State, arguments: Arguments) -> list[State]:
    return _register(m, state, arguments.get(1, "callback"), arguments)


@library("atexit.register")
def _at_exit(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """A child runs its own `atexit` handlers from Python 3.13 on, and never the parent's."""
    version = m.options.python_version
    if version is not None and version >= (3, 13):
        return _register(m, state, arguments.get(0, "func"), arguments)
    return [state.push(arguments.get(0, "func") or NONE)]


def _register(
    m: Machine, state: State, callback: Value | None, arguments: Arguments
) -> list[State]:
    if callback is not None:
        _enlist(m, state, f"%finalizers{state.process}", callback)
    return [state.push(callback or NONE)]


# -- spawn and forkserver -------------------------------------------------------------------------


def _pickles(m: Machine, state: State, process: Process, instance: Instance, receiver: Ref) -> bool:
    """Note each open file that would have to be pickled; say whether there is one."""
    if any(
        name.startswith(PICKLED_BY_DILL) for name in classes.external_bases(state, instance.cls)
    ):
        return False
    found = False
    for hand_over in process.hand_overs:
        stream = _unpicklable(state, hand_over.value)
        if stream is not None:
            m.log.pickled.append(Pickled(stream, hand_over, process))
            found = True
    if not found:
        own = [v for k, v in instance.attributes.items() if not k.startswith("%")]
        if not _pickles_itself(state, instance):
            for value in own:
                stream = _unpicklable(state, value)
                if stream is not None and process.start is not None:
                    place = HandOver(process.start, receiver, own=False)
                    m.log.pickled.append(Pickled(stream, place, process))
                    return True
    return found


_OWN_PICKLING = ("__getstate__", "__reduce__", "__reduce_ex__", "__getnewargs__")


def _pickles_itself(state: State, instance: Instance) -> bool:
    return any(classes.class_attribute(state, instance.cls, n) for n in _OWN_PICKLING)


def _unpicklable(state: State, value: Value) -> Stream | None:
    """Return an open file that pickling the value meets. Functions go by their names."""
    seen: set[int] = set()
    todo = [value]
    while todo:
        current = todo.pop()
        if isinstance(current, Bound):
            todo.append(current.receiver)
            continue
        if not isinstance(current, Ref) or current.id in seen:
            continue
        seen.add(current.id)
        obj = state.heap.get(current.id)
        if isinstance(obj, Stream):
            return obj
        if isinstance(obj, (Sequence, Mapping)):
            todo.extend(obj.values())
        elif isinstance(obj, Instance) and not _pickles_itself(state, obj):
            todo.extend(obj.attributes.values())
    return None


def _run_spawned(
    m: Machine, state: State, process: Process, receiver: Ref, arguments: Arguments
) -> None:
    """Run a child that imports the main module anew and is sent a pickled copy of the rest."""
    if m.spawn_base is None:
        return
    number = m.identity(("spawn", arguments.node, state.frames[-1].context, state.process))
    for base in m.spawn_base():
        child = base.copy()
        process.id, process.depth, process.height = number, len(child.frames), len(child.stack)
        m.log.processes[number] = process
        child.process = number
        child.start_method = state.start_method
        for identity in state.reach([receiver]):
            if identity not in child.heap:
                child.heap[identity] = state.heap[identity]
                child.epoch.changed.add(identity)
        child.edit(Instance, receiver.id)
        _run_child(m, child, receiver, arguments)


# -- fork and hard exits --------------------------------------------------------------------------


@library(*FORKS)
def _os_fork(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Both sides go on with the same code."""
    m.log.boundaries += 1
    process = Process(0, "fork", "", state.process, arguments.node, "fork", chosen=True)
    child = _fork(m, state, process, arguments.node)
    pid: Value = Const(_FIRST_PID + process.id)
    sides: list[tuple[State, Value]] = [(child, Const(0)), (state, pid)]
    name = getattr(getattr(arguments.node, "func", None), "attr", None)
    found = []
    for side, value in sides:
        if name is not None and name.value == "forkpty":
            pair = Sequence("tuple", [value, m.unknown()])
            value = m.new(side, arguments.node, pair, "pty")
        found.append(side.push(value))
    return found


def _hard_exit(name: str, how: How) -> None:
    @library(name)
    def handler(m: Machine, state: State, arguments: Arguments) -> list[State]:
        m.log.boundaries += 1
        if how == "exec":
            m.may_raise(state, "builtins.OSError", arguments.node)
        lose(m, state, how, arguments.node, std=True)
        return []


for _exit_name, _how in HARD_EXITS.items():
    _hard_exit(_exit_name, _how)  # type: ignore[arg-type]  # the table holds these words


@library("os.getpid")
def _getpid(m: Machine, state: State, arguments: Arguments) -> list[State]:
    return [state.push(Unknown(("pid", state.process)))]


@library("os.kill")
def _kill(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """SIGKILL to the process itself ends it at once."""
    target, signal = arguments.get(0, "pid"), arguments.get(1, "signal")
    itself = isinstance(target, Unknown) and target.key == ("pid", state.process)
    if itself and signal == Const(9):
        m.log.boundaries += 1
        lose(m, state, "kill", arguments.node, std=True)
        return []
    return [state.push(NONE)]


@library("signal.raise_signal")
def _raise_signal(m: Machine, state: State, arguments: Arguments) -> list[State]:
    if arguments.get(0, "signalnum") == Const(9):
        m.log.boundaries += 1
        lose(m, state, "kill", arguments.node, std=True)
        return []
    return [state.push(m.unknown())]


# -- ends -----------------------------------------------------------------------------------------


def end_interpreter(m: Machine, state: State) -> None:
    """Leave by a normal interpreter exit: everything pending is written out."""
    for identity in state.streams:
        pending = state.stream(identity).pending
        if pending:
            m.log.emitted(state, pending)


def lose(m: Machine, state: State, how: How, node: cst.CSTNode | None, *, std: bool) -> None:
    """Throw the process's buffers away and note what was in them."""
    process = m.log.processes[state.process]
    lost = [
        (identity, write)
        for identity in sorted(state.streams)
        for write in state.stream(identity).pending
    ]
    owed = [
        (identity, stream.trailer)
        for identity in sorted(state.streams)
        for stream in (state.stream(identity),)
        if stream.trailer is not None
        and stream.trailer.process == state.process
        and not any(w.process == state.process for i, w in lost if i in _above(state, identity))
    ]
    kept_otherwise = _survivors(m, state, process, lost) if node is not None else set()
    for identity, write in [*lost, *owed]:
        stream = state.stream(identity)
        if stream.std and not std:
            continue
        m.log.losses.append(
            Loss(
                write,
                stream,
                state.process,
                how,
                node,
                _hand_over_of(state, process, identity),
                (identity, write) in kept_otherwise,
                stream.std,
                state.facts.copy(),
                trailer=(identity, write) in owed,
            )
        )


def _above(state: State, identity: int) -> set[int]:
    """Return a stream and the streams that are built on it, or that it is built on."""
    return {
        other
        for other in state.streams
        if identity in streams.layers(state, other) or other in streams.layers(state, identity)
    }


def _survivors(
    m: Machine,
    state: State,
    process: Process,
    lost: list[tuple[int, object]],
) -> set[tuple[int, object]]:
    """Return the writes that would be kept if the process left the clean way instead."""
    if process.kind != "process" or process.method == "spawn":
        return set(lost)
    left = state.copy()
    while len(left.frames) > process.depth:
        m.drop_frame(left)
    del left.stack[process.height + 1 :]
    left.signal, left.handling = None, ()
    quiet = type(m.log)()
    from flushlint.machine.lifetime import collect

    collect(quiet, left)
    _flush_standard_streams(m, left)
    remaining = {
        (identity, write) for identity in left.streams for write in left.stream(identity).pending
    }
    return {item for item in lost if item not in remaining}


def _hand_over_of(state: State, process: Process, identity: int) -> HandOver | None:
    """Return the expression through which the child got at a stream."""
    for hand_over in process.hand_overs:
        value = hand_over.value
        if isinstance(value, Bound):
            instance = state.look(Instance, value.receiver)
            if instance is not None and is_process(state, instance):
                continue
        if identity in state.reach([value], through_classes=False):
            return hand_over
    return None


def escape(m: Machine, state: State, reached: set[int], node: cst.CSTNode) -> list[State]:
    """Start the processes that unknown code gets hold of: it may do so."""
    states = [state]
    for identity in sorted(reached):
        obj = state.heap.get(identity)
        if not isinstance(obj, Instance) or "%started" in obj.attributes:
            continue
        if "%target" in obj.attributes and is_process(state, obj):
            again: list[State] = []
            for current in states:
                for after in start(m, current, Ref(identity), Arguments(node, [])):
                    after.pop()
                    again.append(after)
            states = again
    return states
