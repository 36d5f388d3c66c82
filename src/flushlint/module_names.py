"""Names of modules: what a relative one stands for, and what imports by names put together."""

from __future__ import annotations

__all__ = ["BY_NAME", "absolute"]

BY_NAME = ("import_module(", "__import__(", "iter_modules(", "walk_packages(", "dictConfig(")
"""Calls that import, or list, modules by names that are known when they run."""


def absolute(name: str, level: int, package: str) -> str:
    """Return the full name of a module that is named in a package, with `level` leading dots.

    Empty where that leads out of all packages.
    """
    if not level:
        return name
    outer = package.split(".") if package else []
    if level > len(outer):
        return ""
    return ".".join([*outer[: len(outer) - level + 1], *([name] if name else [])])
