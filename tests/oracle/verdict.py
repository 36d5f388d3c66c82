"""From two runs to a verdict: what was lost, what came twice, what crashed."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from tests.oracle.run import Job, ProgramTimeoutError, Run, Tree, run_program

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flushlint.model import StartMethod
    from tests.oracle.fixture import Fixture
    from tests.oracle.output import Output

__all__ = [
    "Comparison",
    "HarnessError",
    "Verdict",
    "classes_of",
    "compare",
    "expected_verdict",
    "judge",
    "judge_fixed",
    "shown_verdict",
]

Verdict = Literal["lost", "doubled", "torn", "crash"]

_CLASSES: Final[dict[str, Verdict]] = {
    "FLU101": "lost",
    "FLU102": "lost",
    "FLU103": "lost",
    "FLU104": "lost",
    "FLU105": "lost",
    "FLU106": "lost",
    "FLU201": "doubled",
    "FLU202": "torn",
    "FLU203": "lost",
    "FLU301": "crash",
    "FLU302": "crash",
    "FLU303": "crash",
    "FLU304": "crash",
    "FLU401": "crash",
    "FLU402": "lost",
    "FLU403": "lost",
    "FLU404": "lost",
    "FLU405": "lost",
}
_CRASHES: Final = re.compile(
    r"pickle|serialize|Can't get (local object|attribute)|"  # FLU301, FLU302; 3.7 said "serialize"
    r"unbuffered text I/O|"  # FLU401
    r"RuntimeError: ?$|context has already been set|"  # FLU303: what it says fills more lines
    r"NameError: |KeyError: |IndexError: |has no attribute '\w+'"  # FLU304
)
"""What the exceptions behind the rules say, in the last line of their tracebacks."""


class HarnessError(AssertionError):
    """The two runs differ in what the harness may not change."""


@dataclass(frozen=True)
class Comparison:
    """What two runs of one program show: the verdict, and the text that it rests on."""

    verdict: frozenset[Verdict]
    missing: str
    extra: str
    exceptions: tuple[str, ...]
    """The last lines of the tracebacks of the run as it is that no rule stands for."""


def classes_of(codes: Iterable[str]) -> frozenset[Verdict]:
    """Return what a run must show for findings with these codes. FLU901 stands for nothing."""
    return frozenset(_CLASSES[code] for code in codes if code != "FLU901")


def expected_verdict(
    fixture: Fixture, start_method: StartMethod, version: tuple[int, int]
) -> frozenset[Verdict] | None:
    """Return what a fixture's runs together must show on a Python version, None for anything."""
    codes = fixture.codes(start_method)
    if "FLU901" in codes:
        return None
    if fixture.overflow is not None and fixture.overflow.is_kept(version):
        return classes_of(codes) - {"lost"}
    return classes_of(codes)


def shown_verdict(
    fixture: Fixture, start_method: StartMethod, results: Iterable[Comparison]
) -> frozenset[Verdict]:
    """Return what a fixture's runs together show. A crash that it is written to end in is none."""
    shown = frozenset[Verdict]().union(*(result.verdict for result in results))
    if fixture.crash and "crash" not in classes_of(fixture.codes(start_method)):
        return shown - {"crash"}
    return shown


def judge(job: Job) -> Comparison:
    """Run a program both ways and compare.

    Raises HarnessError if the runs end differently, ProgramTimeoutError if one doesn't end.
    """
    as_is, intent = (_run(job, intent=intent) for intent in (False, True))
    _check_same_end(as_is, intent)
    return compare(as_is.output, intent.output, ordered=job.ordered)


def judge_fixed(job: Job, fixed: bytes | Tree) -> Comparison:
    """Compare a run of the fixed program with what the original program was meant to leave.

    Raises as `judge` does.
    """
    as_is, intent = _run(replace(job, program=fixed), intent=False), _run(job, intent=True)
    _check_same_end(as_is, intent)
    return compare(as_is.output, intent.output, ordered=job.ordered)


