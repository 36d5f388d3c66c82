"""One record for each rule: what every face knows of it without importing the machine.

The text that `flushlint rule CODE` prints is in `pages/`, one file for each code, and is read
only when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from flushlint.model import Severity

__all__ = ["RULES", "Rule"]


class Rule(NamedTuple):
    """What is known of a rule before any file is analysed.

    `summary` is one sentence with its full stop. `since` is the release that brought the
    rule. An `opt_in` rule is off until it is selected by name or prefix. Findings of a `fixable`
    one have a safe fix, wherever the machine can prove one.
    """

    code: str
    name: str
    summary: str
    severity: Severity = "error"
    since: str = "0.1.0"
    opt_in: bool = False
    fixable: bool = False

    @property
    def url(self) -> str:
        """Where the page is, relative to the root of the repository."""
        return f"src/flushlint/rules/pages/{self.code}.md"

    def page(self) -> str:
        """Return the rule's page, Markdown text that ends in a newline.

        Raises FileNotFoundError if the installation lacks it, which the tests rule out.
        """
        from importlib.resources import files

        page = files("flushlint.rules") / "pages" / f"{self.code}.md"
        return page.read_text(encoding="utf-8")


RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in (
        Rule(
            "FLU101",
            "lost-passed-file",
            "A child process writes to a file that was handed to it, and ends before the "
            "buffer is emptied.",
            fixable=True,
        ),
        Rule(
            "FLU102",
            "lost-inherited-file",
            "A child process writes to a file that it reaches by a global name, a default "
            "argument, a class or `self`, and ends before the buffer is emptied.",
            fixable=True,
        ),
        Rule(
            "FLU103",
            "lost-worker-file",
            "A worker of a pool or an executor writes to a file that outlives its tasks, and "
            "ends before the buffer is emptied.",
            fixable=True,
        ),
        Rule(
            "FLU104",
            "lost-at-hard-exit",
            "A process ends at once (`os._exit`, `os.exec*`, `os.abort`, SIGKILL) while "
            "writes are still in a buffer.",
            fixable=True,
        ),
        Rule(
            "FLU105",
            "lost-at-terminate",
            "A child process is killed (`terminate()`, `kill()`, a daemon when its parent ends) "
            "where it waits with writes in a buffer.",
            fixable=True,
        ),
        Rule(
            "FLU106",
            "flush-not-guaranteed",
            "A child process flushes a file on every path in sight, but not if a call before "
            "that raises.",
            opt_in=True,
            fixable=True,
        ),
        Rule(
            "FLU201",
            "duplicated-buffer",
            "Writes that are in a buffer when the process forks are written by more than "
            "one process.",
            fixable=True,
        ),
        Rule(
            "FLU202",
            "flush-outside-lock",
            "Writes to a file that processes share are made under a lock, and leave the buffer "
            "when the lock is released.",
            fixable=True,
        ),
        Rule(
            "FLU203",
            "truncated-by-reimport",
            "A file that is opened for writing at the top level of a module is emptied again by "
            "each child that imports it under spawn or forkserver.",
        ),
        Rule(
            "FLU301",
            "unpicklable-file",
            "An open file is handed to a process whose start method has to pickle it, which fails.",
        ),
        Rule(
            "FLU302",
            "unpicklable-target",
            "A lambda, a local function or something else that can't be pickled is handed to a "
            "process whose start method has to pickle it, and what the child would write is lost.",
        ),
        Rule(
            "FLU303",
            "missing-main-guard",
            "A process is started when the module is imported, which fails in the child under "
            "spawn and forkserver, and what it would write is never written.",
        ),
        Rule(
            "FLU304",
            "unset-in-child",
            "A child started by spawn or forkserver uses a file, or something else before it "
            "writes to one, that only the guarded part of the main module sets.",
        ),
        Rule(
            "FLU401",
            "unbuffered-text",
            "A text file is opened with `buffering=0`, which raises ValueError.",
        ),
        Rule(
            "FLU402",
            "line-buffered-binary",
            "A binary file is opened with `buffering=1`, which does not make it "
            "line-buffered, and data are lost for it.",
            fixable=True,
        ),
        Rule(
            "FLU403",
            "fsync-without-flush",
            "`os.fsync` is called on a file that was not flushed, and data are lost for it.",
            fixable=True,
        ),
        Rule(
            "FLU404",
            "cleanup-never-runs",
            "A cleanup would save what a process loses (`atexit`, `weakref.finalize`, a parent's "
            "finalizers), but the process ends without running it.",
            fixable=True,
        ),
        Rule(
            "FLU405",
            "flush-without-close",
            "A process flushes a compressed file or an archive, and ends without closing it, "
            "so that its end is missing.",
            fixable=True,
        ),
        Rule(
            "FLU901",
            "not-analysed",
            "A file or a part of it was too deep, too wide or too large to be analysed.",
            severity="warning",
        ),
    )
}
"""Every rule of this release by its code, in the order of the codes."""
