"""Processes: what starts one, what forks, what ends one at once; by version and platform."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = [
    "FORKS",
    "HARD_EXITS",
    "INHERITED_TYPES",
    "KILLS",
    "PARALLEL",
    "PICKLED_BY_DILL",
    "POOL_TYPES",
    "PROCESS_PACKAGES",
    "PROCESS_STARTERS",
    "PROCESS_TYPES",
    "TERMINAL_FORKS",
    "UNPICKLABLE_TYPES",
    "PoolType",
    "default_start_method",
]

# Packages with the interface of `multiprocessing`.
PROCESS_PACKAGES = ("multiprocessing", "multiprocess", "billiard", "torch.multiprocessing")

# dill pickles open files, or tries to: nothing is claimed of what it does with them.
PICKLED_BY_DILL = ("multiprocess.",)

# What only a child's start may hand over: pickling it for a running process raises.
INHERITED_TYPES = frozenset(
    f"{package}.{name}"
    for package in PROCESS_PACKAGES
    for name in ("Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition", "Event", "Barrier",
                 "Queue", "JoinableQueue", "SimpleQueue", "Value", "Array", "Pool")
)  # fmt: skip

# What can't be pickled whatever it holds: a lock of a thread is among its parts. The locks of
# `multiprocessing` itself can be handed over.
UNPICKLABLE_TYPES = frozenset(
    {
        *(
            f"threading.{name}"
            for name in (
                "Lock", "RLock", "Condition", "Event", "Semaphore", "BoundedSemaphore", "Barrier",
                "Thread", "Timer", "local",
            )
        ),
        "queue.Queue",
        "queue.LifoQueue",
        "queue.PriorityQueue",
        "queue.SimpleQueue",
        "concurrent.futures.ThreadPoolExecutor",
    }
)  # fmt: skip

# Classes of processes, and the start method of those that fix it.
PROCESS_TYPES: dict[str, str | None] = {
    **{f"{package}.Process": None for package in PROCESS_PACKAGES},
    "billiard.context.Process": None,
    "billiard.process.Process": None,
    "multiprocessing.context.ForkProcess": "fork",
    "multiprocessing.context.SpawnProcess": "spawn",
    "multiprocessing.context.ForkServerProcess": "forkserver",
}


class PoolType(NamedTuple):
    """A class whose instances run tasks in worker processes.

    `interface` is that of `multiprocessing.Pool`, of `concurrent.futures.Executor` or of `pathos`;
    `method` is the start method of those that fix it. A `dill` pool pickles nearly everything.
    """

    interface: Literal["pool", "executor", "pathos"]
    method: str | None = None
    dill: bool = False


POOL_TYPES: dict[str, PoolType] = {
    "multiprocessing.Pool": PoolType("pool"),
    "multiprocessing.context.ForkContext.Pool": PoolType("pool", "fork"),
    "multiprocessing.context.SpawnContext.Pool": PoolType("pool", "spawn"),
    "multiprocessing.context.ForkServerContext.Pool": PoolType("pool", "forkserver"),
    "torch.multiprocessing.Pool": PoolType("pool"),
    "billiard.Pool": PoolType("pool"),
    "multiprocess.Pool": PoolType("pool", dill=True),
    "pathos.multiprocessing.ProcessPool": PoolType("pathos", dill=True),
    "concurrent.futures.ProcessPoolExecutor": PoolType("executor"),
}

# Functions that start processes for a target: position and default of the start method.
PROCESS_STARTERS: dict[str, int] = {
    "torch.multiprocessing.spawn": 5,
    "torch.multiprocessing.start_processes": 5,
}

# Calls of functions in parallel; which processes run them, the call says.
PARALLEL = ("joblib.Parallel",)

FORKS = ("os.fork", "os.forkpty", "pty.fork")

# Of these, the ones that return a pair: both sides get a terminal of their own as well.
TERMINAL_FORKS = ("os.forkpty", "pty.fork")

# Functions that end the process at once, and how; user-space buffers are thrown away.
HARD_EXITS: dict[str, str] = {
    "os._exit": "exit",
    "os.abort": "abort",
    **{
        f"os.{name}": "exec"
        for name in (
            "execl", "execle", "execlp", "execlpe", "execv", "execve", "execvp", "execvpe",
        )
    },
}  # fmt: skip

# Functions that end the process at once when they send it SIGKILL, and where those that take a
# process get its own from.
KILLS: dict[str, str | None] = {"os.kill": "os.getpid", "signal.raise_signal": None}


def default_start_method(platform: str | None, version: tuple[int, int] | None) -> str:
    """Return the start method of a program that chooses none.

    Source: the documentation of `multiprocessing`, "Contexts and start methods": spawn on
    macOS since 3.8 and on Windows, forkserver elsewhere from 3.14 on, fork before.
    """
    if platform in ("darwin", "win32"):
        return "spawn"
    if version is not None and version >= (3, 14):
        return "forkserver"
    return "fork"
