"""What `multiprocessing` says of start methods and processes, and how a program chooses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.knowledge.processes import PROCESS_PACKAGES
from flushlint.machine import killing
from flushlint.machine.calls import Arguments, library
from flushlint.machine.objects import Instance, Sequence
from flushlint.machine.spawning import IMPORTING, block
from flushlint.machine.values import FALSE, NONE, Const, Ext, Ref, Unknown, Value

if TYPE_CHECKING:
    from flushlint.machine.interpreter import Machine
    from flushlint.machine.state import State

__all__: list[str] = []

_PROCESS = "multiprocessing.Process"
_CONTEXT = "multiprocessing.context"
_METHODS = ("fork", "spawn", "forkserver")


def _contexts(package: str) -> None:
    @library(f"{package}.get_context")
    def get_context(m: Machine, state: State, arguments: Arguments) -> list[State]:
        chosen = arguments.get(0, "method") or NONE
        found: list[State] = []
        for branch, option in m.choose(state, chosen):
            if isinstance(option, Const) and option.value in _METHODS:
                made = Instance(Ext(_CONTEXT), {"%method": option}, arguments.node)
                found.append(branch.push(m.new(branch, arguments.node, made, "context")))
            else:
                found.append(branch.push(Ext(package)))
        return found

    @library(f"{package}.set_start_method")
    def set_start_method(m: Machine, state: State, arguments: Arguments) -> list[State]:
        chosen = arguments.get(0, "method") or NONE
        found: list[State] = []
        m.may_raise(state, "builtins.RuntimeError", arguments.node)
        for branch, option in m.choose(state, chosen):
            forced = arguments.get(1, "force") not in (None, FALSE)
            if not forced and block(m, branch, arguments.node, "method on import"):
                continue
            if isinstance(option, Const) and option.value in _METHODS:
                branch.start_method = str(option.value)
            found.append(branch.push(NONE))
        return found


def _about_processes(package: str) -> None:
    @library(f"{package}.get_start_method")
    def get_start_method(m: Machine, state: State, arguments: Arguments) -> list[State]:
        known = state.start_method or m.options.start_method
        return [state.push(Unknown("start method") if known is None else Const(known))]

    @library(f"{package}.current_process")
    def current_process(m: Machine, state: State, arguments: Arguments) -> list[State]:
        process = m.log.processes[state.process]
        if process.receiver is not None and process.receiver in state.heap:
            return [state.push(Ref(process.receiver))]
        values: dict[str, Value] = {
            "name": Const("Process-1" if process.kind in ("process", "worker") else "MainProcess")
        }
        made = Instance(Ext(_PROCESS), values)
        return [state.push(m.new(state, arguments.node, made, "current"))]

    @library(f"{package}.parent_process")
    def parent_process(m: Machine, state: State, arguments: Arguments) -> list[State]:
        process = m.log.processes[state.process]
        if process.kind == "main" or process.id == IMPORTING:  # set when the import is over
            return [state.push(NONE)]
        parent = Unknown("parent process")
        state.facts[parent.key] = True
        return [state.push(parent)]

    @library(f"{package}.active_children")
    def active_children(m: Machine, state: State, arguments: Arguments) -> list[State]:
        children: list[Value] = [
            r for r in state.roots if isinstance(r, Ref) and killing.is_child(m, state, r)
        ]
        return [state.push(m.new(state, arguments.node, Sequence("list", children), "children"))]

    @library(f"{package}.freeze_support", f"{package}.cpu_count")
    def quiet(m: Machine, state: State, arguments: Arguments) -> list[State]:
        return [state.push(m.unknown())]


for _package in PROCESS_PACKAGES:
    _contexts(_package)
    _about_processes(_package)
