"""Execution of statements, one small function for each kind of LibCST node."""

from __future__ import annotations

import libcst as cst

from flushlint.machine import (
    attributes,
    calls,
    classes,
    definitions,
    exceptions,
    imports,
    killing,
    loops,
    managers,
    matching,
    names,
)
from flushlint.machine.assignment import assign
from flushlint.machine.containers import append
from flushlint.machine.interpreter import Machine, statement
from flushlint.machine.items import subscript_key
from flushlint.machine.objects import Instance, Mapping, Sequence
from flushlint.machine.operators import overloaded
from flushlint.machine.state import Signal, State
from flushlint.machine.values import NONE, Const, Ext, Ref

__all__: list[str] = []

_ = (definitions, exceptions, imports, managers, matching)  # imported to register their nodes


@statement(cst.SimpleStatementLine)
def _line(m: Machine, node: cst.SimpleStatementLine, states: list[State]) -> list[State]:
    return m.run(node.body, states) if len(node.body) > 1 else _only(m, node, states)


def _only(m: Machine, node: cst.SimpleStatementLine, states: list[State]) -> list[State]:
    return m.step(node.body[0], states)


@statement(cst.Expr)
def _expr(m: Machine, node: cst.Expr, states: list[State]) -> list[State]:
    if isinstance(node.value, (cst.SimpleString, cst.ConcatenatedString)):
        return states
    states = m.eval(node.value, states)
    for state in states:
        state.drop(state.pop())
    return states


@statement(cst.Assign)
def _assign(m: Machine, node: cst.Assign, states: list[State]) -> list[State]:
    found: list[State] = []
    for state in m.eval(node.value, states):
        after = [state]
        for target in node.targets:
            after = [done for s in after for done in assign(m, s, target.target, s.stack[-1])]
        for done in after:
            done.pop()
        found += after
    return found


@statement(cst.AnnAssign)
def _ann_assign(m: Machine, node: cst.AnnAssign, states: list[State]) -> list[State]:
    if node.value is None:
        return states
    found: list[State] = []
    for state in m.eval(node.value, states):
        for done in assign(m, state, node.target, state.stack[-1]):
            done.pop()
            found.append(done)
    return found


@statement(cst.AugAssign)
def _aug_assign(m: Machine, node: cst.AugAssign, states: list[State]) -> list[State]:
    found: list[State] = []
    for state in m.eval_all((node.target, node.value), states):
        left, right = state.take(2)
        sequence = state.look(Sequence, left)
        if sequence is not None and sequence.kind == "list" and isinstance(left, Ref):
            other = state.look(Sequence, right)
            for item in [] if other is None else list(other.items):
                append(state, left.id, item)
            if other is None or not other.exact:
                state.edit(Sequence, left.id).exact = False
            found.append(state)
            continue
        for after in overloaded(m, state, type(node.operator), left, right, node):
            found += assign(m, after, node.target, after.pop())
    return found


@statement(cst.Del)
def _del(m: Machine, node: cst.Del, states: list[State]) -> list[State]:
    targets: list[cst.CSTNode] = [node.target]
    while targets:
        target = targets.pop()
        if isinstance(target, (cst.Tuple, cst.List)):
            targets.extend(element.value for element in target.elements)
        elif isinstance(target, cst.Name):
            for state in states:
                names.delete(state, target.value)
        elif isinstance(target, cst.Attribute):
            states = [
                after
                for state in m.chosen(m.eval(target.value, states))
                for after in attributes.delete(m, state, state.pop(), target.attr.value, target)
            ]
        elif isinstance(target, cst.Subscript):
            states = _delete_item(m, target, states)
    return states


def _delete_item(m: Machine, target: cst.Subscript, states: list[State]) -> list[State]:
    key_node = subscript_key(target)
    states = m.chosen(m.eval(target.value, states))
    if key_node is not None:
        states = m.eval(key_node, states)
    for state in states:
        key = state.pop() if key_node is not None else None
        receiver = state.pop()
        state.dirty = True
        if not isinstance(receiver, Ref):
            continue
        obj = state.heap.get(receiver.id)
        if isinstance(obj, Mapping) and isinstance(key, Const):
            state.edit(Mapping, receiver.id).entries.pop(key.value, None)
        elif isinstance(obj, Sequence) and isinstance(key, Const) and obj.exact:
            if isinstance(key.value, int) and -len(obj.items) <= key.value < len(obj.items):
                del state.edit(Sequence, receiver.id).items[key.value]
        elif isinstance(obj, Sequence) and key_node is None:
            state.edit(Sequence, receiver.id).items.clear()
    return states


# -- branches and loops -----------------------------------------------------------------------


@statement(cst.If)
def _if(m: Machine, node: cst.If, states: list[State]) -> list[State]:
    if m.resumes_in(node.body):
        return m.suite(node.body, states)
    if node.orelse is not None and m.resumes_in(node.orelse):
        return _else(m, node.orelse, states)
    if _is_type_checking(node.test):
        return states if node.orelse is None else _else(m, node.orelse, states)
    true, false = m.split(m.eval(node.test, states))
    done = m.suite(node.body, true)
    return done + (false if node.orelse is None else _else(m, node.orelse, false))


