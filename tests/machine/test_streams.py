"""The stream domain: what writing, flushing, closing and detaching do to each layer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from flushlint.machine import streams
from flushlint.machine.log import Log
from flushlint.machine.objects import Stream, Write
from tests.machine.states import Recorder, Site, new_state, opened

if TYPE_CHECKING:
    from flushlint.machine.state import State
    from flushlint.machine.values import Ref


class Machine:
    """A state, what is emitted, and the operations on streams by reference."""

    def __init__(self) -> None:
        self.state = new_state()
        self.log = Recorder()

    def open(self, kind: str = "file", **fields: Any) -> Ref:  # noqa: ANN401  # a Stream's
        return opened(self.state, kind, **fields)

    def write(self, target: Ref, newline: bool | None = False) -> Site:
        node = Site("write")
        streams.write(self.log, self.state, target.id, node, newline)
        return node

    def drain(self, target: Ref) -> None:
        streams.drain(self.log, self.state, target.id)

    def close(self, target: Ref) -> None:
        streams.close(self.log, self.state, target.id)

    def detach(self, target: Ref) -> int | None:
        return streams.detach(self.log, self.state, target.id)

    def at(self, target: Ref) -> Stream:
        return self.state.stream(target.id)

    def pending(self, *targets: Ref) -> list[bool]:
        return [bool(self.at(target).pending) for target in targets]

    @property
    def emitted(self) -> list[object]:
        return [write.node for write in self.log.writes]


@pytest.fixture
def m() -> Machine:
    return Machine()


@pytest.fixture
def pair(m: Machine) -> tuple[Ref, Ref]:
    """A text layer over a buffer, as `open` makes them."""
    buffer = m.open()
    return m.open(text=True, below=buffer.id), buffer


# --- text over buffer -----------------------------------------------------------------------------


def test_write_stays_in_the_layer_it_is_written_to(m: Machine, pair: tuple[Ref, Ref]) -> None:
    text, buffer = pair
    m.write(text)
    assert m.pending(text, buffer) == [True, False]
    assert m.emitted == []


def test_draining_the_text_layer_empties_both(m: Machine, pair: tuple[Ref, Ref]) -> None:
    text, buffer = pair
    below = m.write(buffer)
    m.write(text)
    m.drain(text)
    assert m.pending(text, buffer) == [False, False]
    assert m.emitted == [below]  # it stands for both: they are of one origin


def test_draining_the_buffer_leaves_the_text_layer(m: Machine, pair: tuple[Ref, Ref]) -> None:
    text, buffer = pair
    m.write(text)
    below = m.write(buffer)
    m.drain(buffer)
    assert m.pending(text, buffer) == [True, False]
    assert m.emitted == [below]


def test_write_remembers_node_process_and_layer(m: Machine, pair: tuple[Ref, Ref]) -> None:
    text, buffer = pair
    m.state.process = 7
    node = m.write(text)
    streams._empty(m.log, m.state, text.id)
    assert m.at(buffer).pending == (Write(node, 7, text.id),)


def test_first_write_of_an_origin_stands_for_all(m: Machine) -> None:
    file = m.open()
    first = m.write(file)
    m.write(file)
    assert [write.node for write in m.at(file).pending] == [first]


def test_write_after_a_flush_is_pending_again(m: Machine) -> None:
    file = m.open()
    m.write(file)
    m.drain(file)
    again = m.write(file)
    assert [write.node for write in m.at(file).pending] == [again]


def test_writes_of_two_processes_are_kept_apart(m: Machine) -> None:
    file = m.open()
    parents = m.write(file)
    m.state.process = 1
    childs = m.write(file)
    assert [write.node for write in m.at(file).pending] == [parents, childs]


def test_writes_before_and_after_a_fork_are_kept_apart(m: Machine) -> None:
    file = m.open()
    m.write(file)
    edited = m.state.edit(Stream, file.id)
    edited.pending = tuple(replace(write, forks=(1,)) for write in edited.pending)
    m.write(file)
    assert [write.forks for write in m.at(file).pending] == [(1,), ()]


@pytest.mark.parametrize("field", [{"writable": False}, {"closed": True}])
def test_nothing_is_written_to_what_takes_nothing(m: Machine, field: dict[str, Any]) -> None:
    file = m.open(**field)
    m.write(file)
    assert m.pending(file) == [False]
    assert m.emitted == []


def test_unbuffered_file_lets_everything_through(m: Machine) -> None:
    file = m.open("raw", buffered=False)
    node = m.write(file)
    assert m.pending(file) == [False]
    assert m.emitted == [node]


# --- write_through --------------------------------------------------------------------------------


def test_write_through_passes_to_a_buffer_that_keeps_it(m: Machine) -> None:
    buffer = m.open()
    text = m.open(text=True, below=buffer.id, write_through=True)
    m.write(text, newline=True)
    assert m.pending(text, buffer) == [False, True]
    assert m.emitted == []


def test_write_through_over_a_raw_file_is_out_at_once(m: Machine) -> None:
    raw = m.open("raw", buffered=False)
    text = m.open(text=True, below=raw.id, write_through=True)
    node = m.write(text)
    assert m.pending(text, raw) == [False, False]
    assert m.emitted == [node]


# --- line buffering -------------------------------------------------------------------------------


@pytest.mark.parametrize(("newline", "stays"), [(True, False), (False, True), (None, False)])
def test_line_buffered_text_is_emptied_unless_no_newline_is_sure(
    m: Machine, newline: bool | None, stays: bool
) -> None:
    buffer = m.open()
    text = m.open(text=True, below=buffer.id, line_buffered=True)
    m.write(text, newline)
    assert m.pending(text, buffer) == [stays, False]
    assert len(m.emitted) == (not stays)


def test_newline_takes_along_what_came_before_it(m: Machine) -> None:
    buffer = m.open()
    text = m.open(text=True, below=buffer.id, line_buffered=True)
    m.write(text, newline=False)
    m.write(text, newline=True)
    assert m.pending(text, buffer) == [False, False]
    m.write(text, newline=False)
    assert m.pending(text, buffer) == [True, False]


@pytest.mark.parametrize("newline", [True, False, None])
def test_without_line_buffering_newlines_mean_nothing(
    m: Machine, pair: tuple[Ref, Ref], newline: bool | None
) -> None:
    text, _ = pair
    m.write(text, newline)
    assert m.pending(text) == [True]


def test_line_buffering_means_nothing_to_a_binary_file(m: Machine) -> None:
    file = m.open(line_buffered=True)
    m.write(file, newline=True)
    assert m.pending(file) == [True]


# --- closing, owned and borrowed layers -----------------------------------------------------------


def test_close_empties_and_closes_what_it_owns(m: Machine, pair: tuple[Ref, Ref]) -> None:
    text, buffer = pair
    node = m.write(text)
    m.close(text)
    assert m.pending(text, buffer) == [False, False]
    assert m.at(text).closed
    assert m.at(buffer).closed
    assert m.emitted == [node]


def test_closing_the_buffer_leaves_what_is_above(m: Machine, pair: tuple[Ref, Ref]) -> None:
    text, buffer = pair
    m.write(text)
    m.close(buffer)
    assert m.pending(text) == [True]
    assert not m.at(text).closed


def test_second_close_changes_nothing(m: Machine) -> None:
    file = m.open()
    m.write(file)
    m.close(file)
    before = m.at(file)
    m.close(file)
    assert m.at(file) == before
    assert len(m.emitted) == 1


@pytest.mark.parametrize(
    ("kind", "flushed"), [("text", True), ("zip", True), ("compressed", False)]
)
def test_borrowed_layer_stays_open_and_some_flush_it(m: Machine, kind: str, flushed: bool) -> None:
    below = m.open()
    wrapper = m.open(kind, below=below.id, owns_below=False)
    m.write(wrapper)
    m.close(wrapper)
    assert m.pending(wrapper, below) == [False, not flushed]
    assert m.at(wrapper).closed
    assert not m.at(below).closed


def test_detach_flushes_and_parts_the_layers(m: Machine, pair: tuple[Ref, Ref]) -> None:
    text, buffer = pair
    node = m.write(text)
    assert m.detach(text) == buffer.id
    assert m.emitted == [node]
    assert m.at(text).below is None
    assert not m.at(buffer).closed
    m.write(text)  # an error in Python: the wrapper is unusable
    assert m.pending(text) == [False]
    m.write(buffer)
    m.close(text)
    assert m.pending(buffer) == [True]


def test_layers_are_listed_topmost_first(m: Machine) -> None:
    raw = m.open("raw")
    middle = m.open("compressed", below=raw.id)
    top = m.open("text", below=middle.id)
    assert streams.layers(m.state, top.id) == [top.id, middle.id, raw.id]
    assert streams.layers(m.state, raw.id) == [raw.id]


def test_layers_of_a_ring_come_to_an_end(m: Machine) -> None:
    one = m.open()
    two = m.open(below=one.id)
    m.state.edit(Stream, one.id).below = two.id
    assert streams.layers(m.state, one.id) == [one.id, two.id]


# --- compressed streams ---------------------------------------------------------------------------


@pytest.fixture
def gzip(m: Machine) -> tuple[Ref, Ref]:
    """A compressor over a buffer that it owns, as `gzip.open` makes them."""
    raw = m.open()
    return m.open("compressed", below=raw.id, needs_close=True), raw


def test_flush_does_not_pay_the_trailer(m: Machine, gzip: tuple[Ref, Ref]) -> None:
    compressed, raw = gzip
    node = m.write(compressed)
    m.drain(compressed)
    assert m.pending(compressed, raw) == [False, False]
    trailer = m.at(compressed).trailer
    assert trailer is not None
    assert trailer.node is node


def test_close_pays_the_trailer(m: Machine, gzip: tuple[Ref, Ref]) -> None:
    compressed, raw = gzip
    m.write(compressed)
    m.close(compressed)
    assert m.at(compressed).trailer is None
    assert m.pending(compressed, raw) == [False, False]
    assert m.at(raw).closed


def test_nothing_written_no_trailer_owed(m: Machine, gzip: tuple[Ref, Ref]) -> None:
    assert m.at(gzip[0]).trailer is None


def test_text_over_a_compressor_owes_its_trailer(m: Machine, gzip: tuple[Ref, Ref]) -> None:
    compressed, _ = gzip
    text = m.open("text", text=True, below=compressed.id)
    m.write(text)
    m.drain(text)
    assert m.at(compressed).trailer is not None
    m.close(text)
    assert m.at(compressed).trailer is None


def test_first_write_of_each_process_owes_the_trailer(m: Machine, gzip: tuple[Ref, Ref]) -> None:
    compressed, _ = gzip
    first = m.write(compressed)
    m.write(compressed)
    trailer = m.at(compressed).trailer
    assert trailer is not None
    assert trailer.node is first
    m.state.process = 1
    childs = m.write(compressed)
    trailer = m.at(compressed).trailer
    assert trailer is not None
    assert trailer.node is childs


def test_writing_below_the_compressor_owes_nothing(m: Machine, gzip: tuple[Ref, Ref]) -> None:
    compressed, raw = gzip
    m.write(raw)
    assert m.at(compressed).trailer is None


# --- the rest -------------------------------------------------------------------------------------


def test_log_hears_only_of_writes_that_others_hold(m: Machine) -> None:
    log = Log()
    file = m.open()
    mine = Write(Site("mine"), 0, file.id)
    shared = Write(Site("shared"), 0, file.id, forks=(3,))
    m.state.process = 3
    m.state.facts["decided"] = True
    m.state.edit(Stream, file.id).pending = (mine, shared)
    streams.drain(log, m.state, file.id)
    m.state.facts["later"] = True
    (emission,) = log.emissions
    assert (emission.write, emission.process) == (shared, 3)
    assert emission.facts == {"decided": True}


def test_forgotten_streams_are_empty_and_nothing_is_emitted(
    m: Machine, gzip: tuple[Ref, Ref]
) -> None:
    compressed, raw = gzip
    other = m.open()
    m.write(compressed)
    m.write(other)
    streams.forget(m.state, [compressed.id, raw.id, 999_999])
    assert m.pending(compressed, other) == [False, True]
    assert m.at(compressed).trailer is None
    assert m.emitted == []


def test_flush_answers_an_earlier_sync_that_was_in_vain(m: Machine) -> None:
    file = m.open()
    m.write(file)
    m.state.edit(Stream, file.id).synced = Site("fsync")
    m.drain(file)
    assert m.at(file).synced is None


def test_operations_change_no_other_state(m: Machine, pair: tuple[Ref, Ref]) -> None:
    text, buffer = pair
    m.write(text)
    other: State = m.state.copy()
    m.close(text)
    assert other.stream(text.id).pending
    assert not other.stream(text.id).closed
    assert not other.stream(buffer.id).closed
