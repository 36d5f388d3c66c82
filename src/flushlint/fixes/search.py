"""Proof by running: of what is proposed, the first that takes a finding away and brings no other.

A proposal is made to the text, and the machine runs what comes of it. What it then finds that it
did not find before, as a doubling where a child flushes what its parent has written, belongs to the
same fix: it is mended in turn, or the proposal is dropped.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import libcst as cst

from flushlint.fixes.displayed import displayed
from flushlint.fixes.edits import Patch
from flushlint.fixes.pages import Page, Pages
from flushlint.fixes.places import knows
from flushlint.fixes.proposals import proposals
from flushlint.fixes.scene import Scene, restage, stage
from flushlint.machine.log import Doubling, Halt, Loss, Unguaranteed
from flushlint.model import Edit, Fix, Span

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from flushlint.fixes.edits import TextEdit
    from flushlint.fixes.proposal import Proposal
    from flushlint.machine.log import Log
    from flushlint.model import AnalysisOptions, Diagnostic
    from flushlint.parsed import ParsedProgram
    from flushlint.rules.finding import Finding

__all__ = ["Search"]

# What all runs for one text may cost together, in steps of the machine and lines to parse. The
# largest module that is followed to its end takes about a tenth of it. What is found when all is
# spent has no fix, until others have been applied.
_MOST_COST = 200_000
_MOST_LINES = 20_000
_MOST_RUNS_OF_ONE = 40
_MOST_STEPS = 8
_NOT_GUARANTEED = "FLU106"
_OUTSIDE_LOCK = "FLU202"


_Key: TypeAlias = "tuple[int, str, int | None, str]"


class _CauseKey(NamedTuple):
    """What tells a cause from others, whatever has been edited around it.

    Causes of one `stem` concern one file in one process, and differ in the write or the end.
    """

    stem: Hashable
    rest: Hashable = None


class _Problem(NamedTuple):
    """A finding that is to go, in one of the runs of a scene."""

    act: int
    finding: Finding


class Search:
    """Looks for fixes of the findings in one text. Texts that it has tried are not run again."""

    def __init__(self, scene: Scene, options: AnalysisOptions) -> None:
        self._first = scene
        self._options = options
        self._scenes: dict[tuple[str, bool], Scene | None] = {(scene.text, False): scene}
        self._left = _MOST_COST
        patch = Patch(scene.text)
        self._known = set(_keys(scene, patch))
        self.stopping = set(_stopping(scene, patch))
        self.writers = _writers(scene, patch)

    @classmethod
    def of(
        cls, parsed: ParsedProgram, options: AnalysisOptions, before: Search | None = None
    ) -> Search | None:
        """Return the search in a program, None if it is too long to try.

        One `before` it, in what it was made of, may have run it already.
        """
        if parsed.lines > _MOST_LINES:
            return None
        pages = Pages([Page.of(*one) for one in zip(parsed.sources, parsed.trees, strict=True)])
        known = None if before is None else before.known(pages.text)
        return cls(known or stage(parsed.program, pages, options), options)

    def fixes(self, diagnostic: Diagnostic) -> tuple[Fix, ...]:
        """Return what mends a finding: the best that is safe, after it those that are not."""
        code = diagnostic.code
        problem = self._problem(diagnostic)
        if problem is None or problem.finding.cause is None:
            return ()
        found = self._found(problem, strict=True)
        if not any(fix.applicability == "safe" for fix in found) and code != _NOT_GUARANTEED:
            found += self._found(problem, strict=False)
        found.sort(key=lambda fix: fix.applicability != "safe")
        return tuple(dict.fromkeys((*found, *self._displayed(problem))))

    def _displayed(self, problem: _Problem) -> Iterator[Fix]:
        """Yield what people may take up, and only they."""
        act, cause = self._first.acts[problem.act], problem.finding.cause
        for proposal in displayed(self._first, act, cause) if cause is not None else ():
            patch = Patch(self.text).edit(proposal.edits)
            edits = tuple(map(self._edit, patch.edits()))
            yield Fix(_title((proposal,)), "display-only", edits)

    def _problem(self, diagnostic: Diagnostic) -> _Problem | None:
        """Return the finding that a face shows as a diagnostic, in the first run that shows it."""
        for act, one in enumerate(self._first.acts):
            for finding in one.findings:
                same = (finding.code, finding.subject) == (diagnostic.code, diagnostic.subject)
                if same and self._is_at(finding.node, diagnostic):
                    return _Problem(act, finding)
        return None

    def _is_at(self, node: cst.CSTNode, diagnostic: Diagnostic) -> bool:
        page = self._first.layout.page(node)
        is_here = page.source.path == diagnostic.path
        return is_here and page.positions.span(node) == diagnostic.span

    def _found(self, problem: _Problem, *, strict: bool) -> list[Fix]:
        text = self.text
        key = _key(self._first, Patch(text), problem)
        attempt = _Attempt(self, key, self._known, strict=strict)
        found: list[Fix] = []
        for steps, patch in attempt.solutions(self._first, Patch(text), problem, ()):
            unsafe = "; ".join(dict.fromkeys(s.unsafe for s in steps if s.unsafe))
            edits = tuple(map(self._edit, patch.edits()))
            if not unsafe:
                found.append(Fix(_title(steps), "safe", edits))
                break
            if not found:
                found.append(Fix(_title(steps), "unsafe", edits, unsafe))
        return found

    def _edit(self, edit: TextEdit) -> Edit:
        source, start = self._first.layout.place(edit.start)
        _, end = self._first.layout.place(edit.end)
        return Edit(source.path, Span(start, end), edit.text)

    @property
    def text(self) -> str:
        """The text whose findings it looks for fixes of."""
        return self._first.text

    def known(self, text: str) -> Scene | None:
        """Return the scene of a text if fixes can be proposed from it already."""
        return self._scenes.get((text, False))

    def scene(self, text: str, *, brief: bool) -> Scene | None:
        """Return the scene of a text, None if it can't be analysed or enough has been tried."""
        key = (text, brief)
        if key not in self._scenes:
            if self._left <= 0:
                return None
            scene = self._scenes[key] = restage(self._first, text, self._options, brief=brief)
            self._left -= text.count("\n")
            logs = {id(act.log): act.log for act in scene.acts} if scene is not None else {}
            self._left -= sum(log.steps for log in logs.values())
        return self._scenes[key]


