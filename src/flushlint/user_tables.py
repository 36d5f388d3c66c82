"""The user's own names, as `[tool.flushlint]` lists them.

Apart from `model`, whose dataclasses take longer to import than the gate to run.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["NO_TABLES", "UserTables"]


class UserTables(NamedTuple):
    """Functions and classes of the user's own, by qualified name, and what they do.

    A method is named below its class: ``package.Class.method``.
    """

    openers: tuple[str, ...] = ()
    writers: tuple[str, ...] = ()
    flushers: tuple[str, ...] = ()
    closers: tuple[str, ...] = ()
    spawners: tuple[str, ...] = ()


NO_TABLES = UserTables()
