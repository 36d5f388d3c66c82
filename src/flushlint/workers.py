"""Processes of this machine that do pieces of work, started when there is a first piece.

One that dies is noticed at once and costs nothing but itself. They ignore interrupts, which are for
the process that started them, and none outlives that.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flushlint.executing import LostError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future, ProcessPoolExecutor
    from multiprocessing.context import BaseContext
    from multiprocessing.process import BaseProcess

__all__ = ["LocalWorkers", "NoWorkersError", "drain", "interrupts_held"]

# What each worker has before it, so that it need not wait.
_PIECES_EACH = 4
# More can't be waited for on Windows.
_MOST_WORKERS = 60 if sys.platform == "win32" else 1024
# In seconds.
_A_MOMENT = 0.01


class NoWorkersError(Exception):
    """This system starts no worker processes: without semaphores, or with too many processes."""


class LocalWorkers:
    """A crew of `count` processes."""

    tries = 1

    def __init__(self, count: int) -> None:
        self.count = min(count, _MOST_WORKERS)
        self.width = _PIECES_EACH * self.count
        self._pool: ProcessPoolExecutor | None = None
        self._size = 0
        self._others: list[BaseProcess] = []
        self._mine: list[BaseProcess] = []

    def submit(
        self, function: Callable[[Any], object], piece: object, *, alone: bool = False
    ) -> Future[Any]:
        """Begin with a piece of work. Raises LostError, NoWorkersError."""
        from concurrent.futures.process import BrokenProcessPool

        pool = self._pool_of(1 if alone else self.count)
        try:
            with interrupts_held():
                future = pool.submit(function, piece)
        except BrokenProcessPool:
            raise LostError(self._death()) from None
        except OSError as error:
            self.kill()
            raise NoWorkersError(str(error)) from None
        if len(self._mine) < self._size:
            self._mine = self._children()
        return future

    def result(self, future: Future[Any]) -> Any:  # noqa: ANN401 - what the function returns
        """Return what has come of a piece. Raises LostError."""
        from concurrent.futures.process import BrokenProcessPool

        error = future.exception()
        if isinstance(error, BrokenProcessPool):
            raise LostError(self._death())
        if error is not None:
            raise LostError(f"{type(error).__name__}: {error}")
        return future.result()

    def close(self) -> None:
        """End the processes, which have nothing left to do."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def kill(self) -> None:
        """End the processes, whatever they are doing."""
        # A second interrupt is not to leave any of them.
        with interrupts_held():
            if self._pool is not None:
                for process in self._children():
                    process.kill()
                drain(self._pool)
                self._pool.shutdown(wait=False, cancel_futures=True)
                self._pool = None

    def _children(self) -> list[BaseProcess]:
        from multiprocessing import active_children

        return [one for one in active_children() if one not in self._others]

    def _pool_of(self, size: int) -> ProcessPoolExecutor:
        """Return a pool of a size, a new one if there is no such."""
        if self._pool is None or self._size != size:
            self.close()
            try:
                self._pool = self._new_pool(size)
            except (ImportError, NotImplementedError, OSError) as error:
                raise NoWorkersError(str(error)) from None
            self._size = size
        return self._pool

    def _new_pool(self, size: int) -> ProcessPoolExecutor:
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import active_children

        self._others = active_children()
        self._mine = []
        return ProcessPoolExecutor(size, mp_context=_context(), initializer=_begin)

    def _death(self) -> str:
        """Put away a pool in which a process has died, and say how."""
        if self._pool is not None:
            drain(self._pool)
            self._pool.shutdown()
            self._pool = None
        codes = [code for one in self._mine if (code := one.exitcode)]
        how = f" ({_ending(codes[0])})" if codes else ""
        return f"the process that analysed it has died{how}"


def drain(pool: ProcessPoolExecutor) -> None:
    """Take what is on its way to workers that are dead, so that nobody waits for them to take it.

    Before Python 3.11.5 the thread that writes to them waits forever, and the run with it:
    https://github.com/python/cpython/issues/94777.
    """
    if sys.version_info >= (3, 11, 5) or sys.platform == "win32":
        return
    from contextlib import suppress
    from select import select

    thread = getattr(pool, "_executor_manager_thread", None)
    queue = getattr(pool, "_call_queue", None)
    if thread is None or queue is None:
        return
    with suppress(OSError):  # closed already
        end = os.dup(queue._reader.fileno())  # noqa: SLF001 - there is no other way to it
        try:
            while thread.is_alive():
                if select([end], [], [], _A_MOMENT)[0]:
                    os.read(end, 1 << 16)
        finally:
            os.close(end)


def _ending(code: int) -> str:
    """Say how a process has ended by its exit code, negative if it is a signal."""
    import signal

    if code > 0:
        return f"exit status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"{name}, perhaps for want of memory" if name == "SIGKILL" else name


def _context() -> BaseContext:
    """Return how to start processes.

    By fork, which is quickest, where that is safe: there is no other thread that may hold a lock.
    """
    import multiprocessing
    import threading

    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    alone = threading.active_count() == 1
    return multiprocessing.get_context("fork" if alone else "forkserver")


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Keep interrupts from processes that are started here, and for this one until it is done."""
    import signal

    mask = getattr(signal, "pthread_sigmask", None)
    if mask is None:
        yield
        return
    before = mask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        yield
    finally:
        mask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """Begin a worker: it ends with the process that has started it, and no sooner."""
    import signal
    from multiprocessing import parent_process
    from threading import Thread

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def _end_after(sentinel: int) -> None:
    from multiprocessing.connection import wait

    wait([sentinel])
    # Nobody is left to whom anything could be said, and nothing to be saved.
    os._exit(1)
