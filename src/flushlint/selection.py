"""Which rules are on: `select`, `extend-select` and `ignore`, by prefix, in layers.

Within a layer the longer prefix wins, and `ignore` wins between two of the same length. A
layer with a `select` of its own starts from nothing, one without it changes what the layer
below has left: the defaults, then the configuration, then the command line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flushlint.rules.registry import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ALL",
    "Layer",
    "chosen_codes",
    "enabled_codes",
    "fixable_codes",
    "matching_codes",
    "prefix_length",
    "unknown_prefixes",
]

ALL = "ALL"
"""The prefix that stands for every rule."""


class Layer(NamedTuple):
    """What one source of settings says. `select` is None where it says nothing."""

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


def matching_codes(prefix: str) -> frozenset[str]:
    """Return the known codes that `prefix` stands for, none if it is empty or unknown."""
    if prefix == ALL:
        return frozenset(RULES)
    return frozenset(code for code in RULES if prefix and code.startswith(prefix))


def unknown_prefixes(prefixes: Iterable[str]) -> tuple[str, ...]:
    """Return those of `prefixes` that no known code begins with."""
    return tuple(prefix for prefix in prefixes if not matching_codes(prefix))


def enabled_codes(layers: Iterable[Layer]) -> frozenset[str]:
    """Return the codes that are on after all `layers`, the first of which lies lowest."""
    return _after(layers, {code for code, rule in RULES.items() if not rule.opt_in})


def chosen_codes(layers: Iterable[Layer]) -> frozenset[str]:
    """Return those that a `select` or `extend-select` has switched on, by any prefix.

    They show findings that are opt-in, too.
    """
    return _after(layers, set())


def fixable_codes(layers: Iterable[Layer]) -> frozenset[str]:
    """Return the codes whose fixes are on, where a layer's `select` and `ignore` speak of fixes."""
    return _after(layers, set(RULES))


def prefix_length(prefix: str) -> int:
    """Return how long a prefix is, of which the longer one wins."""
    return 0 if prefix == ALL else len(prefix)


def _after(layers: Iterable[Layer], enabled: set[str]) -> frozenset[str]:
    for layer in layers:
        if layer.select is not None:
            enabled.clear()
        _apply(layer, enabled)
    return frozenset(enabled)


def _apply(layer: Layer, enabled: set[str]) -> None:
    """Switch codes on and off in `enabled`, the shortest prefixes first."""
    choices = [(prefix, True) for prefix in (*(layer.select or ()), *layer.extend_select)]
    choices += [(prefix, False) for prefix in layer.ignore]
    # At equal length False, which is `ignore`, comes last and so wins.
    for prefix, on in sorted(choices, key=lambda choice: (prefix_length(choice[0]), not choice[1])):
        if on:
            enabled |= matching_codes(prefix)
        else:
            enabled -= matching_codes(prefix)
