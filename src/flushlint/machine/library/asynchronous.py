"""Coroutines driven by `asyncio`: they run where they are awaited or made a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine.calls import Arguments, library, method
from flushlint.machine.generators import await_value
from flushlint.machine.library.threads import apart, future, run_apart
from flushlint.machine.objects import Instance
from flushlint.machine.values import Ext, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []


def _run_coroutine(m: Machine, state: State, arguments: Arguments, index: int = 0) -> list[State]:
    if len(arguments.positional) <= index:
        return [state.push(m.unknown())]
    return await_value(m, state, arguments.positional[index], arguments.node)


@library("asyncio.run", "asyncio.create_task", "asyncio.ensure_future", "asyncio.wait_for",
         "asyncio.shield", "trio.run", "anyio.run")  # fmt: skip
def _task(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Coroutines run in order of creation, at once; interleaving is not modelled."""
    found: list[State] = []
    for after in _run_coroutine(m, state, arguments):
        found.append(after.push(future(m, after, arguments, after.pop())))
    return found


@library("asyncio.gather")
def _gather(m: Machine, state: State, arguments: Arguments) -> list[State]:
    states = [state]
    for value in [*arguments.positional, *arguments.rest]:
        again: list[State] = []
        for current in states:
            for branch, option in m.choose(current, value):
                for after in await_value(m, branch, option, arguments.node):
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
    return [state.push(arguments.positional[0] if arguments.positional else m.unknown())]


@method("asyncio.TaskGroup", "__enter__")
@method("asyncio.Runner", "__enter__")
def _enter(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return [state.push(receiver)]


apart("asyncio.TaskGroup", "__init__", "__exit__")
apart("asyncio.Runner", "__init__", "__exit__", "close", "get_loop")


@method("asyncio.TaskGroup", "create_task")
@method("asyncio.Runner", "run")
@method(_LOOP, "run_until_complete", "create_task")
def _complete(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return _run_coroutine(m, state, arguments)


def _called(m: Machine, state: State, arguments: Arguments, index: int) -> list[State]:
    """Call the function at this position with the arguments after it."""
    if len(arguments.positional) <= index:
        return [state.push(m.unknown())]
    found: list[State] = []
    for after in run_apart(m, state, arguments.positional[index], arguments.after(index + 1)):
        found.append(after.push(future(m, after, arguments, after.pop())))
    return found


@method(_LOOP, "run_in_executor", "call_later", "call_at")
def _in_executor(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return _called(m, state, arguments, 1)


@method(_LOOP, "call_soon", "call_soon_threadsafe")
def _soon(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    return _called(m, state, arguments, 0)


@library("asyncio.to_thread")
def _to_thread(m: Machine, state: State, arguments: Arguments) -> list[State]:
    return _called(m, state, arguments, 0)


apart(_LOOP, "close", "stop", "add_signal_handler")
