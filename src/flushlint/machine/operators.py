"""Operators: arithmetic, comparison and logic on abstract values."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import libcst as cst

from flushlint.machine import calls, classes, names
from flushlint.machine.interpreter import Machine, expression
from flushlint.machine.namespaces import has_name
from flushlint.machine.objects import Instance, Mapping, Sequence
from flushlint.machine.values import (
    FALSE,
    NONE,
    TRUE,
    Const,
    Ext,
    Ref,
    Union,
    Unknown,
    Value,
    contains_newline,
    count,
    is_count,
    is_positive,
    key_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from flushlint.machine.state import State

__all__ = ["VERSION", "add", "overloaded"]

_ARITHMETIC: dict[type[cst.CSTNode], Callable[[Any, Any], Any]] = {
    cst.Subtract: operator.sub,
    cst.Multiply: operator.mul,
    cst.Divide: operator.truediv,
    cst.FloorDivide: operator.floordiv,
    cst.Modulo: operator.mod,
    cst.BitAnd: operator.and_,
    cst.BitOr: operator.or_,
    cst.BitXor: operator.xor,
    cst.LeftShift: operator.lshift,
    cst.RightShift: operator.rshift,
    cst.SubtractAssign: operator.sub,
    cst.MultiplyAssign: operator.mul,
    cst.DivideAssign: operator.truediv,
    cst.FloorDivideAssign: operator.floordiv,
    cst.ModuloAssign: operator.mod,
    cst.BitAndAssign: operator.and_,
    cst.BitOrAssign: operator.or_,
}
VERSION = Unknown(("fact", "sys.version_info"))
LOWEST_PYTHON = (3, 6)
_DIVISIONS = (cst.Divide, cst.FloorDivide, cst.Modulo)
_LARGEST_TEXT = 20_000
_LARGEST_NUMBER = 10**9
_LONGEST_REPEATED = 16


@expression(cst.BinaryOperation)
def _binary(m: Machine, node: cst.BinaryOperation, states: list[State]) -> list[State]:
    found: list[State] = []
    for state in m.eval_all((node.left, node.right), states):
        left, right = state.take(2)
        formatting = isinstance(left, Const) and isinstance(left.value, (str, bytes))
        if isinstance(node.operator, _DIVISIONS) and not formatting:
            if right in (Const(0), Const(0.0)):
                calls.stop(m, state, node, "ZeroDivisionError")
                continue
            if not isinstance(right, Const):
                m.may_raise(state, "builtins.ZeroDivisionError", node)
        found += overloaded(m, state, type(node.operator), left, right, node)
    return found


def overloaded(
    m: Machine,
    state: State,
    kind: type[cst.CSTNode],
    left: Value,
    right: Value,
    node: cst.CSTNode,
) -> list[State]:
    """Apply an operator; the program's own classes may define what it does."""
    name = _OPERATORS.get(kind)
    if name is not None:
        in_place = f"__i{name}__" if kind.__name__.endswith("Assign") else f"__{name}__"
        for receiver, other, method_name in (
            (left, right, in_place), (left, right, f"__{name}__"), (right, left, f"__r{name}__"),
        ):  # fmt: skip
            instance = state.look(Instance, receiver)
            own = instance and classes.class_attribute(state, instance.cls, method_name)
            if own:
                arguments = calls.Arguments(node, [receiver, other])
                return calls.call(m, state, own, arguments)
    return [state.push(binary(m, state, kind, left, right, node))]


_OPERATORS: dict[type[cst.CSTNode], str] = {
    cst.Add: "add", cst.AddAssign: "add", cst.Subtract: "sub", cst.SubtractAssign: "sub",
    cst.Multiply: "mul", cst.MultiplyAssign: "mul", cst.Divide: "truediv",
    cst.DivideAssign: "truediv", cst.FloorDivide: "floordiv", cst.Modulo: "mod",
    cst.ModuloAssign: "mod", cst.MatrixMultiply: "matmul", cst.MatrixMultiplyAssign: "matmul",
    cst.BitAnd: "and", cst.BitAndAssign: "and", cst.BitOr: "or", cst.BitOrAssign: "or",
    cst.BitXor: "xor", cst.BitXorAssign: "xor", cst.LeftShift: "lshift",
    cst.LeftShiftAssign: "lshift", cst.RightShift: "rshift", cst.RightShiftAssign: "rshift",
    cst.Power: "pow",
}  # fmt: skip
_SIGNS: dict[type[cst.CSTNode], str] = {
    cst.Minus: "__neg__",
    cst.Plus: "__pos__",
    cst.BitInvert: "__invert__",
}


