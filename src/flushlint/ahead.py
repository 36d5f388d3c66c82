"""Work done before the report comes to it: files looked at and programs analysed, side by side.

What is found, and in what order it is reported, is for whoever asks: an answer is the same whether
it was worked out here or in a worker. So none of this is done where there is little to do.
"""

from __future__ import annotations

import os
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

from flushlint.config import ConfigError
from flushlint.cores import available_cores
from flushlint.discovery import SourceFile, read_bytes
from flushlint.documents import is_notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flushlint.cache import Cache
    from flushlint.config import Configuration
    from flushlint.executing import Crew, Lost
    from flushlint.executors import Factory, HiredWorkers
    from flushlint.progress import ProgressBar
    from flushlint.project.project import Project
    from flushlint.scanning import Chunk
    from flushlint.user_tables import UserTables
    from flushlint.work import Outcome, Task
    from flushlint.workers import LocalWorkers

__all__ = ["Ahead"]

_Item = TypeVar("_Item")

# To start workers takes as long as to look at so many files, or to analyse so many bytes.
_FEW_FILES = 1000
_FEW_BYTES = 60_000
# So many programs are worth a cache on disk.
_MANY_PROGRAMS = 8
# So many files are a piece of work.
_CHUNK = 256
# A program of so many bytes is begun before smaller ones, so that nobody waits for it at the end.
_LARGE = 50_000
_NONE: list[str] = []


