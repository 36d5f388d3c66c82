"""A state of the machine: copies that share until one writes, epochs, reachability."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst
import pytest

from flushlint.machine.objects import (
    Class,
    Env,
    Function,
    Generator,
    Instance,
    Mapping,
    Obj,
    Sequence,
    Stream,
)
from flushlint.machine.state import Signal, State
from flushlint.machine.values import (
    NONE,
    TRUE,
    Bound,
    Const,
    Ext,
    Method,
    Ref,
    Union,
    Unknown,
    Value,
    contains_newline,
)
from tests.machine.states import (
    Site,
    bind,
    function_scope,
    instance,
    new_state,
    opened,
    place,
    scope,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[State, int], None]

ONE = Const(1)
TWO = Const(2)


def function(**fields: dict[str, Value]) -> Function:
    definition = cst.parse_statement("def f(): pass")
    assert isinstance(definition, cst.FunctionDef)
    defaults = fields.get("defaults", {})
    return Function(definition, scope(), 0, 0, defaults, "f", None, fields.get("attributes", {}))


# --- copy on write --------------------------------------------------------------------------------


def _rename(state: State, identity: int) -> None:
    state.names_of(identity)["x"] = TWO


def _append(state: State, identity: int) -> None:
    state.edit(Sequence, identity).items.append(TWO)


def _enter(state: State, identity: int) -> None:
    state.edit(Mapping, identity).entries["x"] = TWO


def _spread(state: State, identity: int) -> None:
    state.edit(Mapping, identity).rest.append(TWO)


def _finish(state: State, identity: int) -> None:
    state.edit(Generator, identity).status = "done"


def _close(state: State, identity: int) -> None:
    state.edit(Stream, identity).closed = True


CHANGES = {
    "env": (Env({"x": ONE}, scope(), None), _rename),
    "instance": (Instance(Ext("a.B"), {"x": ONE}), _rename),
    "class": (Class("C", (), {"x": ONE}, None), _rename),
    "function": (function(attributes={"x": ONE}), _rename),
    "sequence": (Sequence("list", [ONE]), _append),
    "mapping": (Mapping({"x": ONE}), _enter),
    "mapping's rest": (Mapping({}, [ONE]), _spread),
    "generator": (Generator(1, 2, "generator"), _finish),
    "stream": (Stream(None, 0, "file", text=False), _close),
}


@pytest.mark.parametrize(("obj", "change"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("copy_writes", [True, False])
def test_what_one_copy_changes_the_other_keeps(obj: Obj, change: Change, copy_writes: bool) -> None:
    state = new_state()
    identity = place(state, obj.copy()).id
    before = repr(obj)
    other = state.copy()
    writer, reader = (other, state) if copy_writes else (state, other)
    assert writer.heap[identity] is reader.heap[identity]
    change(writer, identity)
    assert repr(reader.heap[identity]) == before
    assert repr(writer.heap[identity]) != before


@pytest.mark.parametrize(("obj", "change"), CHANGES.values(), ids=CHANGES)
def test_copies_of_copies_are_apart(obj: Obj, change: Change) -> None:
    first = new_state()
    identity = place(first, obj.copy()).id
    second = first.copy()
    third = second.copy()
    change(second, identity)
    assert repr(first.heap[identity]) == repr(third.heap[identity]) == repr(obj)
    fourth = second.copy()
    assert repr(fourth.heap[identity]) != repr(obj)


def test_object_is_copied_once_for_many_changes() -> None:
    state = new_state()
    identity = place(state, Sequence("list", [])).id
    other = state.copy()
    mine = other.edit(Sequence, identity)
    assert other.edit(Sequence, identity) is mine


def test_object_made_before_the_copy_belongs_to_neither() -> None:
    """Its maker, too, must copy it before it changes it."""
    state = new_state()
    identity = place(state, Sequence("list", [])).id
    mine = state.edit(Sequence, identity)
    other = state.copy()
    assert other.heap[identity] is mine
    assert state.edit(Sequence, identity) is not mine


def test_stack_frames_and_notes_are_apart() -> None:
    state = new_state()
    state.push(ONE)
    state.facts["k"] = True
    state.hold("k", [Ref(1)])
    other = state.copy()
    other.push(TWO)
    other.facts["l"] = False
    other.hold("k", [Ref(2)])
    other.externals["sys.stdout"] = NONE
    other.frames[-1] = other.frames[-1]._replace(context=9)
    other.roots = (Ref(3),)
    other.signal = Signal("return", ONE)
    place(other, Stream(None, 0, "file", text=False))
    assert state.stack == [ONE]
    assert state.facts == {"k": True}
    assert state.holds == {"k": (Ref(1),)}
    assert state.externals == {}
    assert state.frames[-1].context == 0
    assert (state.roots, state.signal, state.streams) == ((), None, frozenset())


def test_copy_takes_everything_along() -> None:
    state = new_state()
    for name in State.__slots__:
        assert hasattr(state.copy(), name)
    state.process, state.start_method, state.dirty, state.watched = 5, "spawn", True, True
    state.crowded = 7
    state.handling = (Signal("raise"),)
    other = state.copy()
    for name in ("process", "start_method", "dirty", "watched", "crowded", "handling"):
        assert getattr(other, name) == getattr(state, name)


# --- epochs ---------------------------------------------------------------------------------------


def test_fresh_copies_do_not_differ() -> None:
    state = new_state(x=ONE)
    assert set(state.differing(state.copy())) == set()


@pytest.mark.parametrize("sides", ["mine", "theirs", "both"])
def test_copies_differ_in_what_either_has_changed(sides: str) -> None:
    state = new_state()
    one, two = (place(state, Sequence("list", [])).id for _ in range(2))
    place(state, Sequence("list", []))
    other = state.copy()
    expected = set()
    if sides != "theirs":
        state.edit(Sequence, one)
        expected.add(one)
    if sides != "mine":
        other.edit(Sequence, two)
        expected.add(two)
    assert set(state.differing(other)) == expected
    assert set(other.differing(state)) == expected


def test_differences_add_up_over_generations() -> None:
    """Both sides have been copied again since, not equally often."""
    state = new_state()
    items = [place(state, Sequence("list", [])).id for _ in range(5)]
    state.edit(Sequence, items[0])  # before they part
    left = state.copy()
    left.edit(Sequence, items[1])
    right = state.copy()
    right.edit(Sequence, items[2])
    below = right.copy()
    below.edit(Sequence, items[3])
    lowest = below.copy()
    made = place(lowest, Sequence("list", [])).id
    expected = {items[1], items[2], items[3], made}
    assert set(left.differing(lowest)) == expected
    assert set(lowest.differing(left)) == expected


def test_states_of_different_origin_may_differ_in_everything() -> None:
    one, two = new_state(), new_state()
    place(one, Sequence("list", []))
    assert set(one.differing(two)) == one.heap.keys() | two.heap.keys()


# --- operands -------------------------------------------------------------------------------------


def test_operands_come_back_in_order() -> None:
    state = new_state()
    state.push(NONE).push(ONE).push(TWO)
    assert state.take(0) == []
    assert state.take(2) == [ONE, TWO]
    assert state.pop() == NONE
    assert state.stack == []


# --- reachability ---------------------------------------------------------------------------------


def test_everything_a_value_holds_is_reached() -> None:
    state = new_state()
    streams = [opened(state) for _ in range(9)]
    box = instance(state, f=streams[0])
    table = place(state, Mapping({"k": streams[1]}, [streams[2]]))
    method = Method(streams[3], "write")
    bound = Bound(Ext("a.f"), streams[4])
    either = Union("u", (NONE, streams[5]))
    row = place(state, Sequence("tuple", [box, table, method, bound, either]))
    assert state.reach([row]) == {row.id, box.id, table.id, *(s.id for s in streams[:6])}


def test_stream_reaches_the_layers_below_it() -> None:
    state = new_state()
    below = opened(state)
    above = opened(state, below=below.id)
    assert state.reach([above]) == {above.id, below.id}
    assert state.reach([below]) == {below.id}


def test_unknown_object_reaches_what_it_was_given() -> None:
    state = new_state()
    file = opened(state)
    state.hold("k", [file, ONE])
    state.hold("k", [file])
    assert state.holds == {"k": (file,)}
    assert file.id in state.reach([Unknown("k")])
    assert state.mark([Unknown("k"), Union("u", (file,))]) == ({file.id}, {"k", "u"})


def test_what_travels_with_a_value_stops_at_classes_and_defaults() -> None:
    state = new_state()
    on_class, default = opened(state), opened(state)
    cls = place(state, Class("C", (), {"f": on_class}, None))
    made = place(state, Instance(cls, {}))
    with_default = place(state, function(defaults={"f": default}))
    assert on_class.id in state.reach([made])
    assert default.id in state.reach([with_default])
    assert state.reach([made, with_default], through_classes=False) == {made.id, with_default.id}


def test_ring_of_objects_is_reached_once() -> None:
    state = new_state()
    one = instance(state)
    two = instance(state, other=one)
    state.names_of(one.id)["other"] = two
    assert state.reach([one]) == {one.id, two.id}


_NESTED = """\
def outer(f, g):
    h = f
    def inner(g):
        return f, g, log
    return inner
