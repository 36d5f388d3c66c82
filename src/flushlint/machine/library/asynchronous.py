"""Coroutines driven by `asyncio`: they run where they are awaited or made a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine import calls, classes
from flushlint.machine.calls import Arguments, called, library, method
from flushlint.machine.generators import await_value
from flushlint.machine.iteration import iterate
from flushlint.machine.library.context_variables import in_copy
from flushlint.machine.library.threads import CANCELLED, apart, future, run_apart
from flushlint.machine.objects import Function, Generator, Instance
from flushlint.machine.values import NONE, Ext, Method, Ref, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []


def _run_coroutine(m: Machine, state: State, arguments: Arguments, index: int = 0) -> list[State]:
    """Run a coroutine as a task, with a context of its own."""
    if len(arguments.positional) <= index:
        return [state.push(m.unknown())]
    return _await_apart(m, state, arguments.positional[index], arguments)


def _await_apart(m: Machine, state: State, value: Value, arguments: Arguments) -> list[State]:
    return in_copy(m, state, lambda inside: await_value(m, inside, value, arguments.node))


@library("asyncio.run")
def _run(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Run a coroutine; asynchronous generators that were left early are closed at the end."""
    return [
        closed
        for after in _run_coroutine(m, state, arguments)
        for closed in _close_generators(m, after, arguments)
    ]


def _close_generators(m: Machine, state: State, arguments: Arguments) -> list[State]:
    states = [state]
    for identity in sorted(state.generators):
        generator = state.look(Generator, Ref(identity))
        function = generator and state.look(Function, Ref(generator.function))
        if not function or not getattr(function.node, "asynchronous", None):
            continue
        closing = Method(Ref(identity), "aclose")
        states = [
            after
            for before in states
            for after in calls.call(m, before, closing, Arguments(arguments.node, []))
        ]
        for after in states:
            after.pop()
    return states


@library("asyncio.wait_for", "asyncio.shield", "trio.run", "anyio.run")  # fmt: skip
def _task(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Coroutines run in order of creation, at once; interleaving is not modelled."""
    found: list[State] = []
    for after in _run_coroutine(m, state, arguments):
        found.append(after.push(future(m, after, arguments, after.pop())))
    return found


@library("asyncio.create_task", "asyncio.ensure_future")
def _create_task(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Run a coroutine as far as it gets; while it waits on a queue it may be cancelled."""
    cancellable, m.cancellable = m.cancellable, True
    height = len(state.stack)
    try:
        found, abrupt = m.captured(lambda s: _run_coroutine(m, s[0], arguments), [state])
    finally:
        m.cancellable = cancellable
    for after in abrupt:
        if CANCELLED in after.facts:
            del after.stack[height:]
            after.dirty = True
            found.append(after.push(NONE))
        else:
            m.abrupt.append(after)
    for after in found:
        task = future(m, after, arguments, after.pop())
        if after.facts.pop(CANCELLED, False):
            after.facts["cancelled", task] = after.signal is not None
        after.signal = None
        after.push(task)
    return found


def _may_end(state: State, values: list[Value]) -> bool:
    """Say whether all these tasks come to an end: none waits until it is cancelled."""
    return not any(
        isinstance(value, Ref)
        and ("cancelled", value) in state.facts
        and ("cancel", value) not in state.facts
        for value in values
    )


@library("asyncio.wait")
def _wait(m: Machine, state: State, arguments: Arguments) -> list[State]:
    tasks = iterate(m, state, arguments.positional[0]).items if arguments.positional else []
    if not _may_end(state, tasks):
        return []
    return calls.unknown_call(m, state, arguments, external="asyncio.wait")


@library("asyncio.gather")
def _gather(m: Machine, state: State, arguments: Arguments) -> list[State]:
    states = [state]
    for value in [*arguments.positional, *arguments.rest]:
        again: list[State] = []
        for current in states:
            for branch, option in m.choose(current, value):
                if "return_exceptions" in arguments.keywords and _may_end(branch, [option]):
                    branch.facts.pop(("cancelled", option), None)  # it is not raised here
                for after in _await_apart(m, branch, option, arguments):
                    after.pop()
                    again.append(after)
        states = m.join(again)
    return [after.push(future(m, after, arguments, m.unknown())) for after in states]


_LOOP = "asyncio.AbstractEventLoop"


@library("asyncio.get_event_loop", "asyncio.new_event_loop", "asyncio.get_running_loop")
def _loop(m: Machine, state: State, arguments: Arguments) -> list[State]:
    return [state.push(m.new(state, arguments.node, Instance(Ext(_LOOP), {}), "loop"))]


@library("asyncio.as_completed")
def _as_completed(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """What comes out is awaited in the loop, in some order."""
    tasks = iterate(m, state, arguments.positional[0]).items if arguments.positional else []
    if not _may_end(state, tasks):
        return []
    return [state.push(arguments.positional[0] if arguments.positional else m.unknown())]


@method("asyncio.TaskGroup", "__enter__")
@method("asyncio.Runner", "__enter__")
def _enter(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(receiver)]


apart("asyncio.TaskGroup", "__init__", "__exit__")
apart("asyncio.Runner", "__init__", "__exit__", "close", "get_loop")


@method(_LOOP, "create_task")
def _loop_task(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return _create_task(m, state, arguments)


@method("asyncio.TaskGroup", "create_task")
@method("asyncio.Runner", "run")
@method(_LOOP, "run_until_complete")
def _complete(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """Only `asyncio.run` and `Runner` cancel what is left."""
    found = _run_coroutine(m, state, arguments)
    if called(arguments) != "run_until_complete":
        return found
    over = [s for s in found if _may_end(s, _cancelled(s))]
    return over or found


def _cancelled(state: State) -> list[Value]:
    """Return the tasks that are cancelled in this state."""
    ends = [key for key in state.facts if isinstance(key, tuple) and key[0] == "cancelled"]
    return [task for _, task in ends]


def _called(m: Machine, state: State, arguments: Arguments, index: int) -> list[State]:
    """Call the function at this position with the arguments after it."""
    if len(arguments.positional) <= index:
        return [state.push(m.unknown())]
    function, given = arguments.positional[index], arguments.after(index + 1)
    found: list[State] = []
    for after in in_copy(m, state, lambda inside: run_apart(m, inside, function, given)):
        found.append(after.push(future(m, after, arguments, after.pop())))
    return found


@method(_LOOP, "run_in_executor")
def _in_executor(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """A thread, or what the executor makes of it."""
    executor = arguments.get(0, "executor") or NONE
    instance = state.look(Instance, executor)
    kinds = [] if instance is None else classes.external_bases(state, instance.cls)
    submit = calls.library_method(kinds, "submit")
    if submit is None:
        return _called(m, state, arguments, 1)
    return submit(m, state, executor, arguments.after(1))


@method(_LOOP, "call_later", "call_at")
def _later(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return _called(m, state, arguments, 1)


@method(_LOOP, "call_soon", "call_soon_threadsafe")
def _soon(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return _called(m, state, arguments, 0)


@library("asyncio.to_thread")
def _to_thread(m: Machine, state: State, arguments: Arguments) -> list[State]:
    return _called(m, state, arguments, 0)


apart(_LOOP, "close", "stop", "add_signal_handler")
