"""Evaluation of expressions, one small function for each kind of LibCST node."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Hashable
from typing import Any

import libcst as cst

from flushlint.machine import attributes, calls, classes, generators, names
from flushlint.machine.interpreter import STD_STREAMS, Machine, expression
from flushlint.machine.iteration import Elements, iterate
from flushlint.machine.joining import compact
from flushlint.machine.objects import Env, Function, Generator, Instance, Mapping, Sequence
from flushlint.machine.state import State
from flushlint.machine.values import FALSE, NONE, TRUE, Const, Ext, Ref, Union, Unknown, Value

__all__ = ["assign", "contains_newline", "subscript_key"]


# -- constants and names --------------------------------------------------------------------


@expression(cst.Name)
def _name(m: Machine, node: cst.Name, states: list[State]) -> list[State]:
    word = node.value
    constant = _SINGLETONS.get(word)
    for state in states:
        state.push(constant if constant is not None else names.lookup(m, state, word))
    return states


_SINGLETONS: dict[str, Value] = {"None": NONE, "True": TRUE, "False": FALSE}


@expression(cst.Integer, cst.Float, cst.Imaginary, cst.SimpleString)
def _literal(
    m: Machine,
    node: cst.Integer | cst.Float | cst.Imaginary | cst.SimpleString,
    states: list[State],
) -> list[State]:
    try:
        value: Value = Const(ast.literal_eval(node.value))
    except (ValueError, SyntaxError, MemoryError):
        value = m.unknown()
    for state in states:
        state.push(value)
    return states


@expression(cst.Ellipsis)
def _ellipsis(m: Machine, node: cst.Ellipsis, states: list[State]) -> list[State]:
    del m, node
    return [state.push(Const(...)) for state in states]


@expression(cst.FormattedString, cst.TemplatedString)
def _formatted(
    m: Machine, node: cst.FormattedString | cst.TemplatedString, states: list[State]
) -> list[State]:
    """Opaque text, of which only the constant parts tell whether it holds a newline."""
    newline: bool | None = False
    for part in node.parts:
        if isinstance(part, (cst.FormattedStringText, cst.TemplatedStringText)):
            if "\n" in part.value or ("\\n" in part.value and "r" not in node.prefix.lower()):
                newline = True
        else:
            states = m.eval(part.expression, states)
            for state in states:
                held = contains_newline(state.pop())
                if newline is False and held is not False:
                    newline = None
    return [state.push(m.unknown(newline)) for state in states]


@expression(cst.ConcatenatedString)
def _concatenated(m: Machine, node: cst.ConcatenatedString, states: list[State]) -> list[State]:
    states = m.eval_all((node.left, node.right), states)
    for state in states:
        left, right = state.take(2)
        state.push(_add(m, state, left, right))
    return states


def contains_newline(value: Value) -> bool | None:
    """Say whether text holds a newline: yes, no, or (None) nobody knows."""
    if isinstance(value, Const):
        if isinstance(value.value, str):
            return "\n" in value.value
        if isinstance(value.value, bytes):
            return b"\n" in value.value
        return False
    if isinstance(value, Unknown):
        return value.newline
    return None


# -- operators --------------------------------------------------------------------------------

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
    return [state.push(binary(m, state, kind, left, right))]


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
    m: Machine, state: State, kind: type[cst.CSTNode], left: Value, right: Value
) -> Value:
    """Compute an operator on two values, as far as they are constants."""
    if kind in (cst.Add, cst.AddAssign):
        return _add(m, state, left, right)
    if kind is cst.Modulo and isinstance(left, Const) and isinstance(left.value, str | bytes):
        held = contains_newline(left)
        return m.unknown(True if held else None)
    if kind is cst.Divide:
        for operand in (left, right):
            instance = state.look(Instance, operand)
            if instance is not None and instance.cls == Ext("pathlib.Path"):
                return operand
        return _calculate(m, operator.truediv, left, right)
    function = _ARITHMETIC.get(kind)
    return m.unknown() if function is None else _calculate(m, function, left, right)


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
    return True if True in held else (False if held == [False, False] else None)


def _is_small(value: object) -> bool:
    return isinstance(value, (int, float)) and abs(value) < _LARGEST_NUMBER


def _add(m: Machine, state: State, left: Value, right: Value) -> Value:
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
        return m.new(state, None, Sequence(first.kind, both, first.exact and second.exact))
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
    states = m.judged(states)
    for state in states:
        answer = m.truth(state, state.pop())
        if isinstance(answer, bool):
            state.push(FALSE if answer else TRUE)
        else:
            key, positive = answer
            state.push(Unknown(("not", key) if positive else key))
    return states


@expression(cst.BooleanOperation)
def _boolean(m: Machine, node: cst.BooleanOperation, states: list[State]) -> list[State]:
    states = m.chosen(m.eval(node.left, states))
    for state in states:
        state.push(state.stack[-1])
    true, false = m.split(states)
    go_on, done = (true, false) if isinstance(node.operator, cst.And) else (false, true)
    for state in go_on:
        state.pop()
    return m.join(done + m.eval(node.right, go_on))


@expression(cst.IfExp)
def _conditional(m: Machine, node: cst.IfExp, states: list[State]) -> list[State]:
    true, false = m.split(m.eval(node.test, states))
    return m.join(m.eval(node.body, true) + m.eval(node.orelse, false))


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


def compare(m: Machine, state: State, kind: type[cst.CSTNode], left: Value, right: Value) -> Value:
    """Compare two values; the same unknown comparison has the same key."""
    if kind in (cst.In, cst.NotIn):
        answer = _contains(state, left, right)
        if answer is not None:
            return Const(answer is (kind is cst.In))
        base: Hashable = ("in", _key(left), _key(right))
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
    pids = [v.key for v in (left, right) if isinstance(v, Unknown)]
    if len(pids) == 2 and all(isinstance(k, tuple) and k[0] == "pid" for k in pids):
        return Const((pids[0] == pids[1]) is positive)
    if symbol in ("==", "is"):
        unequal = _never_equal(state, left, right)
        if left == right and left.__class__ is not Unknown:
            return Const(positive)
        if unequal:
            return Const(not positive)
    if left == VERSION and isinstance(right, Const) and symbol in ("<", ">"):
        newer = _version_is_newer(m, right.value)
        if newer:
            return Const((symbol == ">") is positive)
    if isinstance(left, Const) and symbol in ("==", "is"):
        left, right = right, left
    marker = right.value if isinstance(right, Const) else ("key", _key(right))
    key: Hashable = (symbol, _key(left), marker)
    return Unknown(key if positive else ("not", key))


def _version_is_newer(m: Machine, other: Hashable) -> bool:
    """Say whether the target is surely no older than a version: it may always be newer."""
    lowest = m.options.python_version or LOWEST_PYTHON
    return isinstance(other, tuple) and tuple(other[:2]) <= lowest


def _as_tuple(state: State, value: Value) -> Value:
    """See a tuple of constants as one constant: `sys.version_info >= (3, 8)`."""
    sequence = state.look(Sequence, value)
    if sequence is not None and sequence.kind == "tuple" and sequence.exact:
        if all(isinstance(item, Const) for item in sequence.items):
            return Const(tuple(i.value for i in sequence.items if isinstance(i, Const)))
    return value


def _never_equal(state: State, left: Value, right: Value) -> bool:
    """Tell a heap object or function from a constant, and two objects from one another."""
    kinds = (left.__class__, right.__class__)
    if Unknown in kinds or Union in kinds:
        return False
    if kinds == (Ref, Ref):
        comparable = (Sequence, Mapping, Instance)
        return not any(isinstance(state.heap.get(v.id), comparable) for v in (left, right))  # type: ignore[union-attr]  # both are Refs
    if Ext in kinds:
        # An external constant may be equal to anything but None.
        return NONE in (left, right)
    return kinds != (Const, Const)


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
    mapping = state.look(Mapping, right)
    if mapping is not None and isinstance(left, Const):
        if left.value in mapping.entries and mapping.exact:
            return True
        if mapping.exact and not mapping.rest:
            return False
    return None


def _key(value: Value) -> Hashable:
    return value.key if isinstance(value, Unknown) else value


# -- containers ---------------------------------------------------------------------------------


@expression(cst.Tuple, cst.List, cst.Set)
def _sequence(
    m: Machine, node: cst.Tuple | cst.List | cst.Set, states: list[State]
) -> list[State]:
    kind = {cst.Tuple: "tuple", cst.List: "list", cst.Set: "set"}[type(node)]
    for element in node.elements:
        states = m.eval(element.value, states)
    for state in states:
        values = state.take(len(node.elements))
        sequence = Sequence(kind, [])  # type: ignore[arg-type]  # one of the three words
        for element, value in zip(node.elements, values, strict=True):
            if isinstance(element, cst.StarredElement):
                found = iterate(m, state, value)
                sequence.items.extend(found.items)
                sequence.exact = sequence.exact and found.exact
            else:
                sequence.items.append(value)
        state.push(m.new(state, node, sequence))
    return states


@expression(cst.Dict)
def _dict(m: Machine, node: cst.Dict, states: list[State]) -> list[State]:
    count = 0
    for element in node.elements:
        if isinstance(element, cst.DictElement):
            states = m.eval(element.key, states)
            count += 1
        states = m.eval(element.value, states)
        count += 1
    for state in states:
        values = iter(state.take(count))
        mapping = Mapping({})
        for element in node.elements:
            if isinstance(element, cst.DictElement):
                put_item(mapping, next(values), next(values))
            else:
                _update(state, mapping, next(values))
        state.push(m.new(state, node, mapping))
    return states


def put_item(mapping: Mapping, key: Value, value: Value) -> None:
    """Set an entry; under a key that isn't constant it joins the rest."""
    if isinstance(key, Const):
        mapping.entries[key.value] = value
    else:
        mapping.rest = compact((*mapping.rest, value))
        mapping.exact = False


