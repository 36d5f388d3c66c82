"""From a program to its fixes: what is proposed, what is proven, and how it is laid out."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from flushlint.engine import check_source
from flushlint.fixes.search import Search
from flushlint.model import AnalysisOptions, Edit, Fix, Position, Span
from tests.one_module import FixedModule, fix_source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flushlint.model import Diagnostic, StartMethodOption

START = """
if __name__ == "__main__":
    p = Process(target=put, args=(log,))
    p.start()
    p.join()
"""
HEAD = 'from multiprocessing import Process\nlog = open("a.log", "w")\n\n\n'


def fixed(data: bytes, start_method: StartMethodOption = "fork") -> FixedModule:
    return fix_source(
        data,
        "program.py",
        AnalysisOptions(start_method=start_method),
        lambda _, found: [one for one in found if not one.opt_in],
        lambda _, fix: fix.applicability == "safe",
    )


def fixes(text: str, start_method: StartMethodOption = "fork") -> dict[str, tuple[Fix, ...]]:
    def wanted(found: Sequence[Diagnostic]) -> Sequence[Diagnostic]:
        return found

    options = AnalysisOptions(start_method=start_method)
    found = check_source(text.encode(), "program.py", options, wanted=wanted).diagnostics
    return {one.code: one.fixes for one in found if not one.opt_in}


def body(text: str) -> str:
    return HEAD + textwrap.dedent(text).lstrip("\n") + START


LAYOUTS = {
    "semicolons": (
        """
        def put(fd):
            fd.write("a"); fd.write("b")
        """,
        """
        def put(fd):
            fd.write("a"); fd.write("b")
            fd.flush()
        """,
    ),
    "semicolon, and more follows": (
        """
        def put(fd):
            fd.write("a"); print("done")
        """,
        """
        def put(fd):
            fd.write("a"); fd.flush(); print("done")
        """,
    ),
    "function on one line": (
        'def put(fd): fd.write("a")\n',
        'def put(fd): fd.write("a"); fd.flush()\n',
    ),
    "decorated": (
        """
        def twice(function):
            return function


        @twice
        def put(fd):
            fd.write("a")
        """,
        """
        def twice(function):
            return function


        @twice
        def put(fd):
            fd.write("a")
            fd.flush()
        """,
    ),
    "docstring first": (
        '''
        def put(fd):
            """Put it."""
            fd.write("a")
            if fd.name == "b":
                return
            fd.write("b")
        ''',
        '''
        def put(fd):
            """Put it."""
            try:
                fd.write("a")
                if fd.name == "b":
                    return
                fd.write("b")
            finally:
                fd.flush()
        ''',
    ),
    "coroutine": (
        """
        import asyncio


        async def write(fd):
            await asyncio.sleep(0)
            fd.write("a")


        def put(fd):
            asyncio.run(write(fd))
        """,
        """
        import asyncio


        async def write(fd):
            await asyncio.sleep(0)
            fd.write("a")


        def put(fd):
            asyncio.run(write(fd))
            fd.flush()
        """,
    ),
    "nested function": (
        """
        def put(fd):
            def write(text):
                fd.write(text)

            for text in "ab":
                write(text)
        """,
        """
        def put(fd):
            def write(text):
                fd.write(text)

            for text in "ab":
                write(text)
            fd.flush()
        """,
    ),
    "class method": (
        """
        class Put:
            @classmethod
            def twice(cls, fd):
                fd.write("a")
                cls.once(fd)

            @staticmethod
            def once(fd):
                fd.write("a")


        put = Put.twice
        """,
        """
        class Put:
            @classmethod
            def twice(cls, fd):
                fd.write("a")
                cls.once(fd)
                fd.flush()

            @staticmethod
            def once(fd):
                fd.write("a")


        put = Put.twice
        """,
    ),
    "loop on one line, comment behind": (
        """
        def put(fd):
            for text in "ab": fd.write(text)  # one by one
        """,
        """
        def put(fd):
            for text in "ab": fd.write(text)  # one by one
            fd.flush()
        """,
    ),
    "try that is there": (
        """
        def put(fd):
            try:
                fd.write("a")
                if fd.name == "b":
                    return
            except OSError:
                raise
        """,
        """
        def put(fd):
            try:
                fd.write("a")
                if fd.name == "b":
                    return
            except OSError:
                raise
            finally:
                fd.flush()
        """,
    ),
    "flush that comes too late for some": (
        """
        def put(fd):
            fd.write("a")
            if fd.name == "b":
                return
            fd.write("b")

            # all of it
            fd.flush()
        """,
        """
        def put(fd):
            try:
                fd.write("a")
                if fd.name == "b":
                    return
                fd.write("b")

            finally:
                # all of it
                fd.flush()
        """,
    ),
    "string over lines": (
        '''
        def put(fd):
            fd.write("""
        first
        """)
            if fd.name == "b":
                return
            fd.write("b")
        ''',
        '''
        def put(fd):
            try:
                fd.write("""
        first
        """)
                if fd.name == "b":
                    return
                fd.write("b")
            finally:
                fd.flush()
        ''',
    ),
}


@pytest.mark.parametrize(("before", "after"), LAYOUTS.values(), ids=LAYOUTS)
def test_a_fix_is_laid_out_as_the_code_around_it(before: str, after: str) -> None:
    assert fixed(body(before).encode()).data.decode() == body(after)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("indentation", ["\t", " ", "   ", "        "])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_bytes_outside_a_fix_stay(newline: str, indentation: str, mark: bytes) -> None:
    before = body(LAYOUTS["docstring first"][0]).rstrip("\n") + "  "
    after = body(LAYOUTS["docstring first"][1]).rstrip("\n") + "  "
    old, new = (
        mark + text.replace("    ", indentation).replace("\n", newline).encode()
        for text in (before, after)
    )
    assert fixed(old).data == new


def test_the_encoding_is_kept() -> None:
    text = "# -*- coding: latin-1 -*-\n" + body(LAYOUTS["semicolons"][0]).replace('"a"', '"é"')
    done = fixed(text.encode("latin-1"))
    assert done.data == text.replace('"b")\n', '"b")\n    fd.flush()\n').encode("latin-1")


def test_what_the_encoding_has_no_form_for_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    data = ("# coding: ascii\n" + body(LAYOUTS["semicolons"][0])).encode("ascii")

    def beyond(self: Search, diagnostic: Diagnostic) -> tuple[Fix, ...]:
        place = Span(Position(2, 0), Position(2, 0))
        return (Fix("say more", "safe", (Edit("program.py", place, "# é\n"),)),)

    monkeypatch.setattr(Search, "fixes", beyond)
    done = fixed(data)
    assert done.trouble == "the fix of FLU101 can't be written in ascii"
    assert done.data == data


def test_a_fix_with_two_steps_says_both() -> None:
    text = HEAD + 'def put(fd):\n    fd.write("a")\n\n\nlog.write("head")\n' + START.lstrip("\n")
    (fix, *others) = fixes(text)["FLU101"]
    assert fix.title == "flush `fd` at the end of `put`, and `log` before `p.start()`"
    assert fix.applicability == "safe"
    assert [edit.text for edit in fix.edits] == ["    fd.flush()\n", "    log.flush()\n"]
    assert [other.applicability for other in others] == ["display-only"]


def test_a_header_is_flushed_before_the_loop_that_starts() -> None:
    text = textwrap.dedent("""\
        from multiprocessing import Process
        log = open("a.log", "w")
        def put(n):
            print(n, file=log, flush=True)
        log.write("head")
        ps = [Process(target=put, args=(n,)) for n in range(3)]
        # all of them
        for p in ps:
            p.start()
        for p in ps:
            p.join()
        """)
    (fix,) = fixes(text)["FLU201"]
    assert fix.title == "flush `log` before `p.start()`"
    (edit,) = fix.edits
    assert (edit.span.start.line, edit.text) == (7, "log.flush()\n")


def test_a_target_without_a_body_gets_a_file_that_is_line_buffered() -> None:
    text = (
        HEAD.rstrip()
        + '\np = Process(target=print, args=("a",), kwargs={"file": log})\np.start()\n'
    )
    (fix, *_) = fixes(text)["FLU101"]
    assert (fix.title, fix.applicability) == ("open the file with `buffering=1`", "safe")


def test_but_not_where_a_write_has_no_newline() -> None:
    text = HEAD.rstrip() + '\np = Process(target=log.write, args=("a",))\np.start()\n'
    assert [fix.applicability for fix in fixes(text)["FLU101"]] == []


def test_a_lambda_is_for_people_to_change() -> None:
    text = HEAD.rstrip() + '\np = Process(target=lambda: log.write("a"))\np.start()\n'
    (fix,) = fixes(text)["FLU102"]
    assert fix.applicability == "display-only"
    assert "".join(edit.text for edit in fix.edits) == '(log.write("a"), log.flush()'


def test_a_file_that_is_handed_over_may_be_opened_in_the_child() -> None:
    text = body('def put(fd):\n    fd.write("a")\n')
    (fix,) = fixes(text, "spawn")["FLU301"]
    assert fix.applicability == "display-only"
    assert fix.title == "open the file in `put`, and hand over its path"
    assert [edit.text for edit in fix.edits] == [
        '    with open(fd, "w") as fd:\n',
        "    ",
        '"a.log"',
    ]


def test_an_unsafe_fix_says_why() -> None:
    text = HEAD.rstrip() + ", 0)\n"
    text = text.replace('"w"), 0)', '"w", 0)') + "import os\npid = os.fork()\n"
    (fix,) = fixes(text)["FLU401"]
    assert (fix.applicability, fix.reason) == ("unsafe", "open() raises ValueError as it is")


def test_a_flush_that_could_raise_is_none() -> None:
    """One way closes the file: a `finally` that flushes would raise ValueError there."""
    before = body("""
        def put(fd):
            fd.write("a")
            if fd.name == "b":
                fd.close()
                return
            print("left open")
        """)
    done = fixed(before.encode())
    assert "finally" not in done.data.decode()
    assert '    fd.write("a")\n    fd.flush()\n' in done.data.decode()


def test_a_file_that_may_be_none_is_asked_for() -> None:
    before = textwrap.dedent("""\
        from multiprocessing import Process
        log = None
        def write(text):
            global log
            if log is None:
                log = open("a.log", "w")
            log.write(text)
        def put(wanted):
            if wanted:
                write("a")
        p = Process(target=put, args=(input(),))
        p.start()
        """)
    done = fixed(before.encode())
    assert not fixes(done.data.decode())
    assert "flush()" in done.data.decode()


def test_the_import_that_a_fix_needs_is_added() -> None:
    done = fixed(b'import os\n\nprint("a")\nos._exit(0)\n')
    assert done.data == b'import os\nimport sys\n\nprint("a")\nsys.stdout.flush()\nos._exit(0)\n'


def test_all_start_methods_are_tried() -> None:
    """A fix for fork must not bring anything under spawn."""
    text = body('def put(fd):\n    fd.write("a")\n')
    assert fixes(text, "all")["FLU101"][0].title == "flush `fd` at the end of `put`"
    assert fixes(fixed(text.encode(), "all").data.decode(), "all").keys() == {"FLU301"}


def test_what_is_suppressed_or_not_allowed_is_left_alone() -> None:
    data = body('def put(fd):\n    fd.write("a")\n').encode()
    options = AnalysisOptions(start_method="fork")
    none = fix_source(data, "a.py", options, lambda *_: [], lambda *_: True)
    refused = fix_source(data, "a.py", options, lambda _, found: found, lambda *_: False)
    assert (none.data, none.applied) == (refused.data, refused.applied) == (data, ())


@pytest.mark.parametrize("data", [b"def f(:\n    os._exit()\n", b"os._exit(0)  # \xff\n"])
def test_what_is_broken_is_left_alone(data: bytes) -> None:
    assert fixed(data).data == data


def test_what_does_not_come_to_an_end_leaves_the_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two fixes undo one another."""
    data = body('def put(fd):\n    fd.write("a")\n').encode()
    column = 13  # of the letter that is written

    def to_and_fro(self: Search, diagnostic: Diagnostic) -> tuple[Fix, ...]:
        letter = "b" if '("a")' in self.text else "a"
        place = Span(Position(6, column + 1), Position(6, column + 2))
        return (Fix("write another", "safe", (Edit("program.py", place, letter),)),)

    monkeypatch.setattr(Search, "fixes", to_and_fro)
    done = fixed(data)
    assert done.trouble == "the fixes do not come to an end; nothing is written"
    assert (done.data, done.applied) == (data, ())


