"""The one engine: bytes or text of a module in, findings out. It serves every face.

Only the gate and the model are imported here; source, LibCST and the machine follow when a
file passes the gate.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias, get_args

from flushlint import gate
from flushlint.model import (
    Analysis,
    AnalysisOptions,
    Diagnostic,
    InputError,
    Position,
    Span,
    StartMethod,
    WitnessStep,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    import libcst as cst

    from flushlint.positions import Positions
    from flushlint.rules.finding import Finding
    from flushlint.source import Source

__all__ = ["Wanted", "check_source", "check_text"]

Wanted: TypeAlias = "Callable[[Sequence[Diagnostic]], Collection[Diagnostic]]"

_CLEAN = Analysis()
# The finding that says that nothing is known: no fix is looked for.
_NOT_ANALYSED = "FLU901"


def check_source(
    data: bytes, path: str, options: AnalysisOptions, *, wanted: Wanted | None = None
) -> Analysis:
    """Analyse one module and return its findings, all rules included, in source order.

    Selection and suppression are the faces' business. What can't be decoded or parsed is an
    error in the answer. Fixes are looked for of those findings that are `wanted`.
    """
    if not gate.passes(data, options.tables):
        return _CLEAN
    from flushlint.source import read_source

    source = read_source(data, path)
    return (
        Analysis(error=source)
        if isinstance(source, InputError)
        else _check(source, options, wanted)
    )


def check_text(
    text: str, path: str, options: AnalysisOptions, *, wanted: Wanted | None = None
) -> Analysis:
    """Analyse a module whose text somebody else has decoded: an editor, or flake8.

    A coding cookie in the text is a comment like any other.
    """
    if not gate.passes(text.encode("utf-8", "surrogatepass"), options.tables):
        return _CLEAN
    from flushlint.source import Source

    return _check(Source(path, text), options, wanted)


def _check(source: Source, options: AnalysisOptions, wanted: Wanted | None = None) -> Analysis:
    from flushlint import guard
    from flushlint.source import parse

    refusal = guard.refusal(source.text)
    if refusal is not None:
        return Analysis((_refused(source, refusal.why, refusal.line),))
    if _is_clean_by_slice(source, options):
        return _CLEAN
    module = parse(source)
    if isinstance(module, InputError):
        return Analysis(error=module)
    diagnostics = _diagnostics(source, module, options)
    kept = wanted(diagnostics) if wanted is not None and diagnostics else ()
    if any(one.code != _NOT_ANALYSED for one in kept):
        diagnostics = _with_fixes(source, module, options, diagnostics, kept)
    return Analysis(diagnostics)


def _is_clean_by_slice(source: Source, options: AnalysisOptions) -> bool:
    """Return whether the part of the module that may run is enough to see that nothing is found.

    Where something is, the whole tree is looked at, also for fixes.
    """
    from flushlint.slicing import sliced

    text = sliced(source.text, [name.rpartition(".")[2] for name in options.tables.spawners])
    if text is None:
        return False
    from flushlint.machine.calls import LeftOutError
    from flushlint.source import Source, is_python, parse

    # A mistake in what is left out is one all the same.
    if not is_python(source.text):
        return False
    part = Source(source.path, text)
    module = parse(part)
    try:
        return not isinstance(module, InputError) and not _diagnostics(part, module, options)
    except LeftOutError:
        return False


def _diagnostics(
    source: Source, module: cst.Module, options: AnalysisOptions
) -> tuple[Diagnostic, ...]:
    from flushlint.machine.program import run_module
    from flushlint.positions import Positions
    from flushlint.rules.checks import check
    from flushlint.source import collector_off

    with collector_off():
        if options.start_method == "all":
            found = _audit(module, options)
        else:
            found = [(finding, ()) for finding in check(module, run_module(module, options))]
    if not found:
        return ()
    positions = Positions(module, source)
    made = {_diagnostic(source, positions, *one): None for one in found}
    return tuple(sorted(made, key=lambda d: (d.span, d.code, d.message)))


def _audit(
    module: cst.Module, options: AnalysisOptions
) -> list[tuple[Finding, tuple[StartMethod, ...]]]:
    """Run the program under every start method; say of each finding under which it holds."""
    from flushlint.machine.program import run_module
    from flushlint.rules.checks import check

    methods: tuple[StartMethod, ...] = get_args(StartMethod)
    found: dict[object, tuple[Finding, tuple[StartMethod, ...]]] = {}
    for method in methods:
        log = run_module(module, replace(options, start_method=method))
        for finding in check(module, log):
            key = (finding.code, finding.node, finding.subject)
            first, under = found.get(key, (finding, ()))
            first.opt_in = first.opt_in and finding.opt_in
            if method not in under:
                found[key] = (first, (*under, method))
    for finding, under in found.values():
        if under != methods:
            finding.message += f" (under {' and '.join(under)})"
    return list(found.values())


def _diagnostic(
    source: Source, positions: Positions, finding: Finding, under: tuple[StartMethod, ...]
) -> Diagnostic:
    from flushlint.rules.registry import RULES

    rule = RULES[finding.code]
    return Diagnostic(
        code=finding.code,
        name=rule.name,
        message=finding.message,
        severity=rule.severity,
        path=source.path,
        span=positions.span(finding.node),
        statement=positions.statement(finding.node),
        subject=finding.subject,
        witness=tuple(
            WitnessStep(step.kind, step.process, source.path, positions.span(step.node), step.text)
            for step in finding.steps
        ),
        opt_in=finding.opt_in or rule.opt_in,
        start_methods=under,
    )


def _with_fixes(
    source: Source,
    module: cst.Module,
    options: AnalysisOptions,
    diagnostics: tuple[Diagnostic, ...],
    wanted: Collection[Diagnostic],
) -> tuple[Diagnostic, ...]:
    """Look for fixes of the findings that are wanted."""
    from flushlint.fixes.search import Search

    search = Search.of(source, options, module=module)
    if search is None:
        return diagnostics
    return tuple(
        replace(one, fixes=search.fixes(one.code, one.span, one.subject)) if one in wanted else one
        for one in diagnostics
    )


def _refused(source: Source, why: str, line: int) -> Diagnostic:
    """FLU901 for a file that the guard keeps from LibCST."""
    from flushlint.rules.registry import RULES

    rule = RULES[_NOT_ANALYSED]
    start = Position(line, 0)
    span = Span(start, start)
    message = f"the file is not analysed: {why}"
    return Diagnostic(rule.code, rule.name, message, rule.severity, source.path, span, span, "")