def _update(state: State, mapping: Mapping, source: Value) -> None:
    other = state.look(Mapping, source)
    if other is None:
        mapping.exact = False
        return
    mapping.entries.update(other.entries)
    mapping.rest.extend(other.rest)
    mapping.exact = mapping.exact and other.exact


_PURE = frozenset(
    {"abs", "bool", "chr", "divmod", "float", "format", "hash", "hex", "int", "isinstance",
     "len", "max", "min", "ord", "range", "repr", "round", "str", "strip", "split", "lower",
     "upper", "startswith", "endswith", "enumerate", "zip"}
)  # fmt: skip


@expression(cst.GeneratorExp)
def _generator_expression(
    m: Machine, node: cst.GeneratorExp, states: list[State]
) -> list[State]:
    """A generator expression is a call of the generator function that it stands for."""
    if m.called_in(node) <= _PURE:
        return _comprehension(m, node, states)  # nobody can tell when it runs
    definition = m.generator_function(node)
    found: list[State] = []
    for state in m.eval(node.for_in.iter, states):
        frame = state.frames[-1]
        function = Function(
            definition, m.scopes[definition], frame.env, frame.module, {}, "<genexpr>"
        )
        made = m.new(state, definition, function)
        source = state.pop()
        found += calls.call(m, state, made, calls.Arguments(node, [source]))
    return found


