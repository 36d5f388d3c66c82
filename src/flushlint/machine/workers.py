"""Workers: the processes of a pool or an executor, from their start to their end.

All workers of a pool are one abstract process. It runs the initializer, then any number of
tasks, then it ends. Its state is kept beside that of the process that made the pool: a task
that is submitted later runs there, with a copy of its arguments, and nothing comes back but
that the task is done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from flushlint.machine import calls, killing, locks
from flushlint.machine.calls import Arguments
from flushlint.machine.ends import end_interpreter, flush_standard_streams, lose
from flushlint.machine.forking import fork
from flushlint.machine.joining import join
from flushlint.machine.log import Failure, HandOver, Process
from flushlint.machine.objects import Sequence
from flushlint.machine.pickling import pickled, sendable, sent
from flushlint.machine.processes import apart_from_parent, end_unseen, expressions, leave_child
from flushlint.machine.spawning import Import, block, end_by_exception, enlist, receive
from flushlint.machine.state import EXCEPTED
from flushlint.machine.unsendable import would_write
from flushlint.machine.values import NONE, Ref, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    import libcst as cst

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.joining import Fresh
    from flushlint.machine.log import Pickled
    from flushlint.machine.state import State

__all__ = [
    "Crew",
    "Ending",
    "Plan",
    "Sending",
    "end_all",
    "end_crew",
    "lacks_workers",
    "promise",
    "send",
    "start_crew",
    "wait_for",
]

Ending: TypeAlias = Literal["clean", "terminated"]
_MOST_STATES = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """How the workers of a pool are started: start method, initializer, and what it is given.

    `hand_overs` are the expressions of the initial arguments, `initial` that of the initializer.
    `alone` says that there is one worker, which runs every task, `renewed` that workers are
    replaced after some tasks, `dill` that nearly everything can be sent to them. `left_open` is
    how a pool ends that the program does not end.
    """

    node: cst.CSTNode
    method: str
    chosen: bool
    initializer: Value = NONE
    initargs: tuple[Value, ...] = ()
    hand_overs: tuple[HandOver, ...] = ()
    initial: tuple[HandOver, ...] = ()
    alone: bool = False
    renewed: bool = False
    dill: bool = False
    left_open: Ending = "terminated"


@dataclass(frozen=True, slots=True)
class Crew:
    """The workers of a pool: the states of those that have run no task yet, and of the rest.

    `awaited` are the futures of tasks for which nobody has waited so far, `failures` what keeps
    the workers from starting at all.
    """

    plan: Plan
    process: int
    idle: tuple[State, ...] = ()
    worked: tuple[State, ...] = ()
    awaited: frozenset[Value] = frozenset()
    failures: tuple[Failure, ...] = ()

    @property
    def grows(self) -> bool:
        """Say whether the next task may be run by a worker that is started for it."""
        return self.plan.method == "fork" and self.plan.renewed

    def is_busy(self, state: State) -> bool:
        """Say whether some task is sure to go on: its result was not asked for."""
        for future in self.awaited:
            results = state.look(Sequence, future)
            if results is None or results.items or not results.exact:
                return True
        return False

    def merged(self, other: Crew, fresh: Fresh) -> Crew:
        """Return workers that are in the states of either."""
        if self is other:
            return self
        idle = _united(self.idle, other.idle, fresh)
        worked = _united(self.worked, other.worked, fresh)
        return replace(self, idle=idle, worked=worked, awaited=self.awaited | other.awaited)


def _united(some: tuple[State, ...], others: tuple[State, ...], fresh: Fresh) -> tuple[State, ...]:
    new = [state for state in others if not any(state is known for known in some)]
    if not new:
        return some
    return tuple(join([state.copy() for state in (*some, *new)], fresh)[:_MOST_STATES])


# -- start --------------------------------------------------------------------------------------


def start_crew(m: Machine, state: State, pool: Ref, plan: Plan, node: cst.CSTNode) -> bool:
    """Start the workers of a pool, by the call `node`; say whether that raises nothing.

    The initial arguments are inherited under fork, and pickled otherwise.
    """
    m.log.boundaries += 1
    flush_standard_streams(m, state)
    process = Process(
        0, "worker", "worker", state.process, plan.node, plan.method, plan.chosen, plan.hand_overs
    )
    failures: tuple[Failure, ...] = ()
    if plan.method == "fork":
        children = [_forked(m, state, process, plan)]
    elif _is_refused(m, state, process, plan, node):
        return False
    else:
        imported = _import(m, state, process, plan)
        failures = tuple(Failure(kind, at, process) for at, kind in imported.blocked.items())
        children = _spawned(m, state, process, plan, imported)
    crew = Crew(plan, process.id, failures=failures)
    idle: list[State] = []
    for child, values in children:
        idle += _initialised(m, child, plan, values)
    ready = replace(crew, idle=tuple(m.join(idle)[:_MOST_STATES]))
    known = state.workers.get(pool.id)
    crew = ready if known is None else known.merged(ready, m.fresh)
    state.workers = {**state.workers, pool.id: crew}
    if pool not in state.roots:
        state.roots = (*state.roots, pool)
    return True


def _is_refused(m: Machine, state: State, process: Process, plan: Plan, node: cst.CSTNode) -> bool:
    """Raise what starting a worker raises: under import, or for an open file to be pickled."""
    if block(m, state, node, "start on import"):
        return True
    notes = pickled(m, state, (*plan.hand_overs, *plan.initial), process, "start")
    if notes:
        calls.stop(m, state, node, "TypeError", notes)
    return bool(notes)


def _forked(m: Machine, state: State, process: Process, plan: Plan) -> tuple[State, list[Value]]:
    child = fork(m, state, process, plan.node)
    child.workers = {}
    if not plan.alone:
        locks.several(m, child)
    return child, [plan.initializer, *plan.initargs]


def _import(m: Machine, state: State, process: Process, plan: Plan) -> Import:
    """Let a worker import the main module."""
    enlist(m, state, process, plan.node)
    return Import() if m.spawn_base is None else m.spawn_base(plan.method, state.start_method)


def _spawned(
    m: Machine, state: State, process: Process, plan: Plan, imported: Import
) -> list[tuple[State, list[Value]]]:
    """Send a worker that has imported the main module what it begins with."""
    found: list[tuple[State, list[Value]]] = []
    for base in imported.states:
        child = base.copy()
        process.depth, process.height = len(child.frames), len(child.stack)
        receive(m, state, child, process, imported)
        values = [plan.initializer, *plan.initargs]
        found.append((child, sent(m, state, child, values, plan.node)))
    return found


def _initialised(m: Machine, child: State, plan: Plan, values: list[Value]) -> list[State]:
    initializer, *initargs = values
    if initializer == NONE:
        return [child]

    def action(states: list[State]) -> list[State]:
        return calls.call(m, states[0], initializer, Arguments(plan.node, initargs))

    return _run(m, child, action)


# -- tasks --------------------------------------------------------------------------------------


class Sending(NamedTuple):
    """How it went to send tasks: all of them, or none, and then what the log says of it.

    `raised` says that the call itself has raised, since no worker can be started.
    """

    done: bool
    notes: tuple[Pickled, ...] = ()
    raised: bool = False


def lacks_workers(state: State, pool: Ref) -> bool:
    """Say whether the next task needs a worker that is not there."""
    crew = state.workers.get(pool.id)
    return crew is None or crew.grows


def send(
    m: Machine,
    state: State,
    pool: Ref,
    tasks: list[tuple[Value, Arguments]],
    hand_overs: list[HandOver],
) -> Sending:
    """Run tasks in the workers of a pool, if they can be sent there.

    `hand_overs` are the expressions by which the program hands something to them.
    """
    crew = state.workers.get(pool.id)
    process = m.log.processes[0 if crew is None else crew.process]
    if crew is None or not crew.plan.dill:
        parts = (
            part for h in hand_overs for part in expressions(state, h.node, h.value, own=h.own)
        )
        notes = pickled(m, state, parts, process, "task")
        values = [value for function, given in tasks for value in (function, *given.values())]
        if notes or not all(sendable(state, value) for value in values):
            return Sending(done=False, notes=notes)
    _run_tasks(m, state, pool, tasks)
    return Sending(done=True)


def _run_tasks(m: Machine, state: State, pool: Ref, tasks: list[tuple[Value, Arguments]]) -> None:
    """Run tasks in the workers of a pool: all of them in one worker, or each in any."""
    crew = state.workers.get(pool.id)
    if crew is None:
        return
    if crew.failures and _would_write(m, state, crew, tasks):
        m.log.failures += crew.failures
        crew = replace(crew, failures=())
    for function, arguments in tasks:
        before = crew.worked or crew.idle if crew.plan.alone else (*crew.worked, *crew.idle)
        after: list[State] = []
        for worker in before:
            if _may_meet(worker, state):
                after += _run_task(m, state, worker.copy(), function, arguments)
        worked = tuple(m.join(after)[:_MOST_STATES])
        if not crew.plan.alone:
            worked = _united(crew.worked, worked, m.fresh)
        crew = replace(crew, worked=worked)
    state.reached |= m.log.outputs.get(crew.process, set())
    state.workers = {**state.workers, pool.id: crew}


def _would_write(
    m: Machine, state: State, crew: Crew, tasks: list[tuple[Value, Arguments]]
) -> bool:
    """Say whether a worker would write to a file if it could be started."""

    def rehearse(child: State) -> None:
        values = [crew.plan.initializer, *crew.plan.initargs]
        for ready in _initialised(m, child, crew.plan, values):
            for function, arguments in tasks:
                for after in _run_task(m, state, ready.copy(), function, arguments):
                    lose(m, after, "return", None, std=False)

    return would_write(m, state, m.log.processes[crew.process], rehearse)


def _may_meet(worker: State, state: State) -> bool:
    """Say whether a worker and its parent may be in these states in one run."""
    facts = state.facts
    return all(facts.get(key, value) == value for key, value in worker.facts.items())


def _run_task(
    m: Machine, state: State, worker: State, function: Value, arguments: Arguments
) -> list[State]:
    values = [function, *arguments.positional, *arguments.keywords.values(), *arguments.rest]
    task, *rest = sent(m, state, worker, values, arguments.node)
    count = len(arguments.positional)
    names = list(arguments.keywords)
    given = Arguments(
        arguments.node,
        rest[:count],
        dict(zip(names, rest[count:], strict=False)),
        arguments.nodes,
        arguments.open,
        rest[count + len(names) :],
    )
    return _run(m, worker, lambda states: calls.call(m, states[0], task, given))


def _run(m: Machine, worker: State, action: Callable[[list[State]], list[State]]) -> list[State]:
    """Run something in a worker, which goes on when it raises."""
    height = len(worker.stack)
    normal, abrupt = apart_from_parent(m, action, worker)
    for state in abrupt:
        if state.signal is not None and not state.signal.implicit:
            end_by_exception(m, state)
            state.signal = None
            normal.append(state)
        else:
            _end_unseen(m, state, height)
    for state in normal:
        del state.stack[height:]
        state.dirty = True
        m.collect(state)
    return m.join(normal)


def promise(state: State, pool: Ref, future: Value) -> None:
    """Note that a task goes on while nobody waits for its result."""
    crew = state.workers.get(pool.id)
    if crew is not None:
        awaited = crew.awaited | {future}
        state.workers = {**state.workers, pool.id: replace(crew, awaited=awaited)}


def wait_for(state: State, futures: set[Value]) -> None:
    """Note that the tasks of these futures are done."""
    for pool, crew in state.workers.items():
        if not crew.awaited.isdisjoint(futures):
            done = replace(crew, awaited=crew.awaited - futures)
            state.workers = {**state.workers, pool: done}


def _end_unseen(m: Machine, worker: State, height: int) -> None:
    """See what would be lost if this exception, which nobody shows, came in the last task."""
    end_unseen(worker)
    del worker.stack[height:]
    worker.dirty = True
    leave_child(m, worker)


# -- end ----------------------------------------------------------------------------------------


def end_crew(
    m: Machine, state: State, pool: Ref, ending: Ending, node: cst.CSTNode | None = None
) -> None:
    """End the workers of a pool, and see what is left in their buffers.

    If they are terminated, one may stand in the midst of a task that nobody waits for; `node` is
    what does it, the end of the parent if there is none.
    """
    crew = state.workers.get(pool.id)
    if crew is None:
        return
    if ending == "terminated" and crew.is_busy(state):
        killing.killed(m, state, crew.process, node, conditional=EXCEPTED in state.facts)
    state.workers = {key: value for key, value in state.workers.items() if key != pool.id}
    locks.dismissed(state, crew.process)
    state.roots = tuple(root for root in state.roots if root != pool)
    state.dirty = True
    for worker in crew.worked or crew.idle:
        if not _may_meet(worker, state):
            continue
        left = worker.copy()
        left.facts = {**state.facts, **left.facts}
        if ending == "clean":
            leave_child(m, left)
        elif crew.plan.method == "spawn":
            end_interpreter(m, left)  # what comes first, its end or the signal, is open
        else:
            m.collect(left)
            lose(m, left, "signal", None, std=False)


def end_all(m: Machine, state: State) -> None:
    """End the workers of the pools that a process leaves open when it ends itself."""
    for pool, crew in list(state.workers.items()):
        end_crew(m, state, Ref(pool), crew.plan.left_open)
