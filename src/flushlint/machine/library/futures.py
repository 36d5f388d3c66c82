"""Futures and asynchronous results: waiting for tasks, and what was wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine import calls, killing, workers
from flushlint.machine.calls import Arguments, library, method
from flushlint.machine.generators import FAILED
from flushlint.machine.iteration import iterate
from flushlint.machine.library.threads import apart, attribute
from flushlint.machine.objects import Sequence
from flushlint.machine.values import NONE, Const, Ext, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []

_FUTURE = "concurrent.futures.Future"
apart(_FUTURE, "ready", "successful", "set_result", "cancelled")


@method(_FUTURE, "result", "get")
def _fetch(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    """The task is done, or what could not be pickled is told, or the time for it is up."""
    if arguments.get(0, "timeout") not in (None, NONE):
        m.may_raise(state, "multiprocessing.TimeoutError", arguments.node)
    workers.wait_for(state, {receiver})
    failed = attribute(state, receiver, FAILED)
    if isinstance(failed, Const) and failed != NONE:
        assert isinstance(failed.value, tuple)
        calls.stop(m, state, arguments.node, "TypeError", failed.value)
        return []
    m.may_raise(state, None, arguments.node)
    found = killing.wait_for_thread(m, state, arguments.node)
    return [after.push(attribute(after, receiver, "%result")) for after in found]


@method(_FUTURE, "wait", "exception")
def _await(m: Machine, state: State, receiver: Value, arguments: Arguments) -> list[State]:
    workers.wait_for(state, {receiver})
    return [state.push(m.unknown())]


@library("concurrent.futures.as_completed")
def _as_completed(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """The futures come out in some order."""
    futures = arguments.get(0, "fs") or NONE
    found = calls.call(m, state, Ext("builtins.list"), Arguments(arguments.node, [futures]))
    for after in found:
        workers.wait_for(after, set(iterate(m, after, after.stack[-1]).items))
    return found


@library("concurrent.futures.wait")
def _wait(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """`done, not_done = wait(futures)`: which is where is open."""
    found = _as_completed(m, state, arguments)
    for after in found:
        done = after.pop()
        rest = m.new(after, arguments.node, Sequence("set", [], exact=False), "not done")
        pair = Sequence("tuple", [done, rest])
        after.push(m.new(after, arguments.node, pair, "waited"))
    return found