@expression(cst.ListComp, cst.SetComp, cst.DictComp)
def _comprehension(
    m: Machine,
    node: cst.ListComp | cst.SetComp | cst.DictComp | cst.GeneratorExp,
    states: list[State],
) -> list[State]:
    """Run a comprehension as the loop that it is."""
    hidden = names.targets_of(node.for_in)
    for state in states:
        made: Sequence | Mapping = (
            Mapping({}) if isinstance(node, cst.DictComp) else Sequence(_comp_kind(node), [])
        )
        state.push(m.new(state, node, made, "comprehension"))
        names.hide(state, hidden)
    states = _comp_for(m, node, node.for_in, states)
    for state in states:
        names.reveal(state, hidden)
    return m.join(states)


def _comp_kind(node: cst.BaseComp) -> Any:
    return "set" if isinstance(node, cst.SetComp) else "list"


def _comp_for(
    m: Machine, node: cst.BaseComp, clause: cst.CompFor, states: list[State]
) -> list[State]:
    from flushlint.machine.loops import loop

    def body(inside: list[State]) -> list[State]:
        skipped: list[State] = []
        for condition in clause.ifs:
            inside, false = m.split(m.eval(condition.test, inside))
            skipped += false
        if clause.inner_for_in is not None:
            return skipped + _comp_for(m, node, clause.inner_for_in, inside)
        return skipped + _comp_element(m, node, inside)

    states = m.eval(clause.iter, states)
    return loop(m, clause, clause.target, states, body)


