"""Somebody else's executor does the work: a cluster, or what a project already has.

``--executor module:factory`` names a function that takes no argument. It returns a
`concurrent.futures.Executor`, or a context manager that has one. Pieces of work travel as bytes:
the workers need this version of flushlint, and no disk in common with anybody.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from flushlint import __version__
from flushlint.executing import LostError
from flushlint.workers import drain, interrupts_held

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor, Future
    from contextlib import AbstractContextManager
    from multiprocessing.process import BaseProcess

__all__ = ["ExecutorError", "Factory", "HiredWorkers", "call_packed", "load"]

# How many pieces are on the way at a time. Nobody knows how many workers there are.
_WIDTH = 256
_TRIES = 3
_MISSING = object()


class ExecutorError(Exception):
    """An executor can't be had. The message is one line, and names it."""


class Factory:
    """What makes an executor, and the name that the user gives to it."""

    def __init__(self, name: str, function: Callable[[], object]) -> None:
        self.name = name
        self.function = function


def load(name: str) -> Factory:
    """Return the factory ``module:factory``. Raises ExecutorError.

    The module is looked for in the current directory first, as ``python -m`` does.
    """
    module_name, _, attributes = name.partition(":")
    parts = [*module_name.split("."), *attributes.split(".")]
    if not all(part.isidentifier() for part in parts):
        raise ExecutorError(f"{name!r} is not of the form module:factory")
    found = _imported(module_name)
    for attribute in attributes.split("."):
        found = getattr(found, attribute, _MISSING)
        if found is _MISSING:
            raise ExecutorError(f"module {module_name!r} has no {attributes!r}")
    if not callable(found):
        raise ExecutorError(f"{name} is a {type(found).__name__}, not a function")
    return Factory(name, found)


def _imported(name: str) -> object:
    from importlib import import_module

    here = os.getcwd()
    is_new = here not in sys.path and "" not in sys.path
    if is_new:
        sys.path.insert(0, here)
    try:
        return import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a module may raise
        raise ExecutorError(f"cannot import {name!r}: {_said(error)}") from None
    finally:
        if is_new:
            # Behind everything else: flushlint's own imports are not to be found there.
            sys.path.remove(here)
            sys.path.append(here)


def _said(error: BaseException) -> str:
    line = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {line}" if line else type(error).__name__


class HiredWorkers:
    """A crew behind the executor that a factory makes; made anew when it breaks."""

    tries = _TRIES
    width = _WIDTH

    def __init__(self, factory: Factory) -> None:
        self._factory = factory
        self._executor: Executor | None = None
        self._manager: AbstractContextManager[object] | None = None
        # Broken is what is to be made anew, dead what has lost its processes as well.
        self._is_broken = self._is_dead = False
        self._count = 0
        self._others = _children()

    def submit(
        self,
        function: Callable[[Any], object],
        piece: object,
        *,
        alone: bool = False,  # noqa: ARG002 - it is, as long as nothing else is submitted
    ) -> Future[Any]:
        """Begin with a piece of work. Raises LostError, ExecutorError."""
        import pickle
        from concurrent.futures import BrokenExecutor

        packed = pickle.dumps((function, piece), pickle.HIGHEST_PROTOCOL)
        # Without a number of its own, a second try may be taken for the first one, which failed.
        self._count += 1
        with interrupts_held():
            executor = self._ready()
            try:
                return executor.submit(call_packed, packed, __version__, self._count)
            except Exception as error:  # noqa: BLE001 - whatever it raises
                self._is_broken = True
                self._is_dead = isinstance(error, BrokenExecutor)
                raise LostError(self._failed(error)) from None

    def result(self, future: Future[Any]) -> Any:  # noqa: ANN401 - what the function returns
        """Return what has come of a piece. Raises LostError."""
        import pickle
        from concurrent.futures import BrokenExecutor, CancelledError

        error = CancelledError() if future.cancelled() else future.exception()
        if isinstance(error, BrokenExecutor):
            self._is_broken = self._is_dead = True
        if error is not None:
            raise LostError(self._failed(error))
        return pickle.loads(future.result())  # noqa: S301 - what call_packed has made

    def close(self) -> None:
        """Shut the executor down, which has nothing left to do."""
        self._end(wait=True)

    def kill(self) -> None:
        """Shut the executor down, whatever it is doing, and processes of its own with it."""
        from concurrent.futures import ProcessPoolExecutor

        # A second interrupt is not to leave any of them.
        with interrupts_held():
            if isinstance(self._executor, ProcessPoolExecutor):
                self._kill_children()
                self._is_dead = True
            self._end(wait=False)
            self._kill_children()

    def _kill_children(self) -> None:
        for process in _children():
            if process not in self._others:
                process.kill()

    def _failed(self, error: BaseException) -> str:
        return f"the executor {self._factory.name} failed: {_said(error)}"

    def _ready(self) -> Executor:
        """Return the executor, made if there is none that works."""
        if self._is_broken:
            self._end(wait=False)
        if self._executor is None:
            self._executor = self._made()
            self._is_broken = self._is_dead = False
        return self._executor

    def _made(self) -> Executor:
        from concurrent.futures import Executor
        from contextlib import AbstractContextManager

        name = self._factory.name
        try:
            made = self._factory.function()
            if not isinstance(made, Executor) and isinstance(made, AbstractContextManager):
                self._manager = made
                made = made.__enter__()
        except Exception as error:  # noqa: BLE001 - whatever it raises
            raise ExecutorError(f"{name} failed: {_said(error)}") from None
        if not isinstance(made, Executor):
            kind = type(made).__name__
            raise ExecutorError(f"{name} returned no concurrent.futures.Executor, but {kind}")
        return made

    def _end(self, *, wait: bool) -> None:
        from contextlib import suppress

        executor, manager = self._executor, self._manager
        self._executor = self._manager = None
        # Nothing that goes wrong now changes what was found.
        with suppress(Exception):
            if executor is not None and not (wait and manager is not None):
                _shut_down(executor, is_dead=self._is_dead, wait=wait)
        with suppress(Exception):
            if manager is not None:
                manager.__exit__(None, None, None)


def _shut_down(executor: Executor, *, is_dead: bool, wait: bool) -> None:
    from concurrent.futures import ProcessPoolExecutor

    if is_dead and isinstance(executor, ProcessPoolExecutor):
        drain(executor)
    try:
        executor.shutdown(wait=wait, cancel_futures=not wait)
    except TypeError:  # one that does not know this parameter
        executor.shutdown(wait=wait)


def _children() -> list[BaseProcess]:
    """Return the processes that this one has started through `multiprocessing`."""
    if "multiprocessing" not in sys.modules:
        return []
    from multiprocessing import active_children

    return active_children()


def call_packed(packed: bytes, version: str, number: int) -> bytes:  # noqa: ARG001
    """Call a function, wherever this is: `packed` holds it and its argument. Return its result.

    Raises RuntimeError if this is another version. The `number` is there to tell calls apart.
    """
    if version != __version__:
        raise RuntimeError(f"the worker has flushlint {__version__}, not {version}")
    import pickle

    function, piece = pickle.loads(packed)  # noqa: S301 - from flushlint itself
    return pickle.dumps(function(piece), pickle.HIGHEST_PROTOCOL)
