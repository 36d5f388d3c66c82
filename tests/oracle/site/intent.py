"""The intent harness: every write reaches its file at once.

Runs on CPython 3.6 and newer. The streams of the io module are replaced by subclasses that
flush after each write; all the library's openers go through them. What is written to compressed
files and archives can't be made readable at once, so it is kept in a log beside them (one file
for each path, named in hexadecimal), from which the comparison takes their contents; they are
closed when the process that wrote to them ends, whatever way, for those that read them back. So
are shelves, and the transactions of databases are committed then.

A spawned child that imports the main module, or another one that its parent has imported, doesn't
empty a file again that is there already, and doesn't repeat what the module's body writes to it: it
appends what it writes later, and so does its parent from then on. The program is not changed
otherwise.
"""

# mypy: ignore-errors
# The stubs take for fixed what this code replaces.

import _io
import abc
import atexit
import builtins
import fcntl
import importlib.machinery
import io
import os
import signal
import sys
import weakref

import after_import

_log_directory = None
_is_importing_again = False
_TRUNCATING = ("w", "x")


def install(log_directory):
    """Put the harness around this process and those that it forks."""
    global _log_directory
    _log_directory = log_directory
    io.TextIOWrapper = Text
    io.BufferedWriter = Writer
    io.BufferedRandom = Random
    io.BufferedRWPair = Pair
    builtins.open = io.open = _Open()
    sys.stdout = sys.__stdout__ = _rebuilt(sys.stdout)
    sys.stderr = sys.__stderr__ = _rebuilt(sys.stderr)
    for module, action in _LIBRARY.items():
        after_import.call(module, action)
    _close_packed_at_hard_exits()


# --- streams ------------------------------------------------------------------------------------


class _StandIn(abc.ABCMeta):
    """Metaclass of the replacements: instances of what they replace count as theirs."""

    def __instancecheck__(cls, instance):
        return isinstance(instance, _REPLACED.get(cls) or ()) or type.__instancecheck__(
            cls, instance
        )


class Text(_io.TextIOWrapper, metaclass=_StandIn):
    def write(self, text):
        if _is_repeated(self):
            return len(text)
        count = _io.TextIOWrapper.write(self, text)
        _io.TextIOWrapper.flush(self)
        return count


class Writer(_io.BufferedWriter, metaclass=_StandIn):
    def write(self, data):
        if _is_repeated(self):
            return len(data)
        count = _io.BufferedWriter.write(self, data)
        _io.BufferedWriter.flush(self)
        return count


class Random(_io.BufferedRandom, metaclass=_StandIn):
    def write(self, data):
        if _is_repeated(self):
            return len(data)
        count = _io.BufferedRandom.write(self, data)
        _io.BufferedRandom.flush(self)
        return count


class Pair(_io.BufferedRWPair, metaclass=_StandIn):
    def write(self, data):
        count = _io.BufferedRWPair.write(self, data)
        _io.BufferedRWPair.flush(self)
        return count


_REPLACED = {
    Text: _io.TextIOWrapper,
    Writer: _io.BufferedWriter,
    Random: _io.BufferedRandom,
    Pair: _io.BufferedRWPair,
}
for _class, _original in _REPLACED.items():
    _class.__name__ = _class.__qualname__ = _original.__name__
    _class.__module__ = _original.__module__

_original_open = _io.open


class _Open:
    """Stands for `open`. Like a builtin function it does not turn into a method of a class."""

    def __init__(self):
        self.__module__ = "io"
        self.__name__ = self.__qualname__ = "open"
        self.__doc__ = _original_open.__doc__

    def __call__(
        self,
        file,
        mode="r",
        buffering=-1,
        encoding=None,
        errors=None,
        newline=None,
        closefd=True,
        opener=None,
    ):
        is_again = _is_opened_again(file, mode)
        if is_again:
            mode = mode.replace("w", "a")
        stream = _rebuilt(
            _original_open(file, mode, buffering, encoding, errors, newline, closefd, opener),
            newline,
        )
        if is_again:
            _opened_again.append(weakref.ref(stream))
        elif mode.strip("bt") == "w":
            _emptied.append(weakref.ref(stream))
        return stream

    def __reduce__(self):
        return self.__name__


