"""Reference counting, as far as buffers can tell: what nothing holds any more is closed.

CPython closes a file when its last reference goes, and only the collector finds reference
cycles, which never runs in time for a child that ends in `os._exit`. So what is unreachable
is closed here, unless a cycle of garbage holds it: that is kept, and lost at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine.objects import Class, Env, Function, Instance, Stream
from flushlint.machine.state import State, origin, parts
from flushlint.machine.streams import Log, close, holds_when_dropped
from flushlint.machine.values import PLAIN, Ref, Union, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["collect", "live"]


def live(state: State) -> set[int]:
    """Return the heap objects that the program still holds."""
    return state.reach(_roots(state))


def _roots(state: State) -> list[Value]:
    """Return what holds everything else: frames, operands, modules, what is being raised."""
    roots: list[Value] = list(state.stack)
    for frame in state.frames:
        roots.append(Ref(frame.env))
        roots.append(Ref(frame.module))
        if frame.function is not None:
            roots.append(Ref(frame.function))
    roots.extend(state.roots)
    roots.extend(map(Ref, state.modules.values()))
    roots.extend(state.externals.values())
    if state.signal is not None and state.signal.value is not None:
        roots.append(state.signal.value)
    roots.extend(s.value for s in state.handling if s.value is not None)
    return roots


def collect(
    log: Log, state: State, finalizer: Callable[[State, int], bool] | None = None
) -> list[int]:
    """Close what nothing holds. Return unreachable instances whose `__del__` is to run.

    `finalizer` says whether an instance has a `__del__` of the program's own.
    """
    state.dirty = False
    roots = state.roots
    alive, keys = state.mark(_roots(state))
    garbage = [i for i in state.heap if i not in alive]
    if not garbage:
        state.crowded = max(state.crowded, 2 * len(alive))
        return []
    # An environment lives on while a function uses cells of it, without being reachable.
    dead = set(garbage)
    doomed: list[int] = []
    candidates = [
        i
        for i in garbage
        if state.heap[i].__class__ is Stream
        or (finalizer is not None and state.heap[i].__class__ is Instance and finalizer(state, i))
    ]
    touched = _streams_of(state, dead) & alive
    if candidates or touched:
        cyclic = _in_cycles(state, dead)
        touched &= _streams_of(state, cyclic)
        if touched:
            added = (Ref(i) for i in sorted(touched) if Ref(i) not in state.roots)
            state.roots = (*state.roots, *added)
        for identity in candidates:
            is_stream = state.heap[identity].__class__ is Stream
            if is_stream and holds_when_dropped(state, identity):
                gone = state.edit(Stream, identity)
                gone.closed, gone.below = True, None  # what is below goes on its own
                state.roots = (*state.roots, Ref(identity))
            elif identity in cyclic:
                state.roots = (*state.roots, Ref(identity))
            elif is_stream:
                doomed.append(identity)
    finalize = [
        i for i in candidates if state.heap[i].__class__ is Instance and Ref(i) not in state.roots
    ]
    if finalize:
        return finalize
    # Upper layers hold lower ones, so they go first.
    for identity in sorted(doomed, key=lambda i: _depth(state, i), reverse=True):
        close(log, state, identity)
    if state.roots is not roots:
        alive, keys = state.mark(_roots(state))
    _sweep(state, alive, keys)
    return []


def _streams_of(state: State, objects: set[int]) -> set[int]:
    """Return the open streams that these objects refer to."""
    streams = state.streams
    found: set[int] = set()
    for identity in objects:
        for value in state.references(identity):
            if value.__class__ is Ref:
                if value.id in streams:
                    found.add(value.id)
            elif value.__class__ not in PLAIN:
                found.update(target for target in _direct(state, value) if target in streams)
    return found


def _depth(state: State, identity: int) -> int:
    depth = 0
    below = state.stream(identity).below
    while below is not None and depth < 8:
        depth += 1
        below = state.stream(below).below
    return depth


def _sweep(state: State, alive: set[int], keys: set[Hashable]) -> None:
    keep = set(alive)
    heap = state.heap
    for identity in alive:
        obj = heap.get(identity)
        if obj.__class__ is Env or obj.__class__ is Function:
            _keep_environments(state, obj, keep)
    for identity in [i for i in state.heap if i not in keep]:
        del state.heap[identity]
        state.owned.discard(identity)
    state.streams = frozenset(i for i in state.streams if i in keep)
    state.generators = frozenset(i for i in state.generators if i in keep)
    state.crowded = max(state.crowded, 2 * len(keep))
    state.holds = {key: held for key, held in state.holds.items() if key in keys}
    origins = {origin(key) for key in keys}
    state.facts = {
        key: value
        for key, value in state.facts.items()
        if not isinstance(root := origin(key), int) or root in origins
    }


def _keep_environments(state: State, obj: Env | Function, keep: set[int]) -> None:
    """Keep the environments that a function or environment needs, without their values."""
    env_id = obj.closure if isinstance(obj, Function) else obj.parent
    # Those around one that is kept have been, or will be.
    while env_id is not None and env_id not in keep and env_id in state.heap:
        keep.add(env_id)
        env = state.heap[env_id]
        env_id = env.parent if isinstance(env, Env) else None


def _in_cycles(state: State, dead: set[int]) -> set[int]:
    """Return the garbage that a cycle of garbage holds.

    What may refer to this or to that makes no cycle: it may have been cut.
    """
    edges: dict[int, set[int]] = {}
    for identity in dead:
        edges[identity] = {
            target
            for value in state.references(identity)
            if value.__class__ is not Union
            for target in _direct(state, value)
            if target in dead
        }
        if state.heap[identity].__class__ is Class:
            edges[identity].add(identity)  # through its `__mro__`, for one
    held: set[int] = set()
    for start in dead:
        seen: set[int] = set()
        todo = list(edges[start])
        while todo:
            identity = todo.pop()
            if identity not in seen:
                seen.add(identity)
                todo.extend(edges[identity])
        if start in seen:
            held |= seen
    return held


def _direct(state: State, value: Value) -> list[int]:
    """Return the objects a value refers to itself: through bound methods and unions too."""
    if isinstance(value, Ref):
        return [value.id]
    found: list[int] = []
    for part in parts(value):
        found.extend(_direct(state, part))
    return found
