"""Settings: the `[tool.flushlint]` section that governs a file, and the Python it is written for.

The section is that of the nearest `pyproject.toml` upwards that has one; sections are not merged.
Where it sets no `python-version`, the lowest version that `requires-python` allows is assumed: that
of the nearest `pyproject.toml` that has one, whether or not it also has the section, because in
a repository of several packages each says for itself what it runs on.

Files are read once. TOML is parsed only where the bytes show that there is something to find.
"""

from __future__ import annotations

import keyword
import os
import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from flushlint.fixability import FixLayer
from flushlint.globs import PathPatterns
from flushlint.python_version import lowest_allowed, parse_version
from flushlint.selection import Layer, matching_codes, unknown_prefixes
from flushlint.user_tables import NO_TABLES, UserTables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flushlint.config_schema import Section
    from flushlint.model import AnalysisOptions, InputError, Platform, StartMethodOption

__all__ = ["CONFIG_NAME", "ConfigError", "Configuration", "Settings"]

CONFIG_NAME = "pyproject.toml"
# A module and a function in it.
_SHORTEST = 2
_LINE = re.compile(r" ?\(?at line (\d+), column \d+\)?$")


class ConfigError(Exception):
    """A configuration that can't be used: its file, a 1-based line where known, and the cause."""

    def __init__(self, path: str, cause: str, line: int | None = None) -> None:
        super().__init__(path, cause, line)
        self.path = path
        self.cause = cause
        self.line = line

    def as_input_error(self) -> InputError:
        """Return the error as one that is reported like a file's."""
        from flushlint.model import InputError

        return InputError(_as_written(self.path), self.line, self.cause)


class Settings(NamedTuple):
    """What one section says. `path` is its file, None where no section was found."""

    path: str | None = None
    layer: Layer = Layer()
    fix_layer: FixLayer = FixLayer()
    # None where the default names are excluded.
    exclude: PathPatterns | None = None
    extend_exclude: PathPatterns = PathPatterns((), os.sep)
    respect_gitignore: bool = True
    per_file_ignores: tuple[tuple[PathPatterns, tuple[str, ...]], ...] = ()
    src: tuple[str, ...] = ()
    first_party: tuple[str, ...] = ()
    start_method: StartMethodOption | None = None
    python_version: tuple[int, int] | None = None
    platform: Platform | None = None
    tables: UserTables = NO_TABLES

    def ignored_codes(self, path: str) -> frozenset[str]:
        """Return the codes that `per-file-ignores` switches off for `path`, an absolute one."""
        ignored: set[str] = set()
        for patterns, prefixes in self.per_file_ignores:
            if patterns.covers(path):
                ignored.update(*map(matching_codes, prefixes))
        return frozenset(ignored)


_DEFAULTS = Settings()


