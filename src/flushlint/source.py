"""Source: the bytes of a module in, its text and its tree out, or one line that says why not.

Decodes as Python does (PEP 263) and keeps the text as it is, its newlines and form feeds included;
only the byte order mark is taken off. LibCST is imported when a text is parsed.
"""

from __future__ import annotations

import codecs
import gc
import re
import warnings
from bisect import bisect_right
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from flushlint.lines import one_line, split_lines
from flushlint.model import InputError, Position
from flushlint.tokens import STRING_OR_COMMENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst as cst

__all__ = ["Source", "collector_off", "is_python", "parse", "read_source"]

_UTF8 = "utf-8"
_FIRST_LINES = re.compile(rb"([^\r\n]*)(?:(?:\r\n?|\n)([^\r\n]*))?")
_COOKIE = re.compile(rb"[ \t\f]*\#[^\r\n]*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"[ \t\f]*(?:\#[^\r\n]*)?")
_NEWLINE = re.compile(r"\r\n?|\n")
_NEWLINE_BYTES = re.compile(rb"\r\n?|\n")


@dataclass(frozen=True)
class Source:
    """The text of a module, without its byte order mark, and how it was encoded."""

    path: str
    text: str
    encoding: str = _UTF8
    bom: bool = False

    @cached_property
    def lines(self) -> list[str]:
        """The physical lines as Python counts them, without their ends; line 1 is the first."""
        return split_lines(self.text)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in _NEWLINE.finditer(self.text))]

    def position(self, offset: int) -> Position:
        """Return the line and column of an offset in the text, at most its length."""
        line = bisect_right(self._line_starts, offset)
        return Position(line, offset - self._line_starts[line - 1])

    def offset(self, position: Position) -> int:
        """Return the offset in the text of a line and column, as `position` gives them."""
        return self._line_starts[position.line - 1] + position.column


def read_source(data: bytes, path: str) -> Source | InputError:
    """Decode a module as Python would, or say why and in which line that can't be done."""
    bom = data.startswith(codecs.BOM_UTF8)
    body = data[len(codecs.BOM_UTF8) :] if bom else data
    name, line = _cookie(body)
    if (nul := body.find(0)) >= 0:
        return InputError(path, _line_of(body, nul), "NUL byte in the source")
    try:
        encoding = _codec(name) if name is not None else _UTF8
    except LookupError:
        return InputError(path, line, f"unknown encoding {name!r} in the coding comment")
    if bom and encoding != _UTF8:
        cause = f"the coding comment says {name!r}, the byte order mark utf-8"
        return InputError(path, line, cause)
    try:
        text = _decoded(body, encoding)
    except UnicodeDecodeError as error:
        cause = f"byte 0x{body[error.start]:02x} is not valid {encoding}"
        return InputError(path, _line_of(body, error.start), cause)
    except Exception as error:  # noqa: BLE001 - a codec may raise whatever it likes
        return InputError(path, line, f"can't be decoded as {encoding}: {one_line(str(error))}")
    return Source(path, text, encoding, bom)


def _cookie(data: bytes) -> tuple[str | None, int | None]:
    """Return the encoding that a comment in the first two lines names, and its 1-based line."""
    lines = _FIRST_LINES.match(data)
    for number, line in enumerate(lines.groups() if lines is not None else (), start=1):
        match = _COOKIE.match(line or b"")
        if match is not None:
            return match[1].decode("ascii", "replace"), number
        if _BLANK.fullmatch(line or b"") is None:
            break
    return None, None


def _codec(name: str) -> str:
    """Return the usual name of an encoding of texts. Raises LookupError if there is none."""
    # What Python's tokenizer does before it asks: Emacs writes `utf-8-unix`.
    start = name[:12].lower().replace("_", "-")
    if start == _UTF8 or start.startswith(f"{_UTF8}-"):
        return _UTF8
    for latin in ("latin-1", "iso-8859-1", "iso-latin-1"):
        if start == latin or start.startswith(f"{latin}-"):
            return "iso8859-1"
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError) as error:
        raise LookupError(name) from error
    # Codecs such as `hex` turn bytes into bytes; there is no public way to ask.
    if not getattr(codec, "_is_text_encoding", True):
        raise LookupError(name)
    return _UTF8 if codec.name == "utf-8-sig" else codec.name