def _comp_element(m: Machine, node: cst.BaseComp, states: list[State]) -> list[State]:
    if isinstance(node, cst.DictComp):
        states = m.eval_all((node.key, node.value), states)
    else:
        assert isinstance(node, cst.BaseSimpleComp)
        states = m.eval(node.elt, states)
    for state in states:
        element = state.pop()
        key = state.pop() if isinstance(node, cst.DictComp) else None
        made = _under_construction(state, node)
        if isinstance(made, Ref) and key is not None:
            put_item(state.edit(Mapping, made.id), key, element)
        elif isinstance(made, Ref):
            append(state, made.id, element)
    return states


def _under_construction(state: State, node: cst.BaseComp) -> Value | None:
    """Find the container of a comprehension: the topmost one on the operand stack."""
    kind: type[Sequence | Mapping] = Mapping if isinstance(node, cst.DictComp) else Sequence
    for value in reversed(state.stack):
        if isinstance(value, Ref) and isinstance(state.heap.get(value.id), kind):
            return value
    return None


_LONGEST_EXACT = 64


def append(state: State, identity: int, value: Value) -> None:
    """Append to a list; one that grows without end becomes "any number of these"."""
    sequence = state.edit(Sequence, identity)
    if sequence.exact and len(sequence.items) < _LONGEST_EXACT:
        if value.__class__ is Ref and value in sequence.items:
            sequence.exact = False  # a loop has come round: one stands for many
        else:
            sequence.items.append(value)
        return
    sequence.exact = False
    sequence.items = compact((*sequence.items, value))


# -- attributes, items, calls -------------------------------------------------------------------


@expression(cst.Attribute)
def _attribute(m: Machine, node: cst.Attribute, states: list[State]) -> list[State]:
    found: list[State] = []
    for state in m.chosen(m.eval(node.value, states)):
        value = state.pop()
        found += attributes.get(m, state, value, node.attr.value, node)
    return found


@expression(cst.Subscript)
def _subscript(m: Machine, node: cst.Subscript, states: list[State]) -> list[State]:
    states = m.chosen(m.eval(node.value, states))
    element = node.slice[0].slice
    if len(node.slice) > 1 or not isinstance(element, cst.Index):
        return _slice(m, node, states)
    found = []
    for state in m.chosen(m.eval(element.value, states)):
        receiver, key = state.take(2)
        found += _item(m, state, receiver, key, node)
    return found


