"""Fetch and check real packages: `python -m tests.primer {fetch,run,update} --help`."""

# ruff: noqa: T201 - it prints what somebody at a terminal asked for

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.primer.checking import Checked, check, slowest
from tests.primer.fetching import FetchError, cache_directory, fetch, newest
from tests.primer.packages import LIST, Package, load, pinned
from tests.primer.report import differences, summary, total
from tests.primer.table import TABLE, UNJUDGED, Table, compare

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN_SLOWEST = 10


def main() -> int:
    """Do what the command line says. 1: a run was not as recorded, or a package can't be had."""
    parser = argparse.ArgumentParser(prog="python -m tests.primer", description=__doc__)
    parser.add_argument(
        "--cache", type=Path, default=cache_directory(), help="where packages are kept"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (("fetch", "download packages"), ("run", "check packages")):
        command = commands.add_parser(name, help=what)
        command.add_argument("packages", nargs="*", metavar="PACKAGE", help="default: all")
        command.add_argument("--small", action="store_true", help="only those of `make test`")
        command.add_argument("--jobs", type=int, default=1, help="packages at a time")
        if name == "run":
            command.add_argument(
                "--record", action="store_true", help="write what is found into the table"
            )
    command = commands.add_parser("update", help="pin the newest release, or a given one")
    command.add_argument("packages", nargs="+", metavar="PACKAGE[==VERSION]")
    options = parser.parse_args()
    if options.command == "update":
        return _update(options.packages, options.cache)
    chosen = _chosen(options.packages, small=options.small)
    if isinstance(chosen, str):
        parser.error(chosen)
    if options.command == "fetch":
        return _fetch(chosen, options.cache, options.jobs)
    return _run(chosen, options.cache, options.jobs, record=options.record)


def _chosen(names: list[str], *, small: bool) -> list[Package] | str:
    """Return the packages that are meant, or say which are not in the list."""
    packages = load(LIST.read_text("utf-8"))
    unknown = set(names) - {package.name for package in packages}
    if unknown:
        return f"not in {LIST.name}: {', '.join(sorted(unknown))}"
    return [
        package
        for package in packages
        if (not names or package.name in names) and (package.small or not small)
    ]


def _fetch(packages: list[Package], cache: Path, jobs: int) -> int:
    failed = 0
    with ThreadPoolExecutor(jobs) as pool:
        for package, got in zip(packages, pool.map(partial(_got, cache), packages), strict=True):
            failed += isinstance(got, FetchError)
            print(f"{package.title}: {got}", flush=True)
    return int(failed > 0)


def _got(cache: Path, package: Package) -> Path | FetchError:
    try:
        return fetch(package, cache)
    except FetchError as error:
        return error


def _run(packages: list[Package], cache: Path, jobs: int, *, record: bool) -> int:
    table = Table(TABLE.read_text("utf-8"))
    differs = failed = False
    ran_all: list[Checked] = []
    times: dict[str, float] = {}
    with ThreadPoolExecutor(jobs) as pool:
        for package, ran in zip(packages, pool.map(partial(_ran, cache), packages), strict=True):
            if isinstance(ran, FetchError):
                failed = True
                print(f"{package.title}: {ran}", flush=True)
                continue
            directory, checked = ran
            ran_all.append(checked)
            difference = compare(table, package, checked)
            print(summary(package, checked), flush=True)
            print(differences(difference, directory), end="", flush=True)
            failed |= bool(checked.failures)
            differs |= bool(difference)
            times |= {f"{package.title}: {path}": s for path, s in slowest(checked, _SHOWN_SLOWEST)}
            if record and not checked.failures:
                table.record(package, difference, checked)
                TABLE.write_text(table.text(), "utf-8")
    _show_slowest(times)
    print(total(ran_all))
    unjudged = sum(row.verdict == UNJUDGED for row in table.rows)
    if unjudged:
        print(f"{unjudged} findings in {TABLE.name} are still to be judged")
    return int(failed or (differs and not record))


def _ran(cache: Path, package: Package) -> tuple[Path, Checked] | FetchError:
    directory = _got(cache, package)
    if isinstance(directory, FetchError):
        return directory
    return directory, check(directory, package.seconds)


def _show_slowest(times: dict[str, float]) -> None:
    print("slowest files:")
    for place, seconds in sorted(times.items(), key=lambda one: -one[1])[:_SHOWN_SLOWEST]:
        print(f"  {seconds:7.1f} s  {place}")


def _update(requirements: Iterable[str], cache: Path) -> int:
    for requirement in requirements:
        try:
            release = newest(requirement, cache)
        except FetchError as error:
            print(error)
            return 1
        LIST.write_text(pinned(LIST.read_text("utf-8"), release), "utf-8")
        print(f"{release.title}: {release.file}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
