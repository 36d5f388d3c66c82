"""Prints the speed table: `make bench`, or `python -m benchmarks --help`."""

from __future__ import annotations

import sys

from benchmarks.run import main

sys.exit(main())
