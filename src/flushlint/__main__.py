"""``python -m flushlint``."""

from __future__ import annotations

import sys

from flushlint.cli import main

if __name__ == "__main__":
    sys.exit(main())
