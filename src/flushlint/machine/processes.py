"""Process objects: creating them, and starting them by any start method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from flushlint.knowledge.processes import (
    PROCESS_TYPES,
    default_start_method,
)
from flushlint.machine import calls, classes, killing, locks
from flushlint.machine.calls import Arguments, derive, method
from flushlint.machine.cleanups import run_cleanups
from flushlint.machine.ends import end_interpreter, flush_standard_streams, lose
from flushlint.machine.forking import fork
from flushlint.machine.library.threads import spread
from flushlint.machine.log import Failure, HandOver, Process
from flushlint.machine.modules import load_for
from flushlint.machine.objects import Class, Function, Instance, Mapping, Sequence
from flushlint.machine.pickling import own_pickles, pickles, restore
from flushlint.machine.spawning import (
    block,
    end_by_exception,
    enlist,
    noting_truncations,
    receive,
)
from flushlint.machine.state import UNSEEN
from flushlint.machine.unsendable import unsendable, would_write
from flushlint.machine.values import NONE, Bound, Const, Ext, Ref, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.spawning import Import
    from flushlint.machine.state import State

__all__ = [
    "apart_from_parent",
    "argument_node",
    "end_unseen",
    "escape",
    "expressions",
    "leave_child",
    "start",
    "start_method",
]

_PROCESS = "multiprocessing.Process"

for _name in PROCESS_TYPES:
    if _name != _PROCESS:
        derive(_name, _PROCESS)


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
    if arguments.keywords.get("daemon", NONE) != NONE:
        attributes["daemon"] = arguments.keywords["daemon"]
    found: list[HandOver] = []
    for index, name, value in ((1, "target", target), (3, "args", args), (4, "kwargs", kwargs)):
        if value is not None:
            node = argument_node(arguments, index, name)
            found += expressions(state, node, value, own=name != "target")
    attributes["%hand-overs"] = Const(tuple(found))
    return [state.push(NONE)]


def argument_node(arguments: Arguments, index: int, name: str) -> cst.CSTNode:
    """Return the expression of an argument, the call itself where it has none."""
    node = arguments.node
    if isinstance(node, cst.Call):
        for argument in node.args:
            if argument.keyword is not None and argument.keyword.value == name:
                return argument.value
    if index < len(arguments.nodes) and name not in arguments.keywords:
        return arguments.nodes[index]
    return node


def expressions(state: State, node: cst.CSTNode, value: Value, *, own: bool) -> Iterable[HandOver]:
    """Take displays apart, so that each file is found at its own expression."""
    if isinstance(node, (cst.Tuple, cst.List)):
        sequence = state.look(Sequence, value)
        starred = any(isinstance(e, cst.StarredElement) for e in node.elements)
        if sequence is not None and len(sequence.items) == len(node.elements) and not starred:
            for element, item in zip(node.elements, sequence.items, strict=True):
                yield from expressions(state, element.value, item, own=own)
            return
    if isinstance(node, cst.Dict):
        mapping = state.look(Mapping, value)
        if mapping is not None and len(mapping.entries) == len(node.elements):
            for part, item in zip(node.elements, mapping.entries.values(), strict=True):
                yield from expressions(state, part.value, item, own=own)
            return
    yield HandOver(node, value, own)


@method(_PROCESS, "join")
def _join(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """A joined process is no longer kept by `multiprocessing` itself."""
    locks.joined(state, receiver)
    timed = arguments.get(0, "timeout") not in (None, NONE)
    found = [*killing.halt(m, state, arguments.node), state]
    for after in found:
        killing.joined(m, after, receiver, timed=timed)
        after.push(NONE)
    return found


@method(_PROCESS, "close")
def _close(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """Only a process that has ended can be closed."""
    killing.joined(m, state, receiver, timed=False)
    return [state.push(NONE)]


@method(_PROCESS, "run")
def _run(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`run()` called directly runs in the calling process."""
    instance = state.look(Instance, receiver)
    target = NONE if instance is None else instance.attributes.get("%target", NONE)
    if target == NONE:
        return [state.push(NONE)]
    return calls.call(m, state, target, spread(m, state, receiver, arguments))


# -- starting ------------------------------------------------------------------------------------


def _own_start_method(m: Machine, state: State, instance: Instance) -> tuple[str, bool]:
    """Return the start method of a process, and whether somebody chose it."""
    for name in classes.external_bases(state, instance.cls):
        fixed = PROCESS_TYPES.get(name)
        if fixed is not None:
            return fixed, True
    return start_method(m, state)


def start_method(m: Machine, state: State) -> tuple[str, bool]:
    """Return the start method in force, and whether the program or the configuration chose it."""
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
    flush_standard_streams(m, state)
    how, chosen = _own_start_method(m, state, instance)
    state.edit(Instance, receiver.id).attributes["%started"] = Const(value=True)
    if receiver not in state.roots:
        state.roots = (*state.roots, receiver)
    found: list[State] = []
    for branch, hand_overs in _hand_overs(m, state, instance):
        process = Process(
            0, "process", _title(branch, receiver), branch.process, arguments.node, how,
            chosen, hand_overs, receiver.id,
        )  # fmt: skip
        if how == "fork":
            child = fork(m, branch, process, arguments.node)
            _run_child(m, child, receiver, arguments)
        elif not _spawn(m, branch, process, receiver, arguments):
            continue
        killing.renew(branch, process.id)
        values = branch.edit(Instance, receiver.id).attributes
        values[killing.NUMBER] = Const(process.id)
        values["pid"] = values["ident"] = killing.pid_of(process.id)
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