def _run(job: Job, *, intent: bool) -> Run:
    """Run a program, and once more if it hangs.

    A pool forks new workers while its threads run: once in thousands of runs the copy of a lock
    that one of them held keeps such a worker waiting for ever, whatever the program is like.
    """
    try:
        return run_program(job, intent=intent)
    except ProgramTimeoutError:
        return run_program(job, intent=intent)


def _check_same_end(as_is: Run, intent: Run) -> None:
    ends = [(run.status, _kinds(run.output.exceptions)) for run in (as_is, intent)]
    if ends[0] != ends[1]:
        message = (
            f"as it is: status and exceptions {ends[0]}, under the harness: {ends[1]}\n"
            f"{as_is.output.stderr}\n{intent.output.stderr}"
        )
        raise HarnessError(message)


def _kinds(exceptions: tuple[str, ...]) -> Counter[str]:
    return Counter(line.partition(":")[0] for line in exceptions)


def compare(as_is: Output, intent: Output, *, ordered: bool = False) -> Comparison:
    """Compare what a run left behind with what every write at once would have left.

    The order in which processes write counts only if `ordered`, and in files only.
    """
    missing, extra = Counter[bytes](), Counter[bytes]()
    for here, meant in _pair_up(as_is, intent):
        lost_here, more_here = _differences(_without_holes(here, meant), meant)
        missing += lost_here
        extra += more_here
    crashes = [line for line in as_is.exceptions if _CRASHES.search(line)]
    facts: dict[Verdict, bool] = {
        "lost": bool(missing or as_is.unreadable - intent.unreadable),
        "doubled": bool(extra),
        "torn": ordered and _is_torn(as_is, intent),
        "crash": bool(crashes),
    }
    return Comparison(
        verdict=frozenset(kind for kind, holds in facts.items() if holds),
        missing=_show(missing),
        extra=_show(extra),
        exceptions=tuple(line for line in as_is.exceptions if line not in crashes),
    )


def _is_torn(as_is: Output, intent: Output) -> bool:
    """Tell whether some file holds all that was meant for it, and nothing else, in disorder."""
    common = as_is.texts.keys() & intent.texts.keys()
    pairs = [(as_is.texts[name], intent.texts[name]) for name in common if not name.startswith("<")]
    return any(here != meant and not any(_differences(here, meant)) for here, meant in pairs)


def _without_holes(here: bytes, meant: bytes) -> bytes:
    """Leave out what nobody wrote: a process wrote behind what another one had cut off."""
    return here if b"\0" in meant else here.replace(b"\0", b"")


def _pair_up(as_is: Output, intent: Output) -> list[tuple[bytes, bytes]]:
    """Pair the texts of equal places; those without a partner (random names) are pooled."""
    common = as_is.texts.keys() & intent.texts.keys()
    pairs = [(as_is.texts[name], intent.texts[name]) for name in sorted(common)]
    pools = [
        b"".join(output.texts[name] for name in sorted(output.texts.keys() - common))
        for output in (as_is, intent)
    ]
    return [*pairs, (pools[0], pools[1])]


def _differences(here: bytes, meant: bytes) -> tuple[Counter[bytes], Counter[bytes]]:
    """Return what is missing and what is too much, as multisets of lines or of bytes.

    Lines tell best. But writes without a newline join to other lines in another order; if lines
    are both missing and left over, the bytes of those lines decide.
    """
    lines_here, lines_meant = _lines(here), _lines(meant)
    missing, extra = lines_meant - lines_here, lines_here - lines_meant
    if missing and extra:
        bytes_missing, bytes_extra = _bytes(missing), _bytes(extra)
        return bytes_missing - bytes_extra, bytes_extra - bytes_missing
    return missing, extra


def _lines(text: bytes) -> Counter[bytes]:
    return Counter(text.splitlines(keepends=True))


def _bytes(lines: Counter[bytes]) -> Counter[bytes]:
    """Count the single bytes of some lines."""
    return Counter(bytes([byte]) for line in lines.elements() for byte in line)


def _show(parts: Counter[bytes]) -> str:
    return b"".join(parts.elements()).decode("utf-8", "backslashreplace")
