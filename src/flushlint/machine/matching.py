"""`match` statements: known subjects choose their case, unknown ones may take any."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import libcst as cst

from flushlint.machine import classes, names
from flushlint.machine.interpreter import Machine, statement
from flushlint.machine.iteration import iterate
from flushlint.machine.objects import Class, Instance, Mapping, Sequence
from flushlint.machine.values import Const, Ext, Unknown, Value

if TYPE_CHECKING:
    from flushlint.machine.state import State

__all__: list[str] = []


@statement(cst.Match)
def _match(m: Machine, node: cst.Match, states: list[State]) -> list[State]:
    for case in node.cases:
        if m.resumes_in(case.body):
            return m.suite(case.body, states)
    done: list[State] = []
    waiting = m.chosen(m.eval(node.subject, states))
    for case in node.cases:
        left: list[State] = []
        for state in waiting:
            subject = state.stack[-1]
            answer = _matches(m, state, case.pattern, subject)
            if answer is False:
                left.append(state)
                continue
            if answer is None:
                left.append(_assume(state.copy(), case.pattern, subject, answer=False))
                _assume(state, case.pattern, subject, answer=True)
            state.pop()
            _bind(m, state, case.pattern, subject)
            entered = [state]
            refused: list[State] = []
            if case.guard is not None:
                entered, refused = m.split(m.eval(case.guard, entered))
            left += [s.push(subject) for s in refused]
            done += m.suite(case.body, entered)
        waiting = left
    for state in waiting:
        state.pop()
    return m.join(done + waiting)


def _constant(pattern: cst.MatchPattern) -> Const | None:
    if isinstance(pattern, cst.MatchSingleton):
        return Const({"None": None, "True": True, "False": False}[pattern.value.value])
    if isinstance(pattern, cst.MatchValue):
        value = pattern.value
        if isinstance(value, (cst.SimpleString, cst.Integer, cst.Float)):
            return Const(ast.literal_eval(value.value))
    return None


def _matches(m: Machine, state: State, pattern: cst.MatchPattern, subject: Value) -> bool | None:
    """Say whether the subject matches: yes, no, or (None) that can't be known."""
    if isinstance(pattern, cst.MatchAs):
        return True if pattern.pattern is None else _matches(m, state, pattern.pattern, subject)
    if isinstance(pattern, cst.MatchOr):
        answers = [_matches(m, state, e.pattern, subject) for e in pattern.patterns]
        return True if True in answers else (None if None in answers else False)
    constant = _constant(pattern)
    if constant is not None:
        m.log.words.add(constant)
        if isinstance(subject, Const):
            return constant.value == subject.value
        if isinstance(subject, Unknown):
            answer = m.truth(state, Unknown(("==", subject.key, constant.value)))
            return answer if isinstance(answer, bool) else None
        return False
    sequence = state.look(Sequence, subject)
    if isinstance(pattern, (cst.MatchTuple, cst.MatchList)):
        if sequence is not None:
            return _matches_sequence(m, state, pattern, sequence)
        return False if state.look(Instance, subject) is not None else _never(subject)
    if isinstance(pattern, cst.MatchClass):
        return _matches_class(m, state, pattern, subject)
    return False if isinstance(subject, Const) else None


_BUILTIN = {"str": str, "int": int, "float": float, "bool": bool, "bytes": bytes}


def _matches_class(
    m: Machine, state: State, pattern: cst.MatchClass, subject: Value
) -> bool | None:
    """Say whether the subject is an instance of the class that a pattern names."""
    if not isinstance(pattern.cls, cst.Name):
        return None
    cls = names.lookup(m, state, pattern.cls.value)
    plain = not pattern.patterns and not pattern.kwds
    if isinstance(cls, Ext):
        kind = _BUILTIN.get(cls.name.rpartition(".")[2])
        if isinstance(subject, Const) and kind is not None:
            return isinstance(subject.value, kind) and (True if plain else None)
        sequence = state.look(Sequence, subject)
        if sequence is not None:
            return sequence.kind == cls.name.rpartition(".")[2] and (True if plain else None)
        return False if state.look(Instance, subject) is not None and kind else None
    if state.look(Class, cls) is None:
        return None
    instance = state.look(Instance, subject)
    if instance is not None:
        return cls in classes.lineage(state, instance.cls) and (True if plain else None)
    return False if isinstance(subject, Const) or state.look(Sequence, subject) else None