class _Attempt:
    """The search for a fix of one finding.

    A `strict` one does without what leaves the flush to chance, should an exception come.
    """

    def __init__(
        self, search: Search, target: Hashable, known: set[Hashable], *, strict: bool
    ) -> None:
        self._search = search
        self._target = target
        self._known = known
        self._strict = strict
        self._runs = _MOST_RUNS_OF_ONE
        self._tried: set[str] = set()
        self._stopping = search.stopping
        self._writers = search.writers

    def solutions(
        self, scene: Scene, patch: Patch, problem: _Problem, steps: tuple[Proposal, ...]
    ) -> Iterator[tuple[tuple[Proposal, ...], Patch]]:
        """Yield the steps that take a problem away and whatever comes of that, best first."""
        cause = problem.finding.cause
        if cause is None or len(steps) >= _MOST_STEPS:
            return
        before = _cause_key(scene, patch, problem)
        halfway: list[tuple[Scene, Patch, _Problem, tuple[Proposal, ...]]] = []
        for proposal in proposals(scene, scene.acts[problem.act], cause):
            if self._runs <= 0:
                return
            edited = patch.edit(proposal.edits)
            rest = self._rest(edited, before)
            if rest is None:
                continue
            done = (*steps, proposal)
            if not rest:
                yield done, edited
                continue
            after = self._search.scene(edited.text, brief=False)
            rest = None if after is None else self._problems(after, edited)
            if after is None or not rest:
                continue
            if self._is_halfway(after, edited, rest, before):
                halfway.append((after, edited, rest[0], done))
            else:
                yield from self.solutions(after, edited, rest[0], done)
        for further in halfway:
            yield from self.solutions(*further)

    def _rest(self, edited: Patch, before: _CauseKey) -> list[_Problem] | None:
        """Return what is left to do in an edited text, None if it is no step ahead."""
        if edited.text in self._tried:
            return None
        self._tried.add(edited.text)
        self._runs -= 1
        scene = self._search.scene(edited.text, brief=True)
        if scene is None or self._fails(scene, edited):
            return None
        rest = self._problems(scene, edited)
        if rest is None or before in [_cause_key(scene, edited, problem) for problem in rest]:
            return None
        return rest

    def _is_halfway(
        self, scene: Scene, edited: Patch, rest: list[_Problem], before: _CauseKey
    ) -> bool:
        """Say whether some other step may do at once what this one does in part.

        One step that saves all of a file is better than one for each write to it, and one under
        a lock better than another one outside of it.
        """
        return any(
            _cause_key(scene, edited, problem).stem == before.stem
            or problem.finding.code == _OUTSIDE_LOCK
            for problem in rest
        )

    def _fails(self, scene: Scene, patch: Patch) -> bool:
        """Say whether a statement raises that did not, as the flush of a closed file does."""
        return not set(_stopping(scene, patch)) <= self._stopping

    def _is_worse(self, key: _Key, writers: dict[_Key, set[Hashable]]) -> bool:
        """Say whether more processes than before write out what is doubled anyway."""
        return not writers.get(key, set()) <= self._writers.get(key, set())

    def _problems(self, scene: Scene, patch: Patch) -> list[_Problem] | None:
        """Return what is left to do, what was asked for first; None if it can't be had this way."""
        left: list[_Problem] = []
        writers = _writers(scene, patch)
        for act, one in enumerate(scene.acts):
            for finding in one.findings:
                problem = _Problem(act, finding)
                key = _key(scene, patch, problem)
                if key == self._target:
                    left.insert(0, problem)
                elif key in self._known and not self._is_worse(key, writers):
                    continue
                elif finding.code == _NOT_GUARANTEED:
                    if self._strict:
                        return None
                elif finding.cause is None:
                    return None
                else:
                    left.append(problem)
        return left


