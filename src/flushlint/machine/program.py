"""Running a program: the body of its main module, then what nothing in it calls."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

import libcst as cst

from flushlint.knowledge.processes import FORKS, HARD_EXITS, PARALLEL, POOL_TYPES, PROCESS_STARTERS
from flushlint.machine import calls, classes, expressions, statements
from flushlint.machine.attributes import get
from flushlint.machine.cleanups import run_handlers
from flushlint.machine.ends import end_interpreter
from flushlint.machine.interpreter import BudgetError, Machine
from flushlint.machine.killing import part
from flushlint.machine.library import (
    asynchronous,
    builtin_functions,
    builtin_methods,
    callbacks,
    command_line,
    context_variables,
    contexts,
    decorating,
    dispatching,
    functional,
    futures,
    handlers,
    iterables,
    log_config,
    logs,
    metaclasses,
    openers,
    parallel,
    path_texts,
    pools,
    queues,
    schedules,
    signals,
    sockets,
    stream_methods,
    terminals,
    threads,
    typed_openers,
    writers,
)
from flushlint.machine.log import Limit, Log, Process
from flushlint.machine.modules import enter
from flushlint.machine.objects import Class, Env, Function, Instance, Stream
from flushlint.machine.outcomes import settle
from flushlint.machine.processes import escape
from flushlint.machine.processes import start as start_process
from flushlint.machine.scope import Scope, closure
from flushlint.machine.spawning import IMPORTING, Import, run_import
from flushlint.machine.state import State
from flushlint.machine.values import NONE, Bound, Const, Ref, Value

if TYPE_CHECKING:
    from flushlint.machine.modules import Module, Program
    from flushlint.machine.trace import Trace
    from flushlint.model import AnalysisOptions

__all__ = ["run_program"]

# Imported because they register what they know.
_REGISTERED = (
    asynchronous, builtin_functions, builtin_methods, callbacks, command_line, context_variables,
    contexts, decorating, dispatching, expressions, functional, futures, handlers, iterables,
    log_config, logs, metaclasses, openers, parallel, path_texts, pools, queues, schedules, signals,
    sockets, statements, stream_methods, terminals, threads, typed_openers, writers,
)  # fmt: skip

_RECURSION = 6_000
_MOST_BASES = 4
_TEST = "unittest.TestCase"
_SET_UP = ("setUpClass", "setUp")


def run_program(
    program: Program,
    options: AnalysisOptions,
    trace: Trace | None = None,
    *,
    wary: bool = False,
) -> Log:
    """Run a parsed program on the machine and return what it saw. Never runs the code itself.

    A `wary` run takes unknown code for harmless: what it then finds may be there, or may not.
    """
    scopes = program.scopes()
    machine = Machine(program.main.tree, scopes, options, imported=program.imported, wary=wary)
    machine.log.trace = trace
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _RECURSION))
    try:
        _Run(machine, program.main).run()
    finally:
        sys.setrecursionlimit(before)
    settle(machine.log)
    return machine.log


class _Run:
    """The run of one program: main run, entries, and what a spawned child imports."""

    def __init__(self, machine: Machine, main: Module) -> None:
        self.m = machine
        self.main = main
        self.root = machine.scopes[machine.module]
        self._imported: dict[tuple[str, str | None], Import] = {}
        self._spent = 0
        self._active: set[str] = set()
        machine.log.processes[0] = Process(0, "main", "", 0)
        machine.spawn_base = self._spawn_base

    def run(self) -> None:
        # Nobody can tell whether a module without a main guard is run or imported.
        alone = "__name__" in self.root.used or not self.main.name
        name = "__main__" if alone else self.main.name
        bases = self._guarded(self.m.module, lambda: self._body(name)) or []
        for state in bases:
            self._guarded(self.m.module, partial(self._leave, state.copy()))
        entries = self._entries()
        if not entries:
            return
        if "__name__" in self.root.used:
            imported = self.main.name or "<imported>"
            bases = self._guarded(self.m.module, lambda: self._body(imported)) or []
        for state in bases[:_MOST_BASES]:
            self._silence_standard_streams(state)
        for entry in entries:
            if 2 * self._spent > 3 * self.m.limit:
                self.m.log.limits.append(Limit(entry.node, "the module takes too many steps"))
                return
            if entry.node not in self.m.executed:
                self._guarded(entry.node, partial(self._enter, entry, bases))

    def _guarded(self, node: cst.CSTNode, action: object) -> list[State] | None:
        """Run an entry; one that hits a bound costs itself alone."""
        m = self.m
        m.steps = 0
        assert callable(action)
        try:
            found: list[State] = action()
        except BudgetError:
            m.log.limits.append(Limit(node, "it takes too many steps to follow"))
        except RecursionError:
            m.log.limits.append(Limit(node, "it is nested too deeply to follow"))
        else:
            return found
        finally:
            self._spent += m.steps
            m.log.steps = self._spent
        m.abrupt, m.handlers, m.resuming = [], 0, []
        return None

    def _leave(self, state: State) -> None:
        """End the main process: what it registered runs before its daemons are killed."""
        matters = self.m.kills or state.workers
        for after in run_handlers(self.m, state) if matters else [state]:
            part(self.m, after, exits=True)
            end_interpreter(self.m, after)

    # -- the module's body ----------------------------------------------------------------

    def _fresh_state(self, name: str) -> State:
        m = self.m
        state = State()
        enter(m, state, self.main, name, is_main=True)
        for stream in ("stdout", "stderr"):
            made = openers.standard_stream(m, state, stream)
            state.externals[f"sys.{stream}"] = state.externals[f"sys.__{stream}__"] = made
        return state

    def _body(self, name: str) -> list[State]:
        """Run the body; the states that reach its end, or leave by an exception in sight."""
        m = self.m
        normal, abrupt = self._execute(self._fresh_state(name))
        for state in abrupt:
            if state.signal is not None and not state.signal.implicit:
                state.signal = None
                del state.frames[1:]
                state.stack.clear()
                normal.append(state)
        return m.join(normal)

    def _execute(self, state: State) -> tuple[list[State], list[State]]:
        return self.m.captured(lambda s: self.m.run(self.m.module.body, s), [state])

    def _spawn_base(self, how: str, method: str | None) -> Import:
        """Import the main module as a child does that is started so: without its main guard.

        `method` is the start method that the parent has chosen for all.
        """
        known = self._imported.get((how, method))
        if known is None:
            self._imported[how, method] = Import()  # while it is going on
            state = self._fresh_state("__mp_main__")
            state.process, state.start_method = IMPORTING, method
            known = run_import(self.m, how, lambda: self._execute(state))
            del known.states[_MOST_BASES:]
            self._imported[how, method] = known
        return known

    def _silence_standard_streams(self, state: State) -> None:
        """Who calls an entry has printed what and flushed when, nobody knows."""
        for identity in state.streams:
            stream = state.stream(identity)
            if stream.pending and (stream.std or self._emptied_elsewhere(state, identity)):
                state.edit(Stream, identity).pending = ()

    def _emptied_elsewhere(self, state: State, identity: int) -> bool:
        """Say whether some function flushes or closes a stream of the module."""
        emptying = calls.EMPTYING | self.m.declared.words
        for module in state.modules.values():
            env = state.heap[module]
            assert isinstance(env, Env)
            held = {n for n, value in env.variables.items() if identity in state.reach([value])}
            if any(held & scope.used and emptying & scope.calls for scope in env.scope.nested):
                return True
        return False

    # -- entries --------------------------------------------------------------------------

    def _entries(self) -> list[Scope]:
        """Return the functions that nothing calls and from which a process end is in reach.

        Those that no other function mentions come first: they call the others.
        """
        active = self._active = self._active_names()
        waiting = [
            scope
            for scope in self._functions(self.root)
            if scope.node not in self.m.executed and self._is_active(scope, active)
        ]
        mentioned: set[str] = set()
        for scope in self._functions(self.root):
            mentioned |= scope.calls - {scope.name}
        return sorted(waiting, key=lambda s: s.name in mentioned)

    def _is_active(self, scope: Scope, active: set[str]) -> bool:
        """Say whether a process end is in reach; the `run` of a process class is one."""
        owner = scope.parent
        inherits = scope.name == "run" and owner is not None and owner.name in active
        return inherits or not scope.used.isdisjoint(active)

    def _functions(self, scope: Scope) -> list[Scope]:
        """Return the functions of the module and the methods of its classes."""
        found: list[Scope] = []
        for inner in scope.nested:
            if isinstance(inner.node, cst.FunctionDef):
                found.append(inner)
            elif isinstance(inner.node, cst.ClassDef):
                found.extend(self._functions(inner))
        return found

    def _active_names(self) -> set[str]:
        """Return the names behind which a process may start, fork or end."""
        active = {name.rpartition(".")[2] for name in (*FORKS, *HARD_EXITS)}
        active |= {"Process", "kill", "raise_signal", *self.m.declared.spawners}
        starters = (*POOL_TYPES, *PROCESS_STARTERS, *PARALLEL)
        active |= {name.rpartition(".")[2] for name in starters}
        return closure(self.m.scopes.values(), active)

    def _enter(self, entry: Scope, bases: list[State]) -> list[State]:
        """Call an entry with unknown arguments, from the state after the body."""
        found: list[State] = []
        for base in bases[:_MOST_BASES]:
            state = base.copy()
            for ready, function in self._callable(state, entry):
                found += self._call(ready, function, entry)
        for state in found:
            for after in self._call_nested(state):
                self._finish(after, entry)
        return found

    def _call_nested(self, state: State) -> list[State]:
        """Call the inner functions that an entry has returned or stored: nothing else does."""
        states = [state]
        reached = state.reach([*state.stack, Ref(state.frames[0].module)])
        for identity in sorted(reached):
            obj = state.heap.get(identity)
            if not isinstance(obj, Function) or obj.node in self.m.executed:
                continue
            outer = obj.scope.parent
            inner = outer is not None and outer.is_function
            if inner and isinstance(obj.node, cst.FunctionDef):
                scope = obj.scope
                if self._is_active(scope, self._active):
                    again = [self._call(s, Ref(identity), scope) for s in states]
                    states = [after for found in again for after in found] or states
        return states

    def _callable(self, state: State, entry: Scope) -> list[tuple[State, Value]]:
        """Find the function of an entry; a method is bound to an instance made for it."""
        m = self.m
        env = state.heap[state.frames[0].module]
        assert isinstance(env, Env)
        path: list[str] = []
        scope: Scope | None = entry
        while scope is not None and scope.parent is not None:
            path.append(scope.name)
            scope = scope.parent
        value = env.variables.get(path[-1])
        if value is None:
            return []
        if len(path) == 1:
            return [(state, value)] if self._is(state, value, entry) else []
        if len(path) > 2 or state.look(Class, value) is None:
            return []
        found: list[tuple[State, Value]] = []
        given = calls.Arguments(entry.node, [], open=True)
        normal, _ = m.captured(lambda s: calls.instantiate(m, s[0], value, given), [state])
        for made in self._set_up(m.join(normal)[:_MOST_BASES], given):
            receiver = made.stack[-1]
            instance = made.look(Instance, receiver)
            method = classes.class_attribute(made, value, entry.name)
            if instance is None or method is None:
                continue
            if entry.name == "run" and classes.is_process(made, instance):
                made.push(receiver)
                found.append((made, Const("start")))
                continue
            wrapped = made.look(Instance, method)
            if wrapped is not None:
                method = next(iter(wrapped.attributes.values()), method)
            made.push(receiver)
            found.append((made, Bound(method, receiver)))
        return found

    def _set_up(self, states: list[State], given: calls.Arguments) -> list[State]:
        """Do for the topmost instance, if it is a test case, what comes before each test."""
        for hook in _SET_UP:
            found: list[State] = []
            for state in states:
                instance = state.look(Instance, state.stack[-1])
                cls = NONE if instance is None else instance.cls
                has_hook = classes.class_attribute(state, cls, hook) is not None
                if has_hook and classes.is_a(state, cls, _TEST):
                    found += self._after(state, hook, given)
                else:
                    found.append(state)
            states = self.m.join(found)
        return states

    def _after(self, state: State, hook: str, given: calls.Arguments) -> list[State]:
        """Call a method of the topmost instance, which stays there."""
        m = self.m

        def action(states: list[State]) -> list[State]:
            found: list[State] = []
            for ready in get(m, states[0], states[0].stack[-1], hook, given.node):
                function = ready.pop()
                found += calls.call(m, ready, function, calls.Arguments(given.node, []))
            return found

        normal, _ = m.captured(action, [state])
        for after in normal:
            after.pop()
        return normal

    def _is(self, state: State, value: Value, entry: Scope) -> bool:
        function = state.look(Function, value)
        return function is None or function.node is entry.node

    def _call(self, state: State, function: Value, entry: Scope) -> list[State]:
        m = self.m
        given = calls.Arguments(entry.node, [], open=True)

        def action(states: list[State]) -> list[State]:
            if function == Const("start"):
                return start_process(m, states[0], states[0].stack[-1], given)
            return calls.call(m, states[0], function, given)

        normal, abrupt = m.captured(action, [state])
        for after in abrupt:
            if after.signal is not None and not after.signal.implicit:
                after.signal = None
                normal.append(after.push(m.unknown()))
        return normal

    def _finish(self, state: State, entry: Scope) -> None:
        """What an entry returns or has stored, its caller may start; then the program goes on."""
        m = self.m
        reached = state.reach([*state.stack, Ref(state.frames[0].module)])
        for after in escape(m, state, reached, entry.node):
            part(m, after, exits=False)
            end_interpreter(m, after)
