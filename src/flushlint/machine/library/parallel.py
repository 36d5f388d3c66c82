"""`joblib.Parallel` and `torch.multiprocessing.spawn`: calls that start processes themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.knowledge.processes import PROCESS_STARTERS, PROCESS_TYPES
from flushlint.machine import calls, workers
from flushlint.machine.calls import Arguments, library, method
from flushlint.machine.iteration import iterate
from flushlint.machine.library.threads import attribute, keep, run_apart
from flushlint.machine.log import HandOver
from flushlint.machine.objects import Env, Function, Instance, Mapping, Sequence
from flushlint.machine.pickling import pickled, unpicklable
from flushlint.machine.processes import argument_node, expressions, start_method
from flushlint.machine.spawners import start_process
from flushlint.machine.values import NONE, Const, Ext, Ref, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []

_PARALLEL = "joblib.Parallel"
_DELAYED = "joblib.%delayed"
_IN_PROCESS = ("threading", "sequential")


@library("joblib.delayed")
def _delayed(m: Machine, state: State, arguments: Arguments) -> list[State]:
    function = arguments.get(0, "function") or NONE
    made = Instance(Ext(_DELAYED), {"function": function}, arguments.node)
    return [state.push(m.new(state, arguments.node, made, "delayed"))]


@method(_DELAYED, "__call__")
def _delay(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`delayed(f)(x)`: the function and its arguments, for later."""
    args = m.new(state, arguments.node, Sequence("tuple", list(arguments.positional)), "args")
    named = m.new(state, arguments.node, Mapping(dict(arguments.keywords.items())), "kwargs")
    task = Sequence("tuple", [attribute(state, receiver, "function"), args, named])
    return [state.push(m.new(state, arguments.node, task, "task"))]