def binary(
    m: Machine,
    state: State,
    kind: type[cst.CSTNode],
    left: Value,
    right: Value,
    node: cst.CSTNode,
) -> Value:
    """Compute an operator on two values, as far as they are constants."""
    if kind in (cst.Add, cst.AddAssign):
        return add(m, state, left, right, node)
    if kind is cst.Modulo and isinstance(left, Const) and isinstance(left.value, str | bytes):
        held = contains_newline(left)
        return m.unknown(True if held else None)
    if kind is cst.Divide:
        for operand in (left, right):
            instance = state.look(Instance, operand)
            if instance is not None and instance.cls == Ext("pathlib.Path"):
                return operand
        return _calculate(m, operator.truediv, left, right)
    sequence = state.look(Sequence, left)
    if sequence is not None and kind is cst.Multiply:
        return m.new(state, node, _repeated(sequence, right))
    function = _ARITHMETIC.get(kind)
    return m.unknown() if function is None else _calculate(m, function, left, right)


def _repeated(sequence: Sequence, times: Value) -> Sequence:
    """`[None] * 4`: exact where the number is known and small."""
    number = times.value if isinstance(times, Const) else None
    if isinstance(number, int) and len(sequence.items) * number <= _LONGEST_REPEATED:
        return Sequence(sequence.kind, sequence.items * number, sequence.exact)
    return Sequence(sequence.kind, list(sequence.items), exact=False)


def _calculate(m: Machine, function: Callable[[Any, Any], Any], left: Value, right: Value) -> Value:
    if isinstance(left, Const) and isinstance(right, Const):
        a, b = left.value, right.value
        if _is_small(a) and _is_small(b) and (function is not operator.lshift or b < 64):  # type: ignore[operator]  # small numbers compare
            try:
                result = function(a, b)
            except (TypeError, ValueError, ArithmeticError):
                return m.unknown()
            if not isinstance(result, (str, bytes)) or len(result) <= _LARGEST_TEXT:
                return Const(result)
        elif function is operator.mul:
            return m.unknown(_product_newline(left, right))
    elif function is operator.mul:
        return m.unknown(_product_newline(left, right))
    return m.unknown()


def _product_newline(left: Value, right: Value) -> bool | None:
    held = [contains_newline(v) for v in (left, right)]
    if True in held:  # a text is taken so many times: perhaps not once
        return True if any(is_positive(v) for v in (left, right)) else None
    return False if held == [False, False] else None


def _is_small(value: object) -> bool:
    return isinstance(value, (int, float)) and abs(value) < _LARGEST_NUMBER


def add(m: Machine, state: State, left: Value, right: Value, node: cst.CSTNode) -> Value:
    """Add numbers, texts or lists."""
    if isinstance(left, Const) and isinstance(right, Const):
        a, b = left.value, right.value
        for kind in (str, bytes):
            if isinstance(a, kind) and isinstance(b, kind):
                joined = a + b  # type: ignore[operator]  # both of one kind
                if len(joined) <= _LARGEST_TEXT:
                    return Const(joined)
        if _is_small(a) and _is_small(b):
            return Const(a + b)  # type: ignore[operator]  # both are numbers
    first, second = state.look(Sequence, left), state.look(Sequence, right)
    if first is not None and second is not None:
        both = [*first.items, *second.items]
        return m.new(state, node, Sequence(first.kind, both, first.exact and second.exact))
    if is_count(left) and is_positive(right):
        return count(m.fresh())
    held = [contains_newline(left), contains_newline(right)]
    result = m.unknown(True if True in held else (False if held == [False, False] else None))
    state.hold(result.key, [v for v in (left, right) if v.__class__ is Ref])
    return result


@expression(cst.UnaryOperation)
def _unary(m: Machine, node: cst.UnaryOperation, states: list[State]) -> list[State]:
    states = m.eval(node.expression, states)
    if isinstance(node.operator, cst.Not):
        return negate(m, states)
    found: list[State] = []
    for state in states:
        value = state.stack[-1]
        instance = state.look(Instance, value)
        sign = _SIGNS.get(type(node.operator), "")
        own = instance and classes.class_attribute(state, instance.cls, sign)
        if own:
            state.pop()
            found += calls.call(m, state, own, calls.Arguments(node, [value]))
        else:
            found.append(_signed(m, state, node))
    return found


def _signed(m: Machine, state: State, node: cst.UnaryOperation) -> State:
    value = state.pop()
    if isinstance(value, Const) and isinstance(value.value, (int, float)):
        if isinstance(node.operator, cst.Minus):
            return state.push(Const(-value.value))
        if isinstance(node.operator, cst.Plus):
            return state.push(value)
    return state.push(m.unknown())