def test_a_fix_that_would_change_other_code_leaves_the_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = body('def put(fd):\n    fd.write("a")\n').encode()

    def comment_out(self: Search, diagnostic: Diagnostic) -> tuple[Fix, ...]:
        place = Span(Position(6, 4), Position(6, 4))
        return (Fix("comment it out", "safe", (Edit("program.py", place, "pass #"),)),)

    monkeypatch.setattr(Search, "fixes", comment_out)
    done = fixed(data)
    assert done.trouble == "the fix of FLU101 would change other code; nothing is written"
    assert done.data == data


def test_names_of_the_main_guard_are_not_relied_on() -> None:
    """Whoever imports the module and calls the function does not have them."""
    text = textwrap.dedent("""\
        from multiprocessing import Process


        def put(write):
            write("a")


        if __name__ == "__main__":
            log = open("a.log", "w")
            p = Process(target=put, args=(log.write,))
            p.start()
        """)
    assert [fix.applicability for fix in fixes(text)["FLU101"]] == []
    under = text.replace("if __name__", "log = None\n\n\nif __name__")
    assert [fix.title for fix in fixes(under)["FLU101"]] == ["flush `log` at the end of `put`"]


def test_a_call_that_opens_binary_files_too_is_not_line_buffered() -> None:
    text = textwrap.dedent("""\
        from multiprocessing import Process


        def opened(path, mode):
            return open(path, mode)


        if __name__ == "__main__":
            log, data = opened("a.log", "w"), opened("a.bin", "wb")
            p = Process(target=print, args=("a",), kwargs={"file": log})
            p.start()
        """)
    assert fixes(text)["FLU101"] == ()
    assert fixes(text.replace('"wb"', '"w"'))["FLU101"][0].title.endswith("`buffering=1`")