class Ahead:
    """What workers have found out, as far as it is still to be asked for.

    With one job nothing is done ahead, unless there is an executor. `task` returns the analysis of
    the program that begins in a file; it may raise OSError and ConfigError. `cache` is the
    directory in which outcomes are kept where there are many programs, "" for the project's own.
    """

    def __init__(
        self,
        project: Project,
        configuration: Configuration,
        task: Callable[[str], Task],
        *,
        jobs: int | None,
        executor: Factory | None,
        progress: ProgressBar,
        cache: str | None = None,
    ) -> None:
        self._project = project
        self._configuration = configuration
        self._task = task
        self._progress = progress
        self._jobs = available_cores() if jobs is None else jobs
        self._executor = executor
        self._workers: LocalWorkers | None = None
        self._hired: HiredWorkers | None = None
        self._programs: dict[str, list[str]] = {}
        # How many files still need the outcome of a program.
        self._uses: dict[str, int] = {}
        self._outcomes: dict[str, Outcome | Exception] = {}
        self._stream: Iterator[object] = iter(())
        self._cache_directory = cache
        self._cache: Cache | None = None
        self._keys: dict[str, str] = {}

    @property
    def is_idle(self) -> bool:
        """Whether all is left to be done when it is asked for."""
        return self._jobs == 1 and self._executor is None

    def look(self, items: Iterable[_Item]) -> list[_Item]:
        """Return what there is to check. If these are many files, they are looked at meanwhile."""
        source = iter(items)
        found: list[_Item] = []
        if self._jobs > 1:
            first = list(islice(source, _FEW_FILES))
            source = chain(first, source)
            if len(first) == _FEW_FILES:
                self._scan(source, found)
        found += source
        return found

    def plan(self, files: Iterable[SourceFile]) -> None:
        """Find the programs of some files. They will be asked for in this order."""
        if self.is_idle:
            return
        for number, file in enumerate(files):
            self._progress.at("Looking at files", number, None)
            if is_notebook(file.path):
                continue  # its program has to be read from it first
            try:
                path = file.absolute
                data = None if path in self._project.sights else read_bytes(file)
                found = self._project.programs(path, data)
            except Exception:  # noqa: BLE001, S112 - it comes again where it is reported
                continue
            self._programs[path] = found or _NONE
            for program in found:
                self._uses[program] = self._uses.get(program, 0) + 1
        self._project.sights.clear()
        if self._cache_directory is not None and len(self._uses) >= _MANY_PROGRAMS:
            from flushlint.cache import Cache, directory_for

            self._cache = Cache(self._cache_directory or directory_for(os.getcwd()))
        self._stream = self._analyses()

    def programs(self, path: str) -> list[str] | None:
        """Return the programs that a file takes part in, None if that was not found out."""
        return self._programs.get(path)

    def outcome(self, program: str) -> Outcome:
        """Return what has come of a program. Raises what its task does."""
        from flushlint.work import analyse

        while program not in self._outcomes:
            if next(self._stream, self) is self and program not in self._outcomes:
                # Nobody does it ahead.
                self._outcomes[program] = self._kept(program, analyse(self._task(program)))
        found = self._outcomes[program]
        if program in self._uses:
            self._uses[program] -= 1
            if not self._uses[program]:
                del self._outcomes[program], self._uses[program]
        if isinstance(found, Exception):
            raise found
        return found

    def _kept(self, program: str, outcome: Outcome) -> Outcome:
        """Return an outcome, after putting it into the cache."""
        key = self._keys.pop(program, None)
        if self._cache is not None and key is not None:
            self._cache.put(key, outcome)
        return outcome

    def forget(self) -> None:
        """Forget all outcomes: a file has changed."""
        self._outcomes.clear()

    def close(self) -> None:
        """End the workers, which have nothing left to do."""
        if self._cache is not None:
            self._cache.tidy()
        for crew in (self._workers, self._hired):
            if crew is not None:
                crew.close()

    def kill(self) -> None:
        """End the workers, whatever they are doing."""
        for crew in (self._workers, self._hired):
            if crew is not None:
                crew.kill()

    def _local(self) -> LocalWorkers:
        if self._workers is None:
            from flushlint.workers import LocalWorkers

            self._workers = LocalWorkers(self._jobs)
        return self._workers

    def _crew(self) -> Crew:
        """Return who analyses programs."""
        if self._executor is None:
            return self._local()
        from flushlint.executors import HiredWorkers

        self._hired = HiredWorkers(self._executor)
        return self._hired

    # -- looking at files -------------------------------------------------------------------------

    def _scan(self, items: Iterator[_Item], found: list[_Item]) -> None:
        from flushlint.executing import Lost, no_weight, side_by_side
        from flushlint.scanning import scan
        from flushlint.workers import NoWorkersError

        chunks: dict[int, Chunk] = {}
        pieces = self._chunks(items, found, chunks)
        try:
            for number, result in side_by_side(
                scan, pieces, self._local(), weigh=no_weight, tick=self._tick_for(found)
            ):
                paths = chunks.pop(number).paths
                if isinstance(result, Lost):
                    continue
                seen, unread = result
                sights = dict.fromkeys(paths)
                for place in unread:
                    del sights[paths[place]]
                self._project.sights.update(sights)
                self._project.sights.update({paths[place]: one for place, one in seen.items()})
        except NoWorkersError:
            self._jobs = 1

    def _tick_for(self, found: list[_Item]) -> Callable[[], None]:
        return lambda: self._progress.at("Looking at files", len(found), None)

    def _chunks(
        self, items: Iterator[_Item], found: list[_Item], chunks: dict[int, Chunk]
    ) -> Iterator[tuple[int, Chunk]]:
        """Yield what is to be looked at, and move all `items` to `found` on the way."""
        from flushlint.scanning import Chunk

        begun: dict[tuple[UserTables, bool], list[str]] = {}
        count = 0
        for item in items:
            found.append(item)
            if not isinstance(item, SourceFile) or not item.path.endswith(".py"):
                continue
            directory = os.path.dirname(item.absolute)
            try:
                tables = self._configuration.settings(directory).tables
                alone = self._project.is_alone(directory)
            except ConfigError:
                continue
            paths = begun.setdefault((tables, alone), [])
            paths.append(item.absolute)
            if len(paths) == _CHUNK:
                del begun[tables, alone]
                chunks[count] = chunk = Chunk(paths, tables, alone)
                yield count, chunk
                count += 1
        for (tables, alone), paths in begun.items():
            chunks[count] = chunk = Chunk(paths, tables, alone)
            yield count, chunk
            count += 1

    # -- analysing programs -----------------------------------------------------------------------

    def _analyses(self) -> Iterator[None]:
        """Analyse the programs, and yield whenever one more is done. Ends early where few are."""
        if not self._uses:
            return
        from flushlint.executing import side_by_side
        from flushlint.work import analyse, size
        from flushlint.workers import NoWorkersError

        programs = sorted(self._uses, key=_by_size)
        pieces = self._tasks(programs)
        if self._executor is None:
            first = _worthwhile(pieces)
            if not first:
                return
            pieces = chain(first, pieces)
        done = 0

        def tick() -> None:
            self._progress.at("Analysing programs", done, len(programs))

        try:
            for program, found in side_by_side(
                analyse, pieces, self._crew(), weigh=size, tick=tick
            ):
                done += 1
                self._outcomes[program] = self._outcome_of(program, found)
                yield
        except NoWorkersError:
            self._jobs = 1

    def _outcome_of(self, program: str, found: Outcome | Lost) -> Outcome:
        from flushlint.model import InputError
        from flushlint.work import Outcome

        if isinstance(found, Outcome):
            return self._kept(program, found)
        path = self._task(program).unit.main.path
        return Outcome(error=InputError(path, None, found.cause))

    def _tasks(self, programs: list[str]) -> Iterator[tuple[str, Task]]:
        for program in programs:
            task = self._task_or_error(program)
            if isinstance(task, Exception):
                self._outcomes[program] = task
                continue
            known = None
            if self._cache is not None:
                self._keys[program] = self._cache.key(task)
                known = self._cache.get(self._keys[program])
            if known is not None:
                self._outcomes[program] = known
            else:
                yield program, task

    def _task_or_error(self, program: str) -> Task | Exception:
        try:
            return self._task(program)
        except Exception as error:  # noqa: BLE001 - it is raised where it is asked for
            return error


def _worthwhile(pieces: Iterator[tuple[str, Task]]) -> list[tuple[str, Task]]:
    """Return as many pieces as are worth a start of workers, none if there are not so many."""
    from flushlint.work import size

    taken: list[tuple[str, Task]] = []
    weight = 0
    for piece in pieces:
        taken.append(piece)
        weight += size(piece[1])
        if weight > _FEW_BYTES and len(taken) > 1:
            return taken
    return []


def _by_size(program: str) -> int:
    """Return what sorts the largest programs to the front, and leaves the others as they are."""
    try:
        size = os.stat(program).st_size
    except OSError:
        return 0
    return -size if size > _LARGE else 0
