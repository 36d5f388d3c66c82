"""What people may take up and finish: nothing is proven here, and nothing of it is ever applied.

A file may be opened in the child instead of handed over: who else uses it, only they know. And
a lambda can flush, though few would write it so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from flushlint.fixes.edits import apply
from flushlint.fixes.layout import is_docstring
from flushlint.fixes.places import knows, statements_of
from flushlint.fixes.proposal import Proposal
from flushlint.machine.log import Loss, Pickled
from flushlint.machine.values import Ref
from flushlint.rules.finding import written_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flushlint.fixes.scene import Act, Scene
    from flushlint.machine.log import Cause, HandOver
    from flushlint.machine.objects import Stream

__all__ = ["displayed"]

_PATHS = (cst.SimpleString, cst.FormattedString, cst.Name, cst.Attribute)


def displayed(scene: Scene, act: Act, cause: Cause) -> Iterator[Proposal]:
    """Yield what could be shown beside a finding."""
    yield from _opened_in_child(scene, act, cause)
    if isinstance(cause, Loss):
        yield from _flushed_in_lambda(scene, act, cause)


def _flushed_in_lambda(scene: Scene, act: Act, loss: Loss) -> Iterator[Proposal]:
    """Let a lambda that is a target write and flush."""
    function = next((w for w in act.trace.writings if w.node is loss.write.node), None)
    code = None if function is None else function.path[-1].code
    target = written_to(scene.module, loss.write.node)
    if not isinstance(code, cst.Lambda) or not knows(scene.layout, code) or target.kind != "file":
        return
    edits = scene.layout.replace(code.body, f"({scene.code(code.body)}, {target.source}.flush())")
    yield Proposal(edits, "flush", f"`{target.source}`", "in the lambda")


def _opened_in_child(scene: Scene, act: Act, cause: Cause) -> Iterator[Proposal]:
    """Hand over the path, and let the body of the target stand below `with open(path, ...)`."""
    found = _handed_over(cause)
    if found is None:
        return
    hand_over, stream = found
    opener, argument = stream.opened, hand_over.node
    if not isinstance(opener, cst.Call) or not isinstance(argument, (cst.Name, cst.Attribute)):
        return
    value = hand_over.value
    if not isinstance(value, Ref) or value.id not in act.log.streams:
        return  # something that the file is part of
    if not (knows(scene.layout, opener) and knows(scene.layout, argument)):
        return
    path = opener.args[0].value if opener.args else None
    target, parameter = _target(scene, argument)
    if scene.code(opener.func) != "open" or not isinstance(path, _PATHS) or target is None:
        return
    rest = "".join(
        f", {scene.code(arg.with_changes(comma=cst.MaybeSentinel.DEFAULT))}"
        for arg in opener.args[1:]
    )
    body = statements_of(scene, target)
    first = body[1] if len(body) > 1 and is_docstring(body[0]) else body[0]
    header = f"with open({parameter}{rest}) as {parameter}:"
    wrapped = scene.layout.wrap(first, body[-1], header, ())
    if wrapped is None:
        return
    edits = [*scene.layout.replace(argument, scene.code(path)), *wrapped]
    if scene.parses(apply(scene.text, edits)):
        name = target.name.value
        yield Proposal(edits, "open", "the file", f"in `{name}`, and hand over its path")


def _handed_over(cause: Cause) -> tuple[HandOver, Stream] | None:
    """Return the expression by which a file gets to a child, if it is one of its own."""
    if isinstance(cause, Pickled):
        return (cause.hand_over, cause.stream) if cause.how == "start" else None
    if not isinstance(cause, Loss) or cause.hand_over is None:
        return None
    is_given = cause.hand_over.own and cause.stream.process != cause.process
    return (cause.hand_over, cause.stream) if is_given else None


def _target(scene: Scene, argument: cst.CSTNode) -> tuple[cst.FunctionDef | None, str]:
    """Return the function that gets an argument of a `Process`, and the name it has there."""
    nothing = None, ""
    element = scene.layout.parents[argument]
    holder = scene.layout.parents.get(element)
    call = scene.layout.parents.get(scene.layout.parents.get(holder, scene.module))  # type: ignore[arg-type]  # the module has no parent
    if not (isinstance(holder, (cst.Tuple, cst.List)) and isinstance(call, cst.Call)):
        return nothing
    index = list(holder.elements).index(element)  # type: ignore[arg-type]  # one of them
    named = {a.keyword.value: a.value for a in call.args if a.keyword is not None}
    target = named.get("target")
    functions = [s for s in statements_of(scene, None) if isinstance(s, cst.FunctionDef)]
    for function in functions:
        if isinstance(target, cst.Name) and function.name.value == target.value:
            parameters = [*function.params.posonly_params, *function.params.params]
            if named.get("args") is holder and index < len(parameters):
                return function, parameters[index].name.value
    return nothing
