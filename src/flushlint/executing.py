"""Pieces of work done side by side by others, who may lose some: none is lost for that.

A crew does the work: processes of this machine, or whatever an executor stands for. A bounded
number of pieces is on the way at a time, so that memory stays flat however many there are. What is
lost is done again when nothing else is on the way, so that a piece that ends whoever does it is
found out and costs no other one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from queue import SimpleQueue

__all__ = ["Crew", "Lost", "LostError", "no_weight", "side_by_side"]

_Key = TypeVar("_Key")
_Piece = TypeVar("_Piece")
_Result = TypeVar("_Result")

# Seconds between two looks at the clock while there is nothing to do but wait.
_TICK = 0.1
# The weight of what is on the way, in bytes.
_MOST_BYTES = 64_000_000


class LostError(Exception):
    """A piece of work has no result, through no fault of the function that does it."""


class Lost(NamedTuple):
    """What there is instead of a result, and why."""

    cause: str


class Crew(Protocol):
    """Does pieces of work, `width` at a time. A lost one is tried `tries` times more, alone."""

    width: int
    tries: int

    def submit(
        self, function: Callable[[Any], object], piece: object, *, alone: bool
    ) -> Future[Any]:
        """Begin with a piece; one that is `alone` has no other beside it. Raises LostError."""

    def result(self, future: Future[Any]) -> Any:  # noqa: ANN401 - what the function returns
        """Return what has come of a piece. Raises LostError."""


def side_by_side(
    function: Callable[[_Piece], _Result],
    pieces: Iterator[tuple[_Key, _Piece]],
    crew: Crew,
    *,
    weigh: Callable[[_Piece], int],
    tick: Callable[[], object],
) -> Iterator[tuple[_Key, _Result | Lost]]:
    """Yield what `function` returns for each piece, by its key, in the order in which they end.

    Pieces are taken when they are begun. `weigh` returns what one holds in bytes; `tick` is called
    some times in a second.
    """
    from queue import SimpleQueue

    ended: SimpleQueue[tuple[_Key, Future[Any]]] = SimpleQueue()
    on_the_way: dict[_Key, _Piece] = {}
    lost: dict[_Key, _Piece] = {}
    weight = 0
    while True:
        while not lost and len(on_the_way) < crew.width and weight < _MOST_BYTES:
            taken = next(pieces, None)
            if taken is None:
                break
            key, piece = taken
            try:
                _begin(function, key, piece, crew, ended)
            except LostError:
                lost[key] = piece
            else:
                on_the_way[key] = piece
                weight += weigh(piece)
        if on_the_way:
            key, future = _first(ended, tick)
            piece = on_the_way.pop(key)
            weight -= weigh(piece)
            try:
                yield key, crew.result(future)
            except LostError:
                lost[key] = piece
        elif lost:
            for key, piece in lost.items():
                yield key, _again(function, piece, crew, tick)
            lost.clear()
        else:
            return


def no_weight(_: object) -> int:
    """Return the weight of what holds next to nothing."""
    return 0


def _begin(
    function: Callable[[_Piece], object],
    key: _Key,
    piece: _Piece,
    crew: Crew,
    ended: SimpleQueue[tuple[_Key, Future[Any]]],
    *,
    alone: bool = False,
) -> None:
    # Not `as_completed`, which knows nothing of the futures of other libraries.
    future = crew.submit(function, piece, alone=alone)
    future.add_done_callback(lambda done: ended.put((key, done)))


def _first(
    ended: SimpleQueue[tuple[_Key, Future[Any]]], tick: Callable[[], object]
) -> tuple[_Key, Future[Any]]:
    """Wait for a piece to end."""
    from queue import Empty

    while True:
        tick()
        try:
            return ended.get(timeout=_TICK)
        except Empty:
            continue


def _again(
    function: Callable[[_Piece], _Result],
    piece: _Piece,
    crew: Crew,
    tick: Callable[[], object],
) -> _Result | Lost:
    """Do a piece that was lost by itself."""
    from queue import SimpleQueue

    cause = ""
    for _ in range(crew.tries):
        ended: SimpleQueue[tuple[None, Future[Any]]] = SimpleQueue()
        try:
            _begin(function, None, piece, crew, ended, alone=True)
            found: _Result = crew.result(_first(ended, tick)[1])
        except LostError as error:
            cause = str(error)
        else:
            return found
    return Lost(cause)
