"""How to save what a file holds back: the expression that leads to it, and the method to call."""

from __future__ import annotations

import builtins
import keyword
import re
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from flushlint.rules.advice import remedy
from flushlint.rules.finding import written_to

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flushlint.fixes.scene import Act, Scene
    from flushlint.machine.objects import Stream, Write
    from flushlint.machine.trace import Lead, Route, When

__all__ = ["Saving", "savings"]

_PRIVATE = re.compile(r"(?<!\bself)(?<!\bcls)\._")
_NUMBERED = re.compile(r"\[-?\d+\]")
_MANGLED = re.compile(r"(?:^|\.)__\w*(?<!__)(?!\w)")
_STANDARD = ("stdout", "stderr")
_WORDS = ("stream", "output", "open_file")


class Saving(NamedTuple):
    """Code that empties or closes a file: its lines, and what it does in words.

    `imports` names a module that the code needs. `rank` orders what could as well be written. After
    one that `closes` nothing more can be written.
    """

    lines: tuple[str, ...]
    verb: str
    file: str
    rank: int
    imports: str = ""
    expression: str = ""
    closes: bool = False

    @property
    def is_awkward(self) -> bool:
        """Say whether it reaches into an object for something private."""
        return self.rank >= _AWKWARD


_AWKWARD = 8
_ABOVE = 5


def savings(
    scene: Scene,
    act: Act,
    write: Write,
    held: tuple[int, Stream] | None,
    at: tuple[cst.CSTNode, When],
) -> list[Saving]:
    """Return what could stand at a place to save a write, best first.

    `held` is the layer that holds it back, if that is known.
    """
    stream = None if held is None else held[1]
    top = act.log.streams.get(write.stream)
    target = written_to(scene.module, write.node)
    if (stream or top) is None or any(s is not None and s.std for s in (stream, top)):
        return _standard(stream, target.source)
    if top is None:
        return []
    saved = remedy(scene.module, act.log, write, stream)
    method = saved.method or ("close" if saved.closes else "flush")
    routes = act.trace.routes(*at)
    layer = saved.layer or (write.stream if held is None or saved.borrows else held[0])
    wanted = {layer} if saved.layer else _built_on(act.log.streams, layer)
    found: list[Saving] = []
    for route, lead in routes.items():
        if lead.streams.isdisjoint(wanted) or (route.owns and route.owns != method):
            continue
        mangled = _MANGLED.search(route.over or route.expression)
        if mangled is not None and not (
            target.source.startswith(mangled.string[: mangled.end()])
            and _in_one_class(scene, at[0], write.node)
        ):
            continue
        if not _is_in_sight(scene, route, at[0]):
            continue
        made = _saving(scene, route, method, target.source)._replace(closes=saved.closes)
        if layer not in lead.streams:
            made = made._replace(rank=made.rank + _ABOVE)
        if saved.borrows:
            below = _below(act, write.stream, routes)
            if below is None:
                continue
            made = made._replace(lines=(*made.lines, f"{below}.flush()"))
        if lead.or_none:
            made = _guarded(made)
        found.append(made)
    if target.kind == "logger":
        line = "logging.shutdown()"
        found.append(Saving((line,), "call", f"`{line}`", _AWKWARD, "logging", line))
    return sorted(found, key=lambda s: (s.rank, len(s.expression), s.expression))


def _is_in_sight(scene: Scene, route: Route, node: cst.CSTNode) -> bool:
    """Say whether a name is there wherever the function around a node is called.

    What only the main guard binds is not, unless the function relies on it already.
    """
    root = re.split(r"\W", route.over or route.expression, maxsplit=1)[0]
    function = scene.layout.function_of(node)
    if function is None or scene.exports(node, root):
        return True
    while (outer := scene.layout.function_of(function)) is not None:
        function = outer
    return re.search(rf"\b{root}\b", scene.code(function)) is not None


def _in_one_class(scene: Scene, one: cst.CSTNode, other: cst.CSTNode) -> bool:
    """Say whether two nodes stand in the same class, where names of its own mean the same."""
    return _class_of(scene, one) is _class_of(scene, other)


def _class_of(scene: Scene, node: cst.CSTNode) -> cst.CSTNode | None:
    above: cst.CSTNode | None = node
    while above is not None and not isinstance(above, cst.ClassDef):
        above = scene.layout.parents.get(above)
    return above


def _guarded(saving: Saving) -> Saving:
    """Ask whether there is a file at all."""
    lines = (f"if {saving.expression} is not None:", *(f"\t{line}" for line in saving.lines))
    return saving._replace(lines=lines, rank=saving.rank + _ABOVE)


def _standard(stream: Stream | None, source: str) -> list[Saving]:
    """Save what is written to the process's own stdout or stderr, which may be replaced."""
    kind = source.rpartition(".")[2] if stream is None else stream.kind
    kind = kind if kind in _STANDARD else "stdout"
    return [_of_standard(f"sys.{kind}", 0), _of_standard(f"sys.__{kind}__", _ABOVE)]


def _of_standard(file: str, rank: int) -> Saving:
    return Saving((f"{file}.flush()",), "flush", f"`{file}`", rank, imports="sys", expression=file)


def _built_on(streams: Mapping[int, Stream], identity: int) -> set[int]:
    """Return a layer and the layers that write through it."""
    found = {identity}
    size = 0
    while size != len(found):
        size = len(found)
        found |= {upper for upper, s in streams.items() if s.below in found and s.buffered}
    return found


def _below(act: Act, identity: int, routes: dict[Route, Lead]) -> str | None:
    """Return an expression for the file that a wrapper was given and leaves open."""
    below = act.log.streams[identity].below
    while below is not None:
        wanted = _built_on(act.log.streams, below) - _built_on(act.log.streams, identity)
        for route, lead in routes.items():
            if not (route.over or route.owns) and not lead.streams.isdisjoint(wanted | {below}):
                return route.expression
        below = act.log.streams[below].below if below in act.log.streams else None
    return None


def _saving(scene: Scene, route: Route, method: str, receiver: str) -> Saving:
    call = route.owns or method
    verb = "close" if call == "close" else "flush" if call == "flush" else f"call `{call}()` of"
    if route.over:
        name = _loop_variable(scene, route.over, route.expression)
        lines = (f"for {name} in {route.over}:", f"\t{name}.{call}()")
        rank = _AWKWARD if _PRIVATE.search(route.over) else 6
        file = f"each {route.expression} of `{route.over}`"
        return Saving(lines, verb, file, rank, expression=route.over)
    expression = route.expression
    rank = _rank(route, receiver)
    return Saving((f"{expression}.{call}()",), verb, f"`{expression}`", rank, expression=expression)


def _rank(route: Route, receiver: str) -> int:
    expression = route.expression
    if _PRIVATE.search(expression):
        return _AWKWARD
    if expression == receiver:
        return 0
    if expression.isidentifier():
        return 2 if route.owns else 1
    if expression.startswith("self.") and expression.count(".") == 1:
        return 3
    return (_AWKWARD if _NUMBERED.search(expression) else 7) if "[" in expression else 4


def _loop_variable(scene: Scene, over: str, usual: str) -> str:
    """Return a name that the module does not use yet, such as `log` for a loop over `logs`."""
    plural = re.sub(r"\.values\(\)$", "", over).rpartition(".")[2]
    singular = plural[:-1] if re.fullmatch(r"[a-z][a-z_]+s", plural) else ""
    for name in (singular, usual, *_WORDS):
        is_taken = keyword.iskeyword(name) or hasattr(builtins, name)
        if name and not is_taken and not re.search(rf"\b{name}\b", scene.text):
            return name
    return "_file"