def _is_type_checking(test: cst.BaseExpression) -> bool:
    name = test.attr if isinstance(test, cst.Attribute) else test
    return isinstance(name, cst.Name) and name.value == "TYPE_CHECKING"


def _else(m: Machine, node: cst.If | cst.Else, states: list[State]) -> list[State]:
    if isinstance(node, cst.Else):
        return m.suite(node.body, states)
    return m.step(node, states)


@statement(cst.While)
def _while(m: Machine, node: cst.While, states: list[State]) -> list[State]:
    exits: list[State] = []
    heads: list[State] = []

    def body(inside: list[State]) -> list[State]:
        return m.suite(node.body, inside)

    def rounds(states: list[State]) -> list[State]:
        if m.resumes_in(node.body):
            states = loops.continued(m, body, states)

        def once(inside: list[State]) -> tuple[list[State], list[State]]:
            true, false = m.split(m.eval(node.test, inside))
            if m.kills and not false:
                heads.extend(state.copy() for state in true if state.process)
            return false, loops.continued(m, body, true)

        return loops.repeat(m, states, once)

    if node.orelse is not None and m.resumes_in(node.orelse):
        return m.suite(node.orelse.body, states)
    normal, abrupt = m.captured(rounds, states)
    if not normal and all(s.signal is not None and s.signal.implicit for s in abrupt):
        for state in heads:  # no way out is in sight: it stays in the loop for ever
            killing.halt(m, state, node)
    exits = normal if node.orelse is None else m.suite(node.orelse.body, normal)
    return exits + _broken(m, abrupt)


def _broken(m: Machine, abrupt: list[State]) -> list[State]:
    """Pick up the states that left a loop by `break`."""
    found: list[State] = []
    for state in abrupt:
        if state.signal is not None and state.signal.kind == "break":
            state.signal = None
            found.append(state)
        else:
            m.abrupt.append(state)
    return found


@statement(cst.For)
def _for(m: Machine, node: cst.For, states: list[State]) -> list[State]:
    def body(inside: list[State]) -> list[State]:
        return m.suite(node.body, inside)

    if node.orelse is not None and m.resumes_in(node.orelse):
        return m.suite(node.orelse.body, states)
    if m.resumes_in(node.body):
        normal, abrupt = m.captured(
            lambda inside: [
                done
                for state in inside
                for done in loops.resume_loop(m, node, node.target, state, body)
            ],
            states,
        )
    else:
        states = m.eval(node.iter, states)
        normal, abrupt = m.captured(
            lambda inside: loops.loop(m, node, node.target, inside, body), states
        )
    exits = normal if node.orelse is None else m.suite(node.orelse.body, normal)
    broken = _broken(m, abrupt)
    for state in broken:
        names.get_hidden(state, node, remove=True)
    return exits + broken


# -- leaving ------------------------------------------------------------------------------------


@statement(cst.Return)
def _return(m: Machine, node: cst.Return, states: list[State]) -> list[State]:
    if node.value is not None:
        states = m.eval(node.value, states)
    for state in states:
        value = state.pop() if node.value is not None else NONE
        m.leave(state, Signal("return", value, node))
    return []


@statement(cst.Break)
def _break(m: Machine, node: cst.Break, states: list[State]) -> list[State]:
    for state in states:
        m.leave(state, Signal("break", None, node))
    return []


@statement(cst.Continue)
def _continue(m: Machine, node: cst.Continue, states: list[State]) -> list[State]:
    for state in states:
        m.leave(state, Signal("continue", None, node))
    return []


@statement(cst.Raise)
def _raise(m: Machine, node: cst.Raise, states: list[State]) -> list[State]:
    if node.exc is None:
        for state in states:
            current = state.handling[-1] if state.handling else None
            value = m.unknown() if current is None else current.value
            implicit = current is not None and current.implicit
            m.leave(state, Signal("raise", value, node, implicit))
        return []
    for state in m.chosen(m.eval(node.exc, states)):
        value = state.pop()
        if classes.is_exception_class(state, value):
            made = calls.call(m, state, value, calls.Arguments(node, []))
            for after in made:
                m.leave(after, Signal("raise", after.pop(), node))
        else:
            m.leave(state, Signal("raise", value, node))
    return []


@statement(cst.Assert)
def _assert(m: Machine, node: cst.Assert, states: list[State]) -> list[State]:
    """An assertion holds, unless it is known to fail; nobody shows that it does."""
    going: list[State] = []
    for state in m.chosen(m.eval(node.test, states)):
        answer = m.truth(state, state.pop())
        if answer is False:
            m.leave(state, _assertion_error(m, state, node, implicit=False))
            continue
        if not isinstance(answer, bool):
            key, positive = answer
            if m.handlers:
                other = state.copy()
                other.facts[key] = not positive
                m.leave(other, _assertion_error(m, other, node, implicit=True))
            state.facts[key] = positive
        going.append(state)
    return going


def _assertion_error(m: Machine, state: State, node: cst.Assert, *, implicit: bool) -> Signal:
    made = m.new(state, node, Instance(Ext("builtins.AssertionError"), {}), "raised")
    return Signal("raise", made, node, implicit)


@statement(cst.Pass, cst.Global, cst.Nonlocal, cst.TypeAlias)
def _nothing(m: Machine, node: cst.CSTNode, states: list[State]) -> list[State]:
    return states
