"""One text with all that is known of it: its tree, what the machine saw, what the rules say.

A fix is proposed from a scene, and proven by looking at the scene that it would make.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, get_args

import libcst as cst

from flushlint import guard
from flushlint.fixes.layout import Layout
from flushlint.machine.modules import Module, Program
from flushlint.machine.program import run_program
from flushlint.machine.scope import build_scopes
from flushlint.machine.trace import Trace
from flushlint.model import InputError, StartMethod
from flushlint.positions import Positions
from flushlint.rules.checks import check
from flushlint.source import collector_off, parse

if TYPE_CHECKING:
    from flushlint.machine.log import Log
    from flushlint.model import AnalysisOptions
    from flushlint.rules.finding import Finding
    from flushlint.source import Source

__all__ = ["Act", "Scene", "stage"]


@dataclass(frozen=True)
class Act:
    """One run of a program on the machine, under one start method or the one it has by default."""

    log: Log
    trace: Trace
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Scene:
    """A text, its tree, and a run of it under each start method that was asked for.

    The runs come twice. Those of the second row show doublings only, those too that come about
    if unknown code does nothing to a file: no fix must bring one.
    """

    source: Source
    module: cst.Module
    positions: Positions
    layout: Layout
    acts: tuple[Act, ...]

    def start(self, node: cst.CSTNode) -> int:
        """Return the offset of a node in the text, in code points."""
        return self.positions.offsets(node)[0]

    @cached_property
    def exported(self) -> set[str]:
        """The names that the module binds at its top level also where it is imported."""
        body = [
            s for s in self.module.body if not (isinstance(s, cst.If) and self.is_main_guard(s))
        ]
        return next(iter(build_scopes(self.module.with_changes(body=body)).values())).bound

    def is_main_guard(self, statement: cst.If) -> bool:
        """Say whether the body of an `if` runs in the main module only."""
        return self.code(statement.test).replace("'", '"') in (
            '__name__ == "__main__"',
            '"__main__" == __name__',
        )

    def code(self, node: cst.CSTNode) -> str:
        """Return the source of a node, without the blanks around it."""
        return self.module.code_for_node(node).strip()


def stage(
    source: Source,
    options: AnalysisOptions,
    *,
    module: cst.Module | None = None,
    brief: bool = False,
) -> Scene | None:
    """Analyse a text with all that fixes need, None if it can't be analysed.

    Its `module` is its tree, where somebody has parsed it. With `brief` that is what a proof
    needs: nothing can be proposed from it.
    """
    if module is None:
        if guard.refusal(source.text) is not None:
            return None
        parsed = parse(source)
        if isinstance(parsed, InputError):
            return None
        module = parsed
    positions = Positions(module, source)
    with collector_off():
        plain = [_act(module, each, Trace(brief)) for each in _each_method(options)]
        wary = [
            _wary(module, each, act) for each, act in zip(_each_method(options), plain, strict=True)
        ]
        acts = (*plain, *wary)
    return Scene(source, module, positions, Layout(module, source, positions), acts)


def _each_method(options: AnalysisOptions) -> list[AnalysisOptions]:
    if options.start_method != "all":
        return [options]
    return [replace(options, start_method=method) for method in get_args(StartMethod)]


def _wary(module: cst.Module, options: AnalysisOptions, act: Act) -> Act:
    """Run a program as if unknown code left its files alone, to see what might come twice then.

    Where it has got hold of none, that is known already.
    """
    if not act.log.has_forgotten:
        return Act(act.log, act.trace, ())
    trace = Trace(act.trace.brief)
    log = run_program(Program(Module(module)), options, trace, wary=True)
    return Act(log, trace, tuple(one for one in check(module, log) if one.code == "FLU201"))


def _act(module: cst.Module, options: AnalysisOptions, trace: Trace) -> Act:
    log = run_program(Program(Module(module)), options, trace)
    return Act(log, trace, tuple(check(module, log)))