def _keys(scene: Scene, patch: Patch) -> Iterator[Hashable]:
    for act, one in enumerate(scene.acts):
        for finding in one.findings:
            yield _key(scene, patch, _Problem(act, finding))


def _key(scene: Scene, patch: Patch, problem: _Problem) -> _Key:
    """Return what tells a finding from others, whatever has been edited around it."""
    finding = problem.finding
    return problem.act, finding.code, patch.origin(scene.start(finding.node)), finding.subject


def _stopping(scene: Scene, patch: Patch) -> Iterator[int | None]:
    """Yield where the statements stood that raise something, None for what was put in."""
    for act in scene.acts:
        for node in act.trace.stopped:
            is_part = isinstance(node, (cst.BaseSmallStatement, cst.BaseExpression))
            if is_part and knows(scene.layout, node):
                yield patch.origin(scene.start(node))


def _writers(scene: Scene, patch: Patch) -> dict[_Key, set[Hashable]]:
    """Return for each doubling which processes write out what was pending at the fork."""
    found: dict[_Key, set[Hashable]] = {}
    for number, act in enumerate(scene.acts):
        for finding in act.findings:
            if isinstance(finding.cause, Doubling):
                node = finding.cause.write.node
                found[_key(scene, patch, _Problem(number, finding))] = {
                    _child(scene, patch, act.log, emission.process)
                    for emission in act.log.emissions
                    if emission.write.node is node
                }
    return found


def _place(scene: Scene, patch: Patch, node: cst.CSTNode | None) -> int | None:
    """Return where a node stood, None for what was put in, or is not in the text."""
    if node is None or not knows(scene.layout, node):
        return None
    return patch.origin(scene.start(node))


def _child(scene: Scene, patch: Patch, log: Log, number: int) -> Hashable:
    process = log.processes[number]
    return process.kind, process.name, _place(scene, patch, process.start)


def _cause_key(scene: Scene, patch: Patch, problem: _Problem) -> _CauseKey:
    act, finding = problem
    place = partial(_place, scene, patch)
    child = partial(_child, scene, patch, scene.acts[act].log)

    def of_loss(loss: Loss, kind: str, end: cst.CSTNode | None) -> _CauseKey:
        stem = act, kind, place(loss.stream.opened), child(loss.process)
        return _CauseKey(stem, (place(loss.write.node), place(end)))

    cause = finding.cause
    if isinstance(cause, Loss):
        return of_loss(cause, "loss", cause.node)
    if isinstance(cause, Halt):
        return of_loss(cause.loss, "halt", cause.node)
    if isinstance(cause, Unguaranteed):
        return of_loss(cause.loss, "unguaranteed", None)
    if isinstance(cause, Doubling):
        return _CauseKey((act, "doubling", place(cause.write.node)), child(cause.process))
    return _CauseKey((act, finding.code, place(finding.node)))


def _title(steps: tuple[Proposal, ...]) -> str:
    """Say in words what the steps do together."""
    parts: list[str] = []
    verb = ""
    for step in dict.fromkeys((s.verb, s.file, s.where) for s in steps):
        words = " ".join(step) if step[0] != verb else " ".join(step[1:])
        verb = step[0]
        parts.append(words)
    if len(parts) == 1:
        return parts[0]
    return f"{', '.join(parts[:-1])}, and {parts[-1]}"
