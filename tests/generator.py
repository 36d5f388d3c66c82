"""Generated programs: a child whose body writes, flushes, branches, loops, raises and leaves.

Each program hands one file over (`f`), inherits one (`g`) and may open local ones (`h`, `k`); each
file is called like its variable. The parent may write before it starts the child, and again when
the child has ended. In a worker of a pool or an executor, the initializer opens `f`. A program's
decisions come from its arguments: two bits, and for the one loop over unknown items a bit for each
round. `vectors` lists all inputs that make a difference.
"""

from __future__ import annotations

import itertools
import re
import textwrap
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["pool_programs", "programs", "reduce_program", "vectors"]

_MAX_DEPTH: Final = 3
_AT_A_TIME: Final = 6
_ROUNDS: Final = tuple(
    "".join(bits) for count in range(3) for bits in itertools.product("01", repeat=count)
)

_PROGRAM: Final = """\
import os
import sys
from contextlib import closing, suppress
{imports}

lock = RLock()
{files}


{functions}


if __name__ == "__main__":
    a, b = [letter == "1" for letter in sys.argv[1]]
    flags = [letter == "1" for letter in sys.argv[2]]
{main}
"""

_FILES: Final = """\
f = open("f", "a")
g = open("g", "a")
"""
_WORKER_FILES: Final = """\
f = None
g = open("g", "a")


def set_up():
    global f
    f = open("f", "a")
"""


class _Form(NamedTuple):
    """How a program runs its body: what it imports, its files, the call, the body's head."""

    imports: str
    files: str
    call: str
    head: str
    may_leave_hard: bool = True
    """Not in a pool, which waits for ever for the result of a worker that has left."""


_PROCESS: Final = _Form(
    "from multiprocessing import Process, RLock",
    _FILES,
    "child = Process(target=body, args=(f, a, b, flags))\nchild.start()\nchild.join()",
    "body(f, a, b, flags)",
)
_POOLS: Final = (
    _Form(
        "from multiprocessing import Pool, RLock",
        _WORKER_FILES,
        "with Pool(1, initializer=set_up) as pool, suppress(Exception):\n"
        "    pool.apply(body, (a, b, flags))",
        "body(a, b, flags)",
        may_leave_hard=False,
    ),
    _Form(
        "from multiprocessing import Pool, RLock",
        _WORKER_FILES,
        "pool = Pool(1, set_up)\npool.starmap_async(body, [(a, b, flags)])\n"
        "pool.close()\npool.join()",
        "body(a, b, flags)",
        may_leave_hard=False,
    ),
    _Form(
        "from concurrent.futures import ProcessPoolExecutor\nfrom multiprocessing import RLock",
        _WORKER_FILES,
        "with ProcessPoolExecutor(1, initializer=set_up) as pool:\n"
        "    pool.submit(body, a, b, flags)",
        "body(a, b, flags)",
    ),
)
_BEFORE: Final = ("", "", "", '{file}.write("0\\n")', '{file}.write("0\\n")\n{file}.flush()')
_AFTERWARDS: Final = ("", "", '{file}.write("end\\n")')

# The number makes each text unlike all others.
_WRITES: Final = (
    '{file}.write("{number}\\n")',
    '{file}.write("{number}\\n")',
    '{file}.writelines(["{number} ", "lines\\n"])',
    "print({number}, file={file})",
    "print({number}, file={file}, flush=True)",
)
_EMPTIERS: Final = (
    "{file}.flush()",
    "{file}.flush()",
    "{file}.flush()",
    "{file}.seek(0, 2)",
    "{file}.tell()",
    "{file}.truncate()",
)
_NO_EMPTIERS: Final = ("{file}.buffer.flush()", "os.fsync({file}.fileno())", "{file}.fileno()")
_TESTS: Final = ("a", "a", "b", "b", "not a", "not b", "a and b", "a or b", "a and not b")
_LEAVES: Final = ("return", "return", "raise ValueError", "raise KeyError", "sys.exit()")
_HARD_LEAVES: Final = ("os._exit(0)", "os._exit(0)")
_SOFT_LEAVES: Final = ("return", "return", "raise ValueError", "raise KeyError")
_HANDLERS: Final = (
    "except ValueError:",
    "except ValueError:",
    "except KeyError:",
    "except (ValueError, KeyError):",
    "except LookupError:",
    "except Exception:",
    "except Exception as error:",
    "except SystemExit:",
    "except BaseException:",
    "except:",
)
_MANAGERS: Final = (
    "suppress(ValueError)",
    "suppress(Exception)",
    "closing({file})",
    "{file}",
    "lock",
)

_SIMPLE: Final = ("write",) * 5 + ("empty",) * 4 + ("no_emptier", "close", "local") + ("leave",) * 3
_COMPOUND: Final = ("branch",) * 5 + ("loop",) * 3 + ("attempt",) * 4 + ("manager",) * 2 + ("help",)


