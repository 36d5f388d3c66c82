"""Reads the Python files below a directory, and does nothing with them."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Read all that a walk comes across."""
    folders = sys.argv[1:]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in {"site-packages", "__pycache__"}:
                        folders.append(entry.path)
                elif entry.name.endswith(".py"):
                    with open(entry.path, "rb", buffering=0) as file:
                        file.read()


main()