def negate(m: Machine, states: list[State]) -> list[State]:
    """Replace the topmost operand by its negation."""
    found: list[State] = []
    for state in m.judged(states):
        value = state.stack[-1]
        if isinstance(value, Ref):
            # Now, not when the answer is asked for: a container may have changed by then.
            true, false = m.split([state])
            found += [after.push(FALSE) for after in true]
            found += [after.push(TRUE) for after in false]
            continue
        answer = m.truth(state, state.pop())
        if isinstance(answer, bool):
            found.append(state.push(FALSE if answer else TRUE))
        else:
            key, positive = answer
            found.append(state.push(Unknown(("not", key) if positive else key)))
    return found


@expression(cst.BooleanOperation)
def _boolean(m: Machine, node: cst.BooleanOperation, states: list[State]) -> list[State]:
    found: list[State] = []
    for state in states:
        key = _test_key(m, state, node)
        if key is None:
            found += _short_circuit(m, node, [state])
        elif key in state.facts:
            found.append(state.push(Unknown(key)))
        else:
            # What the whole test came to is remembered beside what its parts came to.
            true, false = m.split(_short_circuit(m, node, [state]))
            for after, answer in [*((s, True) for s in true), *((s, False) for s in false)]:
                after.facts[key] = answer
                found.append(after.push(Unknown(key)))
    return found if len(found) <= _MOST_PATHS else m.join(found)


_MOST_PATHS = 16


def _test_key(m: Machine, state: State, node: cst.BaseExpression) -> Hashable:
    """Return the key of a test that only asks unknown values; None for any other."""
    if isinstance(node, cst.Name):
        value = names.lookup(m, state, node.value)
        return value.key if isinstance(value, Unknown) else None
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
        key = _test_key(m, state, node.expression)
        return None if key is None else ("not", key)
    if isinstance(node, cst.BooleanOperation):
        left, right = (_test_key(m, state, part) for part in (node.left, node.right))
        word = "and" if isinstance(node.operator, cst.And) else "or"
        return None if left is None or right is None else (word, left, right)
    return None


def _short_circuit(m: Machine, node: cst.BooleanOperation, states: list[State]) -> list[State]:
    """Evaluate the right operand only where the left one does not decide."""
    states = m.chosen(m.eval(node.left, states))
    for state in states:
        state.push(state.stack[-1])
    true, false = m.split(states)
    go_on, done = (true, false) if isinstance(node.operator, cst.And) else (false, true)
    for state in go_on:
        state.pop()
    return done + m.eval(node.right, go_on)


@expression(cst.IfExp)
def _conditional(m: Machine, node: cst.IfExp, states: list[State]) -> list[State]:
    true, false = m.split(m.eval(node.test, states))
    found = m.eval(node.body, true) + m.eval(node.orelse, false)
    return found if len(found) <= _MOST_PATHS else m.join(found)


_COMPARISONS: dict[type[cst.CSTNode], tuple[str, bool, Callable[[Any, Any], bool]]] = {
    cst.Equal: ("==", True, operator.eq),
    cst.NotEqual: ("==", False, operator.ne),
    cst.LessThan: ("<", True, operator.lt),
    cst.GreaterThanEqual: ("<", False, operator.ge),
    cst.GreaterThan: (">", True, operator.gt),
    cst.LessThanEqual: (">", False, operator.le),
    cst.Is: ("is", True, operator.is_),
    cst.IsNot: ("is", False, operator.is_not),
}


@expression(cst.Comparison)
def _comparison(m: Machine, node: cst.Comparison, states: list[State]) -> list[State]:
    states = m.chosen(m.eval(node.left, states))
    if len(node.comparisons) > 1:
        for part in node.comparisons:
            states = m.eval(part.comparator, states)
        for state in states:
            state.take(len(node.comparisons) + 1)
            state.push(m.unknown())
        return states
    part = node.comparisons[0]
    states = m.chosen(m.eval(part.comparator, states))
    for state in states:
        left, right = state.take(2)
        state.push(compare(m, state, type(part.operator), left, right))
    return states


def _known_answer(m: Machine, state: State, symbol: str, left: Value, right: Value) -> bool | None:
    """Say how a comparison by identity, equality or order comes out, where that is plain."""
    keys = [v.key for v in (left, right) if isinstance(v, Unknown)]
    if len(keys) == 2 and all(isinstance(k, tuple) and k[0] == "pid" for k in keys):
        return keys[0] == keys[1]
    if symbol in ("==", "is"):
        if left == right and not isinstance(left, Unknown):
            return True
        return False if _never_equal(state, left, right) else None
    if is_count(left) and isinstance(right, Const) and isinstance(right.value, int):
        # At least 1: it is greater than 0, and not less than 1.
        if symbol == ">" and right.value < 1:
            return True
        return False if symbol == "<" and right.value <= 1 else None
    if left == VERSION and isinstance(right, Const) and _version_is_newer(m, right.value):
        return symbol == ">"
    return None


