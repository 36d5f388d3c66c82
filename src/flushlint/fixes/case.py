"""One write that is to be saved: what could be put where, as proposals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst

from flushlint.fixes.places import knows
from flushlint.fixes.proposal import Proposal
from flushlint.fixes.saving import Saving, savings
from flushlint.rules.finding import called

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flushlint.fixes.edits import TextEdit
    from flushlint.fixes.layout import Statement
    from flushlint.fixes.scene import Act, Scene
    from flushlint.machine.log import Process
    from flushlint.machine.objects import Stream, Write
    from flushlint.machine.trace import When, Writing

__all__ = ["Case"]

_MOST = 2  # names for one file in one place: who has none that works will not have a third


@dataclass(frozen=True)
class Case:
    """A write of a process that is to be saved, in one run of a scene.

    `held` is the layer that holds it back, by its heap object and as it was, if that is known.
    """

    scene: Scene
    act: Act
    write: Write
    held: tuple[int, Stream] | None = None

    @property
    def process(self) -> Process:
        """The process that writes."""
        return self.act.log.processes[self.write.process]

    @cached_property
    def writings(self) -> list[Writing]:
        """The process's writes to the file, and to the layer of it that holds them back."""
        layers = {self.write.stream} if self.held is None else {self.write.stream, self.held[0]}
        return [
            w
            for w in self.act.trace.writings
            if w.stream in layers and w.process == self.write.process
        ]

    def savings(self, node: cst.CSTNode, when: When, most: int = _MOST) -> list[Saving]:
        """Return what could stand before or after a statement to save the write, best first."""
        return savings(self.scene, self.act, self.write, self.held, (node, when))[:most]

    def before(self, statement: Statement, where: str, most: int = _MOST) -> Iterator[Proposal]:
        """Save it before a statement."""
        for saving in self.savings(statement, "before", most):
            edits = self.scene.layout.before(statement, saving.lines)
            yield from self.made(edits, saving, where)

    def after(
        self, statement: Statement, where: str, most: int = _MOST, *, closing: bool = True
    ) -> Iterator[Proposal]:
        """Save it after a statement, by closing the file too unless that is ruled out."""
        for saving in self.savings(statement, "after", most):
            if saving.closes and not closing:
                continue
            edits = self.scene.layout.after(statement, saving.lines)
            yield from self.made(edits, saving, where)

    def made(self, edits: list[TextEdit] | None, saving: Saving, where: str) -> Iterator[Proposal]:
        """Yield a proposal, with the import that its code needs, if the edits can be made."""
        if edits is None:
            return
        if saving.imports:
            added = self.scene.layout.add_import(saving.imports, edits[0].start)
            if added is None:
                return
            edits = [*added, *edits]
        yield Proposal(edits, saving.verb, saving.file, where)

    def knows(self, node: cst.CSTNode | None) -> bool:
        """Say whether there is a node, and it stands in the text."""
        return node is not None and knows(self.scene.layout, node)

    def quoted(self, node: cst.CSTNode) -> str:
        """Return a call, or the kind of a statement, as words of a sentence quote it."""
        if isinstance(node, cst.Call):
            return f"`{called(self.scene.module, node)}`"
        return f"the `{type(node).__name__.lower()}`"
