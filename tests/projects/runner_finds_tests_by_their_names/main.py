"""Runs each test of the suite in a process of its own."""
import sys

import runner
import suite

if __name__ == "__main__":
    failed = runner.run_all(suite)
    print("%d failed" % failed)
    sys.exit(1 if failed else 0)