def compare(m: Machine, state: State, kind: type[cst.CSTNode], left: Value, right: Value) -> Value:
    """Compare two values; the same unknown comparison has the same key."""
    if m.kills:
        note_words(m, state, left, right)
    if kind in (cst.In, cst.NotIn):
        answer = _contains(state, left, right)
        if answer is not None:
            return Const(answer is (kind is cst.In))
        if _is_container(state, left):
            return m.unknown()
        base: Hashable = ("in", key_of(left), key_of(_as_tuple(state, right)))
        return Unknown(base if kind is cst.In else ("not", base))
    symbol, positive, function = _COMPARISONS[kind]
    left, right = _as_tuple(state, left), _as_tuple(state, right)
    if isinstance(left, Const) and isinstance(right, Const):
        if symbol == "is" and not (left.value is None or right.value is None):
            return Const((left.value == right.value) is positive)
        try:
            return Const(bool(function(left.value, right.value)))
        except TypeError:
            return m.unknown()
    known = _known_answer(m, state, symbol, left, right)
    if known is not None:
        return Const(known is positive)
    if symbol != "is" and (_is_container(state, left) or _is_container(state, right)):
        return m.unknown()  # the next one that is made here may answer otherwise
    if isinstance(left, Const) and symbol in ("==", "is"):
        left, right = right, left
    marker = right.value if isinstance(right, Const) else ("key", key_of(right))
    key: Hashable = (symbol, key_of(left), marker)
    return Unknown(key if positive else ("not", key))


def note_words(m: Machine, state: State, *values: Value) -> None:
    """Note what something is compared with: it may be a word that tells a process to end."""
    for value in values:
        sequence = state.look(Sequence, value)
        m.log.words.update([value] if sequence is None else sequence.items)


def equal(m: Machine, state: State, left: Value, right: Value) -> Value:
    """Say whether two values are equal."""
    return compare(m, state, cst.Equal, left, right)


def _version_is_newer(m: Machine, other: Hashable) -> bool:
    """Say whether the target is surely no older than a version: it may always be newer."""
    lowest = m.options.python_version or LOWEST_PYTHON
    return isinstance(other, tuple) and tuple(other[:2]) <= lowest


def _as_tuple(state: State, value: Value) -> Value:
    """See a container of constants as one constant: `sys.version_info >= (3, 8)`."""
    sequence = state.look(Sequence, value)
    if sequence is None or not sequence.exact:
        return value
    constants = [item.value for item in sequence.items if isinstance(item, Const)]
    if len(constants) < len(sequence.items):
        return value
    return Const(frozenset(constants) if sequence.kind == "set" else tuple(constants))


def _never_equal(state: State, left: Value, right: Value) -> bool:
    """Tell a heap object or function from a constant, and two objects from one another."""
    kinds = (left.__class__, right.__class__)
    if Unknown in kinds or Union in kinds:
        return False
    if kinds == (Ref, Ref):
        comparable = (Sequence, Mapping, Instance)
        return not any(isinstance(state.heap.get(v.id), comparable) for v in (left, right))  # type: ignore[union-attr]  # both are Refs
    if any(state.look(Sequence, v) is not None for v in (left, right)):
        # A container of which not all is known may equal one that is seen as a constant.
        seen = (tuple, frozenset)
        return not any(isinstance(v, Const) and isinstance(v.value, seen) for v in (left, right))
    if Ext in kinds:
        # An external constant may be equal to anything but None.
        return NONE in (left, right)
    return kinds != (Const, Const)


def _is_container(state: State, value: Value) -> bool:
    return state.look(Sequence, value) is not None or state.look(Mapping, value) is not None


def _contains(state: State, left: Value, right: Value) -> bool | None:
    if isinstance(right, Const) and isinstance(left, Const):
        try:
            return left.value in right.value  # type: ignore[operator]  # caught
        except TypeError:
            return None
    sequence = state.look(Sequence, right)
    if sequence is not None and sequence.exact:
        if left in sequence.items and not isinstance(left, Unknown):
            return True
        if all(isinstance(v, Const) for v in (left, *sequence.items)):
            return False
    if isinstance(left, Const) and isinstance(right, Ref):
        named = has_name(state, right, left.value)
        if named is not None:
            return named
    mapping = state.look(Mapping, right)
    if mapping is not None and isinstance(left, Const):
        if left.value in mapping.entries and mapping.exact:
            return True
        if mapping.exact and not mapping.rest:
            return False
    return None
