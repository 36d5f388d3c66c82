"""The outline of a module: its definitions, what words each uses, and its imports, from text alone.

It costs a tenth of parsing, and is never an error: of text that makes no sense it says something
that makes none. Offsets are those of code points in the text, lines are 1-based.

A word is an identifier or keyword that stands in code, or a part of a string that holds nothing but
a dotted name, since such a string may be what `getattr` is given. Of strings with fields
(``f"{name}"``) all words count; those of comments do not.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Literal, NamedTuple

from flushlint.tokens import STRING_OR_COMMENT, strings

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Definition", "Import", "Outline", "outline"]


class Definition(NamedTuple):
    """A function or class, with the definitions that stand in it.

    The text from `start` to `body` is its header, decorators included, which runs where it is
    defined; that from `body` on is its body. `end` is where the line of the next statement behind
    it begins. `line` is that of `start`, `end_line` the last one before `end`.

    `words` are those of its body without the bodies of the definitions in it, though with their
    headers. `header_words` are those of its own header, without its name: so a name is no word of
    the module or definition in which it is only defined.
    """

    kind: Literal["def", "class"]
    name: str
    start: int
    body: int
    end: int
    line: int
    end_line: int
    header_words: frozenset[str]
    words: frozenset[str]
    inner: tuple[Definition, ...]

    def all_words(self) -> frozenset[str]:
        """Return the words of its body, with those of all definitions in it."""
        return self.words.union(*(one.all_words() for one in self.inner))

    def walk(self) -> Iterator[Definition]:
        """Yield it and all definitions in it, in source order."""
        yield self
        for one in self.inner:
            yield from one.walk()


class Import(NamedTuple):
    """One name that an import statement binds.

    ``import a.b as c`` is of module ``a.b`` and has no name, ``from ..a import b as c`` is of
    module ``a`` at level 2 and has the name ``b``; a star is the name ``*``. `at_top` says that it
    runs when the module is imported: no function stands around it.
    """

    module: str
    name: str | None
    as_name: str | None
    level: int
    at_top: bool
    line: int


class Outline(NamedTuple):
    """What stands in a module. `words` are all of it, `toplevel_words` those outside functions.

    So the latter hold those of class bodies and of the headers of what is defined there. `aliases`
    are pairs of a name and the last part of what it is another name for: by assignment (``worker =
    mp.Process``, and keyword arguments that end a line) or by an import with ``as``.
    """

    definitions: tuple[Definition, ...]
    words: frozenset[str]
    toplevel_words: frozenset[str]
    imports: tuple[Import, ...]
    aliases: tuple[tuple[str, str], ...]

    def walk(self) -> Iterator[Definition]:
        """Yield all definitions, in source order."""
        for one in self.definitions:
            yield from one.walk()


def outline(text: str) -> Outline:
    """Return the outline of a module. `text` is without a byte order mark."""
    return _Outliner(text).outline()


# A line continued by a backslash is one.
_MASKED = re.compile(rf"{STRING_OR_COMMENT}|(?P<continued>\\(?:\r\n?|\n))", re.DOTALL)
_FORMAT_PREFIX = re.compile(r"(?:[fFtT][rR]?|[rR][fFtT])\Z")
_NAME = re.compile(r"['\"]+([^\W\d][\w.]*)['\"]+")
# A prefix of a string is no word.
_WORD_OF_STRING = re.compile(r"[^\W\d]\w*")
_WORD = re.compile(r"[^\W\d]\w*\b(?!\")")
_BRACKET_OR_LINE = re.compile(r"([(\[{])|([)\]}])|[\r\n]([ \t\f]*)(?![ \t\f\r\n])")
_INDENTATION = re.compile(r"[ \t\f]*")
_DEFINITION = re.compile(r"(?:async[ \t\f]+)?(def|class)[ \t\f]+(\w+)")
_HEADER = re.compile(r"([(\[{])|([)\]}])|:(?!=)")
_END_OF_LINE = re.compile(r"\r\n?|\n")
_IMPORT = re.compile(r"import(?!\w)(?<!\wimport)[ \t\f]*(\([^)]*\)|[^;\r\n]*)")
_FROM = re.compile(r"(?:^|[;:])[ \t\f]*from(?!\w)([ \t\f.]*)([\w. \t\f]*)\Z")
_ASSIGNMENT = re.compile(r"=[ \t(]*(?:\w+[ \t]*\.[ \t]*)*(\w+)[ \t)]*(?=[\r\n;=]|\Z)")
_TARGET = re.compile(r"(\w+)[ \t)]*\Z")
_LONGEST_NAME = 100
_BEGINNINGS = ("def", "class", "async", "@")


class _Open:
    """A definition whose end is not yet reached; the module, too, is one."""

    def __init__(self, kind: Literal["def", "class"], name: str, width: int) -> None:
        self.kind = kind
        self.name = name
        self.width = width
        self.start = self.body = 0
        self.header_words: set[str] = set()
        self.words: set[str] = set()
        self.inner: list[Definition] = []


class _Outliner:
    """Reads one text from top to bottom, line by line, after its strings and comments are out."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._string_starts: list[int] = []
        self._string_words: list[list[str]] = []
        self._code = self._masked()
        self._lines = [0, *(match.end() for match in _END_OF_LINE.finditer(text))]
        self._module = _Open("class", "", -1)
        self._stack = [self._module]
        self._toplevel: set[str] = set()
        # Up to here the words have been taken up.
        self._position = 0
        self._functions: list[tuple[int, int]] = []

    def outline(self) -> Outline:
        decorated: int | None = None
        code = self._code
        for line, offset in self._logical_lines():
            width = len(code[line:offset].rpartition("\f")[2].expandtabs())
            while width <= self._stack[-1].width:
                self._close(line)
            if not code.startswith(_BEGINNINGS, offset):
                decorated = None
                continue
            start = line if decorated is None else decorated
            if code.startswith("@", offset):
                decorated = start
                continue
            decorated = None
            match = _DEFINITION.match(code, offset)
            if match is not None:
                self._open(match, start, width)
        while len(self._stack) > 1:
            self._close(len(code))
        self._take_words(self._module.words, len(code))
        top = self._module
        words = top.words.union(*(one.all_words() for one in top.inner))
        toplevel = top.words.union(*_class_words(top.inner))
        imports = tuple(self._imports())
        return Outline(
            tuple(top.inner),
            frozenset(words),
            frozenset(toplevel),
            imports,
            (*_renamed(imports), *self._assigned()),
        )

    # -- lines ------------------------------------------------------------------------------------

    def _masked(self) -> str:
        """Return the text with quotes for all that is in strings, and blanks for comments.

        A line that a backslash continues goes on after blanks. Offsets stay what they are.
        """
        text = self._text
        if (code := self._masked_fast()) is not None:
            return code
        # Quotes in the fields of a formatted string: all has to be read with more care.
        self._string_starts.clear()
        self._string_words.clear()
        parts: list[str] = []
        last = 0
        for start, end in strings(text):
            # No quotes yet, which would be taken for the beginnings of strings.
            parts += (text[last:start], "\0" * (end - start))
            last = end
            if text[start] not in "'\"":
                self._add_string(start, _WORD_OF_STRING.findall(text, start, end))
            elif name := _NAME.fullmatch(text, start, end):
                self._add_string(start, name[1].split("."))
        parts.append(text[last:])
        code = _MASKED.sub(lambda match: " " * len(match[0]), "".join(parts))
        return code.replace("\0", '"')

    def _masked_fast(self) -> str | None:
        """Return what `_masked` does, or None if there are strings whose ends are doubtful."""
        text = self._text
        parts: list[str] = []
        last = 0
        for match in _MASKED.finditer(text):
            start, end = match.span()
            parts.append(text[last:start])
            last = end
            if match.lastgroup != "string":
                parts.append(" " * (end - start))
                continue
            parts.append('"' * (end - start))
            string = match[0]
            if _FORMAT_PREFIX.search(text, max(start - 2, 0), start):
                if string.count("{") != string.count("}"):
                    return None
                self._add_string(start, _WORD_OF_STRING.findall(string))
            elif name := _NAME.fullmatch(string):
                self._add_string(start, name[1].split("."))
        parts.append(text[last:])
        return "".join(parts)

    def _add_string(self, start: int, words: list[str]) -> None:
        self._string_starts.append(start)
        self._string_words.append(words)

    def _logical_lines(self) -> Iterator[tuple[int, int]]:
        """Yield where each line that is not blank begins, and where its indentation ends.

        What stands in brackets that are still open is no line of its own.
        """
        blanks = _INDENTATION.match(self._code)
        yield 0, blanks.end() if blanks is not None else 0
        depth = 0
        for match in _BRACKET_OR_LINE.finditer(self._code):
            group = match.lastindex
            if group == 1:
                depth += 1
            elif group == 2:
                depth = max(depth - 1, 0)
            elif not depth or self._code.startswith(("def ", "class ", "@"), match.end()):
                depth = 0
                yield match.start(3), match.end()

    # -- definitions ------------------------------------------------------------------------------

    def _open(self, match: re.Match[str], start: int, width: int) -> None:
        """Take up a definition whose header begins at `start`."""
        self._take_words(self._stack[-1].words, start)
        kind: Literal["def", "class"] = "def" if match[1] == "def" else "class"
        opened = _Open(kind, match[2], width)
        opened.start = start
        opened.body = self._end_of_header(match.end())
        self._take_words(opened.header_words, match.start(2))
        self._position = match.end(2)
        self._take_words(opened.header_words, opened.body)
        self._stack[-1].words |= opened.header_words
        self._stack.append(opened)

    def _end_of_header(self, offset: int) -> int:
        """Return the offset behind the colon of a header whose name ends at `offset`."""
        depth = 0
        for match in _HEADER.finditer(self._code, offset):
            if match.lastindex == 1:
                depth += 1
            elif match.lastindex is not None:
                depth -= 1
            elif depth <= 0:
                return match.end()
        return offset

    def _close(self, end: int) -> None:
        """Close the innermost definition, behind which a statement begins in the line at `end`."""
        done = self._stack.pop()
        end = max(end, done.body)
        self._take_words(done.words, end)
        made = Definition(
            done.kind,
            done.name,
            done.start,
            done.body,
            end,
            self._line(done.start),
            self._line(max(end - 1, done.start)),
            frozenset(done.header_words),
            frozenset(done.words),
            tuple(done.inner),
        )
        self._stack[-1].inner.append(made)
        if made.kind == "def":
            self._functions.append((made.body, end))

    def _line(self, offset: int) -> int:
        return bisect_right(self._lines, offset)

    def _take_words(self, words: set[str], end: int) -> None:
        """Add the words from where the last ones were taken up to `end`."""
        if end <= self._position:
            return
        words.update(_WORD.findall(self._code, self._position, end))
        first = bisect_right(self._string_starts, self._position - 1)
        for index in range(first, bisect_right(self._string_starts, end - 1)):
            words.update(self._string_words[index])
        self._position = end

    def _assigned(self) -> Iterator[tuple[str, str]]:
        """Yield the names that assignments make other names of something."""
        for match in _ASSIGNMENT.finditer(self._code):
            target = _TARGET.search(
                self._code, max(match.start() - _LONGEST_NAME, 0), match.start()
            )
            if target is not None:
                yield target[1], match[1]

    # -- imports ----------------------------------------------------------------------------------

    def _imports(self) -> Iterator[Import]:
        code = self._code
        for match in _IMPORT.finditer(code):
            line = max(code.rfind("\n", 0, match.start()), code.rfind("\r", 0, match.start())) + 1
            source = _FROM.search(code[line : match.start()])
            at_top = not any(start <= match.start() < end for start, end in self._functions)
            number = self._line(match.start())
            for item in match[1].strip("() \t\f\r\n").split(","):
                *name, last = item.split() or [""]
                as_name = None
                if name[-1:] == ["as"]:
                    as_name = last
                    del name[-1]
                else:
                    name.append(last)
                bound = "".join(name)
                if not bound:
                    continue
                if source is None:
                    yield Import(bound, None, as_name, 0, at_top, number)
                else:
                    module = "".join(source[2].split())
                    yield Import(module, bound, as_name, source[1].count("."), at_top, number)


def _renamed(imports: tuple[Import, ...]) -> Iterator[tuple[str, str]]:
    for one in imports:
        if one.as_name is not None:
            yield one.as_name, (one.name or one.module).rpartition(".")[2]


def _class_words(
    definitions: list[Definition] | tuple[Definition, ...],
) -> Iterator[frozenset[str]]:
    """Yield the words of the bodies of classes that no function stands around."""
    for one in definitions:
        if one.kind == "class":
            yield one.words
            yield from _class_words(one.inner)