def _takes_anything(pattern: cst.MatchTuple | cst.MatchList) -> bool:
    """Say whether every part of a sequence pattern is a star or a plain name."""
    return all(
        isinstance(part, cst.MatchStar)
        or (isinstance(part.value, cst.MatchAs) and part.value.pattern is None)
        for part in pattern.patterns
    )


def _never(subject: Value) -> bool | None:
    return False if isinstance(subject, Const) else None


def _matches_sequence(
    m: Machine, state: State, pattern: cst.MatchTuple | cst.MatchList, sequence: Sequence
) -> bool | None:
    starred = any(isinstance(p, cst.MatchStar) for p in pattern.patterns)
    if starred and sequence.exact and _takes_anything(pattern):
        return len(sequence.items) >= len(pattern.patterns) - 1
    if not sequence.exact or starred:
        return None
    if len(pattern.patterns) != len(sequence.items):
        return False
    answers = [
        _matches(m, state, part.value, item)
        for part, item in zip(pattern.patterns, sequence.items, strict=True)
        if isinstance(part, cst.MatchSequenceElement)
    ]
    return False if False in answers else (None if None in answers else True)


def _assume(state: State, pattern: cst.MatchPattern, subject: Value, *, answer: bool) -> State:
    """Let a path remember whether a case of constants was taken."""
    if isinstance(pattern, cst.MatchOr) and not answer:
        for element in pattern.patterns:
            _assume(state, element.pattern, subject, answer=False)
    constant = _constant(pattern)
    if constant is not None and isinstance(subject, Unknown):
        state.assume(("==", subject.key, constant.value), answer)
    return state


def _bind(m: Machine, state: State, pattern: cst.MatchPattern, subject: Value) -> None:
    """Bind the names of a pattern to the parts of the subject."""
    if isinstance(pattern, cst.MatchAs):
        if pattern.name is not None:
            names.store(m, state, pattern.name.value, subject)
        if pattern.pattern is not None:
            _bind(m, state, pattern.pattern, subject)
    elif isinstance(pattern, (cst.MatchTuple, cst.MatchList)):
        _bind_sequence(m, state, pattern, subject)
    elif isinstance(pattern, cst.MatchMapping):
        mapping = state.look(Mapping, subject)
        for element in pattern.elements:
            key = _literal(element.key)
            known = None if mapping is None else mapping.entries.get(key)
            _bind(m, state, element.pattern, known or m.unknown())
    elif isinstance(pattern, cst.MatchClass):
        for part in pattern.patterns:
            _bind(m, state, part.value, m.unknown())
        for keyword in pattern.kwds:
            _bind(m, state, keyword.pattern, m.unknown())
    elif isinstance(pattern, cst.MatchOr):
        _bind(m, state, pattern.patterns[0].pattern, subject)


def _literal(node: cst.BaseExpression) -> object:
    if isinstance(node, (cst.SimpleString, cst.Integer)):
        return ast.literal_eval(node.value)
    return None


def _bind_sequence(
    m: Machine, state: State, pattern: cst.MatchTuple | cst.MatchList, subject: Value
) -> None:
    found = iterate(m, state, subject)
    exact = found.exact and len(found.items) == len(pattern.patterns)
    for index, part in enumerate(pattern.patterns):
        if isinstance(part, cst.MatchStar):
            if part.name is not None:
                rest = Sequence("list", list(found.items), exact=False)
                names.store(m, state, part.name.value, m.new(state, part, rest))
            continue
        value = found.items[index] if exact else found.any(m, state)
        _bind(m, state, part.value, value)
