"""What would kill LibCST's parser is refused, what people write is not.

The parser is tried in a process of its own, on a stack of half the size that Linux gives.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from flushlint import guard
from flushlint.guard import refusal
from flushlint.source import Source, read_source

Shape = Callable[[int], str]


def blocks(header: str, end: str = "") -> Shape:
    def shape(n: int) -> str:
        opened = "".join(f"{' ' * i}{header}\n" for i in range(n))
        closed = "".join(f"{' ' * i}{end}\n" for i in reversed(range(n))) if end else ""
        return f"{opened}{' ' * n}pass\n{closed}"

    return shape


def nested(opening: str, closing: str, middle: str = "a") -> Shape:
    return lambda n: f"x = {opening * n}{middle}{closing * n}\n"


BRACKETS: dict[str, Shape] = {
    "parentheses": nested("(", ")"),
    "lists": nested("[", "]", ""),
    "sets": nested("{", "}"),
    "dicts": nested("{1: ", "}"),
    "calls": nested("f(", ")"),
    "keywords": nested("f(k=", ")"),
    "subscripts": nested("a[", "]"),
    "comprehensions": nested("[a for a in ", "]"),
    "lines": nested("[\n", "]\n"),
    "parenthesised lambdas": nested("(lambda: ", ")"),
    "decorators": lambda n: f"@{'f(' * n}a{')' * n}\ndef g(): pass\n",
    "annotations": lambda n: f"def f(x: {'A[' * n}b{']' * n}): pass\n",
    "in a formatted string": lambda n: 'x = f"{' + "(" * n + "a" + ")" * n + '}"\n',
    "in a format": lambda n: 'x = f"{a:{' + "(" * n + "a" + ")" * n + '}}"\n',
    "in a long formatted string": lambda n: "x = rf'''\n{a!r}'{" + "[" * n + "]" * n + "}'''\n",
}
CHAINS: dict[str, Shape] = {
    "and": lambda n: f"x = {' and '.join('a' * n)}\n",
    "plus": lambda n: f"x = {'+'.join('a' * n)}\n",
    "plus on lines": lambda n: "x = (" + " +\n     ".join("a" * n) + ")\n",
    "power": lambda n: f"x = {'**'.join('a' * n)}\n",
    "minus": lambda n: f"x = {'-' * n}a\n",
    "not": lambda n: f"x = {'not ' * n}a\n",
    "lambda": lambda n: f"x = {'lambda: ' * n}a\n",
    "default": lambda n: f"x = {'lambda a=' * n}a{': a' * n}\n",
    "parameters": lambda n: f"x = {'lambda a=1, b=' * n}a{': a' * n}\n",
    "conditional": lambda n: f"x = {'a if b else ' * n}a\n",
    "attributes": lambda n: f"x = a{'.b' * n}\n",
    "calls": lambda n: f"x = a{'.b()' * n}\n",
    "calls with arguments": lambda n: f"x = a{'.b(c, d=[e])' * n}\n",
    "calls on lines": lambda n: "x = a" + "\\\n    .b()" * n + "\n",
    "calls of calls": lambda n: f"x = a{'()' * n}\n",
    "subscripts": lambda n: f"x = a{'[0]' * n}\n",
    "strings": lambda n: "x = " + '"a" ' * n + "\n",
    "comprehension": lambda n: f"x = [a {'for a in b ' * n}]\n",
    "strings in a bracket never closed": lambda n: "x = (\ndef f(): return [" + '"a"\n' * n + "]\n",
    "import": lambda n: f"import a{'.b' * n}\n",
    "in brackets": lambda n: f"x = f(a, [b, {'+'.join('a' * n)}])\n",
    "around brackets": lambda n: f"x = {'a + (' * 90}{'+'.join('a' * (n - 90))}{')' * 90}\n",
    "in a formatted string": lambda n: 'x = f"{' + "+".join("a" * n) + '}"\n',
}
PATTERNS: dict[str, Shape] = {
    name: (lambda n, o=opening, c=closing: f"match a:\n case {o * n}b{c * n}:\n  pass\n")  # type: ignore[misc]
    for name, opening, closing in (
        ("sequences", "[a, ", "]"),
        ("mappings", "{1: ", "}"),
        ("classes", "A(x=", ")"),
        ("groups", "(", ")"),
    )
}
BLOCKS: dict[str, Shape] = {
    "if": blocks("if a:"),
    "class": blocks("class A:"),
    "async": blocks("async def f():"),
    "else": blocks("if a:", "else: pass"),
    "finally": blocks("try:", "finally: pass"),
}


def elifs(n: int) -> str:
    return "if a:\n  pass\n" + "elif b:\n\n  # why\n  pass\n" * n


def flat(n: int) -> str:
    return "a = b\n" * n


HOSTILE = {
    **{f"brackets: {name}": shape(2_000) for name, shape in BRACKETS.items()},
    **{f"chain: {name}": shape(10_000) for name, shape in CHAINS.items()},
    **{f"patterns: {name}": shape(20) for name, shape in PATTERNS.items()},
    **{f"blocks: {name}": shape(90) for name, shape in BLOCKS.items()},
    "elifs": elifs(3_000),
    "flat": flat(850_000),
    "one line": f"{'a;' * 1_000_000}\n",
    "one list": f"x = [{'1, ' * 1_000_000}]\n",
    "many chains": CHAINS["calls"](200) * 1_000,
    "many brackets": BRACKETS["calls"](90) * 1_000,
    "many patterns": PATTERNS["mappings"](7) * 1_000,
    "formatted strings": 'x = f"{a}{b}{c:{d}}"\n' * 100_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_refuses(text: str) -> None:
    found = refusal(text)
    assert found is not None
    assert "\n" not in found.why
    assert not found.why.endswith(".")
    assert 1 <= found.line <= text.count("\n")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = 1\n\n" + BRACKETS["lists"](2_000), 3),
        ("'''\n\n'''\n# [\n" + BRACKETS["calls"](2_000), 5),
        ("x = (1,\n  2)\n" + CHAINS["and"](10_000), 3),
        ("\n" * 9 + elifs(600), 10 + 1 + 500 * 4 + 1),
        ("\n" + blocks("if a:")(90), 1 + guard.MAX_BLOCKS + 1),
    ],
)
def test_names_the_line(text: str, line: int, newline: str) -> None:
    found = refusal(text.replace("\n", newline))
    assert found is not None
    assert found.line == line


HARMLESS = {
    "nothing": "",
    "no last newline": "x",
    "brackets in strings": "x = ['(((', \"[[[\", '''{{{\n" + "(" * 500 + "''', r'\\']\n",
    "brackets in comments": "# " + "[" * 500 + "\nx = 1  # " + "(" * 500 + "\n",
    "brackets in a formatted string's text": "x = f'" + "((( {{[[[ " * 500 + "{a}'\n",
    "quotes in fields": "x = f'{a[\"(\"]}' f\"{b['[']}\"\n" * 200,
    "nested quotes": "x = f'{a['(']}' f'{b[f'{c['[']}']}'\n" * 200,
    "a colon in a format": "x = f'{a:%H:%M (}' f'{b!r:>{w}}'\n" * 200,
    "a named character": "x = f'\\N{LEFT PARENTHESIS} {a}'\n" * 200,
    "side by side": "x = " + "[" + "f(a, [b, {1: (c,)}]), " * 500 + "]\n",
    "a table": "x = [\n"
    + "    ('a', 1.5 + 2, -3, {'k': [4, 5]}, not a, b if c else d),\n" * 2_000
    + "]\n",
    "many statements": "x = a.b.c(d) + e\n" * 500,
    "many targets": "a = " * 2_000 + "1\n",
    "many arguments": "f(" + "a=b.c + d, " * 1_000 + ")\n",
    "many cases": "match a:\n" + " case {'a': [B(x=1), *_]} if f(g(h(a))):\n  pass\n" * 200,
    "a function called case": "case(f(g(h(i([j([k])])))))\n",
    "many ifs": "if a:\n    pass\nelif b:\n    pass\nelif c:\n    pass\n" * 300,
    "ifs in ifs": (
        "if a:\n" + "".join(f"{' ' * i}if a:\n" for i in range(1, 20)) + " " * 20 + "b\n"
    )
    * 99,
    "tabs": "if a:\n\tif b:\n\t\tc\n\telif d:\n\t\te\n" * 200,
    "form feeds": "if a:\n    b\n\x0c\nclass C:\n\x0c\n    d = [\n\x0c 1]\n" * 200,
    "unclosed": "(" * 50 + "\n" + "x = 'abc\n" + "f'{",
    "unclosed, and much after it": "x = (\n" + "def f():\n    return a.b + [c, d.e]\n" * 500,
    "yield from on a line of its own": "x = (yield\nfrom " + "a + " * 100 + "a)\n",
    "unopened": ")" * 500 + "]" * 500,
    "a long string": "x = '''" + "(a + b)\n" * 500_000 + "'''\n",
}


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_lets_pass(text: str) -> None:
    assert refusal(text) is None


def largest(shape: Shape, hostile: int) -> str:
    """Return the largest text of a shape that is not refused."""
    low, high = 1, hostile
    while high - low > 1:
        middle = (low + high) // 2
        if refusal(shape(middle)) is None:
            low = middle
        else:
            high = middle
    return shape(low)


SHAPES: dict[str, tuple[Shape, int]] = {
    **{f"brackets: {name}": (shape, 2_000) for name, shape in BRACKETS.items()},
    **{f"chain: {name}": (shape, 10_000) for name, shape in CHAINS.items()},
    **{f"patterns: {name}": (shape, 20) for name, shape in PATTERNS.items()},
    **{f"blocks: {name}": (shape, 90) for name, shape in BLOCKS.items()},
    "elifs": (elifs, 3_000),
}
TRY = """\
import sys, threading
import libcst