@method(_PARALLEL, "__init__")
def _make(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    values = {
        "%jobs": arguments.get(0, "n_jobs"),
        "%backend": arguments.get(1, "backend"),
        "%prefer": arguments.keywords.get("prefer"),
        "%require": arguments.keywords.get("require"),
    }
    keep(state, receiver, values)
    return [state.push(NONE)]


@method(_PARALLEL, "__enter__")
def _enter(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(receiver)]


@method(_PARALLEL, "__exit__")
def _leave(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(NONE)]


def _backend(state: State, receiver: Value) -> str | None:
    """Return where the calls run; None where that is open. One job is no process."""
    jobs, backend, prefer, require = (
        attribute(state, receiver, name) for name in ("%jobs", "%backend", "%prefer", "%require")
    )
    if jobs in (NONE, Const(1)):
        return "sequential"
    if prefer == Const("threads") or require == Const("sharedmem"):
        return "threading"
    if backend == NONE:
        return "loky"
    return str(backend.value) if isinstance(backend, Const) else None


@method(_PARALLEL, "__call__")
def _call(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`Parallel(...)(tasks)` runs all of them and waits."""
    assert isinstance(receiver, Ref)
    iterable = arguments.get(0, "iterable") or NONE
    found: list[State] = []
    for after in calls.call(m, state, Ext("builtins.list"), Arguments(arguments.node, [iterable])):
        tasks = after.look(Sequence, after.pop())
        rows = [] if tasks is None else [after.look(Sequence, item) for item in tasks.items]
        given = [_task(after, row, arguments) for row in rows if row and len(row.items) == 3]
        backend = _backend(after, receiver)
        if backend in _IN_PROCESS:
            found += _run_here(m, after, given)
        elif backend == "multiprocessing":
            found += _run_in_pool(m, after, receiver, given, arguments)
        elif backend == "loky":
            found += _run_in_loky(m, after, given, arguments)
        else:
            found.append(after)
    for after in found:
        m.may_raise(after, None, arguments.node)
        results = Sequence("list", [m.unknown()], exact=False)
        after.push(m.new(after, arguments.node, results, "results"))
    return found


def _task(state: State, row: Sequence, arguments: Arguments) -> tuple[Value, Arguments]:
    function, args, kwargs = row.items
    given, named = state.look(Sequence, args), state.look(Mapping, kwargs)
    keywords = {} if named is None else {str(k): v for k, v in named.entries.items()}
    return function, Arguments(arguments.node, [] if given is None else list(given.items), keywords)


def _run_here(m: Machine, state: State, tasks: list[tuple[Value, Arguments]]) -> list[State]:
    states = [state]
    for function, given in tasks:
        again = [after for s in states for after in run_apart(m, s, function, given)]
        for after in again:
            after.pop()
        states = m.join(again)
    return states


def _run_in_pool(
    m: Machine,
    state: State,
    receiver: Ref,
    tasks: list[tuple[Value, Arguments]],
    arguments: Arguments,
) -> list[State]:
    """Make a pool for the call, and terminate it when all is done."""
    how, chosen = start_method(m, state)
    plan = workers.Plan(arguments.node, how, chosen)
    if not workers.start_crew(m, state, receiver, plan, arguments.node):
        return []
    sending = workers.send(m, state, receiver, tasks, _hand_overs(tasks, arguments))
    workers.end_crew(m, state, receiver, "terminated")
    if not sending.done:
        calls.stop(m, state, arguments.node, "TypeError", sending.notes)
        return []
    return [state]


def _run_in_loky(
    m: Machine, state: State, tasks: list[tuple[Value, Arguments]], arguments: Arguments
) -> list[State]:
    """Loky starts processes of its own kind, which end as programs do.

    It takes files along that are read, and none that are written. With the functions of the
    main module it sends the globals that they use.
    """
    handed = _hand_overs(tasks, arguments)
    handed += [
        HandOver(handed[0].node, value, own=True)
        for function, _ in tasks
        for value in _globals_of(state, function)
    ]
    written = [
        hand_over
        for hand_over in handed
        if (stream := unpicklable(state, hand_over.value)) is not None and stream.writable
    ]
    notes = pickled(m, state, written, m.log.processes[state.process], "task")
    if notes:
        calls.stop(m, state, arguments.node, "TypeError", notes)
        return []
    return [state]


def _globals_of(state: State, function: Value) -> list[Value]:
    """Return the globals that a function uses, and the functions that it calls."""
    found: dict[Value, None] = {}
    todo = [function]
    while todo:
        obj = state.look(Function, todo.pop())
        if obj is None or obj.module != state.frames[0].module:
            continue
        module = state.heap[obj.module]
        assert isinstance(module, Env)
        for name in sorted(obj.scope.used - obj.scope.bound):
            value = module.variables.get(name)
            if value is not None and value not in found:
                found[value] = None
                todo.append(value)
    return list(found)


def _hand_overs(tasks: list[tuple[Value, Arguments]], arguments: Arguments) -> list[HandOver]:
    node = arguments.nodes[0] if arguments.nodes else arguments.node
    return [HandOver(node, v, own=True) for f, given in tasks for v in (f, *given.values())]


def _starter(name: str, method_at: int) -> None:
    @library(name)
    def handler(m: Machine, state: State, arguments: Arguments) -> list[State]:
        """`spawn(fn, args, nprocs, join, daemon, start_method)` calls `fn(i, *args)`."""
        how = arguments.get(method_at, "start_method") or Const("spawn")
        kinds = [kind for kind, fixed in PROCESS_TYPES.items() if Const(fixed) == how]
        if not kinds:
            return calls.unknown_call(m, state, arguments, external=name)
        given = iterate(m, state, arguments.get(1, "args") or NONE)
        args = Sequence("tuple", [m.unknown(), *given.items], exact=given.exact)
        keywords = {
            "target": arguments.get(0, "fn") or NONE,
            "args": m.new(state, arguments.node, args, "args"),
        }
        inner = Arguments(arguments.node, [], keywords)
        return start_process(m, state, kinds[0], inner, _hand_overs_of_call(state, arguments))


def _hand_overs_of_call(state: State, arguments: Arguments) -> tuple[HandOver, ...]:
    """What the child is given stands in the program's own call."""
    given: list[HandOver] = []
    for index, name in ((0, "fn"), (1, "args")):
        value = arguments.get(index, name)
        if value is not None:
            node = argument_node(arguments, index, name)
            given += expressions(state, node, value, own=index > 0)
    return tuple(given)


for _name, _position in PROCESS_STARTERS.items():
    _starter(_name, _position)
