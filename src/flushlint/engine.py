"""The one engine: the bytes of a program's modules in, findings out. It serves every face.

Only the gate and the model are imported here; source, LibCST and the machine follow when a
program passes the gate.
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
from flushlint.unit import ModuleFile, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from flushlint.parsed import ParsedProgram
    from flushlint.rules.finding import Finding, Step
    from flushlint.source import Source

__all__ = ["Wanted", "check_source", "check_text", "check_unit"]

Wanted: TypeAlias = "Callable[[Sequence[Diagnostic]], Collection[Diagnostic]]"

_CLEAN = Analysis()
# The finding that says that nothing is known: no fix is looked for.
_NOT_ANALYSED = "FLU901"
_WHY = "with them it takes too many steps to follow"


def check_source(
    data: bytes, path: str, options: AnalysisOptions, *, wanted: Wanted | None = None
) -> Analysis:
    """Analyse one module for itself, and return its findings as `check_unit` does."""
    return check_unit(Unit(ModuleFile(path, data)), options, wanted=wanted)


def check_unit(unit: Unit, options: AnalysisOptions, *, wanted: Wanted | None = None) -> Analysis:
    """Analyse a program and return its findings, all rules included, by path and in source order.

    Selection and suppression are the faces' business. What can't be decoded or parsed is an
    error in the answer; an import of such a module is taken for external. Fixes are looked for of
    those findings that are `wanted`.
    """
    main = unit.main
    if not _passes(unit, options):
        return _CLEAN
    from flushlint.source import read_source

    source = read_source(main.data, main.path)
    return (
        Analysis(error=source)
        if isinstance(source, InputError)
        else _check(source, unit, options, wanted)
    )


def check_text(
    text: str,
    path: str,
    options: AnalysisOptions,
    *,
    wanted: Wanted | None = None,
    unit: Unit | None = None,
) -> Analysis:
    """Analyse a module whose text somebody else has decoded: an editor, or flake8.

    A coding cookie in the text is a comment like any other. With a `unit` the text stands for the
    bytes of its main module.
    """
    if unit is None:
        unit = Unit(ModuleFile(path, text.encode("utf-8", "surrogatepass")))
    if not _passes(unit, options):
        return _CLEAN
    from flushlint.source import Source

    return _check(Source(path, text), unit, options, wanted)


def _passes(unit: Unit, options: AnalysisOptions) -> bool:
    """Return whether a program has anything in it to analyse."""
    if not unit.imported:
        return gate.passes(unit.main.data, options.tables)
    return any(gate.may_write(file.data, options.tables) for file in unit.files().values())


def _check(source: Source, unit: Unit, options: AnalysisOptions, wanted: Wanted | None) -> Analysis:
    found = _analysed(source, unit, options, wanted)
    here = [one for one in found.diagnostics if one.path == source.path]
    if not unit.imported or not any(one.code == _NOT_ANALYSED for one in here):
        return found
    # Alone the module takes fewer steps, and what is found in it holds as well.
    alone = _CLEAN
    if gate.passes(unit.main.data, options.tables):
        alone = _analysed(source, Unit(unit.main), options, wanted)
    apart = {(one.span, one.subject) for one in alone.diagnostics if one.code == _NOT_ANALYSED}
    kept = [
        replace(
            one, message=f"{one.subject} is analysed without the project's other modules: {_WHY}"
        )
        if one.code == _NOT_ANALYSED and (one.span, one.subject) not in apart and one in here
        else one
        for one in found.diagnostics
    ]
    known = {(one.path, one.span, one.code) for one in kept}
    kept += (one for one in alone.diagnostics if (one.path, one.span, one.code) not in known)
    return Analysis(_sorted(kept), found.error)


def _analysed(
    source: Source, unit: Unit, options: AnalysisOptions, wanted: Wanted | None
) -> Analysis:
    from flushlint.parsed import Refused, parse_program

    known = _known_by_slice(source, unit, options)
    if known is not None:
        return Analysis(known)
    parsed = parse_program(source, unit)
    if isinstance(parsed, Refused):
        return Analysis((_refused(source, parsed.why, parsed.line),))
    if isinstance(parsed, InputError):
        return Analysis(error=parsed)
    diagnostics = _diagnostics(parsed, options)
    # What was not analysed can't be mended: to look for that would be to run it all again.
    mendable = [one for one in diagnostics if one.severity == "error"]
    kept = wanted(mendable) if wanted is not None and mendable else ()
    if kept:
        diagnostics = _with_fixes(parsed, options, diagnostics, kept)
    return Analysis(diagnostics)


def _sorted(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(sorted(diagnostics, key=lambda d: (d.path, d.span, d.code, d.message)))


def _known_by_slice(
    source: Source, unit: Unit, options: AnalysisOptions
) -> tuple[Diagnostic, ...] | None:
    """Return what is found in the part of the program that may run, None if that isn't enough.

    Where there is an error, all of it is looked at, also for fixes.
    """
    from flushlint.machine.calls import LeftOutError
    from flushlint.parsed import ParsedProgram, parse_slice

    spawners = [name.rpartition(".")[2] for name in options.tables.spawners]
    part = parse_slice(source, unit, spawners)
    if not isinstance(part, ParsedProgram):
        return None
    try:
        found = _diagnostics(part, options)
    except LeftOutError:
        return None
    return found if all(one.code == _NOT_ANALYSED for one in found) else None


def _diagnostics(parsed: ParsedProgram, options: AnalysisOptions) -> tuple[Diagnostic, ...]:
    from flushlint.machine.program import run_program
    from flushlint.rules.checks import check
    from flushlint.source import collector_off

    with collector_off():
        if options.start_method == "all":
            found = _audit(parsed, options)
        else:
            log = run_program(parsed.program, options)
            found = [(finding, ()) for finding in check(parsed.program.main.tree, log)]
    made = {_diagnostic(parsed, *one): None for one in found}
    return _sorted(made)


def _audit(
    parsed: ParsedProgram, options: AnalysisOptions
) -> list[tuple[Finding, tuple[StartMethod, ...]]]:
    """Run the program under every start method; say of each finding under which it holds."""
    from flushlint.machine.program import run_program
    from flushlint.rules.checks import check

    methods: tuple[StartMethod, ...] = get_args(StartMethod)
    found: dict[object, tuple[Finding, tuple[StartMethod, ...]]] = {}
    for method in methods:
        log = run_program(parsed.program, replace(options, start_method=method))
        for finding in check(parsed.program.main.tree, log):
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
    parsed: ParsedProgram, finding: Finding, under: tuple[StartMethod, ...]
) -> Diagnostic:
    from flushlint.rules.registry import RULES

    rule = RULES[finding.code]
    place = parsed.locate(finding.node)
    return Diagnostic(
        code=finding.code,
        name=rule.name,
        message=finding.message,
        severity=rule.severity,
        path=place.source.path,
        span=place.span,
        statement=place.statement,
        subject=finding.subject,
        witness=tuple(_witness_step(parsed, step) for step in finding.steps),
        opt_in=finding.opt_in or rule.opt_in,
        start_methods=under,
    )


def _witness_step(parsed: ParsedProgram, step: Step) -> WitnessStep:
    place = parsed.locate(step.node)
    return WitnessStep(step.kind, step.process, place.source.path, place.span, step.text)


def _with_fixes(
    parsed: ParsedProgram,
    options: AnalysisOptions,
    diagnostics: tuple[Diagnostic, ...],
    wanted: Collection[Diagnostic],
) -> tuple[Diagnostic, ...]:
    """Look for fixes of the findings that are wanted."""
    from flushlint.fixes.search import Search

    search = Search.of(parsed, options)
    if search is None:
        return diagnostics
    return tuple(
        replace(one, fixes=search.fixes(one)) if one in wanted else one for one in diagnostics
    )


def _refused(source: Source, why: str, line: int) -> Diagnostic:
    """FLU901 for a file that the guard keeps from LibCST."""
    from flushlint.rules.registry import RULES

    rule = RULES[_NOT_ANALYSED]
    start = Position(line, 0)
    span = Span(start, start)
    message = f"the file is not analysed: {why}"
    return Diagnostic(rule.code, rule.name, message, rule.severity, source.path, span, span, "")