class Configuration:
    """Finds settings by directory, with the files read so far.

    `file` stands in for every `pyproject.toml`, and its patterns are relative to the current
    directory. `isolated` leaves all of them unread.
    """

    def __init__(self, *, file: str | None = None, isolated: bool = False) -> None:
        self._file = file
        self._isolated = isolated
        self._settings: dict[str, Settings | ConfigError] = {}
        self._required: dict[str, tuple[int, int] | None] = {}
        self._contents: dict[str, bytes] = {}

    def settings(self, directory: str) -> Settings:
        """Return the settings for files in `directory`, an absolute path. Raises ConfigError."""
        if self._isolated:
            return _DEFAULTS
        if self._file is not None:
            directory = ""
        found = self._settings.get(directory)
        if found is None:
            found = self._find_settings(directory)
        if isinstance(found, ConfigError):
            raise found
        return found

    def has_no_file(self, directory: str) -> None:
        """Take it from whoever has listed `directory`, an absolute path: to look costs a call."""
        self._contents.setdefault(directory, b"")

    def analysis_options(self, directory: str) -> AnalysisOptions:
        """Return what to assume of programs in `directory`. Raises ConfigError.

        This may parse one more file than `settings` does, so ask only for files that are analysed.
        """
        from flushlint.model import AnalysisOptions

        settings = self.settings(directory)
        version = settings.python_version
        if version is None and not self._isolated:
            version = self._required_python(directory)
        return AnalysisOptions(
            start_method=settings.start_method,
            python_version=version,
            platform=settings.platform,
            tables=settings.tables,
        )

    def may_widen_gate(self, directory: str) -> bool:
        """Return whether `settings` may name what more files are analysed for.

        It is told by the bytes of the files alone.

        Raises ConfigError.
        """
        return not self._isolated and any(
            b"flushlint" in content and (b"spawners" in content or b"openers" in content)
            for content in map(self._read, self._parents(directory))
        )

    def _find_settings(self, directory: str) -> Settings | ConfigError:
        """Look upwards for a section, and remember the answer for every directory passed."""
        passed: list[str] = []
        found: Settings | ConfigError | None = None
        try:
            for parent in self._parents(directory):
                found = self._settings.get(parent)
                if found is not None:
                    break
                passed.append(parent)
                found = self._read_settings(parent)
                if found is not None:
                    break
        except ConfigError as error:
            found = error
        if found is None:
            found = _DEFAULTS
        self._settings.update(dict.fromkeys(passed, found))
        return found

    def _required_python(self, directory: str) -> tuple[int, int] | None:
        """Look upwards for `requires-python`, and remember the answer as `_find_settings` does."""
        passed: list[str] = []
        version: tuple[int, int] | None = None
        for parent in self._parents("" if self._file is not None else directory):
            if parent in self._required:
                version = self._required[parent]
                break
            passed.append(parent)
            specifiers = self._read_requires_python(parent)
            if specifiers is not None:
                version = lowest_allowed(specifiers)
                break
        self._required.update(dict.fromkeys(passed, version))
        return version

    def _parents(self, directory: str) -> Iterator[str]:
        """Yield `directory` and those above it; only itself where one file stands in for all."""
        yield directory
        while directory and (parent := os.path.dirname(directory)) != directory:
            directory = parent
            yield directory

    def _path(self, directory: str) -> str:
        return self._file if self._file is not None else os.path.join(directory, CONFIG_NAME)

    def _read(self, directory: str) -> bytes:
        """Return the bytes of the file for `directory`, none if it has no such file."""
        content = self._contents.get(directory)
        if content is None:
            path = self._path(directory)
            try:
                with open(path, "rb", buffering=0) as file:
                    content = file.read()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
                if self._file is not None:
                    raise ConfigError(path, _os_cause(error)) from None
                content = b""
            except (OSError, ValueError) as error:
                raise ConfigError(path, _os_cause(error)) from None
            self._contents[directory] = content
        return content

    def _read_settings(self, directory: str) -> Settings | None:
        content = self._read(directory)
        path = self._path(directory)
        tables = _parse(path, content) if b"flushlint" in content else {}
        tool = tables.get("tool")
        if not isinstance(tool, dict) or "flushlint" not in tool:
            if self._file is not None:
                raise ConfigError(path, "has no [tool.flushlint] section")
            return None

        from flushlint.config_schema import decode_section

        try:
            section = decode_section(tool["flushlint"])
            base = os.getcwd() if self._file is not None else directory
            return _settings_from(section, path, base)
        except ValueError as error:
            raise ConfigError(path, f"[tool.flushlint] {error}") from None

    def _read_requires_python(self, directory: str) -> str | None:
        """Return `project.requires-python`, None where it can't be had: nobody's error here."""
        try:
            content = self._read(directory)
            tables = _parse(self._path(directory), content) if b"requires-python" in content else {}
        except ConfigError:
            return None
        project = tables.get("project")
        specifiers = project.get("requires-python") if isinstance(project, dict) else None
        return specifiers if isinstance(specifiers, str) else None