def parse(text):
    try:
        libcst.parse_module(text)
    except libcst.ParserSyntaxError:
        pass
    done.append(text)

texts = sys.stdin.buffer.read().decode().split("\\0")
done = []
threading.stack_size(4 * 1024 * 1024)
for text in texts:
    thread = threading.Thread(target=parse, args=[text])
    thread.start()
    thread.join()
assert done == texts
"""


def parse_elsewhere(texts: list[str], timeout: float = 120) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", TRY]
    return subprocess.run(
        command, input="\0".join(texts).encode(), timeout=timeout, capture_output=True, check=False
    )


@pytest.mark.parametrize("kind", ["brackets", "chain", "patterns", "blocks", "elifs"])
def test_what_just_passes_does_the_parser_no_harm(kind: str) -> None:
    texts = [largest(*shape) for name, shape in SHAPES.items() if name.startswith(kind)]
    result = parse_elsewhere(texts)
    assert result.returncode == 0, result.stderr.decode()[-500:]


def test_all_limits_at_once_do_the_parser_no_harm() -> None:
    expression = CHAINS["around brackets"](guard.MAX_CHAIN // 2 - 100).rstrip("\n")
    depth = guard.MAX_BLOCKS - 2
    opened = "".join(f"{' ' * i}if a:\n" for i in range(depth))
    chain = f"{' ' * (depth - 1)}elif b:\n{' ' * depth}pass\n" * (guard.MAX_ELIFS - 1)
    last = f"{' ' * (depth - 1)}else:\n{' ' * depth}{expression}\n"
    text = f"{opened}{' ' * depth}pass\n{chain}{last}"
    assert refusal(text) is None
    result = parse_elsewhere([text])
    assert result.returncode == 0, result.stderr.decode()[-500:]


def test_the_stack_of_the_trial_is_small_enough_to_tell() -> None:
    """A parser that survived everything would make the tests above show nothing."""
    if not sys.platform.startswith("linux"):
        pytest.skip("other systems end a process in other ways")
    result = parse_elsewhere([BRACKETS["parentheses"](2_000)])
    assert result.returncode < 0


def test_refuses_nothing_in_the_standard_library() -> None:
    library = Path(sysconfig.get_path("stdlib"))
    # One string of a thousand pieces: generated, and no program.
    expected = {"topics.py"}
    seen = 0
    for folder, folders, names in os.walk(library):
        folders[:] = [name for name in folders if name not in {"site-packages", "test", "tests"}]
        for name in names:
            if name.endswith(".py") and name not in expected:
                path = Path(folder, name)
                source = read_source(path.read_bytes(), str(path))
                if isinstance(source, Source):
                    assert refusal(source.text) is None, path
                    seen += 1
    assert seen > 100
