"""The measurements, and the table that they make."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

from benchmarks import monorepo, samples, trees
from benchmarks.contest import Contestant, Row, Seconds, Target, best_of, command, peak, reported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.trees import Tree

__all__ = ["main"]

_HERE = os.path.dirname(os.path.abspath(__file__))
_FLUSHLINT = [sys.executable, "-m", "flushlint", "check", "--isolated", "--no-cache"]
_MOST_MEMORY = 3.0
_RUFF = ["ruff", "check", "--isolated", "--no-cache", "--select", "SIM115", "--preview"]


def main() -> int:
    """Measure what is asked for, and print a row for each pair. The exit status is always 0."""
    options = _options()
    print(_conditions())
    print(_HEADER)
    for group in options.only or GROUPS:
        for row in GROUPS[group](options):
            print(_line(row), flush=True)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("--site-packages", metavar="DIR", help="measure with this tree")
    parser.add_argument(
        "--install",
        metavar="CACHE",
        help="install a large set of packages below this directory, once, and measure with it",
    )
    parser.add_argument(
        "--files", type=int, default=100_000, help="size of the monorepo (default: 100000)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns of each pair (default: 5)")
    parser.add_argument("--only", action="append", choices=GROUPS, help="measure this group only")
    return parser.parse_args()


def _conditions() -> str:
    ruff = subprocess.run([_ruff(), "--version"], capture_output=True, text=True, check=True)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"Python {platform.python_version()}, {ruff.stdout.strip()}, "
        f"{os.cpu_count()} processors{load}"
    )


def _ruff() -> str:
    """Return ruff as installed beside the interpreter in use, else the one on the PATH."""
    beside = os.path.join(os.path.dirname(sys.executable), "ruff")
    return beside if os.path.exists(beside) else "ruff"


# -- the table ------------------------------------------------------------------------------------

_HEADER = (
    f"\n{'what':44} {'beside':26} {'ours':>9} {'theirs':>9} {'wall':>6} {'cpu':>6}  to reach\n"
    + "-" * 122
)


def _line(row: Row) -> str:
    verdict = ""
    if row.target is not None:
        of = " cpu" if row.target.of_cpu else ""
        verdict = f"{row.target.limit:.2f}{of} {'reached' if row.is_reached else 'MISSED'}"
    return (
        f"{row.title:44} {row.beside:26} {_time(row.ours)} {_time(row.theirs)} "
        f"{row.wall_ratio:6.2f} {row.cpu_ratio:6.2f}  {verdict}"
    )


def _time(seconds: Seconds) -> str:
    return f"{seconds.wall * 1e3:6.0f} ms" if seconds.wall < 10 else f"{seconds.wall:7.1f} s"


# -- the measurements -----------------------------------------------------------------------------


def _tree(options: argparse.Namespace) -> Tree:
    if options.install:
        return trees.installed(options.install)
    if options.site_packages:
        return trees.tree("site-packages", options.site_packages)
    return trees.site_packages()


def _trees(options: argparse.Namespace) -> Iterator[Row]:
    """Whole trees: beside ruff, and beside reading the bytes."""
    for tree, limit in ((_tree(options), Target(0.7)), (trees.stdlib(), None)):
        alone, ours, ruff, read = best_of(
            options.rounds,
            [
                command([*_FLUSHLINT, "--jobs=1", tree.path]),
                command([*_FLUSHLINT, tree.path]),
                command([_ruff(), *_RUFF[1:], tree.path]),
                command([sys.executable, os.path.join(_HERE, "read_alone.py"), tree.path]),
            ],
        )
        title = f"{tree.name}, {len(tree.files):,} files, {tree.megabytes:.0f} MB"
        if limit is not None and len(tree.files) < trees.ENOUGH:
            title += " (few)"
        yield Row(title, "ruff --select SIM115", ours, ruff, limit)
        yield Row(f"{title}, one job", "ruff --select SIM115", alone, ruff)
        yield Row(title, "reading the bytes", ours, read)


def _memory(options: argparse.Namespace) -> Iterator[Row]:
    """The most memory that one process takes, printed beside that of ruff."""
    tree = _tree(options)
    ours = peak([*_FLUSHLINT, "--jobs=1", tree.path])
    theirs = peak([_ruff(), *_RUFF[1:], tree.path])
    verdict = "reached" if ours <= _MOST_MEMORY * theirs else "MISSED"
    ratio = f"{ours / theirs:.2f} of ruff's {theirs:.0f} MB"
    print(f"memory for {tree.name}: {ours:.0f} MB, {ratio}, {_MOST_MEMORY:.2f} {verdict}")
    yield from ()


def _monorepo(options: argparse.Namespace) -> Iterator[Row]:
    """A generated repository, and one of half the size; a file of it checked again."""
    with tempfile.TemporaryDirectory() as folder:
        sizes = (options.files // 2, options.files)
        paths = [os.path.join(folder, str(size)) for size in sizes]
        for path, size in zip(paths, sizes, strict=True):
            monorepo.write(path, size)
        half, whole, ruff = best_of(
            min(options.rounds, 2),
            [
                *(command([*_FLUSHLINT, path]) for path in paths),
                command([_ruff(), *_RUFF[1:], paths[1]]),
            ],
        )
        title = f"monorepo, {sizes[1]:,} files"
        yield Row(title, f"{sizes[0]:,} files", whole, half, Target(2.3))
        yield Row(title, "ruff --select SIM115", whole, ruff)
        peaks = [peak([*_FLUSHLINT, "--jobs=1", path]) for path in paths]
        print(f"memory for the monorepo: {peaks[0]:.0f} MB for half of it, {peaks[1]:.0f} MB")
        file = os.path.join(paths[1], monorepo.LARGEST)
        again, alone = best_of(
            5 * options.rounds, [_stage("recheck", [file]), _stage("check", [file])]
        )
        yield Row("one file of it, checked again", "that file alone", again, alone, Target(1.5))


def _candidates(options: argparse.Namespace) -> Iterator[Row]:
    """Files that are analysed: the whole process beside parsing alone."""
    files = trees.candidates(trees.stdlib().files) + trees.candidates(_tree(options).files)
    ours, theirs = best_of(
        options.rounds, [command([*_FLUSHLINT, *files]), _stage("libcst", files)]
    )
    title = f"{len(files)} candidate files, {_lines(files):,} lines"
    yield Row(title, "libcst.parse_module", ours, theirs, Target(1.4))


def _flake8(options: argparse.Namespace) -> Iterator[Row]:
    """Files that the gate drops, through flake8 with the plugin and without."""
    files = trees.dropped(trees.stdlib().files, 100)
    flake8 = [sys.executable, os.path.join(_HERE, "flake8_alone.py")]
    ours, theirs = best_of(
        3 * options.rounds,
        [
            command([*flake8, plugin, "--isolated", "--jobs=1", *files])
            for plugin in ("with", "without")
        ],
    )
    title = f"{len(files)} dropped files in flake8"
    yield Row(title, "flake8 without the plugin", ours, theirs, Target(1.03, of_cpu=True))


def _start_up(options: argparse.Namespace) -> Iterator[Row]:
    """One small file beside an interpreter that does nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = _written(folder, "small.py", samples.SMALL)
        ours, theirs = best_of(
            5 * options.rounds,
            [command([*_FLUSHLINT, path]), command([sys.executable, "-c", "pass"])],
        )
    yield Row("one small file", "python -c pass", ours, theirs, Target(5.0))


