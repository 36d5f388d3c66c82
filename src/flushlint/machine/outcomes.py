"""What comes of it all when a program has run: which losses are real, and which kills meet a child.

A write is lost if every process that holds a copy of it throws it away; a kill counts where the
child stands with something in a buffer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.machine.log import compatible
from flushlint.machine.state import SIGNALLED

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable

    from flushlint.machine.log import Kill, Log, Loss

__all__ = ["killer", "prefix", "settle"]


def killer(
    log: Log,
    number: int,
    facts: dict[Hashable, object],
    *,
    on: Iterable[Hashable] = (),
    given: Collection[Hashable] = (),
    handled: Iterable[int] = (),
    signal: int | None = None,
) -> Kill | None:
    """Return who kills a process in a state like this, if anybody does: for certain if possible."""
    found = None
    for kill in log.kills:
        if kill.process != number or kill.signal in handled or signal not in (None, kill.signal):
            continue
        if not compatible(kill.facts, facts) or _may_end(log, kill, facts, on):
            continue
        if _is_early(log, kill, given):
            continue
        if found is None or not kill.conditional:
            found = kill
        if not found.conditional:
            break
    return found


def _may_end(log: Log, kill: Kill, facts: dict[Hashable, object], on: Iterable[Hashable]) -> bool:
    """Say whether the process stands there no more when the kill comes, or need not."""
    if any(("told", token) in kill.facts for token in on):
        return True
    locks = {token[1] for token in on if isinstance(token, tuple) and token[0] == "lock"}
    if not locks <= kill.locks:
        return True  # nobody keeps it waiting
    if kill.process in log.ended:
        # It may come to its end by itself: whether it has when the kill comes is a race.
        asked = [key[1] for key in _keys(facts, "asked")]
        told = ("told", "word")
        if any((word, token) in kill.facts for token in (*asked, *on) for word in told):
            return True
    return False


def _is_early(log: Log, kill: Kill, given: Collection[Hashable]) -> bool:
    """Say whether the kill waits for something that the process gives only later."""
    return any(
        (kill.process, key[1]) in log.gives and key[1] not in given
        for key in _keys(kill.facts, "awaited")
    )


def settle(log: Log) -> None:
    """Forget what comes of signals that nobody sends, and of writes that another process keeps.

    What hangs on a conditional kill says so.
    """
    for kill in log.kills:
        hangs_on_answer = kill.asked and (kill.process, kill.node) not in log.unasked
        spared = kill.process in log.spared
        kill.conditional = kill.conditional or hangs_on_answer or spared
    log.emissions = [e for e in log.emissions if _is_sent(log, e.facts) is not None]
    kept = []
    for loss in log.losses:
        sent = _is_sent(log, loss.facts)
        if sent is not None:
            loss.conditional = not sent
            kept.append(loss)
    log.losses = kept
    log.halts = [h for h in log.halts if _is_thrown_away_by_all(log, h.loss)]
    log.unguaranteed = [u for u in log.unguaranteed if _is_thrown_away_by_all(log, u.loss)]
    log.losses = [loss for loss in kept if _is_thrown_away_by_all(log, loss)]


def prefix(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Say whether one copy of a write descends from the other, by the forks they came through."""
    short, long = sorted((a, b), key=len)
    return long[: len(short)] == short


def _is_thrown_away_by_all(log: Log, loss: Loss) -> bool:
    """Say whether every process that held this write has thrown it away."""
    write = loss.write
    if not write.forks:
        return True
    holders = {write.process}
    for number in write.forks:
        process = log.processes[number]
        holders |= {number, process.parent}
    for emission in log.emissions:
        same = (emission.write.node, emission.write.process, emission.write.stream) == (
            write.node, write.process, write.stream,
        )  # fmt: skip
        apart = prefix(emission.write.forks, write.forks) and emission.process != loss.process
        if same and apart and compatible(emission.facts, loss.facts):
            return False
    droppers = {
        other.process
        for other in log.losses
        if other.write.node is write.node and prefix(other.write.forks, write.forks)
    }
    return holders <= droppers


def _is_sent(log: Log, facts: dict[Hashable, object]) -> bool | None:
    """Say whether the signal of a path is sent for certain, None where it is not sent at all."""
    known = facts.get(SIGNALLED)
    if not isinstance(known, tuple):
        return True
    number, signal, given = known
    kill = killer(log, number, facts, given=given, signal=signal)
    return None if kill is None else not kill.conditional


def _keys(facts: dict[Hashable, object], kind: str) -> list[tuple[Hashable, ...]]:
    """Return the keys of facts of one kind."""
    return [key for key in facts if isinstance(key, tuple) and key[0] == kind]
