"""Threads and thread pools: their targets run as calls in the process they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine import calls, classes, killing
from flushlint.machine.calls import Arguments, called, derive, library, method
from flushlint.machine.ends import lose
from flushlint.machine.iteration import iterate
from flushlint.machine.objects import Instance, Mapping, Sequence
from flushlint.machine.spawning import end_by_exception
from flushlint.machine.values import NONE, Const, Ext, Ref, Value

if TYPE_CHECKING:
    import libcst as cst

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__ = [
    "CANCELLED",
    "apart",
    "attribute",
    "future",
    "keep",
    "put",
    "run_apart",
    "spread",
    "synchronised",
    "wait",
]

_THREAD = "threading.Thread"
_CONTEXT_VARIABLE = Ext("contextvars.ContextVar")
_LOCAL = "threading.local"
CANCELLED = "is cancelled"
"""The fact that tells the state of a task that is cancelled where it waits."""


def keep(state: State, receiver: Value, values: dict[str, Value | None]) -> None:
    """Keep what a library object was given, as attributes that the program can't name."""
    assert isinstance(receiver, Ref)
    attributes = state.edit(Instance, receiver.id).attributes
    attributes.update({name: value for name, value in values.items() if value is not None})


def attribute(state: State, receiver: Value, name: str) -> Value:
    """Return what `keep` kept, None's value where it kept nothing."""
    instance = state.look(Instance, receiver)
    return NONE if instance is None else instance.attributes.get(name, NONE)


