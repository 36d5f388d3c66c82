"""Calls in which a process may stand for long, and what signals do to it there."""

from __future__ import annotations

__all__ = [
    "BLOCKING",
    "BLOCKING_METHODS",
    "DEADLY",
    "KILLING_WORDS",
    "SIGKILL",
    "SIGTERM",
    "WAITS_FOR_CHILD",
]

# Library functions that wait for something. Those that wait for ever unless a signal handler
# raises are in the machine (`signal.pause`).
BLOCKING = frozenset(
    {
        "time.sleep", "os.wait", "os.waitpid", "os.wait3", "os.wait4", "os.waitid", "os.read",
        "select.select", "select.poll", "signal.sigwait", "signal.sigwaitinfo",
        "signal.sigtimedwait", "builtins.input", "multiprocessing.connection.wait",
        "subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output",
        "asyncio.sleep", "urllib.request.urlopen",
    }
)  # fmt: skip

# Methods of objects that the machine knows nothing of: sockets, servers, selectors, popen.
BLOCKING_METHODS = frozenset(
    {
        "accept", "recv", "recvfrom", "recv_into", "recv_bytes", "communicate", "select",
        "serve_forever", "handle_request", "run_forever", "sleep", "wait",
    }
)  # fmt: skip

# Words without one of which no program kills a child.
KILLING_WORDS = frozenset({"terminate", "kill", "killpg", "daemon", "Pool"})

WAITS_FOR_CHILD = frozenset({"os.wait", "os.waitpid", "os.wait3", "os.wait4"})

SIGKILL = 9
SIGTERM = 15

# Signals whose default is to end the process, and which no Python code handles unasked.
# SIGINT is not among them: it is raised as KeyboardInterrupt, so that `finally` and `with` work.
DEADLY = frozenset({1, 3, 6, SIGKILL, 10, 12, 14, SIGTERM})
