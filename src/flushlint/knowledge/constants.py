"""Names with several spellings, constants of the library, and facts about the platform."""

from __future__ import annotations

__all__ = ["CANONICAL", "CONSTANTS", "PLATFORM_FACTS", "platform_fact"]

# Where one object goes by several names, the one that the other tables use.
CANONICAL: dict[str, str] = {
    "_io": "io",
    "posix": "os",
    "io.open": "builtins.open",
    "multiprocessing.context.Process": "multiprocessing.Process",
    "multiprocessing.process.BaseProcess": "multiprocessing.Process",
    "multiprocessing.process.current_process": "multiprocessing.current_process",
    "multiprocessing.pool.ThreadPool": "multiprocessing.dummy.Pool",
    "multiprocess.pool.ThreadPool": "multiprocessing.dummy.Pool",
    "multiprocessing.pool.Pool": "multiprocessing.Pool",
    "multiprocess.pool.Pool": "multiprocess.Pool",
    "billiard.pool.Pool": "billiard.Pool",
    "torch.multiprocessing.pool.Pool": "torch.multiprocessing.Pool",
    "pathos.pools.ProcessPool": "pathos.multiprocessing.ProcessPool",
    "pathos.pools._ProcessPool": "multiprocess.Pool",
    "pathos.multiprocessing.Pool": "multiprocess.Pool",
    "pathos.multiprocessing.ProcessingPool": "pathos.multiprocessing.ProcessPool",
    "pathos.multiprocessing.ThreadPool": "multiprocessing.dummy.Pool",
    "pathos.pools.ThreadPool": "multiprocessing.dummy.Pool",
    "concurrent.futures.process.ProcessPoolExecutor": "concurrent.futures.ProcessPoolExecutor",
    "joblib.parallel.Parallel": "joblib.Parallel",
    "joblib.parallel.delayed": "joblib.delayed",
    "sklearn.utils.parallel.Parallel": "joblib.Parallel",
    "sklearn.utils.parallel.delayed": "joblib.delayed",
    "sklearn.externals.joblib": "joblib",
    "torch.multiprocessing.spawn.spawn": "torch.multiprocessing.spawn",
    "multiprocessing.dummy.DummyProcess": "threading.Thread",
    "multiprocessing.dummy.Process": "threading.Thread",
    "multiprocess.dummy.Process": "threading.Thread",
    "concurrent.futures.thread.ThreadPoolExecutor": "concurrent.futures.ThreadPoolExecutor",
    "asyncio.runners.run": "asyncio.run",
    "asyncio.exceptions.CancelledError": "asyncio.CancelledError",
    "pathlib.PosixPath": "pathlib.Path",
    "pathlib.PurePath": "pathlib.Path",
    "typing_extensions.NamedTuple": "typing.NamedTuple",
    **{
        f"signal.Signals.{name}": f"signal.{name}"
        for name in ("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM")
    },
}

CONSTANTS: dict[str, str | int | bool] = {
    "os.devnull": "/dev/null",
    "os.linesep": "\n",
    "os.sep": "/",
    "signal.SIGKILL": 9,
    "signal.SIGTERM": 15,
    "signal.SIGINT": 2,
    "signal.SIG_BLOCK": 0,
    "signal.SIG_UNBLOCK": 1,
    "signal.SIG_SETMASK": 2,
    "signal.SIGHUP": 1,
    "signal.SIGQUIT": 3,
    "signal.SIGABRT": 6,
    "signal.SIGUSR1": 10,
    "signal.SIGUSR2": 12,
    "signal.SIGALRM": 14,
    "io.DEFAULT_BUFFER_SIZE": 8192,
    "os.SEEK_SET": 0,
    "os.SEEK_CUR": 1,
    "os.SEEK_END": 2,
    "typing.TYPE_CHECKING": False,
    "os.EX_OK": 0,
    "pty.CHILD": 0,
    "logging.DEBUG": 10,
    "logging.INFO": 20,
    "logging.WARNING": 30,
    "logging.ERROR": 40,
    "logging.CRITICAL": 50,
    "six.PY2": False,
    "six.PY3": True,
    "future.utils.PY2": False,
}

PLATFORM_FACTS = frozenset({"sys.platform", "os.name", "sys.version_info"})


def platform_fact(name: str, platform: str | None) -> str | None:
    """Return what the configured target says of the name, None where it says nothing."""
    if name == "sys.version_info":
        return None  # the target is the lowest version: comparisons ask what it says
    if platform is None:
        return None
    if name == "sys.platform":
        return platform
    return "nt" if platform == "win32" else "posix"
