"""Imported by every interpreter of a run, those of spawn and forkserver children included.

Runs on CPython 3.6 and newer, before the program. Sets the start method, and puts the intent
harness around the program if the environment names a directory for its log.
"""

# mypy: ignore-errors
# The stubs take for fixed what this code replaces.

import os
import signal

import after_import

_METHOD = os.environ.get("FLUSHLINT_ORACLE_START_METHOD")


def _set_default_start_method(context):
    """Change what multiprocessing falls back to; a choice of the program's own still wins."""
    context._default_context._default_context = context._concrete_contexts[_METHOD]


# A shell lets what it starts in the background ignore SIGINT, and so would the program.
signal.signal(signal.SIGINT, signal.default_int_handler)
if _METHOD:
    after_import.call("multiprocessing.context", _set_default_start_method)
if os.environ.get("FLUSHLINT_ORACLE_LOG"):
    import intent

    intent.install(os.environ["FLUSHLINT_ORACLE_LOG"])