@method(_THREAD, "__init__")
def _make(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    values = {
        "%target": arguments.get(1, "target"),
        "%args": arguments.get(3, "args"),
        "%kwargs": arguments.get(4, "kwargs"),
        "daemon": arguments.keywords.get("daemon"),
    }
    keep(state, receiver, values)
    return [state.push(NONE)]


@method("threading.Timer", "__init__")
def _make_timer(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    values = {
        "%target": arguments.get(1, "function"),
        "%args": arguments.get(2, "args"),
        "%kwargs": arguments.get(3, "kwargs"),
    }
    keep(state, receiver, values)
    return [state.push(NONE)]


derive("threading.Timer", _THREAD)


def spread(m: Machine, state: State, receiver: Value, node: Arguments) -> Arguments:
    """Return the arguments that a thread or process object passes to its target."""
    args = iterate(m, state, attribute(state, receiver, "%args"))
    keywords: dict[str, Value] = {}
    mapping = state.look(Mapping, attribute(state, receiver, "%kwargs"))
    if mapping is not None:
        keywords = {str(k): v for k, v in mapping.entries.items()}
    given = args.items if args.exact else []
    rest = [] if args.exact else list(args.items)
    return Arguments(node.node, list(given), keywords, open=not args.exact, rest=rest)


def run_apart(
    m: Machine, state: State, function: Value, arguments: Arguments, *, daemon: Ref | None = None
) -> list[State]:
    """Run a target as a call: what it raises ends the thread, not the process.

    `daemon` is the thread object of one that no end of a process waits for.
    """
    handlers, m.handlers = m.handlers, 0
    stuck, m.stuck = m.stuck, []
    waiting, m.waiting = m.waiting, None if daemon is None else []
    m.beside += 1
    written, m.written_before = m.written_before, killing.pending(state)

    def action(states: list[State]) -> list[State]:
        return calls.call(m, states[0], function, arguments)

    height, depth = len(state.stack), len(state.frames)
    before = state.copy()
    kept = _swap_locals(state, {})
    try:
        normal, abrupt = m.captured(action, [state])
        never = next((s for s in m.stuck if len(s.frames) > depth), before)
        halted = m.join([s for s in m.waiting or [] if s.process == before.process])
    finally:
        m.handlers, m.stuck, m.waiting = handlers, stuck, waiting
        m.beside -= 1
        m.written_before = written
    for after in abrupt:
        if after.signal is not None and after.signal.implicit:
            continue
        end_by_exception(m, after)
        after.signal = None
        del after.stack[height:]
        after.dirty = True
        normal.append(after.push(m.unknown()))
    normal = _without_forked(m, normal, before.process, arguments)
    for after in normal:
        _swap_locals(after, kept)
    for waits in halted:
        waits.facts["waits", daemon] = waits.facts.pop("waits on", None)
        normal.append(_go_on_beside(m, waits, height, depth))
    if normal:
        return m.join(normal)
    if daemon is None:
        killing.stay(m, never)
    return [_go_on_beside(m, never, height, depth)]


def _swap_locals(state: State, values: dict[int, dict[str, Value]]) -> dict[int, dict[str, Value]]:
    """Give each `threading.local` what it holds in another thread; return what it held.

    So with a `ContextVar`, whose default is the same everywhere.
    """
    held: dict[int, dict[str, Value]] = {}
    for identity, obj in list(state.heap.items()):
        if not isinstance(obj, Instance):
            continue
        is_variable = obj.cls == _CONTEXT_VARIABLE
        if is_variable or classes.is_a(state, obj.cls, _LOCAL):
            held[identity] = obj.attributes
            kept = {k: v for k, v in obj.attributes.items() if is_variable and k == "%default"}
            state.edit(Instance, identity).attributes = dict(values.get(identity, kept))
            state.dirty = True
    return held


def _without_forked(
    m: Machine, states: list[State], process: int, arguments: Arguments
) -> list[State]:
    """End the processes that were forked in a thread: it is all that a fork copies of them."""
    found: list[State] = []
    for state in states:
        if state.process == process or m.log.processes[state.process].kind != "fork":
            found.append(state)
        else:
            lose(m, state, "thread", arguments.node, std=True)
    return found


def _go_on_beside(m: Machine, state: State, height: int, depth: int) -> State:
    """Go on beside a thread that never ends: its frames live as long as the process."""
    state.roots = (*state.roots, *(Ref(frame.env) for frame in state.frames[depth:]))
    del state.frames[depth:]
    del state.stack[height:]
    state.signal = None
    return state.push(m.unknown())


def wait(m: Machine, state: State, node: cst.CSTNode, on: Value | None = None) -> list[State]:
    """Note that the thread may wait here, on this queue, when its process ends.

    A task that waits on something may be cancelled there, as `asyncio.run` does at its end.
    Returns the states that go on, more than one where a signal may have been handled.
    """
    if m.cancellable and on is not None:
        cancelled = state.copy()
        cancelled.facts[CANCELLED] = True
        calls.stop(m, cancelled, node, "asyncio.CancelledError")
    if m.waiting is not None:
        halted = state.copy()
        halted.facts["waits on"] = on
        m.waiting.append(halted)
    return [*killing.halt(m, state, node, () if on is None else (on,)), state]


@method(_THREAD, "start", "run")
def _start(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    instance = state.look(Instance, receiver)
    assert isinstance(receiver, Ref)
    is_daemon = attribute(state, receiver, "daemon") == Const(value=True)
    daemon = receiver if is_daemon and called(arguments) == "start" else None
    own = instance and classes.class_attribute(state, instance.cls, "run")
    if own:
        return run_apart(m, state, own, Arguments(arguments.node, [receiver]), daemon=daemon)
    target = attribute(state, receiver, "%target")
    if target == NONE:
        return [state.push(NONE)]
    return run_apart(m, state, target, spread(m, state, receiver, arguments), daemon=daemon)


@method(_THREAD, "join")
def _join(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """A thread that waits for ever is never joined."""
    assert isinstance(receiver, Ref)
    is_timed = arguments.get(0, "timeout") not in (None, NONE)
    if not is_timed and ("waits", receiver) in state.facts:
        killing.wait_for_thread(m, state, arguments.node)
        return []
    found = killing.wait_for_thread(m, state, arguments.node)
    return [after.push(NONE) for after in found]


@method(_THREAD, "setDaemon")
def _set_daemon(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    keep(state, receiver, {"daemon": arguments.get(0, "daemonic")})
    return [state.push(NONE)]


def apart(kind: str, *names: str) -> None:
    """Register methods that touch no stream."""

    @method(kind, *names)
    def handler(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
        return [state.push(m.unknown())]


apart(_THREAD, "is_alive", "cancel", "setName", "getName", "isDaemon")

_LOCKS = (
    "Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition", "Event", "Barrier", "Value",
    "Array", "Queue", "SimpleQueue", "JoinableQueue", "Manager", "LifoQueue", "PriorityQueue",
    "local",
)  # fmt: skip


def synchronised(package: str, *words: str) -> None:
    """Register locks, queues and the like: a thread may wait for them."""
    for word in words:
        kind = f"{package}.{word}"
        apart(kind, "__init__", "acquire", "release", "set", "clear", "is_set", "notify",
              "notify_all", "put_nowait", "task_done", "join", "empty", "full", "qsize",
              "close", "join_thread", "cancel_join_thread", "get_lock", "get_obj", "send",
              "locked")  # fmt: skip
        method(kind, "__enter__")(_enter_lock)
        method(kind, "__exit__")(_leave_lock)
        method(kind, "get", "get_nowait", "recv", "wait")(_receive)
        method(kind, "put", "put_nowait")(put)
        method(kind, "__init__")(_make_lock)
        method(kind, "set", "notify", "notify_all")(_set)
        method(kind, "clear")(_clear)
        method(kind, "is_set", "empty", "full", "qsize")(_ask)
    for word in ("Queue", "JoinableQueue"):
        method(f"{package}.{word}", "task_done")(_task_done)
        method(f"{package}.{word}", "join")(_join_queue)
    for word in ("Semaphore", "BoundedSemaphore"):
        method(f"{package}.{word}", "release")(_set)
        method(f"{package}.{word}", "acquire")(_receive)


def _enter_lock(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(receiver)]


def _leave_lock(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(NONE)]


def put(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """A queue keeps what is put into it, but hands out a copy: it is no way to a stream.

    `None` is what tells a thread that waits on the queue to end.
    """
    item = arguments.get(0, "item")
    if item == NONE and receiver in _waited_for(state):
        return []
    killing.give(m, state, receiver)
    killing.put(m, state, receiver, item)
    return [state.push(NONE)]


def _make_lock(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    killing.make(state, receiver)
    return [state.push(NONE)]


def _set(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """Whoever waits for this goes on."""
    killing.give(m, state, receiver)
    killing.tell(state, receiver)
    return [state.push(NONE)]


def _clear(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    killing.untell(state, receiver)
    return [state.push(NONE)]


def _ask(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    killing.ask(m, state, receiver)
    return [state.push(m.unknown())]


def _task_done(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    killing.give(m, state, ("done", receiver))
    return [state.push(NONE)]


def _join_queue(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """Wait until every item has been said to be done."""
    killing.await_(m, state, ("done", receiver))
    return [state.push(NONE)]


def _waited_for(state: State) -> list[object]:
    """Return what threads wait on for ever."""
    return [
        value for key, value in state.facts.items() if isinstance(key, tuple) and key[0] == "waits"
    ]


def _receive(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    name = called(arguments)
    waits_for_ever = name != "get_nowait" and not arguments.values()
    if m.handlers or not (waits_for_ever or name == "wait"):
        m.may_raise(state, "queue.Empty", arguments.node)
    if name == "get_nowait":
        killing.ask(m, state, receiver)
        return [state.push(m.unknown())]
    found = wait(m, state, arguments.node, receiver)
    for after in found:
        killing.await_(m, after, receiver)
        after.push(m.unknown())
    return found


@library("time.sleep")
def _sleep(m: Machine, state: State, arguments: Arguments) -> list[State]:
    return [after.push(NONE) for after in wait(m, state, arguments.node)]


for _package in ("threading", "multiprocessing", "queue", "asyncio", "multiprocess", "billiard",
                 "torch.multiprocessing", "multiprocessing.dummy"):  # fmt: skip
    synchronised(_package, *_LOCKS)


# -- pools of threads ---------------------------------------------------------------------------

_EXECUTOR = "concurrent.futures.ThreadPoolExecutor"
_POOL = "multiprocessing.dummy.Pool"


def future(m: Machine, state: State, arguments: Arguments, result: Value) -> Value:
    """Make the future of a call that has already run."""
    made = Instance(Ext("concurrent.futures.Future"), {"%result": result}, arguments.node)
    return m.new(state, arguments.node, made, "future")


@method(_EXECUTOR, "submit")
def _submit(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    if not arguments.positional:
        return [state.push(m.unknown())]
    found: list[State] = []
    for after in run_apart(m, state, arguments.positional[0], arguments.after(1)):
        found.append(after.push(future(m, after, arguments, after.pop())))
    return found


@method("concurrent.futures.Future", "add_done_callback")
def _done(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    callback = arguments.get(0, "fn") or m.unknown()
    return calls.call(m, state, callback, Arguments(arguments.node, [receiver]))


@method("concurrent.futures.Future", "cancel")
def _cancel(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    state.facts["cancel", receiver] = True
    return [state.push(m.unknown())]


apart("concurrent.futures.Future", "done", "running")


@method(_EXECUTOR, "map")
@method(_POOL, "map", "imap", "imap_unordered", "map_async", "starmap", "starmap_async")
def _pool_map(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """Run the function over the elements in this process."""
    if len(arguments.positional) < 2:
        return [state.push(m.unknown())]
    function, *iterables = arguments.positional
    columns = [iterate(m, state, v) for v in iterables]
    exact = all(c.exact and len(c.items) <= 4 for c in columns)
    rows = (
        [list(r) for r in zip(*(c.items for c in columns), strict=False)]
        if exact
        else [[c.any(m, state) for c in columns]]
    )
    if called(arguments).startswith("starmap"):
        rows = [list(iterate(m, state, row[0]).items) for row in rows]
    states = [state]
    for row in rows:
        again: list[State] = []
        for current in states:
            for after in run_apart(m, current, function, Arguments(arguments.node, list(row))):
                after.pop()
                again.append(after)
        states = m.join(again)
    found: list[State] = []
    for after in states:
        many = Sequence("list", [m.unknown()], exact=False)
        results = m.new(after, arguments.node, many, "results")
        found += _call_back(m, after.push(results), arguments, results)
    return found


@method(_POOL, "apply", "apply_async")
def _pool_apply(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    if not arguments.positional:
        return [state.push(m.unknown())]
    given = iterate(m, state, arguments.get(1, "args") or NONE)
    named = state.look(Mapping, arguments.get(2, "kwds") or NONE)
    inner = Arguments(arguments.node, list(given.items), open=not given.exact)
    if named is not None:
        inner.keywords = {str(key): value for key, value in named.entries.items()}
    found: list[State] = []
    for after in run_apart(m, state, arguments.positional[0], inner):
        result = after.pop()
        for done in _call_back(m, after, arguments, result):
            found.append(done.push(future(m, done, arguments, result)))
    return found


def _call_back(m: Machine, state: State, arguments: Arguments, result: Value) -> list[State]:
    """Call the callback of an asynchronous method, if it is given one."""
    is_async = called(arguments).endswith("_async")
    callback = arguments.get(3, "callback") if is_async else None
    if callback is None or callback == NONE:
        return [state]
    found = calls.call(m, state, callback, Arguments(arguments.node, [result]))
    for after in found:
        after.pop()
    return found


def _wait_for_tasks(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    found = killing.wait_for_thread(m, state, arguments.node)
    return [after.push(NONE) for after in found]


for _kind in (_EXECUTOR, _POOL):
    apart(_kind, "__init__", "close", "terminate")
    method(_kind, "__enter__")(_enter_lock)
    method(_kind, "__exit__", "shutdown", "join")(_wait_for_tasks)