def _rebuilt(stream, newline="\n"):
    """Return the same stream with layers that flush; one for reading only as it is."""
    if type(stream) is _io.TextIOWrapper and type(stream.buffer) in _BUFFERS:
        encoding, errors, by_line = stream.encoding, stream.errors, stream.line_buffering
        mode = stream.mode
        buffer = _rebuilt(stream.detach())
        stream = Text(buffer, encoding, errors, newline, by_line)
        stream.mode = mode
    elif type(stream) in _BUFFERS:
        replacement = _BUFFERS[type(stream)]
        stream = replacement(stream.detach())
    return stream


_BUFFERS = {_io.BufferedWriter: Writer, _io.BufferedRandom: Random}


# --- spawned children -----------------------------------------------------------------------------

_opened_again = []
_emptied = []


def _is_opened_again(file, mode):
    """Say whether a child that imports a module again would empty what is there already."""
    return (
        _is_importing_again
        and "w" in mode
        and isinstance(file, (str, os.PathLike))
        and (os.path.exists(file))
    )


def _is_repeated(stream):
    """Say whether this is a write of the module's body that the parent has made already."""
    if not _is_importing_again:
        return False
    layers = (stream, getattr(stream, "buffer", None))
    return any(known() in layers for known in _opened_again)


def _watch_import(module):
    """Tell a child's import of what its parent has imported from what it does afterwards."""
    original_get, original_prepare = module.get_preparation_data, module.prepare

    def get_preparation_data(name):
        return dict(original_get(name), oracle_modules=list(sys.modules))

    def prepare(data):
        _imported_by_parent.update(data.get("oracle_modules", ()))
        original_prepare(data)

    module.get_preparation_data, module.prepare = get_preparation_data, prepare
    for name in ("_fixup_main_from_path", "_fixup_main_from_name"):
        setattr(module, name, _importing_again(getattr(module, name)))
    sys.meta_path.insert(0, _Reimports)


_imported_by_parent = set()