def vectors(program: str) -> list[tuple[str, str]]:
    """Return the arguments of all the runs of a program that can differ."""
    functions = program[program.index("\ndef ") : program.index("\nif __name__")]
    tests = re.sub(r'def .*|helper_\d+\(.*\)|"[^"]*"', "", functions)
    bits = ["01" if re.search(rf"\b{bit}\b", tests) else "0" for bit in "ab"]
    rounds: tuple[str, ...] = ("",)
    if "in flags" in tests:
        rounds = _ROUNDS if "if flag" in tests else ("", "0", "00")
    return [("".join(pair), flags) for pair in itertools.product(*bits) for flags in rounds]


def reduce_program(
    program: str, judge: Callable[[list[str]], list[str]], seconds: float = 60
) -> str:
    """Take statements out of a program as long as `judge` says the same of it, and time is left.

    `judge` gets some programs at a time, and says something of each.
    """
    said = judge([program])[0]
    deadline = time.monotonic() + seconds
    while True:
        candidates = sorted(
            dict.fromkeys(text for text in _shortened(program) if _compiles(text)), key=len
        )
        for begin in range(0, len(candidates), _AT_A_TIME):
            some = candidates[begin : begin + _AT_A_TIME]
            if time.monotonic() > deadline:
                return program
            same = [text for text, what in zip(some, judge(some), strict=True) if what == said]
            if same:
                program = same[0]
                break
        else:
            return program


def _shortened(program: str) -> Iterator[str]:
    """Yield the program without one statement, or with a compound one replaced by its block."""
    lines = program.splitlines(keepends=True)
    for number, line in enumerate(lines[: lines.index('if __name__ == "__main__":\n')]):
        indent = len(line) - len(line.lstrip())
        # What ends a loop stays.
        if not line.startswith("    ") or line.strip() == "break":
            continue
        end = next(
            (
                later
                for later in range(number + 1, len(lines))
                if len(lines[later]) - len(lines[later].lstrip()) <= indent
            ),
            len(lines),
        )
        yield "".join(lines[:number] + lines[end:])
        if end > number + 1:
            block = [inner.removeprefix("    ") for inner in lines[number + 1 : end]]
            yield "".join(lines[:number] + block + lines[end:])


def _compiles(text: str) -> bool:
    try:
        compile(text, "program.py", "exec")
    except SyntaxError:
        return False
    return True


def programs() -> st.SearchStrategy[str]:
    """Generate the text of a program that starts a process."""
    return _programs((_PROCESS,))


def pool_programs() -> st.SearchStrategy[str]:
    """Generate the text of a program with a pool or an executor of one worker."""
    return _programs(_POOLS)


@st.composite
def _programs(draw: st.DrawFn, forms: tuple[_Form, ...]) -> str:
    form = draw(st.sampled_from(forms))
    writer = _Writer(draw, may_leave_hard=form.may_leave_hard)
    writer.define(form.head, _Place(("f", "g"), may_read_flags=True))
    shared = "fg" if form is _PROCESS else "g"
    before, afterwards = (
        draw(st.sampled_from(lines)).format(file=draw(st.sampled_from(shared)))
        for lines in (_BEFORE, _AFTERWARDS)
    )
    main = "\n".join(part for part in (before, form.call, afterwards) if part)
    return _PROGRAM.format(
        imports=form.imports,
        files=form.files.rstrip(),
        functions="\n\n\n".join(writer.functions),
        main=textwrap.indent(main, "    "),
    )


@dataclass(frozen=True)
class _Place:
    """Where a statement stands, and so what may stand there."""

    files: tuple[str, ...]
    depth: int = 0
    jumps: tuple[str, ...] = ()
    """What may leave or repeat the loop around: `break`, `continue`."""
    in_handler: bool = False
    in_helper: bool = False
    may_open: bool = True
    """Not where an exception is caught: `open` may raise one, but not in these runs."""
    may_read_flags: bool = False

    def inside(self) -> _Place:
        """Return a place one level deeper."""
        return replace(self, depth=self.depth + 1)


def _after(place: _Place, written: list[str]) -> _Place:
    """Return the place behind some statements: local files appear, closed ones are left alone."""
    files = [*place.files, *(["h"] if written[0].startswith("h = ") else [])]
    for line in written:
        closed = re.match(r"with (?:closing\()?([fghk])\b|([fghk])\.close", line)
        if closed is not None and len(files) > 1:
            files = [file for file in files if file not in closed.groups()]
    return replace(place, files=tuple(dict.fromkeys(files)))


