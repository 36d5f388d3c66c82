"""Another way of buffering, at the call that opens a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from flushlint.fixes.places import knows
from flushlint.fixes.proposal import Proposal
from flushlint.knowledge.streams import OPENERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flushlint.fixes.case import Case
    from flushlint.fixes.scene import Scene

__all__ = ["line_buffered", "rebuffered", "unbuffered"]

_KEYWORD = "buffering"
_UNBUFFERED = "each write becomes a system call, and may write less than it is given"
_MODULES = frozenset(name.partition(".")[0] for name in OPENERS) | {"io"}
_FUNCTIONS = frozenset(
    name.rpartition(".")[2] for name, opener in OPENERS.items() if opener.buffering >= 0
)


def line_buffered(case: Case) -> Iterator[Proposal]:
    """Empty the buffer at each newline, where every write to the file is known to have one."""
    scene, act = case.scene, case.act
    opened = act.log.streams.get(case.write.stream)
    if opened is None or not opened.text or not isinstance(opened.opened, cst.Call):
        return
    alike = {i: s for i, s in act.log.streams.items() if s.opened is opened.opened}
    same = {i for i, s in alike.items() if s.text}
    if alike.keys() - same - {alike[i].below for i in same}:
        return  # the same call opens binary files, which can't be line-buffered
    writings = [w for w in act.trace.writings if w.stream in same]
    if not (writings and all(w.newline for w in writings) and knows(scene.layout, opened.opened)):
        return
    yield from _buffered(scene, opened.opened, "1")


def unbuffered(case: Case) -> Iterator[Proposal]:
    """Buffer nothing, where the file is binary."""
    opened = case.act.log.streams.get(case.write.stream)
    if opened is None or opened.text or opened.kind != "file" or opened.below is not None:
        return
    if isinstance(opened.opened, cst.Call) and case.knows(opened.opened):
        yield from _buffered(case.scene, opened.opened, "0", _UNBUFFERED)


def _buffered(scene: Scene, call: cst.Call, size: str, unsafe: str = "") -> Iterator[Proposal]:
    """Say how to buffer in a call that does not."""
    word = getattr(call.func, "attr", call.func)
    if getattr(word, "value", "") in _FUNCTIONS and _buffering(call) is None:
        edits = scene.layout.insert_argument(call, f"{_KEYWORD}={size}")
        yield Proposal(edits, "open", "the file", f"with `buffering={size}`", unsafe)


def rebuffered(scene: Scene, call: cst.CSTNode | None) -> Iterator[Proposal]:
    """Replace a buffering that the mode does not allow: 0 in text mode, 1 in binary mode."""
    argument = _buffering(call) if isinstance(call, cst.Call) else None
    value = None if argument is None else argument.value
    if not isinstance(value, cst.Integer) or value.value not in ("0", "1"):
        return
    other = "1" if value.value == "0" else "0"
    why = "open() raises ValueError as it is" if other == "1" else _UNBUFFERED
    edits = scene.layout.replace(value, other)
    yield Proposal(edits, "open", "the file", f"with `buffering={other}`", why)


def _buffering(call: cst.Call) -> cst.Arg | None:
    """Return the argument of a call that says how to buffer, the last one where that is open."""
    for argument in call.args:
        if argument.keyword is not None and argument.keyword.value == _KEYWORD:
            return argument
        if argument.star:
            return argument  # nobody knows what it spreads
    plain = [argument for argument in call.args if argument.keyword is None]
    return plain[-1] if len(plain) > _position(call) else None


def _position(call: cst.Call) -> int:
    """Return the position of the parameter `buffering`: a method of a path has no path before."""
    function = call.func
    if isinstance(function, cst.Attribute):
        is_module = isinstance(function.value, cst.Name) and function.value.value in _MODULES
        names = [f"{function.value.value}.{function.attr.value}"] if is_module else []  # type: ignore[attr-defined]  # a Name
    else:
        names = [n for n in OPENERS if n.rpartition(".")[2] == getattr(function, "value", "")]
    found = [OPENERS[name].buffering for name in names if name in OPENERS]
    return min((position for position in found if position >= 0), default=1)