class _Reimports:
    """Finds nothing itself: asks the other finders, for modules that the parent has imported."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name not in _imported_by_parent:
            return None
        _imported_by_parent.discard(name)
        for finder in sys.meta_path:
            find_spec = getattr(finder, "find_spec", None)
            spec = find_spec and finder is not cls and find_spec(name, path, target)
            if spec:
                # Other loaders are classes, or there is none: they don't run a program's modules.
                if isinstance(spec.loader, importlib.machinery.SourceFileLoader):
                    spec.loader.exec_module = _importing_again(spec.loader.exec_module)
                return spec
        return None


def _importing_again(original):
    def execute(*args):
        global _is_importing_again
        before, _is_importing_again = _is_importing_again, True
        try:
            original(*args)
        finally:
            _is_importing_again = before

    return execute


def _watch_launch(module):
    """From the first spawned child on, have the parent append to what it has emptied itself."""
    original = module.Popen._launch

    def _launch(self, process):
        for known in _emptied:
            stream = known()
            if stream is not None and not stream.closed:
                flags = fcntl.fcntl(stream.fileno(), fcntl.F_GETFL)
                fcntl.fcntl(stream.fileno(), fcntl.F_SETFL, flags | os.O_APPEND)
        return original(self, process)

    module.Popen._launch = _launch


# --- compressed files and archives --------------------------------------------------------------

_written_here = []
_writing_process = None


def _note(stream):
    """Remember that this process wrote to a stream that has to be closed to be readable."""
    global _written_here, _writing_process
    if _writing_process != os.getpid():
        _written_here = []
        _writing_process = os.getpid()
        atexit.register(_close_packed)
    if not any(known() is stream for known in _written_here):
        _written_here.append(weakref.ref(stream))


def _close_packed():
    """Close what this process wrote to, archives before the compressed files below them."""
    if _writing_process == os.getpid():
        for known in reversed(_written_here):
            stream = known()
            if stream is not None:
                getattr(stream, "oracle_finish", stream.close)()


def _path_of(stream):
    """Return the absolute path of what a stream, however wrapped, writes to; or None."""
    for _ in range(8):
        try:
            return os.readlink("/proc/self/fd/%d" % stream.fileno())
        except (OSError, ValueError, AttributeError, TypeError):
            pass
        layers = [getattr(stream, name, None) for name in ("fileobj", "_fp", "fp")]
        stream = next((layer for layer in layers if layer is not None), None)
    return None


def _log(stream, member, data, truncate=False):
    """Append to what is known to be meant for a file, or begin it anew."""
    path = _path_of(stream)
    if path is None:
        return
    name = (path + "!" + member if member else path).encode().hex()
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if truncate else os.O_APPEND)
    descriptor = os.open(os.path.join(_log_directory, name), flags, 0o600)
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)


def _watch_compressed(class_name):
    """Return what to do with a module whose class of that name is a compressed file."""

    def action(module):
        cls = getattr(module, class_name)
        original_init, original_write = cls.__init__, cls.write

        def __init__(self, filename=None, mode=None, *args, **kwargs):
            if mode is not None:
                args = (mode, *args)
            original_init(self, filename, *args, **kwargs)
            if mode and mode[0] in _TRUNCATING and not _is_importing_again:
                _log(self, "", b"", truncate=True)

        def write(self, data):
            count = original_write(self, data)
            _log(self, "", bytes(data))
            _note(self)
            return count

        cls.__init__, cls.write = __init__, write

    return action


def _watch_zipfile(module):
    original_init, original_write = module.ZipFile.__init__, module._ZipWriteFile.write

    def __init__(self, file, mode="r", *args, **kwargs):
        original_init(self, file, mode, *args, **kwargs)
        if mode in _TRUNCATING:
            _forget_members(_path_of(self))

    def write(self, data):
        archive, member = self._zipfile, self._zinfo.filename
        count = original_write(self, data)
        _log(archive, member, bytes(data))
        _note(archive)
        return count

    module.ZipFile.__init__, module._ZipWriteFile.write = __init__, write


def _forget_members(path):
    prefix = (path + "!").encode().hex() if path else None
    for name in os.listdir(_log_directory) if prefix else ():
        if name.startswith(prefix):
            os.unlink(os.path.join(_log_directory, name))


def _watch_tarfile(module):
    original = module.TarFile.addfile

    def addfile(self, *args, **kwargs):
        original(self, *args, **kwargs)
        _note(self)

    module.TarFile.addfile = addfile


def _watch_handlers(module):
    """Have a MemoryHandler pass on each record."""
    module.MemoryHandler.shouldFlush = lambda self, record: True


def _watch_shelves(module):
    """Have shelves that keep entries in a cache write them at the end of the process."""
    original_get, original_set = module.Shelf.__getitem__, module.Shelf.__setitem__

    def __getitem__(self, key):
        if self.writeback:
            _note(self)
        return original_get(self, key)

    def __setitem__(self, key, value):
        if self.writeback:
            _note(self)
        original_set(self, key, value)

    module.Shelf.__getitem__, module.Shelf.__setitem__ = __getitem__, __setitem__


def _watch_databases(module):
    """Have connections commit when their process ends, and when they are closed or dropped."""
    original = module.connect

    class Cursor(module.Cursor):
        def execute(self, *args):
            _note(self.connection)
            return module.Cursor.execute(self, *args)

        def executemany(self, *args):
            _note(self.connection)
            return module.Cursor.executemany(self, *args)

    class Connection(module.Connection):
        def execute(self, *args):
            return self.cursor().execute(*args)

        def executemany(self, *args):
            return self.cursor().executemany(*args)

        def cursor(self, factory=Cursor):
            return module.Connection.cursor(self, factory)

        def oracle_finish(self):
            try:
                if self.in_transaction:
                    self.commit()
            except module.ProgrammingError:  # closed
                pass

        def close(self):
            self.oracle_finish()
            module.Connection.close(self)

        def __del__(self):
            self.oracle_finish()

    def connect(*args, **kwargs):
        kwargs.setdefault("factory", Connection)
        return original(*args, **kwargs)

    module.connect = connect


_LIBRARY = {
    "gzip": _watch_compressed("GzipFile"),
    "bz2": _watch_compressed("BZ2File"),
    "lzma": _watch_compressed("LZMAFile"),
    "zipfile": _watch_zipfile,
    "tarfile": _watch_tarfile,
    "shelve": _watch_shelves,
    "sqlite3": _watch_databases,
    "logging.handlers": _watch_handlers,
    "multiprocessing.spawn": _watch_import,
    "multiprocessing.popen_spawn_posix": _watch_launch,
    "multiprocessing.popen_forkserver": _watch_launch,
}


# --- hard exits ---------------------------------------------------------------------------------


def _close_packed_at_hard_exits():
    for name in ("_exit", "abort", "execv", "execve"):
        setattr(os, name, _closing_first(getattr(os, name)))
    original_kill = os.kill

    def kill(pid, number):
        if pid == os.getpid() and number == signal.SIGKILL:
            _close_packed()
        return original_kill(pid, number)

    os.kill = kill


def _closing_first(function):
    def call(*args, **kwargs):
        _close_packed()
        return function(*args, **kwargs)

    call.__name__ = call.__qualname__ = function.__name__
    return call
