"""Runs flake8 with all its plugins but flushlint, or with it, in otherwise the same way.

`python flake8_alone.py with|without ARGUMENTS`
"""

from __future__ import annotations

import importlib.metadata
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


def main() -> int:
    """Hide the plugin, or pretend to, and run flake8."""
    hidden = "flushlint" if sys.argv[1] == "without" else "no such plugin"
    every = importlib.metadata.distributions

    def others(**options: Any) -> Iterable[importlib.metadata.Distribution]:  # noqa: ANN401 - whatever flake8 passes on
        return [found for found in every(**options) if found.metadata["Name"] != hidden]

    importlib.metadata.distributions = others
    from flake8.main.cli import main as flake8

    return flake8(sys.argv[2:])


sys.exit(main())
