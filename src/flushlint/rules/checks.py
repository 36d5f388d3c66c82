"""All checks in one place: from the machine's log to findings, in the order of the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flushlint.rules import (
    cleanups,
    doubled,
    killed,
    lost,
    pickled,
    remedies,
    spawned,
    torn,
    unguaranteed,
)
from flushlint.rules.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst as cst

    from flushlint.machine.log import Log

__all__ = ["check"]

_CHECKS = (
    lost.check,
    killed.check,
    unguaranteed.check,
    doubled.check,
    torn.check,
    spawned.check,
    pickled.check,
    remedies.check,
    cleanups.check,
)


def check(module: cst.Module, log: Log) -> Iterator[Finding]:
    """Apply every rule to what the machine saw of a module."""
    for one in _CHECKS:
        yield from one(module, log)
    yield from _not_analysed(module, log)


def _not_analysed(module: cst.Module, log: Log) -> Iterator[Finding]:
    """FLU901: say which entries a bound of the machine has cost."""
    for limit in log.limits:
        node = limit.node or module
        name = getattr(getattr(node, "name", None), "value", None)
        subject = f"`{name}`" if isinstance(name, str) else "the module's body"
        message = f"{subject} is not analysed: {limit.why}"
        yield Finding("FLU901", node, message, subject)