@pytest.mark.parametrize(
    "opened",
    [
        'open("a.log", "w", size)',
        "open(*where)",
        'open("a.log", **how)',
        'open("a.log", "w", buffering=size)',
        'pathlib.Path("a.log").open("w", size)',
    ],
)
def test_a_call_that_says_how_to_buffer_says_it_once(opened: str) -> None:
    text = textwrap.dedent(f"""\
        import pathlib
        from multiprocessing import Process

        size, where, how = -1, ("a.log", "w"), {{"mode": "w"}}
        log = {opened}
        p = Process(target=print, args=("a",), kwargs={{"file": log}})
        p.start()
        """)
    assert "buffering=1" not in fixed(text.encode()).data.decode()


def test_a_file_is_not_closed_where_others_may_use_it_on() -> None:
    """Neither under a callback that nobody sees, nor in the parent that makes a lambda."""
    text = textwrap.dedent("""\
        import gzip
        from multiprocessing import Process

        log = gzip.open("a.gz", "wb")
        p = Process(target=lambda: log.write(b"a"))
        p.start()
        p.join()
        """)
    assert "close" not in fixed(text.encode()).data.decode()


def test_what_unknown_code_may_have_left_in_a_buffer_must_not_come_twice() -> None:
    text = textwrap.dedent("""\
        import select
        from multiprocessing import Process


        def put(fd):
            fd.write("a")


        log = open("a.log", "w")
        log.write("head")
        select.select([], [log], [], 0)
        p = Process(target=put, args=(log,))
        p.start()
        """)
    assert fixes(text)["FLU101"][0].title == (
        "flush `fd` at the end of `put`, and `log` before `p.start()`"
    )


