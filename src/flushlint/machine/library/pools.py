"""Pools and executors of processes: what their methods do in the parent and in the workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.knowledge.processes import POOL_TYPES, PoolType
from flushlint.machine import calls, classes, workers
from flushlint.machine.calls import Arguments, called, method
from flushlint.machine.generators import FAILED
from flushlint.machine.iteration import Elements, iterate
from flushlint.machine.library.threads import attribute, future, keep, run_apart
from flushlint.machine.log import HandOver
from flushlint.machine.objects import Instance, Mapping, Sequence
from flushlint.machine.processes import argument_node, expressions, start_method
from flushlint.machine.values import NONE, Const, Ext, Ref, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst as cst

    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []

_POOLS = tuple(name for name, kind in POOL_TYPES.items() if kind.interface == "pool")
_EXECUTORS = tuple(name for name, kind in POOL_TYPES.items() if kind.interface == "executor")
_PATHOS = tuple(name for name, kind in POOL_TYPES.items() if kind.interface == "pathos")
_MOST_TASKS = 8
_CALLBACK = 3
"""The position of `callback` in the asynchronous methods of a pool."""


# -- creation -----------------------------------------------------------------------------------


def _plan(
    m: Machine, state: State, receiver: Value, arguments: Arguments, first: int, context: Value
) -> workers.Plan:
    """Read the arguments of a pool. `first` is the position of the initializer."""
    instance = state.look(Instance, receiver)
    assert instance is not None
    kind = _kind(state, instance)
    how, chosen = start_method(m, state)
    if kind.method is not None:
        how, chosen = kind.method, True
    given_context = state.look(Instance, context)
    fixed = None if given_context is None else given_context.attributes.get("%method")
    if isinstance(fixed, Const):
        how, chosen = str(fixed.value), True
    initializer = arguments.get(first, "initializer") or NONE
    given = arguments.get(first + 1, "initargs")
    initargs = iterate(m, state, given).items if given is not None else []
    node = argument_node(arguments, first + 1, "initargs")
    most = arguments.get(3, "maxtasksperchild") if kind.interface == "pool" else None
    renewed = most not in (None, NONE)
    number = arguments.get(0, "max_workers" if kind.interface == "executor" else "processes")
    return workers.Plan(
        arguments.node,
        how,
        chosen,
        initializer,
        tuple(initargs),
        () if given is None else tuple(expressions(state, node, given, own=True)),
        (HandOver(argument_node(arguments, first, "initializer"), initializer, own=False),),
        alone=number == Const(1) and not renewed,
        dill=kind.dill,
        renewed=renewed,
        left_open="clean" if kind.interface == "executor" else "terminated",
    )


def _kind(state: State, instance: Instance) -> PoolType:
    return next(
        POOL_TYPES[n] for n in classes.external_bases(state, instance.cls) if n in POOL_TYPES
    )


def _make_pool(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`Pool(processes, initializer, initargs, maxtasksperchild, context)` starts its workers."""
    assert isinstance(receiver, Ref)
    found: list[State] = []
    for branch, context in m.choose(state, arguments.get(4, "context") or NONE):
        plan = _plan(m, branch, receiver, arguments, 1, context)
        if workers.start_crew(
            m, branch, receiver, _keep_plan(m, branch, receiver, plan), arguments.node
        ):
            found.append(branch.push(NONE))
    return found