def _title(state: State, receiver: Value) -> str:
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


def apart_from_parent(
    m: Machine, action: Callable[[list[State]], list[State]], child: State
) -> tuple[list[State], list[State]]:
    """Run something in a child: no handler of the parent sees what it raises."""
    handlers, m.handlers = m.handlers, 0
    beside, m.beside = m.beside, 0
    try:
        return m.captured(action, [child])
    finally:
        m.handlers, m.beside = handlers, beside


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

    normal, abrupt = apart_from_parent(m, action, child)
    for state in abrupt:
        if state.signal is not None and state.signal.implicit:
            end_unseen(state)
        else:
            end_by_exception(m, state)
        state.signal = None
        normal.append(state)
    for state in normal:
        del state.stack[height:]
        state.dirty = True
    for state in m.join(normal):
        leave_child(m, state)


def end_unseen(state: State) -> None:
    """Mark a path that nobody shows: what is lost by its exception is noted apart."""
    assert state.signal is not None
    state.facts[UNSEEN] = True
    state.handling = (*state.handling, state.signal._replace(value=None))
    state.signal = None


def leave_child(m: Machine, state: State) -> None:
    """Leave a child the clean way: finalizers, standard streams, then `os._exit`."""
    from flushlint.machine.workers import end_all  # whose workers end as children do

    process = m.log.enclosing(state.process)
    m.collect(state)
    if killing.stays(m, state, process.start or m.module):
        return
    killing.part(m, state, exits=True)
    for after in run_cleanups(m, state):
        m.collect(after)
        end_all(m, after)
        flush_standard_streams(m, after)
        if process.method == "spawn":
            end_interpreter(m, after)
        else:
            # What is pending in them now was written before they were bound to something else.
            lose(m, after, "return", None, std=True)


def _spawn(m: Machine, state: State, process: Process, receiver: Ref, arguments: Arguments) -> bool:
    """Start a child that imports the main module; say whether that raises nothing."""
    instance = state.look(Instance, receiver)
    assert instance is not None
    assert process.method is not None
    node = arguments.node
    if block(m, state, node, "start on import"):
        return False
    notes = pickles(m, state, process, instance, receiver)
    if notes:
        calls.stop(m, state, node, "TypeError", notes)
        return False
    if m.spawn_base is None:
        return True
    imported = m.spawn_base(process.method, state.start_method)
    failure = unsendable(m, state, process, instance, imported.states)
    before, known = state.copy(), len(m.log.failures)
    if failure is None:
        m.log.failures += [Failure(kind, at, process) for at, kind in imported.blocked.items()]
        _run_spawned(m, state, process, receiver, arguments, imported)
    else:
        m.log.failures.append(failure)
    found = m.log.failures[known:]
    if not all(one.proven for one in found) and not would_write(
        m, before, process, lambda child: _run_child(m, child, receiver, arguments)
    ):
        m.log.failures[known:] = [one for one in found if one.proven]
    if failure is not None and failure.kind != "guarded target":
        error = "TypeError" if failure.kind == "unpicklable" else "AttributeError"
        calls.stop(m, state, node, error, (failure,))
        return False
    return True


def _run_spawned(
    m: Machine,
    state: State,
    process: Process,
    receiver: Ref,
    arguments: Arguments,
    imported: Import,
) -> None:
    """Run a child that has imported the main module and is sent a pickled copy of the rest."""
    sender = state.copy()
    pickled = own_pickles(m, sender, receiver, arguments.node)
    enlist(m, state, process, arguments.node)
    sent = sender.reach([receiver, *pickled.values()])
    for base in imported.states:
        made = base.copy()
        m.log.given.pop(process.id, None)
        process.depth, process.height = len(made.frames), len(made.stack)
        receive(m, sender, made, process, imported)
        with noting_truncations(m, sender, process):
            children = load_for(m, made, sender, sent)
        for child in children:
            for identity in sent:
                if identity not in child.heap:
                    child.heap[identity] = sender.heap[identity]
                    child.epoch.changed.add(identity)
            child.edit(Instance, receiver.id)
            for restored in restore(m, child, receiver, pickled, arguments.node):
                _run_child(m, restored, receiver, arguments)
    state.reached |= m.log.outputs.get(process.id, set())


def escape(m: Machine, state: State, reached: set[int], node: cst.CSTNode) -> list[State]:
    """Start the processes that unknown code gets hold of: it may do so."""
    states = [state]
    for identity in sorted(reached):
        obj = state.heap.get(identity)
        if not isinstance(obj, Instance) or "%started" in obj.attributes:
            continue
        if "%target" in obj.attributes and classes.is_process(state, obj):
            again: list[State] = []
            for current in states:
                for after in start(m, current, Ref(identity), Arguments(node, [])):
                    after.pop()
                    again.append(after)
            states = again
    return states
