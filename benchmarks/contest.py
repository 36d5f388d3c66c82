"""Contests: the same work done in two ways, in turns, the best time of each counting.

Turns, because what else the machine does changes from one minute to the next, and the best, because
everything that disturbs only ever adds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

__all__ = ["Contestant", "Row", "Seconds", "Target", "best_of", "command", "peak", "reported"]


class Seconds(NamedTuple):
    """What a run took: by the clock, and of the processors (those of its children included)."""

    wall: float
    cpu: float


Contestant = Callable[[], Seconds]


class Target(NamedTuple):
    """A ratio that is to be reached, of wall or of processor time."""

    limit: float
    of_cpu: bool = False


class Row(NamedTuple):
    """One line of the table: ours beside theirs."""

    title: str
    beside: str
    ours: Seconds
    theirs: Seconds
    target: Target | None = None

    @property
    def wall_ratio(self) -> float:
        """Ours by theirs, by the clock."""
        return self.ours.wall / self.theirs.wall

    @property
    def cpu_ratio(self) -> float:
        """Ours by theirs, of the processors."""
        return self.ours.cpu / self.theirs.cpu

    @property
    def is_reached(self) -> bool | None:
        """Whether the target is reached, None if there is none."""
        if self.target is None:
            return None
        ratio = self.cpu_ratio if self.target.of_cpu else self.wall_ratio
        return ratio <= self.target.limit


def best_of(rounds: int, contestants: Sequence[Contestant]) -> list[Seconds]:
    """Let all run in turns, `rounds` times, and return the best times of each."""
    best = [Seconds(float("inf"), float("inf"))] * len(contestants)
    for _ in range(rounds):
        for number, contestant in enumerate(contestants):
            seconds = contestant()
            best[number] = Seconds(
                min(best[number].wall, seconds.wall), min(best[number].cpu, seconds.cpu)
            )
    return best


def command(arguments: Sequence[str], statuses: Sequence[int] = (0, 1)) -> Contestant:
    """Return a contestant that runs a command to its end, output thrown away."""

    def run() -> Seconds:
        before = os.times()
        begin = time.perf_counter()
        done = subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=_environment(),
            check=False,
        )
        wall = time.perf_counter() - begin
        after = os.times()
        if done.returncode not in statuses:
            text = done.stderr.decode(errors="replace")[-500:]
            raise RuntimeError(f"{arguments[:4]} ended with {done.returncode}: {text}")
        cpu = after.children_user + after.children_system
        return Seconds(wall, cpu - before.children_user - before.children_system)

    return run


def reported(arguments: Sequence[str]) -> Contestant:
    """Return a contestant whose command prints its own wall and processor times."""

    def run() -> Seconds:
        done = subprocess.run(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=_environment(),
            text=True,
            check=True,
        )
        wall, cpu = map(float, done.stdout.split()[-2:])
        return Seconds(wall, cpu)

    return run


def peak(arguments: Sequence[str]) -> float:
    """Return how many MB of memory a command takes at most, its children not counted."""
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(arguments, stdout=nowhere, stderr=nowhere, env=_environment())
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0  # it has been waited for
    return usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def _environment() -> dict[str, str]:
    """Return the environment without what would make Python slower or noisier."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDEVMODE"}