class _Writer:
    """Writes blocks of statements, each of a kind that is drawn."""

    def __init__(self, draw: st.DrawFn, *, may_leave_hard: bool) -> None:
        self._draw = draw
        self._leaves = (*_LEAVES, *_HARD_LEAVES) if may_leave_hard else _SOFT_LEAVES
        self._numbers = itertools.count(1)
        self._flags_are_read = False
        self.functions: list[str] = []

    def define(self, head: str, place: _Place) -> None:
        lines = self._block(place)
        self.functions.append("\n".join([f"def {head}:", *lines]))

    def _block(self, place: _Place) -> list[str]:
        """Write a few statements, indented; nothing follows one that leaves."""
        lines: list[str] = []
        for _ in range(self._draw(st.integers(1, 2 if place.depth else 4))):
            kind = self._pick(_SIMPLE if place.depth >= _MAX_DEPTH else _SIMPLE + _COMPOUND)
            written = getattr(self, f"_{kind}")(place)
            lines += written
            if kind == "leave":
                break
            place = _after(place, written)
        return ["    " + line for line in lines]

    def _pick(self, choices: Sequence[str]) -> str:
        return self._draw(st.sampled_from(choices))

    # --- simple statements ----------------------------------------------------------------------

    def _write(self, place: _Place) -> list[str]:
        form, file = self._pick(_WRITES), self._pick(place.files)
        return [form.format(file=file, number=next(self._numbers))]

    def _empty(self, place: _Place) -> list[str]:
        return [self._pick(_EMPTIERS).format(file=self._pick(place.files))]

    def _no_emptier(self, place: _Place) -> list[str]:
        return [self._pick(_NO_EMPTIERS).format(file=self._pick(place.files))]

    def _close(self, place: _Place) -> list[str]:
        return [self._pick(place.files) + ".close()"]

    def _local(self, place: _Place) -> list[str]:
        if not place.may_open:
            return self._write(place)
        return ['h = open("h", "a")', *self._write(replace(place, files=("h",)))]

    def _leave(self, place: _Place) -> list[str]:
        also = (
            *place.jumps * 3,
            *(["raise"] * place.in_handler),
            *(["return a"] * place.in_helper),
        )
        return [self._pick((*self._leaves, *also))]

    # --- compound statements --------------------------------------------------------------------

    def _branch(self, place: _Place) -> list[str]:
        lines = [f"if {self._pick(_TESTS)}:", *self._block(place.inside())]
        if self._draw(st.booleans()):
            lines += ["else:", *self._block(place.inside())]
        return lines

    def _loop(self, place: _Place) -> list[str]:
        """Write a loop. The one whose rounds come from the input stands in no other loop."""
        in_loop = replace(place.inside(), jumps=("break", "continue"), may_read_flags=False)
        if place.may_read_flags and not self._flags_are_read:
            self._flags_are_read = True
            lines = ["for flag in flags:"]
            if self._draw(st.booleans()):
                lines += ["    if flag:"]
                lines += ["    " + line for line in self._block(in_loop.inside())]
            lines += self._block(in_loop)
        elif self._draw(st.booleans()):
            lines = ["for step in (1, 2):", *self._block(in_loop)]
        else:
            # Without a `continue`, which would repeat it for ever.
            lines = ["while True:", *self._block(replace(in_loop, jumps=("break",)))]
            return [*lines, "    break"]
        if self._draw(st.booleans()):
            lines += ["else:", *self._block(place.inside())]
        return lines

    def _attempt(self, place: _Place) -> list[str]:
        inside = place.inside()
        lines = ["try:", *self._block(replace(inside, may_open=False))]
        parts = self._pick(("except", "except", "except-else", "finally", "except-finally", "all"))
        if parts != "finally":
            handler = self._pick(_HANDLERS)
            lines += [handler, *self._block(replace(inside, in_handler=True))]
            if handler == "except ValueError:" and self._draw(st.booleans()):
                lines += ["except KeyError:", *self._block(replace(inside, in_handler=True))]
        if parts in {"except-else", "all"}:
            lines += ["else:", *self._block(inside)]
        if parts in {"finally", "except-finally", "all"}:
            # Before 3.8 no `continue`, from 3.14 on a warning for every jump out of it.
            lines += ["finally:", *self._block(replace(inside, jumps=()))]
        return lines

    def _manager(self, place: _Place) -> list[str]:
        if place.may_open and self._draw(st.booleans()):
            inside = replace(place.inside(), files=tuple(dict.fromkeys((*place.files, "k"))))
            lines = self._block(inside)
            return ['with open("k", "a") as k:', f'    k.write("{next(self._numbers)}\\n")', *lines]
        manager = self._pick(_MANAGERS).format(file=self._pick(place.files))
        return [f"with {manager}:", *self._block(replace(place.inside(), may_open=False))]

    def _help(self, place: _Place) -> list[str]:
        """Call a function, written for this call, that gets the files and the bits."""
        if place.in_helper:
            return self._write(place)
        passed = "".join(f"{file}, " for file in place.files if file != "g")
        name = f"helper_{len(self.functions) + 1}({passed}a, b)"
        self.define(
            name, replace(_Place(place.files, depth=1), in_helper=True, may_open=place.may_open)
        )
        return (
            [name] if self._draw(st.booleans()) else [f"if {name}:", *self._block(place.inside())]
        )
