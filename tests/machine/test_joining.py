"""Joining: states with equal streams become one, and what they disagree on goes soft."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import libcst as cst
import pytest

from flushlint.machine.interpreter import Machine
from flushlint.machine.joining import compact, finite, join, join_values, signature, weaken
from flushlint.machine.objects import Env, Instance, Mapping, Sequence, Stream, Write
from flushlint.machine.scope import build_scopes
from flushlint.machine.state import Signal
from flushlint.machine.values import FALSE, NONE, TRUE, Const, Ext, Ref, Union, Unknown
from flushlint.model import AnalysisOptions
from tests.machine.states import Site, bind, instance, new_state, opened, place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flushlint.machine.state import State
    from flushlint.machine.values import Value

ONE, TWO = Const(1), Const(2)


@pytest.fixture
def fresh() -> Callable[[], int]:
    return itertools.count(5_000).__next__


@pytest.fixture
def machine() -> Machine:
    module = cst.parse_module("")
    return Machine(module, build_scopes(module), AnalysisOptions())


def variable(state: State, name: str) -> Value | None:
    env = state.heap[state.frames[0].module]
    assert isinstance(env, Env)
    return env.variables.get(name)


def wet(state: State, target: Ref, node: Site | None = None) -> None:
    """Let a write be pending in a stream."""
    write = Write(node or Site("write"), state.process, target.id)
    state.edit(Stream, target.id).pending = (write,)


# --- which states are joined ----------------------------------------------------------------------


def test_equal_streams_join(fresh: Callable[[], int]) -> None:
    state = new_state()
    file = opened(state)
    other = state.copy()
    wet(state, file)
    wet(other, file)  # by another write: that is the witness's affair
    assert join([state, other], fresh) == [state]


def test_one_state_and_none_stay(fresh: Callable[[], int]) -> None:
    state = new_state()
    assert join([state], fresh) == [state]
    assert join([], fresh) == []


def _changes() -> Iterator[tuple[str, Callable[[State, Ref], object]]]:
    def field(name: str, value: object) -> Callable[[State, Ref], object]:
        return lambda state, file: setattr(state.edit(Stream, file.id), name, value)

    write = Write(Site("w"), 0, 1)
    yield "pending", field("pending", (write,))
    yield "pending of another process", field("pending", (replace(write, process=3),))
    yield "pending of an earlier fork", field("pending", (replace(write, forks=(3,)),))
    yield "trailer", field("trailer", write)
    yield "closed", field("closed", value=True)
    yield "line buffered", field("line_buffered", value=True)
    yield "write through", field("write_through", value=True)
    yield "layer below", field("below", 77)
    yield "another stream", lambda state, _: opened(state)
    yield "process", lambda state, _: setattr(state, "process", 4)
    yield "start method", lambda state, _: setattr(state, "start_method", "spawn")
    yield "signal", lambda state, _: setattr(state, "signal", Signal("return", NONE))
    yield "kept process object", lambda state, file: setattr(state, "roots", (file,))
    yield "operand", lambda state, _: state.push(ONE)


CHANGES = dict(_changes())


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_states_that_differ_in_this_stay_apart(
    change: Callable[[State, Ref], object], fresh: Callable[[], int]
) -> None:
    state = new_state()
    file = opened(state)
    other = state.copy()
    change(other, file)
    assert signature(state) != signature(other)
    assert join([state, other], fresh) == [state, other]
    third = state.copy()
    change(third, file)
    if change is not CHANGES["another stream"]:
        assert len(join([state, other, third], fresh)) == 2


def test_raised_in_sight_and_out_of_sight_stay_apart(fresh: Callable[[], int]) -> None:
    state = new_state()
    other = state.copy()
    state.signal, other.signal = Signal("raise"), Signal("raise", implicit=True)
    assert len(join([state, other], fresh)) == 2


def test_place_of_a_signal_does_not_matter(fresh: Callable[[], int]) -> None:
    state = new_state()
    other = state.copy()
    state.signal = Signal("return", ONE, Site("a"))
    other.signal = Signal("return", TWO, Site("b"))
    (joined,) = join([state, other], fresh)
    assert joined.signal is not None
    assert isinstance(joined.signal.value, Union)
    assert joined.signal.value.options == (ONE, TWO)


# --- what the join knows --------------------------------------------------------------------------


def joined(state: State, other: State, fresh: Callable[[], int]) -> State:
    (found,) = join([state, other], fresh)
    return found


def test_variable_holds_either_value(fresh: Callable[[], int]) -> None:
    state = new_state(x=ONE, y=ONE)
    other = state.copy()
    bind(other, "x", TWO)
    after = joined(state, other, fresh)
    found = variable(after, "x")
    assert isinstance(found, Union)
    assert set(found.options) == {ONE, TWO}
    assert variable(after, "y") == ONE


def test_variable_of_one_path_is_kept(fresh: Callable[[], int]) -> None:
    state = new_state()
    other = state.copy()
    bind(state, "mine", ONE)
    bind(other, "theirs", TWO)
    after = joined(state, other, fresh)
    assert (variable(after, "mine"), variable(after, "theirs")) == (ONE, TWO)


def test_object_of_one_path_is_kept(fresh: Callable[[], int]) -> None:
    state = new_state()
    other = state.copy()
    box = instance(other, x=ONE)
    assert joined(state, other, fresh).look(Instance, box) is not None


def test_attributes_are_joined(fresh: Callable[[], int]) -> None:
    state = new_state()
    box = instance(state, x=ONE)
    other = state.copy()
    other.names_of(box.id).update(x=TWO, y=NONE)
    after = joined(state, other, fresh).look(Instance, box)
    assert after is not None
    assert isinstance(after.attributes["x"], Union)
    assert after.attributes["y"] == NONE


def test_only_common_facts_survive(fresh: Callable[[], int]) -> None:
    state = new_state()
    state.facts["both"] = True
    other = state.copy()
    state.facts.update(split=True, mine=True)
    other.facts.update(split=False, theirs=True)
    assert joined(state, other, fresh).facts == {"both": True}


def test_operands_holdings_and_standard_streams_are_joined(fresh: Callable[[], int]) -> None:
    state = new_state()
    state.externals["sys.stdout"] = ONE
    other = state.copy()
    state.push(ONE)
    other.push(TWO)
    state.hold("k", [Ref(1)])
    other.hold("k", [Ref(2)])
    other.externals["sys.stdout"] = TWO
    after = joined(state, other, fresh)
    assert isinstance(after.stack[0], Union)
    assert set(after.holds["k"]) == {Ref(1), Ref(2)}
    assert isinstance(after.externals["sys.stdout"], Union)


def test_lists_of_one_length_are_joined_item_by_item(fresh: Callable[[], int]) -> None:
    state = new_state()
    items = place(state, Sequence("list", [ONE, NONE]))
    other = state.copy()
    other.edit(Sequence, items.id).items[0] = TWO
    after = joined(state, other, fresh).look(Sequence, items)
    assert after is not None
    assert after.exact
    assert isinstance(after.items[0], Union)
    assert after.items[1] == NONE


@pytest.mark.parametrize(("items", "nonempty"), [([ONE], True), ([], False)])
def test_lists_of_different_lengths_hold_any_number(
    items: list[Value], nonempty: bool, fresh: Callable[[], int]
) -> None:
    state = new_state()
    made = place(state, Sequence("list", items))
    other = state.copy()
    other.edit(Sequence, made.id).items.append(TWO)
    after = joined(state, other, fresh).look(Sequence, made)
    assert after is not None
    assert not after.exact
    assert after.nonempty is nonempty
    assert set(after.items) == {*items, TWO}


def test_dicts_with_different_keys_are_inexact(fresh: Callable[[], int]) -> None:
    state = new_state()
    made = place(state, Mapping({"x": ONE}))
    other = state.copy()
    other.edit(Mapping, made.id).entries["y"] = TWO
    after = joined(state, other, fresh).look(Mapping, made)
    assert after is not None
    assert not after.exact
    assert after.entries == {"x": ONE, "y": TWO}


def test_join_leaves_relatives_alone(fresh: Callable[[], int]) -> None:
    """A state that shares objects with the joined ones sees nothing of it."""
    state = new_state(x=ONE)
    bystander = state.copy()
    other = state.copy()
    bind(other, "x", TWO)
    joined(state, other, fresh)
    assert variable(bystander, "x") == ONE


def test_joined_state_differs_from_its_relatives_in_what_was_joined(
    fresh: Callable[[], int],
) -> None:
    """A second join must find what the first has brought in."""
    state = new_state()
    third = state.copy()
    other = state.copy()
    box = instance(other)
    after = joined(state, other, fresh)
    assert box.id in set(third.differing(after))
    assert joined(third, after, fresh).look(Instance, box) is not None


# --- unions ---------------------------------------------------------------------------------------


def test_path_stays_with_the_option_it_chose(machine: Machine) -> None:
    value = Union("u", (ONE, TWO, NONE))
    found = machine.choose(new_state(), value)
    assert [option for _, option in found] == [ONE, TWO, NONE]
    for state, option in found:
        assert [again for _, again in machine.choose(state.copy(), value)] == [option]


def test_unions_with_one_key_are_chosen_together(machine: Machine) -> None:
    """The same variable read twice; another union is chosen anew."""
    one, another = Union("u", (TRUE, FALSE)), Union("v", (TRUE, FALSE))
    pairs = [
        (first, second, third)
        for state, first in machine.choose(new_state(), one)
        for after, second in machine.choose(state, one)
        for _, third in machine.choose(after, another)
    ]
    assert sorted(pairs, key=str) == sorted(
        [(b, b, c) for b in (TRUE, FALSE) for c in (TRUE, FALSE)], key=str
    )


def test_options_may_be_unions(machine: Machine) -> None:
    inner = Union("v", (ONE, TWO))
    found = machine.choose(new_state(), Union("u", (inner, NONE)))
    assert [option for _, option in found] == [ONE, TWO, NONE]


def test_what_is_no_union_needs_no_choice(machine: Machine) -> None:
    state = new_state()
    assert machine.choose(state, ONE) == [(state, ONE)]
    assert state.facts == {}


def test_unknown_test_keeps_its_answer(machine: Machine) -> None:
    asked = Unknown("k")
    true, false = machine.split([new_state().push(asked)])
    assert (len(true), len(false)) == (1, 1)
    assert [len(part) for part in machine.split([true[0].push(asked)])] == [1, 0]
    assert [len(part) for part in machine.split([false[0].push(asked)])] == [0, 1]
    negated = Unknown(("not", "k"))
    assert [len(part) for part in machine.split([false[0].push(negated)])] == [1, 0]


def test_joined_values(fresh: Callable[[], int]) -> None:
    box, file = Ref(1), Ref(2)
    assert join_values([ONE, ONE], fresh) == ONE
    assert isinstance(join_values([ONE, Unknown("k")], fresh), Unknown)
    assert isinstance(join_values([Const(n) for n in range(5)], fresh), Unknown)
    found = join_values([Union("u", (ONE, box)), file, Unknown("k"), Unknown("l")], fresh)
    assert isinstance(found, Union)
    assert set(found.options) == {box, file, ONE, Unknown("k")}
    crowd = join_values([file, *(Const(n) for n in range(9))], fresh)
    assert isinstance(crowd, Union)
    assert file in crowd.options
    assert not any(isinstance(option, Const) for option in crowd.options)


def test_two_unions_have_two_keys(fresh: Callable[[], int]) -> None:
    one, two = (join_values([ONE, TWO], fresh) for _ in range(2))
    assert one != two


def test_container_keeps_every_object_and_few_of_the_rest() -> None:
    objects: list[Value] = [Ref(n) for n in range(20)]
    constants: list[Value] = [Const(n) for n in range(20)]
    found = compact([*constants, Unknown("k"), *objects, *objects, Unknown("l")])
    assert [value for value in found if isinstance(value, Ref)] == objects
    assert len([value for value in found if isinstance(value, Const)]) < 20
    assert len([value for value in found if isinstance(value, Unknown)]) == 1


# --- collapse -------------------------------------------------------------------------------------


def crowd(streams: int) -> tuple[list[State], list[Ref], Ref]:
    """Return a state for each subset of streams to be pending, and one stream pending in all."""
    start = new_state()
    files = [opened(start) for _ in range(streams)]
    common = opened(start)
    wet(start, common, Site("common"))
    states = []
    for number, subset in enumerate(itertools.product((False, True), repeat=streams)):
        state = start.copy()
        bind(state, "number", Const(number))
        for file in itertools.compress(files, subset):
            wet(state, file)
        states.append(state)
    return states, files, common


def test_sixty_four_states_are_not_too_many(fresh: Callable[[], int]) -> None:
    states, _, _ = crowd(6)
    assert len(states) == 64
    assert join(states, fresh) == states


def test_more_states_become_one_that_claims_only_what_all_do(fresh: Callable[[], int]) -> None:
    states, files, common = crowd(7)
    (after,) = join(states, fresh)
    assert [bool(after.stream(file.id).pending) for file in files] == [False] * 7
    assert after.stream(common.id).pending
    assert isinstance(variable(after, "number"), (Union, Unknown))


def test_collapse_closes_only_what_is_closed_everywhere(fresh: Callable[[], int]) -> None:
    states, files, common = crowd(7)
    for state in states:
        state.edit(Stream, files[0].id).closed = True
    states[3].edit(Stream, common.id).closed = True
    states[5].edit(Stream, files[1].id).trailer = Write(Site("w"), 0, files[1].id)
    (after,) = join(states, fresh)
    assert after.stream(files[0].id).closed
    assert not after.stream(common.id).closed
    assert after.stream(files[1].id).trailer is None


def test_collapse_keeps_processes_and_signals_apart(fresh: Callable[[], int]) -> None:
    states, _, _ = crowd(7)
    states[0].process = 9
    states[1].signal = Signal("return", NONE)
    after = join(states, fresh)
    assert len(after) == 3
    assert sorted(state.process for state in after) == [0, 0, 9]
    assert sum(state.signal is not None for state in after) == 1


# --- widening -------------------------------------------------------------------------------------


@pytest.mark.parametrize("everything", [False, True])
def test_numbers_that_change_become_unknown(everything: bool, fresh: Callable[[], int]) -> None:
    before = new_state(count=ONE, same=ONE)
    state = before.copy()
    bind(state, "count", TWO)
    weaken(state, before, fresh, everything=everything)
    assert isinstance(variable(state, "count"), Unknown)
    assert variable(state, "same") == ONE
    assert variable(before, "count") == ONE


@pytest.mark.parametrize(("flag", "other"), [(TRUE, FALSE), (NONE, TRUE), (Const("a"), Const("b"))])
def test_flags_and_words_are_spared_at_first(
    flag: Const, other: Const, fresh: Callable[[], int]
) -> None:
    before = new_state(flag=flag)
    state = before.copy()
    bind(state, "flag", other)
    weaken(state, before, fresh, everything=False)
    assert variable(state, "flag") == other
    weaken(state, before, fresh, everything=True)
    assert isinstance(variable(state, "flag"), Unknown)


def test_objects_are_never_widened(fresh: Callable[[], int]) -> None:
    before = new_state(f=Ref(1), g=Ext("a.b"))
    state = before.copy()
    bind(state, "f", Ref(2))
    bind(state, "g", Union("u", (Ref(1), Ref(2))))
    weaken(state, before, fresh, everything=True)
    assert variable(state, "f") == Ref(2)
    assert isinstance(variable(state, "g"), Union)


def test_attributes_are_widened_like_variables(fresh: Callable[[], int]) -> None:
    before = new_state()
    box = instance(before, count=ONE)
    state = before.copy()
    state.names_of(box.id)["count"] = TWO
    weaken(state, before, fresh, everything=False)
    after = state.look(Instance, box)
    assert after is not None
    assert isinstance(after.attributes["count"], Unknown)


def test_growing_list_holds_any_number(fresh: Callable[[], int]) -> None:
    before = new_state()
    items = place(before, Sequence("list", [Ref(1)]))
    state = before.copy()
    state.edit(Sequence, items.id).items.append(Ref(2))
    weaken(state, before, fresh, everything=False)
    after = state.look(Sequence, items)
    assert after is not None
    assert (set(after.items), after.exact, after.nonempty) == ({Ref(1), Ref(2)}, False, True)


@pytest.mark.parametrize("everything", [False, True])
def test_shrinking_list_is_spared_at_first(everything: bool, fresh: Callable[[], int]) -> None:
    before = new_state()
    items = place(before, Sequence("list", [Ref(1), Ref(2)]))
    state = before.copy()
    state.edit(Sequence, items.id).items.pop()
    weaken(state, before, fresh, everything=everything)
    after = state.look(Sequence, items)
    assert after is not None
    assert after.exact is not everything


def test_growing_dict_is_inexact(fresh: Callable[[], int]) -> None:
    before = new_state()
    table = place(before, Mapping({"a": Ref(1)}))
    state = before.copy()
    state.edit(Mapping, table.id).entries["b"] = Ref(2)
    weaken(state, before, fresh, everything=False)
    after = state.look(Mapping, table)
    assert after is not None
    assert not after.exact
    assert after.entries == {"a": Ref(1), "b": Ref(2)}


def test_rounds_are_told_by_flags_not_by_counters() -> None:
    before = new_state(flag=FALSE, count=ONE)
    one, two, three = before.copy(), before.copy(), before.copy()
    bind(one, "flag", TRUE)
    bind(two, "flag", TRUE)
    bind(two, "count", TWO)
    bind(three, "flag", NONE)
    assert finite(one, before) == finite(two, before)
    assert finite(one, before) != finite(three, before)
    assert finite(before.copy(), before) == frozenset()