def test_a_doubling_that_is_there_already_must_not_become_worse() -> None:
    """It is not to be fixed by itself, and is all the same, where a fix would add to it."""
    text = textwrap.dedent("""\
        from multiprocessing import Process
        log = open("a.log", "w")


        def first():
            log.flush()


        def second():
            log.write("b")


        log.write("head")
        for target in (first, second):
            p = Process(target=target)
            p.start()
            p.join()
        """)
    (fix,) = fixes(text)["FLU102"]
    assert fix.title == "flush `log` at the end of `second`, and `log` before `p.start()`"


def test_a_flush_goes_into_the_finally_that_is_there() -> None:
    before = body("""
        def put(fd):
            try:
                fd.write("a")
                if fd.name == "b":
                    return
            finally:
                print("done")
        """)
    after = before.replace('print("done")\n', 'print("done")\n        fd.flush()\n')
    assert fixed(before.encode()).data.decode() == after


def test_a_thread_that_nobody_waits_for_may_write_to_the_last() -> None:
    text = textwrap.dedent("""\
        import threading
        from multiprocessing import Process

        log = open("a.log", "w")


        def beat():
            log.write("beat")


        def serve():
            threading.Thread(target=beat).start()


        p = Process(target=serve)
        p.start()
        """)
    assert [fix.title for fix in fixes(text)["FLU102"]] == ["flush `log` at the end of `beat`"]


def test_a_binary_file_may_be_left_unbuffered() -> None:
    text = textwrap.dedent("""\
        from multiprocessing import Process
        log = open("a.bin", "wb")
        p = Process(target=log.write, args=(b"a",))
        p.start()
        """)
    (fix,) = fixes(text)["FLU101"]
    assert (fix.title, fix.applicability) == ("open the file with `buffering=0`", "unsafe")
    assert fix.reason == "each write becomes a system call, and may write less than it is given"
    assert [edit.text for edit in fix.edits] == [", buffering=0"]