def _slice(m: Machine, node: cst.Subscript, states: list[State]) -> list[State]:
    """Take a slice: computed where sequence and bounds are known."""
    element = node.slice[0].slice
    bounds: list[cst.BaseExpression | None] = [None, None, None]
    if isinstance(element, cst.Slice) and len(node.slice) == 1:
        bounds = [element.lower, element.upper, element.step]
    given = [b for b in bounds if b is not None]
    states = m.eval_all(given, states)
    for state in states:
        values = iter(state.take(len(given)))
        numbers = [NONE if b is None else next(values) for b in bounds]
        sequence = state.pop()
        cut = None
        if isinstance(element, cst.Slice) and all(
            isinstance(n, Const) and (n.value is None or isinstance(n.value, int))
            for n in numbers
        ):
            cut = slice(*(n.value for n in numbers if isinstance(n, Const)))
        state.push(_sliced(m, state, sequence, node, cut))
    return states


def _sliced(
    m: Machine, state: State, value: Value, node: cst.CSTNode, cut: slice | None
) -> Value:
    sequence = state.look(Sequence, value)
    if cut is not None and cut.step != 0:
        if isinstance(value, Const) and isinstance(value.value, (str, bytes)):
            return Const(value.value[cut])
        if sequence is not None and sequence.exact:
            return m.new(state, node, Sequence(sequence.kind, sequence.items[cut]))
    if sequence is None:
        return m.unknown(None if contains_newline(value) is not False else False)
    return m.new(state, node, Sequence(sequence.kind, list(sequence.items), exact=False))


def _item(m: Machine, state: State, receiver: Value, key: Value, node: cst.CSTNode) -> list[State]:
    instance = state.look(Instance, receiver)
    if instance is not None:
        method = classes.class_attribute(state, instance.cls, "__getitem__")
        if method is not None:
            return calls.call(m, state, method, calls.Arguments(node, [receiver, key]))
        inherited = calls.library_method(
            classes.external_bases(state, instance.cls), "__getitem__"
        )
        if inherited is not None:
            return inherited(m, state, receiver, calls.Arguments(node, [key]))
        fields = classes.fields(state, instance)
        if fields and not isinstance(key, Const):
            values = [instance.attributes.get(name, m.unknown()) for name in fields]
            return [state.push(any_of(m, values))]
        if fields and isinstance(key, Const) and isinstance(key.value, int):
            if -len(fields) <= key.value < len(fields):
                name = fields[key.value]
                return [state.push(instance.attributes.get(name, m.unknown()))]
    sequence = state.look(Sequence, receiver)
    if sequence is not None:
        element = _element(m, sequence, key)
        if isinstance(element, Unknown) and not sequence.exact:
            same = Unknown(("item", receiver, _key(key)), element.newline)
            state.hold(same.key, (element,))
            element = same
        return [state.push(element)]
    mapping = state.look(Mapping, receiver)
    if mapping is not None:
        if isinstance(key, Const) and key.value in mapping.entries:
            return [state.push(mapping.entries[key.value])]
        if mapping.factory is not None:
            return _default(m, state, receiver, mapping, key, node)
        if mapping.exact and isinstance(key, Unknown) and 0 < len(mapping.entries) <= _MOST_CASES:
            return _item_of_each(m, state, mapping, key)
        m.may_raise(state, "builtins.KeyError", node)
        return [state.push(any_of(m, [*mapping.rest, *_unless_constant(key, mapping)]))]
    if isinstance(receiver, Ext):
        return [state.push(_external_item(m, receiver, key))]
    if isinstance(receiver, Const) and isinstance(receiver.value, (str, bytes)):
        return [state.push(_character(m, receiver.value, key))]
    if receiver == VERSION and key == Const(0):
        return [state.push(Const(3))]
    m.may_raise(state, "builtins.LookupError", node)
    result = Unknown(("item", _key(receiver), _key(key)))
    if isinstance(receiver, Unknown) and receiver.key in state.holds:
        state.hold(result.key, (receiver,))
    return [state.push(result)]