def _make_executor(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`ProcessPoolExecutor(max_workers, mp_context, initializer, initargs)`: none starts yet."""
    found: list[State] = []
    for branch, context in m.choose(state, arguments.get(1, "mp_context") or NONE):
        _keep_plan(m, branch, receiver, _plan(m, branch, receiver, arguments, 2, context))
        found.append(branch.push(NONE))
    return found


def _keep_plan(m: Machine, state: State, receiver: Value, plan: workers.Plan) -> workers.Plan:
    """Let the pool hold what its later workers are given."""
    values = [plan.initializer, *plan.initargs]
    kept = m.new(state, plan.node, Sequence("tuple", values), "initargs")
    keep(state, receiver, {"%plan": Const(plan), "%given": kept})
    return plan


for _name in (*_POOLS, *_PATHOS):
    method(_name, "__init__")(_make_pool)
for _name in _EXECUTORS:
    method(_name, "__init__")(_make_executor)


# -- tasks --------------------------------------------------------------------------------------


def _send(
    m: Machine,
    state: State,
    pool: Value,
    tasks: list[tuple[Value, Arguments]],
    hand_overs: list[HandOver],
    node: cst.CSTNode,
) -> workers.Sending:
    """Send tasks to the workers, which are started now if there are none yet."""
    assert isinstance(pool, Ref)
    instance = state.look(Instance, pool)
    assert instance is not None
    plan = instance.attributes.get("%plan")
    is_open = isinstance(plan, Const) and "%ended" not in instance.attributes
    if is_open and workers.lacks_workers(state, pool):
        assert isinstance(plan, Const)
        assert isinstance(plan.value, workers.Plan)
        if not workers.start_crew(m, state, pool, plan.value, node):
            return workers.Sending(done=False, raised=True)
    return workers.send(m, state, pool, tasks, hand_overs)


def _outcome(
    m: Machine, state: State, arguments: Arguments, sending: workers.Sending, result: Value
) -> list[State]:
    """End a call that waits for its tasks: with the result, or with what they raise."""
    if sending.raised:
        return []
    if not sending.done:
        calls.stop(m, state, arguments.node, "TypeError", sending.notes)
        return []
    m.may_raise(state, None, arguments.node)
    return [state.push(result)]


def _promise(
    m: Machine,
    state: State,
    receiver: Value,
    arguments: Arguments,
    sending: workers.Sending,
    result: Value,
) -> list[State]:
    """End a call that does not wait: what went wrong shows when the result is asked for."""
    if sending.raised:
        return []
    made = future(m, state, arguments, result)
    if not sending.done:
        keep(state, made, {FAILED: Const(sending.notes)})
    elif isinstance(receiver, Ref):
        workers.promise(state, receiver, made)
    return [state.push(made)]


def _each(m: Machine, state: State, arguments: Arguments, *names: str) -> list[State]:
    """Call the callbacks among the arguments, which run in the parent."""
    states = [state]
    for name in names:
        position = _CALLBACK if called(arguments).endswith("_async") else -1
        callback = arguments.get(position, name) or NONE
        if callback == NONE:
            continue
        again: list[State] = []
        for current in states:
            given = Arguments(arguments.node, [m.unknown()])
            for after in run_apart(m, current, callback, given):
                after.pop()
                again.append(after)
        states = again
    return states


def _apply(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`apply(func, args, kwds)`: one task."""
    if not arguments.positional and "func" not in arguments.keywords:
        return calls.unknown_call(m, state, arguments, receiver=receiver)
    function = arguments.get(0, "func") or NONE
    args, kwds = arguments.get(1, "args") or NONE, arguments.get(2, "kwds") or NONE
    found: list[State] = []
    for branch, option in m.choose(state, function):
        given = iterate(m, branch, args)
        named = branch.look(Mapping, kwds)
        keywords = {} if named is None else {str(k): v for k, v in named.entries.items()}
        inner = Arguments(
            arguments.node, list(given.items), keywords, open=args != NONE and not given.exact
        )
        handed = [HandOver(argument_node(arguments, 0, "func"), option, own=False)]
        for index, name, value in ((1, "args", args), (2, "kwds", kwds)):
            handed.append(HandOver(argument_node(arguments, index, name), value, own=True))
        sending = _send(m, branch, receiver, [(option, inner)], handed, arguments.node)
        found += _finish(m, branch, receiver, arguments, sending, m.unknown())
    return found


def _finish(
    m: Machine,
    state: State,
    receiver: Value,
    arguments: Arguments,
    sending: workers.Sending,
    result: Value,
) -> list[State]:
    """End a call by its kind: at once, or when the task is done."""
    if called(arguments).endswith("_async") or called(arguments) in ("submit", "amap", "apipe"):
        found: list[State] = []
        for after in _each(m, state, arguments, "callback") if sending.done else [state]:
            found += _promise(m, after, receiver, arguments, sending, result)
        return found
    return _outcome(m, state, arguments, sending, result)


def _map(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`map(func, iterable)` and its kin: a task for each element."""
    function = arguments.get(0, "func")
    iterable = arguments.get(1, "iterable")
    if function is None or iterable is None:
        return calls.unknown_call(m, state, arguments, receiver=receiver)
    several = [iterable] if _is_pool(state, receiver) else arguments.positional[1:] or [iterable]
    found: list[State] = []
    for after, columns in _columns(m, state, several, arguments):
        for branch, option in m.choose(after, function):
            rows = _rows(m, branch, columns, starred="starmap" in called(arguments))
            tasks = [(option, Arguments(arguments.node, row)) for row in rows]
            handed = [HandOver(argument_node(arguments, 0, "func"), option, own=False)]
            for index, column in enumerate(columns):
                node = argument_node(arguments, index + 1, "iterable")
                made = Sequence("list", list(column.items))
                many = m.new(branch, arguments.node, made, "column")
                handed.append(HandOver(node, many, own=True))
            sending = _send(m, branch, receiver, tasks, handed, arguments.node)
            found += _mapped(m, branch, receiver, arguments, sending, columns)
    return found


def _mapped(
    m: Machine, state: State, receiver: Value, arguments: Arguments, sending: workers.Sending,
    columns: list[Elements],
) -> list[State]:  # fmt: skip
    word = called(arguments)
    first = columns[0]
    results: list[Value] = [m.unknown() for _ in first.items]
    lazy = word.startswith(("imap", "uimap")) or _is_executor(state, receiver)
    exact = first.exact and len(columns) == 1
    made = Sequence("iterator" if lazy else "list", results, exact=exact, nonempty=first.nonempty)
    if lazy and not (sending.done or sending.raised):
        # It raises when the first result is asked for, if ever.
        calls.stop(m, state.copy(), arguments.node, "TypeError", sending.notes)
        return [state.push(m.unknown())]
    value = m.new(state, arguments.node, made, "results")
    if word.startswith(("imap", "uimap")) and exact and isinstance(receiver, Ref):
        workers.promise(state, receiver, value)
    return _finish(m, state, receiver, arguments, sending, value)


def _is_executor(state: State, receiver: Value) -> bool:
    instance = state.look(Instance, receiver)
    return instance is not None and _kind(state, instance).interface == "executor"


def _is_pool(state: State, receiver: Value) -> bool:
    """Say whether `map` takes one iterable, not one for each argument of the function."""
    instance = state.look(Instance, receiver)
    return instance is not None and _kind(state, instance).interface == "pool"


def _columns(
    m: Machine, state: State, values: list[Value], arguments: Arguments
) -> Iterator[tuple[State, list[Elements]]]:
    """Run the iterables to their ends, as a pool does in the parent."""
    states = [state]
    for value in values:
        again: list[State] = []
        for current in states:
            again += calls.call(
                m, current, Ext("builtins.list"), Arguments(arguments.node, [value])
            )
        states = again
    for after in states:
        lists = after.take(len(values))
        yield after, [iterate(m, after, one) for one in lists]


def _rows(m: Machine, state: State, columns: list[Elements], *, starred: bool) -> list[list[Value]]:
    """Return the arguments of each task; of many or of unknown ones one stands for all."""
    few = all(column.exact and len(column.items) <= _MOST_TASKS for column in columns)
    if few:
        rows = [list(row) for row in zip(*(c.items for c in columns), strict=False)]
    else:
        rows = [[column.any(m, state) for column in columns]]
    if starred:
        return [list(iterate(m, state, row[0]).items) for row in rows]
    return rows


def _submit_one(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`submit(fn, *args, **kwargs)`: one task, and a future of its result."""
    if not arguments.positional:
        return calls.unknown_call(m, state, arguments, receiver=receiver)
    function, inner = arguments.positional[0], arguments.after(1)
    found: list[State] = []
    for branch, option in m.choose(state, function):
        handed = [HandOver(argument_node(arguments, 0, "fn"), option, own=False)]
        handed += [
            HandOver(node, value, own=True)
            for node, value in zip(inner.nodes, inner.positional, strict=False)
        ]
        handed += [
            HandOver(argument_node(arguments, -1, name), value, own=True)
            for name, value in inner.keywords.items()
        ]
        sending = _send(m, branch, receiver, [(option, inner)], handed, arguments.node)
        found += _promise(m, branch, receiver, arguments, sending, m.unknown())
    return found


for _name in _POOLS:
    method(_name, "apply", "apply_async")(_apply)
    method(_name, "map", "imap", "imap_unordered", "map_async", "starmap", "starmap_async")(_map)
for _name in _PATHOS:
    method(_name, "map", "imap", "uimap", "amap")(_map)
    method(_name, "pipe", "apipe")(_submit_one)
for _name in _EXECUTORS:
    method(_name, "map")(_map)
    method(_name, "submit")(_submit_one)


# -- end ----------------------------------------------------------------------------------------


def _end(
    m: Machine, state: State, receiver: Value, ending: workers.Ending, arguments: Arguments
) -> list[State]:
    assert isinstance(receiver, Ref)
    keep(state, receiver, {"%ended": Const(value=True)})
    workers.end_crew(m, state, receiver, ending, arguments.node)
    return [state.push(NONE)]


def _close(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """`close()` lets the workers leave when they have nothing more to do."""
    keep(state, receiver, {"%closed": Const(value=True)})
    return [state.push(NONE)]


def _join(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    if attribute(state, receiver, "%closed") == NONE:
        return [state.push(NONE)]
    return _end(m, state, receiver, "clean", arguments)


def _terminate(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return _end(m, state, receiver, "terminated", arguments)


def _shut_down(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """An executor lets its workers finish, whether it waits for them or not."""
    return _end(m, state, receiver, "clean", arguments)


def _enter(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(receiver)]


for _name in (*_POOLS, *_PATHOS):
    method(_name, "close")(_close)
    method(_name, "join")(_join)
    method(_name, "terminate", "__exit__")(_terminate)
    method(_name, "__enter__")(_enter)
for _name in _EXECUTORS:
    method(_name, "shutdown", "__exit__")(_shut_down)
    method(_name, "__enter__")(_enter)