def _decoded(data: bytes, encoding: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return data.decode(encoding)


def _line_of(data: bytes, offset: int) -> int:
    return len(_NEWLINE_BYTES.findall(data, 0, offset)) + 1


# -- parsing --------------------------------------------------------------------------------------


def parse(source: Source) -> cst.Module | InputError:
    """Parse a text that the guard has let pass, or say why and in which line that can't be done."""
    import libcst as cst

    try:
        with collector_off():
            return cst.parse_module(source.text)
    except cst.ParserSyntaxError as error:
        return _syntax_error(source, error.raw_line)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - a panic of LibCST's parser is no Exception
        cause = f"LibCST fails to parse it: {type(error).__name__}: {one_line(str(error))}"
        return InputError(source.path, None, cause)


def is_python(text: str) -> bool:
    """Return whether the running interpreter can parse a text, which takes it not long to say.

    A younger interpreter may be able to where it is not.
    """
    import ast

    try:
        with collector_off(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return True


@contextmanager
def collector_off() -> Iterator[None]:
    """Keep the garbage collector from looking again and again at what only grows."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _syntax_error(source: Source, line: int) -> InputError:
    """Say what is wrong with a text that LibCST can't parse; LibCST looks for it in `line`."""
    python2 = _python2(source.text)
    if python2 is not None:
        return InputError(source.path, python2[0], f"Python 2 syntax ({python2[1]})")
    error = _python_error(source.text)
    if error is None:
        return InputError(source.path, line, "syntax that LibCST can't parse")
    cause = f"syntax error: {one_line(error.msg)}"
    return InputError(source.path, error.lineno or line, cause)


def _python_error(text: str) -> SyntaxError | None:
    """Return the running interpreter's opinion, which is worded better and placed more exactly."""
    import ast

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        return error
    except (ValueError, MemoryError, RecursionError):
        return None
    return None


# -- Python 2 -------------------------------------------------------------------------------------

_TOKEN = re.compile(STRING_OR_COMMENT, re.DOTALL)
_START = r"(?:^|[:;])[ \t\f]*"
_PYTHON_2 = re.compile(
    # Names, strings (all empty here) and the like directly after the word.
    rf"(?P<print>{_START}print[ \t]+(?!(?:and|if|in|is|or|not[ \t]+in)\b)(?:[\w{{~]|\"\"|>>))"
    rf"|(?P<exec>{_START}exec[ \t]+(?!(?:and|if|in|is|or|not[ \t]+in)\b)(?:\w|\"\"))"
    rf"|(?P<raise>{_START}raise[ \t]+[\w.]+[ \t]*,)"
    rf"|(?P<except>{_START}except[ \t]+(?:[\w.]+|\([^()]*\))[ \t]*,[ \t]*[\w.]+[ \t]*:)"
    r"|(?P<backticks>`)"
    r"|(?P<unequal><>)"
    r"|(?P<octal>(?<![\w.])0+[1-7][0-7]*[lL]?(?![\w.]))"
    r"|(?P<long>(?<![\w.])(?:[0-9]+|0[xX][0-9a-fA-F]+)[lL]\b)"
    r"|(?P<unicode>\b[uU][rR]\"\")",
    re.MULTILINE,
)
_PYTHON_2_NAMES = {
    "print": "print statement",
    "exec": "exec statement",
    "raise": "raise with a comma",
    "except": "except with a comma",
    "backticks": "backticks",
    "unequal": "the operator <>",
    "octal": "octal number without 0o",
    "long": "long integer",
    "unicode": "ur string",
}


def _python2(text: str) -> tuple[int, str] | None:
    """Return the 1-based line and the name of the first thing that only Python 2 can read."""
    code = _TOKEN.sub(_emptied, text)
    # As in the pattern, a line begins after a line feed only.
    code = code.replace("\r\n", "\n").replace("\r", "\n")
    match = _PYTHON_2.search(code)
    if match is None or match.lastgroup is None:
        return None
    start = match.end() - len(match[0].lstrip(":; \t\f\n"))
    return code.count("\n", 0, start) + 1, _PYTHON_2_NAMES[match.lastgroup]


def _emptied(match: re.Match[str]) -> str:
    """Leave nothing of a comment, and of a string the quotes and the ends of its lines."""
    if match["comment"] is not None:
        return ""
    return '""' + "\n" * (len(split_lines(match[0])) - 1)