def _default(
    m: Machine, state: State, receiver: Value, mapping: Mapping, key: Value, node: cst.CSTNode
) -> list[State]:
    """Let a defaultdict make the entry that it lacks; under an unknown key, or hand one out."""
    assert isinstance(receiver, Ref)
    assert mapping.factory is not None
    known = [*mapping.rest, *_unless_constant(key, mapping)]
    if known:
        return [state.push(any_of(m, known))]
    found: list[State] = []
    for after in calls.call(m, state, mapping.factory, calls.Arguments(node, [])):
        put_item(after.edit(Mapping, receiver.id), key, after.stack[-1])
        found.append(after)
    return found


_MOST_CASES = 4


def _item_of_each(m: Machine, state: State, mapping: Mapping, key: Unknown) -> list[State]:
    """Look an unknown key up in a small table: one path for each key that it may be."""
    for known, value in mapping.entries.items():
        if state.facts.get(("==", key.key, known)) is True:
            return [state.push(value)]
    found: list[State] = []
    for known, value in mapping.entries.items():
        if state.facts.get(("==", key.key, known)) is False:
            continue
        branch = state.copy()
        for other in mapping.entries:
            branch.facts["==", key.key, other] = other == known
        found.append(branch.push(value))
    return found or [state.push(m.unknown())]


def _unless_constant(key: Value, mapping: Mapping) -> list[Value]:
    return [] if isinstance(key, Const) else list(mapping.entries.values())


def _character(m: Machine, text: str | bytes, key: Value) -> Value:
    index = key.value if isinstance(key, Const) else None
    if isinstance(index, int) and -len(text) <= index < len(text):
        return Const(text[index])
    return m.unknown(False if contains_newline(Const(text)) is False else None)


def _external_item(m: Machine, receiver: Ext, key: Value) -> Value:
    # `queue.Queue[int]`, `list[str]` name the class itself; `os.environ["X"]` is anything.
    last = receiver.name.rpartition(".")[2]
    if last[:1].isupper() or receiver.name.startswith("builtins."):
        return receiver
    return Unknown(("item", receiver, _key(key)))


def _element(m: Machine, sequence: Sequence, key: Value) -> Value:
    if sequence.exact and isinstance(key, Const) and isinstance(key.value, int):
        if -len(sequence.items) <= key.value < len(sequence.items):
            return sequence.items[key.value]
        return m.unknown()
    return any_of(m, sequence.items)


def any_of(m: Machine, values: list[Value]) -> Value:
    """Return one value for any of several, unknown if there is none."""
    from flushlint.machine.joining import join_values

    return join_values(values, m.fresh) if values else m.unknown()


def subscript_key(node: cst.Subscript) -> cst.BaseExpression | None:
    """Return the index expression of a plain subscript, None for a slice."""
    element = node.slice[0].slice
    return element.value if len(node.slice) == 1 and isinstance(element, cst.Index) else None


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


# -- functions, binding, suspension -------------------------------------------------------------


@expression(cst.Lambda)
def _lambda(m: Machine, node: cst.Lambda, states: list[State]) -> list[State]:
    found = []
    for state in calls.defaults(m, node.params, states):
        bound = state.pop()
        mapping = state.look(Mapping, bound)
        assert mapping is not None
        frame = state.frames[-1]
        values = {str(k): v for k, v in mapping.entries.items()}
        function = Function(
            node, m.scopes[node], frame.env, frame.module, values, "<lambda>"
        )
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


# -- assignment ---------------------------------------------------------------------------------


def assign(m: Machine, state: State, target: cst.CSTNode, value: Value) -> list[State]:
    """Bind an assignment target. Attribute targets may run code: properties."""
    if isinstance(target, cst.Name):
        names.store(m, state, target.value, value)
        return [state]
    if isinstance(target, (cst.Tuple, cst.List)):
        return _unpack(m, state, target, value)
    if isinstance(target, cst.Attribute):
        found: list[State] = []
        state.push(value)
        for after in m.chosen(m.eval(target.value, [state])):
            receiver = after.pop()
            found += attributes.put(m, after, receiver, target.attr.value, after.pop(), target)
        return found
    if isinstance(target, cst.Subscript):
        return _assign_item(m, state, target, value)
    if isinstance(target, cst.StarredElement):
        return assign(m, state, target.value, value)
    return [state]


