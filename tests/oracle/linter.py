"""The linter's side of the comparison: its findings for a fixture, in the form of markers."""

from __future__ import annotations

from flushlint.engine import check_source
from flushlint.model import AnalysisOptions, StartMethod
from tests.oracle.fixture import OLDEST_PYTHON, Fixture, Marker

__all__ = ["findings", "options_for"]


def options_for(fixture: Fixture, start_method: StartMethod | None) -> AnalysisOptions:
    """Return what the analysis of a fixture is told: its start method and its lowest Python."""
    version = fixture.min_python if fixture.min_python > OLDEST_PYTHON else None
    return AnalysisOptions(start_method=start_method, python_version=version)


def findings(fixture: Fixture, start_method: StartMethod | None) -> frozenset[Marker]:
    """Return flushlint's findings for a fixture, None standing for an unset start method.

    What is opt-in counts where the fixture selects its code.

    Raises AssertionError if the fixture is not analysed at all.
    """
    options = options_for(fixture, start_method)
    analysis = check_source(fixture.path.read_bytes(), fixture.path.name, options)
    assert analysis.error is None, analysis.error
    return frozenset(
        Marker(one.span.start.line, one.code)
        for one in analysis.diagnostics
        if not one.opt_in or one.code in fixture.selected
    )
