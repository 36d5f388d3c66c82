"""One program with all that is known of it: its trees, what the machine saw, what the rules say.

A fix is proposed from a scene, and proven by looking at the scene that it would make.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, get_args

import libcst as cst

from flushlint import guard
from flushlint.fixes.pages import Page, Pages, parted
from flushlint.machine.modules import Program
from flushlint.machine.program import run_program
from flushlint.machine.scope import build_scopes
from flushlint.machine.trace import Trace
from flushlint.model import InputError, StartMethod
from flushlint.rules.checks import check
from flushlint.source import Source, collector_off, parse

if TYPE_CHECKING:
    from flushlint.machine.log import Log
    from flushlint.model import AnalysisOptions
    from flushlint.rules.finding import Finding

__all__ = ["Act", "Scene", "restage", "stage"]


@dataclass(frozen=True)
class Act:
    """One run of a program on the machine, under one start method or the one it has by default."""

    log: Log
    trace: Trace
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Scene:
    """A program, and a run of it under each start method that was asked for.

    The runs come twice. Those of the second row show doublings only, those too that come about
    if unknown code does nothing to a file: no fix must bring one.
    """

    program: Program
    layout: Pages
    acts: tuple[Act, ...]

    @property
    def text(self) -> str:
        """The text of all modules."""
        return self.layout.text

    @property
    def module(self) -> cst.Module:
        """The tree of the main module."""
        return self.program.main.tree

    def start(self, node: cst.CSTNode) -> int:
        """Return the offset of a node in the text, in code points."""
        return self.layout.start(node)

    def exports(self, node: cst.CSTNode, name: str) -> bool:
        """Say whether the module of a node binds a name at its top level also when imported."""
        return name in _exported(self.layout.page(node).tree)

    def is_main_guard(self, statement: cst.If) -> bool:
        """Say whether the body of an `if` runs in the main module only."""
        return _is_main_guard(self.module, statement)

    def code(self, node: cst.CSTNode) -> str:
        """Return the source of a node, without the blanks around it."""
        return self.module.code_for_node(node).strip()

    def parses(self, text: str) -> bool:
        """Say whether all modules of an edited text can be parsed."""
        return _pages(self, text) is not None


def _is_main_guard(module: cst.Module, statement: cst.If) -> bool:
    code = module.code_for_node(statement.test).strip()
    return code.replace("'", '"') in ('__name__ == "__main__"', '"__main__" == __name__')


@lru_cache(maxsize=16)
def _exported(module: cst.Module) -> set[str]:
    body = [s for s in module.body if not (isinstance(s, cst.If) and _is_main_guard(module, s))]
    return next(iter(build_scopes(module.with_changes(body=body)).values())).bound


def stage(
    program: Program, pages: Pages, options: AnalysisOptions, *, brief: bool = False
) -> Scene:
    """Run a program with all that fixes need to know.

    With `brief` that is what a proof needs: nothing can be proposed from it.
    """
    with collector_off():
        plain = [_act(program, each, Trace(brief)) for each in _each_method(options)]
        wary = [
            _wary(program, each, act)
            for each, act in zip(_each_method(options), plain, strict=True)
        ]
    return Scene(program, pages, (*plain, *wary))


def restage(before: Scene, text: str, options: AnalysisOptions, *, brief: bool) -> Scene | None:
    """Run what has come of a program, None if it can't be analysed any more."""
    pages = _pages(before, text)
    if pages is None:
        return None
    trees = {old.tree: new.tree for old, new in zip(before.layout.pages, pages.pages, strict=True)}
    main = before.program.main
    program = Program(
        main.with_tree(trees[main.tree]),
        {
            name: module.with_tree(trees.get(module.tree, module.tree))
            for name, module in before.program.imported.items()
        },
    )
    return stage(program, pages, options, brief=brief)


def _pages(before: Scene, text: str) -> Pages | None:
    """Return the modules of an edited text; those that are the same are not parsed again."""
    texts = parted(text)
    if len(texts) != len(before.layout.pages):
        return None
    found: list[Page] = []
    for page, one in zip(before.layout.pages, texts, strict=True):
        if one == page.source.text:
            found.append(page)
            continue
        source = Source(page.source.path, one, page.source.encoding, page.source.bom)
        tree = None if guard.refusal(one) is not None else parse(source)
        if tree is None or isinstance(tree, InputError):
            return None
        found.append(Page.of(source, tree))
    return Pages(found)


def _each_method(options: AnalysisOptions) -> list[AnalysisOptions]:
    if options.start_method != "all":
        return [options]
    return [replace(options, start_method=method) for method in get_args(StartMethod)]


def _wary(program: Program, options: AnalysisOptions, act: Act) -> Act:
    """Run a program as if unknown code left its files alone, to see what might come twice then.

    Where it has got hold of none, that is known already.
    """
    if not act.log.has_forgotten:
        return Act(act.log, act.trace, ())
    trace = Trace(act.trace.brief)
    log = run_program(program, options, trace, wary=True)
    doubled = (one for one in check(program.main.tree, log) if one.code == "FLU201")
    return Act(log, trace, tuple(doubled))


def _act(program: Program, options: AnalysisOptions, trace: Trace) -> Act:
    log = run_program(program, options, trace)
    return Act(log, trace, tuple(check(program.main.tree, log)))
