"""Lifetime: what nothing holds is closed, what a cycle of garbage holds is not."""

from __future__ import annotations

import gc
import itertools
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import libcst as cst
import pytest

from flushlint.machine.lifetime import collect, live
from flushlint.machine.modules import Module, Program
from flushlint.machine.objects import Env, Function, Instance, Sequence, Stream, Write
from flushlint.machine.program import run_program
from flushlint.machine.state import Signal
from flushlint.machine.values import NONE, Bound, Ext, Method, Ref
from flushlint.model import AnalysisOptions
from tests.machine.states import (
    Recorder,
    Site,
    bind,
    function_scope,
    instance,
    new_state,
    opened,
    place,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType

    from flushlint.machine.state import State
    from flushlint.machine.values import Value


def written(state: State) -> Ref:
    """Return a file in which a write is pending."""
    file = opened(state)
    state.edit(Stream, file.id).pending = (Write(Site("write"), 0, file.id),)
    return file


def swept(state: State) -> list[object]:
    """Collect; return the places of the writes that went out."""
    log = Recorder()
    assert collect(log, state) == []
    return [write.stream for write in log.writes]


# --- by hand --------------------------------------------------------------------------------------


def test_what_nothing_holds_is_closed_and_gone() -> None:
    state = new_state()
    file = written(state)
    assert swept(state) == [file.id]
    assert file.id not in state.heap
    assert state.streams == frozenset()


def _name(state: State, file: Ref) -> None:
    bind(state, "f", file)


def _attribute(state: State, file: Ref) -> None:
    bind(state, "box", instance(state, f=file))


def _method(state: State, file: Ref) -> None:
    bind(state, "put", Method(file, "write"))


def _bound(state: State, file: Ref) -> None:
    bind(state, "put", Bound(Ext("a.f"), file))


def _operand(state: State, file: Ref) -> None:
    state.push(file)


def _return(state: State, file: Ref) -> None:
    state.signal = Signal("return", file)


def _handled(state: State, file: Ref) -> None:
    state.handling = (Signal("raise", instance(state, args=file)),)


def _root(state: State, file: Ref) -> None:
    state.roots = (file,)


def _standard(state: State, file: Ref) -> None:
    state.externals["sys.stdout"] = file


def _layer(state: State, file: Ref) -> None:
    bind(state, "f", opened(state, below=file.id))


HOLDERS: Final = (
    _name, _attribute, _method, _bound, _operand, _return, _handled, _root, _standard, _layer,
)  # fmt: skip


@pytest.mark.parametrize("hold", HOLDERS)
def test_what_something_holds_is_kept(hold: Callable[[State, Ref], None]) -> None:
    state = new_state()
    file = written(state)
    hold(state, file)
    assert file.id in live(state)
    assert swept(state) == []
    assert state.stream(file.id).pending


def test_collection_answers_the_drop() -> None:
    state = new_state()
    state.dirty = True
    swept(state)
    assert not state.dirty


def test_upper_layer_goes_before_the_lower_one() -> None:
    """Else the lower one would be closed before it got what is pending above."""
    for upper_first in (True, False):
        state = new_state()
        one, two = opened(state), opened(state)
        above, below = (one, two) if upper_first else (two, one)
        state.edit(Stream, above.id).below = below.id
        write = Write(Site("write"), 0, above.id)
        state.edit(Stream, above.id).pending = (write,)
        assert swept(state) == [above.id]


def test_chain_of_garbage_is_closed() -> None:
    state = new_state()
    file = written(state)
    instance(state, inner=instance(state, f=place(state, Sequence("list", [file]))))
    assert swept(state) == [file.id]
    assert len(state.heap) == 1


def test_cycle_of_garbage_keeps_what_it_holds() -> None:
    state = new_state()
    file = written(state)
    one = instance(state, f=file)
    two = instance(state, other=one)
    state.names_of(one.id)["other"] = two
    assert swept(state) == []
    assert state.stream(file.id).pending
    assert swept(state) == []  # nor the next time


def test_cycle_through_a_method_is_one() -> None:
    state = new_state()
    file = written(state)
    box = instance(state, f=file)
    state.names_of(box.id)["again"] = Bound(Ext("a.f"), box)
    assert swept(state) == []


def test_cycle_that_something_holds_is_no_garbage() -> None:
    state = new_state()
    file = written(state)
    box = instance(state, f=file)
    state.names_of(box.id)["me"] = box
    bind(state, "box", box)
    assert swept(state) == []
    state.names_of(box.id).pop("me")
    bind(state, "box", NONE)
    assert swept(state) == [file.id]


def test_cycle_beside_it_holds_nothing() -> None:
    state = new_state()
    file = written(state)
    box = instance(state)
    state.names_of(box.id)["me"] = box
    assert swept(state) == [file.id]


def test_cycle_that_became_garbage_before_its_file_keeps_it() -> None:
    state = new_state()
    file = written(state)
    box = instance(state, f=file)
    state.names_of(box.id)["me"] = box
    bind(state, "f", file)
    assert swept(state) == []
    bind(state, "f", NONE)
    assert swept(state) == []


def test_file_that_holds_nobody_may_hang_on_the_way_to_a_cycle() -> None:
    """What refers to a cycle is not held by it."""
    state = new_state()
    file = written(state)
    ring = instance(state)
    state.names_of(ring.id)["me"] = ring
    instance(state, ring=ring, f=file)
    assert swept(state) == [file.id]


_NESTED: Final = """\
def outer(f, g):
    def inner():
        return f
    return inner
"""


def test_closure_keeps_the_cells_it_uses_alone() -> None:
    state = new_state()
    used, unused = written(state), written(state)
    frame = place(
        state,
        Env({"f": used, "g": unused}, function_scope(_NESTED, "outer"), state.frames[0].module),
    )
    inner = function_scope(_NESTED, "inner")
    assert isinstance(inner.node, cst.FunctionDef)
    function = Function(inner.node, inner, frame.id, 0, {}, "inner", None)
    bind(state, "inner", place(state, function))
    assert swept(state) == [unused.id]
    assert state.stream(used.id).pending
    assert frame.id in state.heap  # the function looks its names up there
    bind(state, "inner", NONE)
    assert swept(state) == [used.id]
    assert frame.id not in state.heap


def test_running_function_is_held_by_its_frame() -> None:
    state = new_state()
    file = written(state)
    inner = function_scope(_NESTED, "inner")
    assert isinstance(inner.node, cst.FunctionDef)
    defaults: dict[str, Value] = {"f": file}
    module = state.frames[0].module
    made = place(state, Function(inner.node, inner, module, module, defaults, "inner", None))
    state.frames.append(state.frames[0]._replace(function=made.id))
    assert swept(state) == []
    state.frames.pop()
    assert swept(state) == [file.id]


def test_finalizer_runs_before_anything_is_closed() -> None:
    state = new_state()
    file = written(state)
    box = instance(state, f=file)
    log = Recorder()
    assert collect(log, state, lambda _, identity: identity == box.id) == [box.id]
    assert log.writes == []
    assert isinstance(state.heap[box.id], Instance)
    assert collect(log, state, lambda *_: False) == []
    assert [write.stream for write in log.writes] == [file.id]


def test_object_in_a_cycle_is_not_finalized() -> None:
    state = new_state()
    box = instance(state)
    state.names_of(box.id)["me"] = box
    log = Recorder()
    assert collect(log, state, lambda *_: True) == []
    assert box.id in state.heap


def test_sweep_forgets_what_was_known_of_the_dead() -> None:
    state = new_state()
    file = opened(state)
    state.facts.update({1: True, ("==", 1, "a"): False, "a word": True})
    state.hold(1, [file])
    swept(state)
    assert state.facts == {"a word": True}
    assert state.holds == {}


def test_collection_changes_no_other_state() -> None:
    state = new_state()
    file = written(state)
    other = state.copy()
    swept(state)
    assert other.stream(file.id).pending


# --- against CPython ------------------------------------------------------------------------------

_PROGRAM: Final = """\
import functools
import os
from multiprocessing import Process

class Box:
    pass

class Closing:
    def __init__(self, f):
        self.f = f

    def __del__(self):
        self.f.close()

class Idle(Closing):
    def __del__(self):
        pass

def same(f):
    return f

def give(f):
    yield f
    yield f

kept = []
late = Box()

def body():
    {lines}
"""
_START: Final = """
child = Process(target=body)
child.start()
child.join()
"""

HOLD: Final = (
    "pass",
    "kept.append(f)",
    "late.f = f",
    "Box.f = f",
    "body.f = f",
    "global forever; forever = f",
    "global forever; forever = f.write",
    "same(f)",
    "box = Box(); box.f = f",
    "box = Box(); box.f = f; box.me = box",
    "box = Box(); box.me = box",
    "box = Box(); box.f = f; kept.append(box)",
    "box = Box(); box.write = f.write; box.all = [box]",
    "box = Closing(f)",
    "box = Closing(f); kept.append(box)",
    "box = Closing(f); box.me = box",
    "box = Idle(f); box.me = box",
    "box = [f]",
    "box = [f]; box.append(box)",
    "box = {'f': f}; box['me'] = box",
    "box = (f, kept); kept.append(box)",
    "box = functools.partial(f.write, 'x'); kept.append(box)",
    "box = lambda: f",
    "box = lambda: box",
    "box = lambda: (box, f)",
    "box = lambda f=f: f",
    "box = lambda f=f: box",
    "box = lambda: f; kept.append(box)",
    "box = lambda: 1; kept.append(box)",
    "box = give(f); next(box)",
    "box = give(f); next(box); kept.append(box)",
    "box = ValueError(f); kept.append(box)",
)
RINGS: Final = (
    "box = Box(); box.f = f; box.me = box",
    "box = Box(); box.write = f.write; box.all = [box]",
    "box = [f]; box.append(box)",
    "box = {'f': f}; box['me'] = box",
    "box = lambda: (box, f)",
    "box = lambda f=f: box",
)
WHILE: Final = ("pass", "del f", "f = None", "kept.clear()", "f = box = None", "f.flush()")
LEAVE: Final = ("pass", "return f", "raise ValueError(f)", "raise ValueError(1)", "os._exit(0)")


class _Buffer:
    """What is in a file's buffer. After `os._exit` nothing changes it any more."""

    def __init__(self) -> None:
        self.is_pending = False
        self.is_over = False

    def open(self, *arguments: str) -> _File:  # noqa: ARG002  # as the real one
        return _File(self)

    def put(self, *, pending: bool) -> None:
        if not self.is_over:
            self.is_pending = pending


class _File:
    def __init__(self, buffer: _Buffer) -> None:
        self._buffer = buffer

    def write(self, text: str) -> None:  # noqa: ARG002  # as the real one
        self._buffer.put(pending=True)

    def flush(self) -> None:
        self._buffer.put(pending=False)

    close = flush

    def __del__(self) -> None:
        self.close()


class _ExitError(BaseException):
    """The process has ended in `os._exit`."""


class _System:
    def __init__(self, buffer: _Buffer) -> None:
        self._buffer = buffer

    def _exit(self, status: int) -> None:  # noqa: ARG002  # as the real one
        self._buffer.is_over = True
        raise _ExitError


def loses(text: str) -> bool | None:
    """Run a child body by reference counting alone; None if it can't be run."""
    buffer = _Buffer()
    scope: dict[str, object] = {"__name__": "case", "open": buffer.open}
    exec(_compiled(text), scope)  # noqa: S102  # the bodies are written in these tests
    scope["os"] = _System(buffer)
    body = scope["body"]
    assert callable(body)
    try:
        body()
    except (NameError, AttributeError):
        return None
    except (ValueError, _ExitError):
        pass
    lost = buffer.is_pending
    buffer.is_over = True
    return lost


@lru_cache(maxsize=1)
def _compiled(text: str) -> CodeType:
    return compile(text, "case", "exec")


def is_lost(text: str) -> bool:
    """Say whether the machine sees the write lost."""
    log = run_program(
        Program(Module(cst.parse_module(text + _START))), AnalysisOptions(start_method="fork")
    )
    assert not log.limits, log.limits
    return any(not loss.std for loss in log.losses)


def programs(hold: str, leave: str) -> Iterator[str]:
    for between in WHILE:
        lines = ['f = open("o", "w")', 'f.write("x")', *hold.split("; "), between, leave]
        yield _PROGRAM.format(lines="\n    ".join(lines))


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Only reference counting: the collector never runs in time for a child."""
    gc.disable()
    yield
    gc.enable()
    gc.collect()


@pytest.mark.parametrize(("hold", "leave"), list(itertools.product(HOLD, LEAVE)))
@pytest.mark.usefixtures("no_collector")
def test_machine_says_what_reference_counting_does(hold: str, leave: str) -> None:
    wrong = []
    for text in programs(hold, leave):
        lost = loses(text)
        if lost is not None and is_lost(text) is not lost:
            body = text[text.index("def body") :]
            wrong.append(f"{'loses' if lost else 'keeps'} its write:\n{body}")
    assert not wrong, f"{len(wrong)}; the shortest {min(wrong, key=len)}"


@pytest.mark.usefixtures("no_collector")
def test_both_ends_are_among_the_programs() -> None:
    verdicts = [loses(text) for hold in HOLD for text in programs(hold, "pass")]
    assert verdicts.count(True) > 20
    assert verdicts.count(False) > 20