def _parse(path: str, content: bytes) -> dict[str, Any]:
    """Return the tables of a TOML file. Raises ConfigError."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(path, "invalid TOML: not UTF-8", line) from None
    except RecursionError:
        raise ConfigError(path, "invalid TOML: nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        place = _LINE.search(str(error))
        cause = f"invalid TOML: {_LINE.sub('', str(error))}"
        raise ConfigError(path, cause, int(place[1]) if place else None) from None


def _settings_from(section: Section, path: str, base: str) -> Settings:
    """Check codes, patterns and versions. Raises ValueError that names the key."""
    for key, prefixes in (
        ("select", section.select or ()),
        ("extend-select", section.extend_select),
        ("ignore", section.ignore),
        ("fixable", section.fixable or ()),
        ("unfixable", section.unfixable),
        ("extend-safe-fixes", section.extend_safe_fixes),
        ("extend-unsafe-fixes", section.extend_unsafe_fixes),
        *((f"per-file-ignores.{glob}", codes) for glob, codes in section.per_file_ignores.items()),
    ):
        for prefix in unknown_prefixes(prefixes):
            raise ValueError(f"key `{key}`: unknown code {prefix!r}")
    for name in section.first_party:
        if not _is_identifier(name):
            raise ValueError(f"key `first-party`: {name!r} is no name of a top-level package")
    for prefix in section.extend_unsafe_fixes:
        if prefix in section.extend_safe_fixes:
            raise ValueError(
                f"key `extend-unsafe-fixes`: {prefix!r} is in `extend-safe-fixes` as well"
            )
    key = "exclude"
    try:
        exclude = None if section.exclude is None else PathPatterns(section.exclude, base)
        key = "extend-exclude"
        extend_exclude = PathPatterns(section.extend_exclude, base)
        key = "per-file-ignores"
        ignores = [
            (PathPatterns((g,), base), codes) for g, codes in section.per_file_ignores.items()
        ]
        key = "python-version"
        version = (
            parse_version(section.python_version) if section.python_version is not None else None
        )
    except ValueError as error:
        raise ValueError(f"key `{key}`: {error}") from None
    return Settings(
        path=path,
        layer=Layer(section.select, section.extend_select, section.ignore),
        fix_layer=FixLayer(
            section.fixable,
            section.unfixable,
            section.extend_safe_fixes,
            section.extend_unsafe_fixes,
        ),
        exclude=exclude,
        extend_exclude=extend_exclude,
        respect_gitignore=section.respect_gitignore,
        per_file_ignores=tuple(ignores),
        src=tuple(os.path.abspath(os.path.join(base, each)) for each in section.src),
        first_party=section.first_party,
        start_method=section.start_method,
        python_version=version,
        platform=section.platform,
        tables=_tables_from(section),
    )


_TABLES = ("openers", "writers", "flushers", "closers", "spawners")


def _tables_from(section: Section) -> UserTables:
    """Check the names in the user's tables. Raises ValueError that names the key."""
    known: dict[str, str] = {}
    tables: dict[str, tuple[str, ...]] = {key: getattr(section, key) for key in _TABLES}
    for key, names in tables.items():
        for name in names:
            parts = name.split(".")
            if len(parts) < _SHORTEST or not all(map(_is_identifier, parts)):
                raise ValueError(
                    f"key `{key}`: {name!r} is no qualified name, such as 'package.function'"
                )
            other = known.setdefault(name, key)
            if other != key:
                raise ValueError(f"key `{key}`: {name!r} is in `{other}` as well")
    return UserTables(**tables) if known else NO_TABLES


def _is_identifier(part: str) -> bool:
    return part.isidentifier() and not keyword.iskeyword(part)


def _os_cause(error: OSError | ValueError) -> str:
    """Return why a file can't be read, in the words of the system."""
    reason = error.strerror if isinstance(error, OSError) else None
    return f"cannot be read: {reason or error}"


def _as_written(path: str) -> str:
    """Return `path` relative to the current directory if it is below that."""
    base = os.path.join(os.getcwd(), "")
    return path.removeprefix(base)
