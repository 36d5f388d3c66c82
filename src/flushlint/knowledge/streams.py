"""Openers, writers and wrappers of the standard library: data, no logic.

Each is looked up by its qualified name, so aliases of imports do not matter.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = [
    "MEMORY_FILES",
    "OPENERS",
    "STREAM_WORDS",
    "VARYING_WORDS",
    "WRITERS",
    "WRITER_TYPES",
    "Opener",
    "Writer",
    "WriterType",
]


class Opener(NamedTuple):
    """A function that opens a file.

    `target`, `mode` and `buffering` are positions of parameters (-1: there is none), by name
    as in the signature; `default` is the default mode. `layer` says what it returns. One that
    goes `by_suffix` compresses a file with the suffix of a compressed one, or if told to.
    """

    layer: Literal["file", "binary", "compressed", "zip", "tar"]
    target: int = 0
    mode: int = 1
    default: str = "r"
    buffering: int = -1
    fileobj: int = -1
    by_suffix: bool = False


OPENERS: dict[str, Opener] = {
    "builtins.open": Opener("file", buffering=2),
    "os.fdopen": Opener("file", buffering=2),
    "tempfile.NamedTemporaryFile": Opener("file", -1, 0, "w+b", buffering=1),
    "tempfile.TemporaryFile": Opener("file", -1, 0, "w+b", buffering=1),
    # codecs.open always opens in binary mode underneath, and keeps no text of its own.
    "codecs.open": Opener("binary", default="r", buffering=4),
    "gzip.open": Opener("compressed", default="rb"),
    "bz2.open": Opener("compressed", default="rb"),
    "lzma.open": Opener("compressed", default="rb"),
    "gzip.GzipFile": Opener("compressed", default="rb", fileobj=3),
    "bz2.BZ2File": Opener("compressed", default="r"),
    "lzma.LZMAFile": Opener("compressed", default="r"),
    "zipfile.ZipFile": Opener("zip", default="r"),
    "zipfile.PyZipFile": Opener("zip", default="r"),
    "tarfile.open": Opener("tar", default="r", fileobj=2),
    "tarfile.TarFile.open": Opener("tar", default="r", fileobj=2),
    "tarfile.TarFile": Opener("tar", default="r", fileobj=2),
}

# Files in memory have nothing to lose at a process's end that the process did not own.
MEMORY_FILES = frozenset({"io.StringIO", "io.BytesIO", "tempfile.SpooledTemporaryFile"})


class Writer(NamedTuple):
    """A function that writes to a file given as an argument, and leaves it unflushed.

    `newline` says whether what it writes ends a line; None where that depends on the data.
    """

    file: int
    keyword: str
    newline: bool | None = None
    default_stdout: bool = False


WRITERS: dict[str, Writer] = {
    "json.dump": Writer(1, "fp", newline=False),
    "pickle.dump": Writer(1, "file"),
    "_pickle.dump": Writer(1, "file"),
    "marshal.dump": Writer(1, "file"),
    "plistlib.dump": Writer(1, "fp", newline=True),
    "shutil.copyfileobj": Writer(1, "fdst"),
    "traceback.print_exc": Writer(2, "file", newline=True),
    "traceback.print_exception": Writer(4, "file", newline=True),
    "traceback.print_stack": Writer(2, "file", newline=True),
    "traceback.print_tb": Writer(2, "file", newline=True),
    "pprint.pprint": Writer(1, "stream", newline=True, default_stdout=True),
    "pprint.pp": Writer(1, "stream", newline=True, default_stdout=True),
    "yaml.dump": Writer(1, "stream", newline=True),
    "yaml.safe_dump": Writer(1, "stream", newline=True),
    "toml.dump": Writer(1, "f", newline=True),
    "tomli_w.dump": Writer(1, "fp", newline=True),
    "uu.encode": Writer(1, "out_file", newline=True),
    "base64.encode": Writer(1, "output", newline=True),
}


# Words without which a function can't touch a stream that it is given, or end a process.
STREAM_WORDS = frozenset(
    {"Process", "start", "run", "kill", "raise_signal", "print", "write", "writelines", "flush",
     "close", "seek", "tell", "truncate", "detach", "reconfigure", "read", "readline", "exit",
     "readlines", "next", "send", "throw", "makefile", "submit", "map", "apply", "register",
     "info", "debug", "warning", "error", "critical", "exception", "log", "writerow",
     "writerows", "writeheader", "dump", "setattr", "getattr", "exec", "eval", "globals",
     "__exit__", "__del__"}
)  # fmt: skip

# Words in the computation of a path that make it another one in each process, or each time.
VARYING_WORDS = frozenset(
    {"getpid", "getppid", "pid", "get_ident", "current_process", "parent_process", "time",
     "time_ns", "perf_counter", "monotonic", "now", "utcnow", "today", "strftime", "ctime",
     "uuid1", "uuid4", "random", "randint", "randrange", "choice", "getrandbits", "token_hex",
     "urandom", "mkstemp", "mkdtemp", "mktemp", "NamedTemporaryFile", "TemporaryDirectory",
     "input", "readline", "open", "dup", "pipe", "fileno", "next", "count"}
)  # fmt: skip


class WriterType(NamedTuple):
    """A class whose instances write to a file given to its constructor.

    `flush` is the keyword of the constructor with which they flush each time. Methods that are
    `harmless` leave the file as it is.
    """

    file: int
    keyword: str
    methods: tuple[str, ...]
    newline: bool | None = None
    flush: str = ""
    harmless: tuple[str, ...] = ()


WRITER_TYPES: dict[str, WriterType] = {
    "csv.writer": WriterType(0, "csvfile", ("writerow", "writerows"), newline=True),
    "csv.DictWriter": WriterType(0, "f", ("writerow", "writerows", "writeheader"), newline=True),
    "pickle.Pickler": WriterType(0, "file", ("dump",), harmless=("clear_memo",)),
    "xml.sax.saxutils.XMLGenerator": WriterType(
        0,
        "out",
        ("startDocument", "startElement", "endElement", "characters", "ignorableWhitespace"),
    ),
    "codecs.StreamWriter": WriterType(0, "stream", ("write", "writelines")),
}