def _assign_item(m: Machine, state: State, target: cst.Subscript, value: Value) -> list[State]:
    key_node = subscript_key(target)
    state.push(value)
    states = m.chosen(m.eval(target.value, [state]))
    if key_node is not None:
        states = m.eval(key_node, states)
    found: list[State] = []
    for after in states:
        key = after.pop() if key_node is not None else m.unknown()
        receiver, item = after.pop(), after.pop()
        instance = after.look(Instance, receiver)
        method = instance and classes.class_attribute(after, instance.cls, "__setitem__")
        if method:
            arguments = calls.Arguments(target, [receiver, key, item])
            for done in calls.call(m, after, method, arguments):
                done.pop()
                found.append(done)
            continue
        _store_item(after, receiver, key, item)
        found.append(after)
    return found


def _store_item(state: State, receiver: Value, key: Value, item: Value) -> None:
    if isinstance(receiver, Unknown):
        state.hold(receiver.key, (item,))
    if not isinstance(receiver, Ref):
        return
    if not isinstance(item, Const) or len(state.streams) > STD_STREAMS:
        state.dirty = True
    obj = state.heap.get(receiver.id)
    if isinstance(obj, Mapping):
        put_item(state.edit(Mapping, receiver.id), key, item)
    elif isinstance(obj, Sequence):
        sequence = state.edit(Sequence, receiver.id)
        index = key.value if isinstance(key, Const) else None
        if obj.exact and isinstance(index, int) and -len(obj.items) <= index < len(obj.items):
            sequence.items[index] = item
        else:
            sequence.items.append(item)
            sequence.exact = False
    elif isinstance(obj, Instance) and obj.cls == Ext("%namespace"):
        owner = obj.attributes["names"]
        held = state.heap.get(owner.id) if isinstance(owner, Ref) else None
        if isinstance(held, Instance) and isinstance(owner, Ref) and isinstance(key, Const):
            state.edit(Instance, owner.id).attributes[str(key.value)] = item
        elif isinstance(held, Env) and isinstance(owner, Ref) and isinstance(key, Const):
            state.edit(Env, owner.id).variables[str(key.value)] = item
    elif isinstance(obj, Instance) and not _holds_weakly(state, obj):
        attribute = state.edit(Instance, receiver.id).attributes
        attribute[f"[{key}]"] = item


def _holds_weakly(state: State, instance: Instance) -> bool:
    return any(name.startswith("weakref.") for name in classes.external_bases(state, instance.cls))


def _unpack(
    m: Machine, state: State, target: cst.Tuple | cst.List, value: Value
) -> list[State]:
    states: list[State] = []
    for branch, option in m.choose(state, value):
        found = iterate(m, branch, option)
        parts = _distribute(m, branch, target, found)
        after = [branch]
        for element, part in zip(target.elements, parts, strict=True):
            after = [
                done
                for before in after
                for done in assign(m, before, element.value, part)
            ]
        states += after
    return states


def _distribute(
    m: Machine, state: State, target: cst.Tuple | cst.List, found: Elements
) -> list[Value]:
    """Deal values out to the elements of a target, a starred one included."""
    count = len(target.elements)
    star = next(
        (i for i, e in enumerate(target.elements) if isinstance(e, cst.StarredElement)), None
    )
    if not found.exact or len(found.items) < count - (star is not None):
        return [found.any(m, state) for _ in range(count)]
    if star is None:
        return found.items[:count]
    after = count - star - 1
    end = len(found.items) - after
    middle = m.new(state, target, Sequence("list", found.items[star:end]), "star")
    return [*found.items[:star], middle, *found.items[end:]]
