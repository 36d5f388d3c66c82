"""How many processes can work at a time."""

from __future__ import annotations

import os

__all__ = ["available_cores"]


def available_cores() -> int:
    """Return on how many cores this process may run: by its affinity, and its share of a container.

    As `os.process_cpu_count` does, which Python has from 3.13 on.
    """
    count = getattr(os, "process_cpu_count", None)
    if count is not None:
        cores = count() or 1
    elif hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return min(cores, _share() or cores)


# The time of all cores together that a container has, and in what time, in microseconds.
_SHARES = (
    ("/sys/fs/cgroup/cpu.max",),
    ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"),
)


def _share() -> int | None:
    """Return how many cores a container may keep busy, rounded up, None if that is not limited."""
    for paths in _SHARES:
        words: list[bytes] = []
        try:
            for path in paths:
                with open(path, "rb") as file:
                    words += file.read().split()
            quota, period = map(int, words)
        except (OSError, ValueError):  # no such group, or `max`
            continue
        if quota > 0 and period > 0:
            return -(-quota // period)
    return None