def _growth(options: argparse.Namespace) -> Iterator[Row]:
    """Twice the length, and twice the processes."""
    for title, program, sizes in (
        ("lines", samples.long_program, (20, 40, 80)),
        ("processes", samples.program_with_processes, (25, 50, 100)),
    ):
        with tempfile.TemporaryDirectory() as folder:
            paths = [_written(folder, f"{n}.py", program(n)) for n in sizes]
            times = best_of(options.rounds, [_stage("check", [path]) for path in paths])
        amounts = [program(n).count("\n") if title == "lines" else n for n in sizes]
        for half, whole in ((0, 1), (1, 2)):
            what = f"{amounts[whole]:,} {title}"
            beside = f"{amounts[half]:,} {title}"
            yield Row(what, beside, times[whole], times[half], Target(2.3))


def _stages(options: argparse.Namespace) -> Iterator[Row]:
    """Single stages, beside what they stand in for."""
    tree = trees.stdlib()
    files = trees.candidates(tree.files)
    lines = _lines(files)
    for title, stage, other, work in (
        ("gate", "gate", None, tree.files),
        ("guard", "guard", "ast", files),
        ("slice", "slice", "libcst", files),
        ("positions, one statement in ten", "positions", "provider", files),
    ):
        contestants: list[Contestant] = [_stage(stage, work)]
        if other is not None:
            contestants.append(_stage(other, work))
        times = best_of(options.rounds, contestants)
        if other is None:
            print(f"{title}: {tree.megabytes / times[0].cpu:.0f} MB/s")
        else:
            per_line = times[0].cpu / lines * 1e6
            theirs = {
                "ast": "ast.parse",
                "libcst": "libcst.parse_module",
                "provider": "LibCST's PositionProvider",
            }[other]
            yield Row(f"{title}, {per_line:.1f} µs per line", theirs, times[0], times[1])


GROUPS: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "trees": _trees,
    "memory": _memory,
    "monorepo": _monorepo,
    "candidates": _candidates,
    "flake8": _flake8,
    "start-up": _start_up,
    "growth": _growth,
    "stages": _stages,
}


def _stage(stage: str, files: list[str] | tuple[str, ...]) -> Contestant:
    return reported([os.path.join(_HERE, "stage_alone.py"), stage, *files])


def _lines(files: list[str]) -> int:
    total = 0
    for path in files:
        with open(path, "rb") as file:
            total += file.read().count(b"\n")
    return total


def _written(folder: str, name: str, text: str) -> str:
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path
