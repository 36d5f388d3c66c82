from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from flushlint.config import ConfigError, Configuration
from flushlint.model import AnalysisOptions, InputError
from flushlint.selection import Layer

if TYPE_CHECKING:
    from pathlib import Path


def write(directory: Path, text: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "pyproject.toml"
    path.write_text(text, encoding="utf-8")
    return path


def error(directory: Path, text: str) -> ConfigError:
    """Return what is wrong with a configuration."""
    write(directory, text)
    with pytest.raises(ConfigError) as caught:
        Configuration().settings(str(directory))
    return caught.value


def test_every_key_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        [tool.flushlint]
        select = ["FLU1", "FLU2"]
        extend-select = ["FLU9"]
        ignore = ["FLU102"]
        exclude = ["vendor"]
        extend-exclude = ["generated"]
        respect-gitignore = false
        per-file-ignores = { "tests/*" = ["FLU1"], "x.py" = ["FLU201"] }
        start-method = "spawn"
        python-version = "3.12"
        platform = "darwin"
        """,
    )
    settings = Configuration().settings(str(tmp_path))
    assert settings.path == str(path)
    assert settings.layer == Layer(("FLU1", "FLU2"), ("FLU9",), ("FLU102",))
    assert settings.exclude is not None
    assert settings.exclude.covers(str(tmp_path / "vendor" / "x.py"))
    assert not settings.exclude.covers(str(tmp_path / "x.py"))
    assert settings.extend_exclude.covers(str(tmp_path / "generated"))
    assert not settings.respect_gitignore
    assert settings.ignored_codes(str(tmp_path / "tests" / "a" / "x.py")) == {
        "FLU101",
        "FLU102",
        "FLU103",
        "FLU104",
        "FLU105",
        "FLU106",
        "FLU201",
    }
    assert settings.ignored_codes(str(tmp_path / "y.py")) == set()
    assert Configuration().analysis_options(str(tmp_path)) == AnalysisOptions(
        "spawn", (3, 12), "darwin"
    )


def test_the_nearest_file_with_the_section_counts_alone(tmp_path: Path) -> None:
    write(tmp_path, '[tool.flushlint]\nignore = ["FLU1"]\nplatform = "linux"\n')
    write(tmp_path / "a", '[tool.flushlint]\nignore = ["FLU2"]\n')
    write(tmp_path / "a" / "b", '[project]\nname = "flushlint-user"\n[tool.ruff]\n')
    configuration = Configuration()
    inner = configuration.settings(str(tmp_path / "a" / "b" / "c"))
    assert inner.layer.ignore == ("FLU2",)
    assert inner.platform is None
    assert configuration.settings(str(tmp_path / "d")).layer.ignore == ("FLU1",)


def test_without_a_section_nothing_is_set(tmp_path: Path) -> None:
    write(tmp_path, "[tool.ruff]\nline-length = 100\n")
    settings = Configuration().settings(str(tmp_path))
    assert settings.layer == Layer()
    assert settings.path is None
    assert Configuration().analysis_options(str(tmp_path)) == AnalysisOptions()


def test_isolated_reads_nothing(tmp_path: Path) -> None:
    write(tmp_path, '[project]\nrequires-python = ">=3.9"\n[tool.flushlint]\nwrong = 1\n')
    configuration = Configuration(isolated=True)
    assert configuration.settings(str(tmp_path)).layer == Layer()
    assert configuration.analysis_options(str(tmp_path)) == AnalysisOptions()


class TestOneFileForAll:
    def test_it_stands_in_for_every_other(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(tmp_path / "p", '[tool.flushlint]\nwrong = 1\n[project]\nrequires-python = ">=3.9"\n')
        team = tmp_path / "team.toml"
        team.write_text('[tool.flushlint]\nexclude = ["a/x.py"]\nplatform = "linux"\n')
        monkeypatch.chdir(tmp_path / "p")
        configuration = Configuration(file=str(team))
        settings = configuration.settings(str(tmp_path / "p"))
        # Its patterns are meant for where it is used.
        assert settings.exclude is not None
        assert settings.exclude.covers(str(tmp_path / "p" / "a" / "x.py"))
        options = configuration.analysis_options(str(tmp_path / "p"))
        assert options == AnalysisOptions(platform="linux")

    def test_its_requires_python_counts(self, tmp_path: Path) -> None:
        team = write(tmp_path, '[tool.flushlint]\n[project]\nrequires-python = ">=3.9"\n')
        options = Configuration(file=str(team)).analysis_options("/elsewhere")
        assert options.python_version == (3, 9)

    def test_it_must_exist(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError) as caught:
            Configuration(file=str(tmp_path / "none.toml")).settings(str(tmp_path))
        assert caught.value.cause == "cannot be read: No such file or directory"

    def test_it_must_have_the_section(self, tmp_path: Path) -> None:
        team = write(tmp_path, "[tool.ruff]\n")
        with pytest.raises(ConfigError) as caught:
            Configuration(file=str(team)).settings(str(tmp_path))
        assert caught.value.cause == "has no [tool.flushlint] section"


class TestPythonVersion:
    def test_it_falls_back_to_requires_python(self, tmp_path: Path) -> None:
        write(tmp_path, '[project]\nrequires-python = ">=3.9"\n[tool.flushlint]\n')
        assert Configuration().analysis_options(str(tmp_path)).python_version == (3, 9)

    def test_requires_python_needs_no_section_beside_it(self, tmp_path: Path) -> None:
        write(tmp_path, '[tool.flushlint]\nplatform = "linux"\n')
        write(tmp_path / "package", '[project]\nrequires-python = ">=3.11"\n')
        options = Configuration().analysis_options(str(tmp_path / "package" / "src"))
        assert options == AnalysisOptions(python_version=(3, 11), platform="linux")

    def test_requires_python_is_looked_for_above_the_section(self, tmp_path: Path) -> None:
        write(tmp_path, '[project]\nrequires-python = ">=3.11"\n')
        write(tmp_path / "a", "[tool.flushlint]\n")
        assert Configuration().analysis_options(str(tmp_path / "a")).python_version == (3, 11)

    def test_what_is_configured_wins(self, tmp_path: Path) -> None:
        write(tmp_path, '[tool.flushlint]\npython-version = "3.13"\n')
        write(tmp_path / "a", '[project]\nrequires-python = ">=3.9"\n')
        assert Configuration().analysis_options(str(tmp_path / "a")).python_version == (3, 13)

    @pytest.mark.parametrize(
        "text",
        [
            'requires-python = ">=3.9"',
            "[project]\nrequires-python = 3.9\n",
            '[project]\nrequires-python = "new"\n',
            'project = "requires-python"',
            '[project]\nrequires-python = ">=3.9"\nbroken',
        ],
    )
    def test_one_that_says_nothing_usable_is_as_if_not_there(
        self, tmp_path: Path, text: str
    ) -> None:
        write(tmp_path, text)
        assert Configuration().analysis_options(str(tmp_path)) == AnalysisOptions()


class TestErrors:
    @pytest.mark.parametrize(
        ("line", "cause"),
        [
            ("slect = []", "unknown key `slect`, did you mean `select`?"),
            ("extend_select = []", "unknown key `extend_select`, did you mean `extend-select`?"),
            ('select = "FLU1"', "key `select`: expected `array`, got `str`"),
            ("ignore = [1]", "key `ignore[0]`: expected `str`, got `int`"),
            ('select = ["FLU1", "E501"]', "key `select`: unknown code 'E501'"),
            ('extend-select = [""]', "key `extend-select`: unknown code ''"),
            ('ignore = ["flu101"]', "key `ignore`: unknown code 'flu101'"),
            ('start-method = "thread"', "key `start-method`: invalid enum value 'thread'"),
            ('platform = "windows"', "key `platform`: invalid enum value 'windows'"),
            ("python-version = 3.12", "key `python-version`: expected `str`, got `float`"),
            (
                'python-version = "3"',
                "key `python-version`: invalid Python version '3': expected the form 3.12",
            ),
            (
                'per-file-ignores = ["FLU1"]',
                "key `per-file-ignores`: expected `table`, got `array`",
            ),
            (
                'per-file-ignores = { "a.py" = ["X"] }',
                "key `per-file-ignores.a.py`: unknown code 'X'",
            ),
            (
                'per-file-ignores = { "[z-a]" = ["FLU1"] }',
                "key `per-file-ignores`: malformed pattern: bad character range z-a at position 1",
            ),
            ('exclude = "vendor"', "key `exclude`: expected `array`, got `str`"),
        ],
    )
    def test_a_wrong_key_code_or_value_is_named(
        self, tmp_path: Path, line: str, cause: str
    ) -> None:
        wrong = error(tmp_path, f"[tool.flushlint]\n{line}\n")
        assert wrong.path == str(tmp_path / "pyproject.toml")
        assert wrong.cause.startswith(f"[tool.flushlint] {cause}")

    def test_a_key_like_no_other_is_answered_with_the_known_ones(self, tmp_path: Path) -> None:
        assert "(known: select, extend-select," in error(tmp_path, "[tool.flushlint]\nzz=1").cause

    def test_a_section_that_is_no_table(self, tmp_path: Path) -> None:
        cause = error(tmp_path, "[tool]\nflushlint = 3\n").cause
        assert cause == "[tool.flushlint] must be a table"

    def test_broken_toml(self, tmp_path: Path) -> None:
        wrong = error(tmp_path, "[project]\n\n[tool.flushlint\n")
        assert (wrong.line, wrong.cause.partition(":")[0]) == (3, "invalid TOML")
        assert "line" not in wrong.cause

    def test_toml_that_is_not_utf_8(self, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").write_bytes(b"[tool.flushlint]\n# caf\xe9\n")
        with pytest.raises(ConfigError) as caught:
            Configuration().settings(str(tmp_path))
        assert (caught.value.line, caught.value.cause) == (2, "invalid TOML: not UTF-8")

    def test_toml_that_is_nested_too_deeply(self, tmp_path: Path) -> None:
        cause = error(tmp_path, f"[tool.flushlint]\nselect = {'[' * 20000}\n").cause
        assert cause.startswith("invalid TOML: ")

    def test_broken_toml_that_cannot_hold_the_section_is_none_of_ours(self, tmp_path: Path) -> None:
        write(tmp_path, "broken = = 1\n")
        assert Configuration().settings(str(tmp_path)).path is None

    def test_the_error_stays(self, tmp_path: Path) -> None:
        write(tmp_path, "[tool.flushlint]\nx = 1\n")
        configuration = Configuration()
        for directory in (tmp_path, tmp_path / "a", tmp_path):
            with pytest.raises(ConfigError):
                configuration.settings(str(directory))

    def test_it_is_reported_by_the_path_from_the_current_directory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        wrong = error(tmp_path / "a", "[tool.flushlint]\nplatform = 1\n")
        expected = InputError(os.path.join("a", "pyproject.toml"), None, wrong.cause)
        assert wrong.as_input_error() == expected
