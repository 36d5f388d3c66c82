"""`os.path`: parts of paths that are known texts."""

from __future__ import annotations

import ntpath
import posixpath
from typing import TYPE_CHECKING

from flushlint.machine.calls import Arguments, called, library
from flushlint.machine.objects import Sequence
from flushlint.machine.values import Const

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []


@library("os.path.basename", "os.path.dirname", "os.path.splitext")
def _part_of_path(m: Machine, state: State, arguments: Arguments) -> list[State]:
    """Compute a part of a known path, where it is the same on all platforms."""
    path = arguments.get(0, "p")
    text = path.value if isinstance(path, Const) else None
    if not isinstance(text, str):
        return [state.push(m.unknown(newline=None))]
    name = called(arguments)
    here, there = (getattr(module, name)(text) for module in (posixpath, ntpath))
    if here != there:
        return [state.push(m.unknown(newline=None))]
    if isinstance(here, str):
        return [state.push(Const(here))]
    parts = Sequence("tuple", [Const(part) for part in here])
    return [state.push(m.new(state, arguments.node, parts, "parts"))]
