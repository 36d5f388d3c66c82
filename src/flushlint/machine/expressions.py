"""Expressions: names, literals, attributes, calls, and what suspends a frame."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import libcst as cst

from flushlint.machine import attributes, calls, generators, names
from flushlint.machine.assignment import assign
from flushlint.machine.interpreter import Machine, expression
from flushlint.machine.iteration import iterate
from flushlint.machine.objects import Function, Generator, Mapping
from flushlint.machine.operators import add
from flushlint.machine.spawning import lacks_attribute, lacks_name
from flushlint.machine.values import (
    FALSE,
    NONE,
    TRUE,
    Const,
    Ref,
    Value,
    contains_newline,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flushlint.machine.state import State

__all__: list[str] = []


@expression(cst.Name)
def _name(m: Machine, node: cst.Name, states: list[State]) -> list[State]:
    word = node.value
    constant = _SINGLETONS.get(word)
    if constant is not None:
        return [state.push(constant) for state in states]
    return [
        state.push(names.lookup(m, state, word))
        for state in states
        if not state.process or not lacks_name(m, state, node)
    ]


_SINGLETONS: dict[str, Value] = {"None": NONE, "True": TRUE, "False": FALSE}


@expression(cst.Integer, cst.Float, cst.Imaginary, cst.SimpleString)
def _literal(
    m: Machine,
    node: cst.Integer | cst.Float | cst.Imaginary | cst.SimpleString,
    states: list[State],
) -> list[State]:
    value = m.literals.get(node)
    if value is None:
        try:
            value = m.literals[node] = Const(ast.literal_eval(node.value))
        except (ValueError, SyntaxError, MemoryError):
            value = m.unknown()
    for state in states:
        state.push(value)
    return states


@expression(cst.Ellipsis)
def _ellipsis(m: Machine, node: cst.Ellipsis, states: list[State]) -> list[State]:
    return [state.push(Const(...)) for state in states]


@expression(cst.FormattedString, cst.TemplatedString)
def _formatted(
    m: Machine, node: cst.FormattedString | cst.TemplatedString, states: list[State]
) -> list[State]:
    """Text that is known if all its parts are texts that are, and else whether it has newlines."""
    fields = [
        part
        for part in node.parts
        if isinstance(part, (cst.FormattedStringExpression, cst.TemplatedStringExpression))
    ]
    states = m.eval_all([field.expression for field in fields], states)
    for state in states:
        values = state.take(len(fields))
        text = _joined(node, values)
        state.push(m.unknown(_may_break(node, values)) if text is None else Const(text))
    return states


def _joined(node: cst.FormattedString | cst.TemplatedString, values: Sequence[Value]) -> str | None:
    """Return the text of a formatted string, None if it is not known."""
    if not isinstance(node, cst.FormattedString) or "r" in node.prefix.lower():
        return None
    given = iter(values)
    found: list[str] = []
    for part in node.parts:
        if isinstance(part, cst.FormattedStringText):
            if "\\" in part.value:
                return None
            found.append(part.value.replace("{{", "{").replace("}}", "}"))
            continue
        value = next(given)
        is_plain = not (part.format_spec or part.conversion or part.equal)  # type: ignore[attr-defined]  # a field
        if not is_plain or not isinstance(value, Const) or type(value.value) is not str:
            return None
        found.append(value.value)
    return "".join(found)


def _may_break(
    node: cst.FormattedString | cst.TemplatedString, values: Sequence[Value]
) -> bool | None:
    """Say whether a text holds a newline, as far as its parts tell."""
    given = iter(values)
    newline: bool | None = False
    for part in node.parts:
        if isinstance(part, (cst.FormattedStringText, cst.TemplatedStringText)):
            if "\n" in part.value or ("\\n" in part.value and "r" not in node.prefix.lower()):
                newline = True
        else:
            held = contains_newline(next(given))
            number = _is_number_format(getattr(part, "format_spec", None))
            if newline is False and held is not False and not number:
                newline = None
    return newline


def _is_number_format(spec: Sequence[cst.CSTNode] | None) -> bool:
    """Say whether a format like `.2f` or `05d` takes numbers only: those hold no newline."""
    last = spec[-1] if spec else None
    text = getattr(last, "value", None)
    return isinstance(text, str) and text[-1:] in tuple("bcdeEfFgGnoxX%")


@expression(cst.ConcatenatedString)
def _concatenated(m: Machine, node: cst.ConcatenatedString, states: list[State]) -> list[State]:
    states = m.eval_all((node.left, node.right), states)
    for state in states:
        left, right = state.take(2)
        state.push(add(m, state, left, right, node))
    return states


@expression(cst.Attribute)
def _attribute(m: Machine, node: cst.Attribute, states: list[State]) -> list[State]:
    found: list[State] = []
    for state in m.chosen(m.eval(node.value, states)):
        value = state.pop()
        if state.process and lacks_attribute(m, state, value, node):
            continue
        found += attributes.get(m, state, value, node.attr.value, node)
    return found


@expression(cst.Call)
def _call(m: Machine, node: cst.Call, states: list[State]) -> list[State]:
    states = m.chosen(m.eval(node.func, states))
    for argument in node.args:
        states = m.eval(argument.value, states)
        if argument.star:
            states = _collected(m, m.chosen(states), argument)
    found: list[State] = []
    for state in states:
        values = state.take(len(node.args))
        function = state.stack[-1]  # stays there: it is held during the call
        arguments = _arguments(m, state, node, values)
        # So are the arguments; CPython keeps them until the call returns.
        state.stack.extend(values)
        height = len(state.stack) - len(values) - 1
        for after in calls.call(m, state, function, arguments):
            result = after.pop()
            del after.stack[height:]
            for argument, value in zip(node.args, values, strict=True):
                if not isinstance(argument.value, _HELD):
                    after.drop(value)
            if isinstance(node.func, cst.Attribute) and not isinstance(node.func.value, _HELD):
                after.drop(function)
            found.append(after.push(result))
    return m.join(found)


def _collected(m: Machine, states: list[State], node: cst.CSTNode) -> list[State]:
    """Run a generator that a star spreads."""
    found: list[State] = []
    for state in states:
        value = state.stack[-1]
        if isinstance(value, Ref) and state.look(Generator, value) is not None:
            state.pop()
            found += generators.exhaust(m, state, value.id, node)
        else:
            found.append(state)
    return found


# What these expressions yield is held elsewhere too; of others the call had the only reference.
_HELD = (cst.Name, cst.Attribute, cst.SimpleString, cst.FormattedString, cst.Integer)


def _arguments(m: Machine, state: State, node: cst.Call, values: list[Value]) -> calls.Arguments:
    arguments = calls.Arguments(node, [], {}, [])
    for argument, value in zip(node.args, values, strict=True):
        if argument.keyword is not None:
            arguments.keywords[argument.keyword.value] = value
        elif argument.star == "*":
            found = iterate(m, state, value)
            if found.exact:
                arguments.positional.extend(found.items)
                arguments.nodes.extend([argument.value] * len(found.items))
            else:
                arguments.rest.extend(found.items)
                arguments.open = True
        elif argument.star == "**":
            _spread(state, arguments, value)
        else:
            arguments.positional.append(value)
            arguments.nodes.append(argument.value)
    return arguments


def _spread(state: State, arguments: calls.Arguments, value: Value) -> None:
    mapping = state.look(Mapping, value)
    if mapping is None or not mapping.exact:
        arguments.open = True
    if mapping is None:
        arguments.rest.append(value)
        return
    for name, entry in mapping.entries.items():
        if isinstance(name, str):
            arguments.keywords[name] = entry
    arguments.rest.extend(mapping.rest)


@expression(cst.Lambda)
def _lambda(m: Machine, node: cst.Lambda, states: list[State]) -> list[State]:
    found = []
    for state in calls.defaults(m, node.params, states):
        bound = state.pop()
        mapping = state.look(Mapping, bound)
        assert mapping is not None
        frame = state.frames[-1]
        values = {str(k): v for k, v in mapping.entries.items()}
        function = Function(node, m.scopes[node], frame.env, frame.module, values, "<lambda>")
        found.append(state.push(m.new(state, node, function)))
    return found


@expression(cst.NamedExpr)
def _walrus(m: Machine, node: cst.NamedExpr, states: list[State]) -> list[State]:
    states = m.eval(node.value, states)
    found = []
    for state in states:
        found += assign(m, state, node.target, state.stack[-1])
    return found


@expression(cst.Await)
def _await(m: Machine, node: cst.Await, states: list[State]) -> list[State]:
    found: list[State] = []
    for state in m.chosen(m.eval(node.expression, states)):
        found += generators.await_value(m, state, state.pop(), node)
    return found


@expression(cst.Yield)
def _yield(m: Machine, node: cst.Yield, states: list[State]) -> list[State]:
    return generators.suspend(m, node, states)
