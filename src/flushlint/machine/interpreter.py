"""The core of the machine: evaluation over sets of states.

`eval` leaves the value of an expression on the operand stack of each state; `run` executes
statements. Both return the states that go on normally. Those that leave their block by
return, raise, break, continue or yield carry a `Signal` and gather in `abrupt`, from where
the construct that they concern picks them up.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

import libcst as cst

from flushlint.knowledge.blocking import KILLING_WORDS
from flushlint.knowledge.processes import (
    FORKS,
    HARD_EXITS,
    PARALLEL,
    POOL_TYPES,
    PROCESS_PACKAGES,
    PROCESS_STARTERS,
)
from flushlint.knowledge.streams import OPENERS, STREAM_WORDS, WRITERS
from flushlint.machine import typed_streams
from flushlint.machine.joining import compact, join, join_values
from flushlint.machine.lifetime import collect, live
from flushlint.machine.log import Halt, Log
from flushlint.machine.objects import Env, Instance, Mapping, Obj, Sequence, Stream, Write
from flushlint.machine.scope import Scope, closure, generator_function
from flushlint.machine.state import STD_STREAMS, UNSEEN, Frame, Signal, State
from flushlint.machine.streams import add_pending, close, forget, holds_when_dropped
from flushlint.machine.values import Const, Ref, Union, Unknown, Value, is_count, members

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from collections.abc import Mapping as AbstractMapping
    from collections.abc import Sequence as Seq

    from flushlint.machine.modules import Module
    from flushlint.machine.spawning import Import
    from flushlint.machine.trace import Trace
    from flushlint.model import AnalysisOptions

__all__ = [
    "EXPRESSIONS",
    "STATEMENTS",
    "STD_STREAMS",
    "BudgetError",
    "Machine",
    "Resumption",
    "expression",
    "statement",
]

Handler: TypeAlias = "Callable[[Machine, Any, list[State]], list[State]]"
F = TypeVar("F", bound=Handler)

EXPRESSIONS: dict[type[cst.CSTNode], Handler] = {}
STATEMENTS: dict[type[cst.CSTNode], Handler] = {}

STEPS_PER_ENTRY = 8_000
STEPS_PER_SCOPE = 50
PATIENCE = 2_000
_RECENT = 8
_FINALIZERS = ("finalize", "Finalize")  # what runs when an object goes


class Resumption(NamedTuple):
    """Where a suspended generator is to be taken up, and with what."""

    path: set[cst.CSTNode]
    sent: Value
    thrown: Signal | None


class BudgetError(Exception):
    """An entry has used up its steps."""


def expression(*kinds: type[cst.CSTNode]) -> Callable[[F], F]:
    """Register what evaluates these node types."""

    def register(handler: F) -> F:
        for kind in kinds:
            EXPRESSIONS[kind] = handler
        return handler

    return register


def statement(*kinds: type[cst.CSTNode]) -> Callable[[F], F]:
    """Register what executes these node types."""

    def register(handler: F) -> F:
        for kind in kinds:
            STATEMENTS[kind] = handler
        return handler

    return register


class Machine:
    """Runs one program. Holds what all its states share: trees, scopes, log, bounds."""

    def __init__(
        self,
        module: cst.Module,
        scopes: dict[cst.CSTNode, Scope],
        options: AnalysisOptions,
        *,
        imported: AbstractMapping[str, Module] | None = None,
        wary: bool = False,
    ) -> None:
        self.wary = wary
        self.imported = imported or {}
        self.module = module
        self.scopes = scopes
        self.options = options
        from flushlint.machine.library.user_tables import declare

        self.declared = declare(options.tables)
        self.log = Log(python_version=options.python_version)
        self.abrupt: list[State] = []
        self.handlers = 0
        self.steps = 0
        # A larger module takes more to follow; the bound grows with it, and not faster.
        own = sum(1 for _ in scopes[module].walk())
        self.limit = STEPS_PER_ENTRY + STEPS_PER_SCOPE * own
        self.executed: set[cst.CSTNode] = set()
        self.resuming: list[Resumption | None] = []
        self.spawn_base: Callable[[str, str | None], Import] | None = None
        trees = {module, *(other.tree for other in self.imported.values())}
        used = set().union(*(scopes[tree].used for tree in trees))
        self.finalizes = not used.isdisjoint(_FINALIZERS) or any(
            s.name == "__del__" for s in scopes.values()
        )
        self.defined = {scope.name for scope in scopes.values()}
        self.making: list[Value] = []  # classes that a metaclass is about to make
        self.turns = 1
        self.costly: set[cst.CSTNode] = set()  # loops that are too long to visit each element
        self.stuck: list[State] = []
        self.waiting: list[State] | None = None
        self.cancellable = False
        self.kills = not used.isdisjoint(KILLING_WORDS)
        self.beside = 0
        self.halts_beside: list[Halt] = []
        self.written_before: frozenset[Write] = frozenset()
        # What the literals come to that have been met.
        self.literals: dict[cst.CSTNode, Value] = {}
        self._risks: set[tuple[int, cst.CSTNode, tuple[int, ...]]] = set()
        self._identities: dict[Hashable, int] = {}
        self._generator_functions: dict[cst.GeneratorExp, cst.FunctionDef] = {}
        self._fresh = 0

    # -- names for new things -----------------------------------------------------------

    def fresh(self) -> int:
        """Return a number that no value has had for a key."""
        self._fresh += 1
        return self._fresh

    def unknown(self, newline: bool | None = None) -> Unknown:
        """Return a new unknown value, unlike any other."""
        self._fresh += 1
        return Unknown(self._fresh, newline)

    def identity(self, key: Hashable) -> int:
        """Return the number that stands for this key: the same for the same key, always."""
        known = self._identities.get(key)
        if known is None:
            known = self._identities[key] = len(self._identities) + 1
        return known

    def new(self, state: State, node: cst.CSTNode | None, obj: Obj, tag: str = "") -> Ref:
        """Allocate an object for the site `node` in the present calling context.

        A site has two names. The second is needed while what the first one made still
        lives; where both do, a loop is making any number, and they become one.
        """
        if isinstance(obj, Stream):
            obj.birth = self.fresh()
        context = state.frames[-1].context if state.frames else 0
        first = self.identity((node, context, tag, 0))
        if first not in state.heap:
            return state.place(first, obj)
        second = self.identity((node, context, tag, 1))
        if second not in state.heap:
            return state.place(second, obj)
        alive = live(state)
        for identity in (first, second):
            if identity not in alive:
                if isinstance(state.heap[identity], Stream):
                    if holds_when_dropped(state, identity):
                        continue
                    close(self.log, state, identity)
                return state.place(identity, obj)
        return self._summarise(state, second, obj)

    def _summarise(self, state: State, identity: int, obj: Obj) -> Ref:
        """Let one abstract object stand for the old one and the new one."""
        old = state.heap[identity]
        if isinstance(obj, Stream) and isinstance(old, Stream):
            obj.pending = add_pending(old.pending, obj.pending)
            obj.many = True
        elif isinstance(obj, Instance) and isinstance(old, Instance):
            for name, value in old.attributes.items():
                known = obj.attributes.get(name, value)
                obj.attributes[name] = (
                    known if known == value else join_values((value, known), self.fresh)
                )
        elif isinstance(obj, Sequence) and isinstance(old, Sequence):
            if obj.items != old.items:
                if len(obj.items) == len(old.items):
                    obj.items = [
                        join_values(pair, self.fresh)
                        for pair in zip(old.items, obj.items, strict=True)
                    ]
                else:
                    obj.items = compact((*old.items, *obj.items))
                    obj.exact = False
        elif isinstance(obj, Mapping) and isinstance(old, Mapping):
            obj.rest = compact((*old.entries.values(), *old.rest, *obj.rest))
            obj.exact = False
        return state.place(identity, obj)

    @cached_property
    def consequential(self) -> set[str]:
        """Names behind which a stream is touched, a process begins or state is changed."""
        starters = (*POOL_TYPES, *PROCESS_STARTERS, *PARALLEL)
        known = (*OPENERS, *WRITERS, *FORKS, *HARD_EXITS, *starters)
        words = {name.rpartition(".")[2] for name in known}
        words |= STREAM_WORDS | typed_streams.WORDS | self.declared.words
        words |= _process_words() | set(self.declared.spawners)
        words |= {scope.name for scope in self.scopes.values() if scope.stores or scope.yields}
        return closure(self.scopes.values(), words)

    def passes_over(self, scope: Scope) -> bool:
        """Say whether a call of this function is not worth its steps in a long entry.

        It computes a value and changes nothing that the machine looks at: what it returns
        is then unknown.
        """
        return self.steps > PATIENCE and scope.used.isdisjoint(self.consequential)

    def resumes_in(self, node: cst.CSTNode | None) -> bool:
        """Say whether a suspended generator is being taken up inside this node."""
        plan = self.resuming[-1] if self.resuming else None
        return plan is not None and node in plan.path

    # -- evaluation -----------------------------------------------------------------------

    def eval(self, node: cst.CSTNode, states: list[State]) -> list[State]:
        """Evaluate an expression in each state and push its value."""
        handler = EXPRESSIONS.get(type(node))
        if handler is None:
            for state in states:
                state.push(self.unknown())
            return states
        return handler(self, node, states) if states else states

    def eval_all(self, nodes: Seq[cst.CSTNode], states: list[State]) -> list[State]:
        """Evaluate expressions left to right; each state gets all their values."""
        for node in nodes:
            states = self.eval(node, states)
        return states

    def run(self, body: Seq[cst.CSTNode], states: list[State]) -> list[State]:
        """Execute statements one after the other, joining states after each."""
        start = 0
        if self.resuming and self.resuming[-1] is not None:
            path = self.resuming[-1].path
            start = next((i for i, s in enumerate(body) if s in path), 0)
        for index in range(start, len(body)):
            if not states:
                break
            states = self.step(body[index], states)
        return states

    def step(self, node: cst.CSTNode, states: list[State]) -> list[State]:
        """Execute one statement."""
        if not states:
            return states
        self.steps += len(states)
        if self.steps > self.limit:
            raise BudgetError
        handler = STATEMENTS.get(type(node))
        if handler is None:
            return states
        trace = self.log.trace
        states = (
            handler(self, node, states)
            if trace is None
            else self._traced(trace, handler, node, states)
        )
        for state in states:
            if state.dirty and (
                len(state.streams) > STD_STREAMS
                or len(state.heap) + len(state.facts) > state.crowded
                or (self.kills and state.watched)  # a finalizer may kill
            ):
                self.collect(state)
        return self.join(states)

    def _traced(
        self, trace: Trace, handler: Handler, node: cst.CSTNode, states: list[State]
    ) -> list[State]:
        for state in states:
            trace.visit(state, node, "before")
        known = len(self.abrupt)
        trace.running.append(node)
        states = handler(self, node, states)
        trace.running.pop()
        for state in states:
            trace.visit(state, node, "after")
        signals = [state.signal for state in self.abrupt[known:]]
        if any(s is not None and s.kind == "raise" and not s.implicit for s in signals):
            trace.raised(node)
        return states

    def join(self, states: list[State]) -> list[State]:
        """Join states; it counts as steps by how much there is to compare."""
        if len(states) < 2:
            return states
        joined = join(states, self.fresh)
        self.steps += (len(states) - len(joined)) * (len(states[0].heap) >> 6)
        return joined

    def suite(self, body: cst.CSTNode, states: list[State]) -> list[State]:
        """Execute the body of a compound statement."""
        assert isinstance(body, (cst.IndentedBlock, cst.SimpleStatementSuite))
        return self.run(body.body, states)

    def captured(
        self, action: Callable[[list[State]], list[State]], states: list[State]
    ) -> tuple[list[State], list[State]]:
        """Run an action and return its normal states and those that left abruptly."""
        outer, self.abrupt = self.abrupt, []
        try:
            normal = action(states)
            return normal, self.abrupt
        finally:
            self.abrupt = outer

    def leave(self, state: State, signal: Signal) -> None:
        """Let a state leave its block."""
        state.signal = signal
        self.abrupt.append(state)

    def may_raise(self, state: State, what: str | None, node: cst.CSTNode) -> None:
        """Follow an exception that the code does not show, if something here handles it.

        `what` is the qualified name of the exception's class, None for any exception.
        """
        if self.handlers or self._is_at_risk(state, node):
            raised = state.copy()
            if not self.handlers:
                raised.facts[UNSEEN] = True
            value: Value = self.unknown()
            if what is not None:
                value = self.new(raised, node, Instance(_ext(what), {}), "raised")
            self.leave(raised, Signal("raise", value, node, implicit=True))

    def _is_at_risk(self, state: State, node: cst.CSTNode) -> bool:
        """Say whether a child has written what an exception from here might lose.

        Each place is asked about once for what is pending there, since nothing handles it.
        """
        if not state.process or len(state.streams) <= STD_STREAMS or UNSEEN in state.facts:
            return False
        pending = tuple(
            identity
            for identity in sorted(state.streams)
            for stream in (state.stream(identity),)
            if not stream.std and any(w.process == state.process for w in stream.pending)
        )
        if not pending or (state.process, node, pending) in self._risks:
            return False
        self._risks.add((state.process, node, pending))
        return True

    # -- truth ------------------------------------------------------------------------------

    def choose(self, state: State, value: Value) -> list[tuple[State, Value]]:
        """Split a state by the options of a `Union`, which the path then remembers."""
        if not isinstance(value, Union):
            return [(state, value)]
        known = state.facts.get(value.key)
        if known is not None:
            return self.choose(state, known)  # type: ignore[arg-type]  # an option of it
        found: list[tuple[State, Value]] = []
        last = len(value.options) - 1
        for index, option in enumerate(value.options):
            branch = state if index == last else state.copy()
            branch.facts[value.key] = option
            found.extend(self.choose(branch, option))
        return found

    def chosen(self, states: list[State]) -> list[State]:
        """Split states by the options of the topmost operand."""
        found: list[State] = []
        for state in states:
            value = state.pop()
            found.extend(branch.push(v) for branch, v in self.choose(state, value))
        return found

    def judged(self, states: list[State]) -> list[State]:
        """Split states by the options of the topmost operand, and ask its `__bool__`."""
        found: list[State] = []
        for state in self.chosen(states):
            value = state.stack[-1]
            instance = state.look(Instance, value)
            if instance is None or not isinstance(instance.cls, Ref):
                found.append(state)
            else:
                found += self._ask_instance(state, instance, value)
        return found

    def _ask_instance(self, state: State, instance: Instance, value: Value) -> list[State]:
        from flushlint.machine import calls, classes

        for name in ("__bool__", "__len__"):
            own = classes.class_attribute(state, instance.cls, name)
            if own is not None:
                state.pop()
                arguments = calls.Arguments(instance.node or self.module, [value])
                return self.chosen(calls.call(self, state, own, arguments))
        return [state]

    def called_in(self, node: cst.GeneratorExp) -> set[str]:
        """Return the names of the functions that a generator expression calls."""
        return self.scopes[self.generator_function(node)].calls

    def generator_function(self, node: cst.GeneratorExp) -> cst.FunctionDef:
        """Return the generator function that a generator expression stands for."""
        known = self._generator_functions.get(node)
        if known is None:
            known = generator_function(node, self.scopes)
            self._generator_functions[node] = known
        return known

    def split(self, states: list[State]) -> tuple[list[State], list[State]]:
        """Pop the topmost operand and part the states in which it is true from the rest."""
        true: list[State] = []
        false: list[State] = []
        for state in self.judged(states):
            answer = self.truth(state, state.pop())
            if isinstance(answer, bool):
                (true if answer else false).append(state)
            else:
                key, positive = answer
                other = state.copy()
                state.assume(key, positive)
                other.assume(key, not positive)
                true.append(state)
                false.append(other)
        return true, false

    def truth(self, state: State, value: Value) -> bool | tuple[Hashable, bool]:
        """Return a value's truth, or the fact it hangs on and what makes the value true."""
        if isinstance(value, Const):
            return bool(value.value)
        if isinstance(value, Unknown):
            return self._unknown_truth(state, value.key)
        if isinstance(value, Ref):
            obj = state.heap.get(value.id)
            if isinstance(obj, Sequence):
                return self._sequence_truth(state, value, obj)
            if isinstance(obj, Mapping):
                if obj.exact:
                    return bool(obj.entries)
                return self._unknown_truth(state, ("truth", value))
            if isinstance(obj, Stream) and obj.spec is not None:
                return self._unknown_truth(state, ("is true", value))  # it may have a length
        return True

    def _sequence_truth(
        self, state: State, value: Ref, sequence: Sequence
    ) -> bool | tuple[Hashable, bool]:
        if sequence.kind == "iterator":
            return True  # even when nothing is left of it
        if sequence.exact:
            return bool(sequence.items)
        return sequence.nonempty or self._unknown_truth(state, ("truth", value))

    def _unknown_truth(self, state: State, key: Hashable) -> bool | tuple[Hashable, bool]:
        positive = True
        while isinstance(key, tuple) and key[0] == "not":
            key, positive = key[1], not positive
        known = True if is_count(Unknown(key)) else state.facts.get(key)
        if isinstance(known, bool):
            return known is positive
        if isinstance(key, tuple) and key[0] == "==" and ("value", key[1]) in state.facts:
            return (state.facts["value", key[1]] == key[2]) is positive
        if isinstance(key, tuple) and key[0] == "in" and (constants := members(key)):
            if ("value", key[1]) in state.facts:
                return (state.facts["value", key[1]] in constants) is positive
            if all(state.facts.get(("==", key[1], one)) is False for one in constants):
                return not positive
        asks_for_none = isinstance(key, tuple) and key[0] == "is" and key[2] is None
        if asks_for_none and isinstance(key, tuple) and state.facts.get(key[1]) is True:
            return not positive  # what is known to be true is not None
        return key, positive

    def forget(self, state: State, identities: set[int]) -> None:
        """Unknown code has got hold of these: what is pending in a file makes no finding.

        A `wary` machine holds that nothing has happened to them.
        """
        held = any(state.stream(i).pending for i in state.streams & identities)
        self.log.has_forgotten = self.log.has_forgotten or held
        if not self.wary:
            forget(state, identities)

    # -- lifetime -------------------------------------------------------------------------

    def collect(self, state: State) -> None:
        """Close what nothing holds any more, running the program's own `__del__` methods."""
        from flushlint.machine.calls import finalize, has_finalizer

        self.steps += len(state.heap) >> 5
        for _ in range(4):
            dying = collect(self.log, state, has_finalizer)
            if not dying:
                return
            finalize(self, state, dying)

    def drop_frame(self, state: State) -> Frame:
        """Leave the topmost frame and trim the operand stack to where the call began."""
        frame = state.frames.pop()
        del state.stack[frame.base :]
        env = state.heap.get(frame.env)
        if isinstance(env, Env) and not state.dirty:
            held = state.stack[-_RECENT:]  # the caller still holds what it passed
            for value in env.variables.values():
                if not any(value is other for other in held):
                    state.drop(value)
        return frame


@cache
def _process_words() -> frozenset[str]:
    """Return the names of what starts, feeds, awaits and ends processes, in the library."""
    from flushlint.machine.calls import LIBRARY, METHODS

    kinds = (*PROCESS_PACKAGES, "concurrent.futures", "joblib", "pathos", "signal", "atexit")
    prefixes = tuple(f"{kind}." for kind in kinds)
    names = {name for kind, name in METHODS if kind.startswith(prefixes)}
    names |= {name.rpartition(".")[2] for name in LIBRARY if name.startswith(prefixes)}
    return frozenset(name for name in names if not name.startswith("__"))


def _ext(name: str) -> Value:
    from flushlint.machine.values import Ext

    return Ext(name)