"""


def test_function_holds_the_cells_of_names_it_uses() -> None:
    """Not the enclosing frame, not its own parameters, and no globals."""
    inner = function_scope(_NESTED, "inner")
    state = new_state()
    files = {name: opened(state) for name in ("f", "g", "h", "log")}
    bind(state, "log", files["log"])
    local: dict[str, Value] = {n: value for n, value in files.items() if n != "log"}
    frame = place(state, Env(local, function_scope(_NESTED, "outer"), state.frames[0].module))
    made = function()
    made.scope, made.closure = inner, frame.id
    assert state.reach([place(state, made)]) & {f.id for f in files.values()} == {files["f"].id}


# --- what a dropped reference means ---------------------------------------------------------------


@pytest.fixture
def crowd() -> State:
    """A state with more open files than the standard ones, which nobody waits for."""
    state = new_state()
    for _ in range(8):
        opened(state)
    return state


def test_reference_to_no_stream_does_not_matter(crowd: State) -> None:
    for value in (ONE, Ext("a.f"), instance(crowd), Unknown("k")):
        crowd.drop(value)
    assert not crowd.dirty


def test_reference_to_a_stream_matters(crowd: State) -> None:
    crowd.drop(Method(instance(crowd, f=opened(crowd)), "close"))
    assert crowd.dirty


def test_reference_does_not_matter_while_a_name_holds_the_stream(crowd: State) -> None:
    file = opened(crowd)
    bind(crowd, "f", file)
    crowd.drop(file)
    assert not crowd.dirty
    bind(crowd, "f", NONE)
    crowd.drop(file)
    assert crowd.dirty


def test_with_finalizers_about_every_reference_matters() -> None:
    state = new_state()
    state.watched = True
    state.drop(TRUE)
    assert not state.dirty
    state.drop(instance(state))
    assert state.dirty


def test_look_asks_for_the_kind() -> None:
    state = new_state()
    file = opened(state)
    assert state.look(Stream, file) is state.heap[file.id]
    assert state.look(Instance, file) is None
    assert state.look(Stream, Ref(999_999)) is None
    assert state.look(Stream, ONE) is None


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (Const("a\n"), True),
        (Const(b"\na"), True),
        (Const("a"), False),
        (Const(1), False),
        (Unknown("k"), None),
        (Unknown("k", newline=True), True),
        (Union("u", (Const("\n"),)), None),
        (Ext("os.linesep"), None),
    ],
)
def test_newline_is_there_or_not_or_unknown(value: Value, answer: bool | None) -> None:
    assert contains_newline(value) is answer


def test_values_of_one_content_are_one_value() -> None:
    """The machine files facts under values."""
    site = Site("x")
    assert Union("u", (ONE, Ref(1))) == Union("u", (Const(1), Ref(1)))
    assert len({Bound(Ext("a"), Ref(1)), Bound(Ext("a"), Ref(1)), Bound(Ext("b"), Ref(1))}) == 2
    assert Const(site) != Const(Site("x"))
