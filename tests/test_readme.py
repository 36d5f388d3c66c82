"""What the README shows is run: programs, commands with their output, settings, tables.

The hook for pre-commit is in test_pre_commit.py, the editors' settings are in test_editors.py.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from importlib.util import find_spec
from pathlib import Path

import pytest

from flushlint import __version__
from flushlint.rules.registry import RULES
from tests.oracle.interpreters import found_interpreters
from tests.programs import Block, blocks

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
REPOSITORY = re.compile(r"git\+https://\S+@v(?P<version>[\d.]+)")
# Under the start method that is the default from 3.14 on, the first program raises.
LAST_WITH_FORK = (3, 13)

OWN = "Your own functions and classes"
BLOCKS = {
    ("flushlint", "python"),
    ("flushlint", "console"),
    ("Install", "console"),
    ("Fixes", "console"),
    ("flake8", "console"),
    ("flake8", "ini"),
    ("pre-commit", "yaml"),
    ("Continuous integration", "yaml"),
    ("Editors", "json"),
    ("Configuration", "toml"),
    (OWN, "toml"),
    (OWN, "python"),
    (OWN, "console"),
    ("On a cluster", "python"),
    ("On a cluster", "console"),
    ("Moving to Python 3.14", "console"),
    ("Suppression", "python"),
    ("Suppression", "toml"),
}


def shown(heading: str, language: str) -> list[str]:
    """Return the blocks of one language under a heading."""
    wanted = (heading, language)
    return [block.text for block in blocks(README) if (block.heading, block.language) == wanted]


(HELLO,) = shown("flushlint", "python")


def commands(console: str) -> list[tuple[str, str]]:
    """Return the commands of a console block, each with the output shown for it."""
    found = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", console, re.MULTILINE)
    return [(command, output) for command, output in found]


def environment(*directories: Path) -> dict[str, str]:
    """Return an environment in which `directories` come first on the PATH."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON") and name != "COLUMNS"
    }
    path = os.pathsep.join([*map(str, directories), os.environ.get("PATH", os.defpath)])
    return {**kept, "PATH": path}


def run(command: str, directory: Path, *first: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a user would in `directory`; the package's own commands are at hand."""
    return subprocess.run(  # noqa: S602 - the README shows what is typed into a shell
        command,
        shell=True,
        cwd=directory,
        env=environment(*first, Path(sys.executable).parent),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    """Return a directory that holds the README's program and nothing else."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "hello.py").write_text(HELLO, encoding="utf-8")
    return project


def test_every_block_is_covered_here_or_in_the_files_named_above() -> None:
    assert {(block.heading, block.language) for block in blocks(README)} == BLOCKS


def test_it_opens_with_the_program() -> None:
    assert blocks(README)[0] == Block("python", HELLO, "flushlint")
    assert README.startswith("# flushlint\n\n```python\n")


def test_the_program_and_its_findings(project: Path, tmp_path: Path) -> None:
    forking = [one for one in found_interpreters() if one.minor <= LAST_WITH_FORK]
    if not forking:
        pytest.skip("no Python here whose default start method is fork")
    shims = tmp_path / "bin"
    shims.mkdir()
    (shims / "python").symlink_to(forking[-1].path)
    seen = []
    for console in shown("flushlint", "console"):
        for command, output in commands(console):
            done = run(command, project, shims)
            assert (done.stdout.strip(), done.stderr) == (output.strip(), "")
            seen.append((command.split()[0], done.returncode))
    assert seen == [("python", 0), ("wc", 0), ("flushlint", 1)]


def test_fixing_the_program(project: Path, tmp_path: Path) -> None:
    forking = [one for one in found_interpreters() if one.minor <= LAST_WITH_FORK]
    if not forking:
        pytest.skip("no Python here whose default start method is fork")
    shims = tmp_path / "bin"
    shims.mkdir()
    (shims / "python").symlink_to(forking[-1].path)
    for command, output in commands(*shown("Fixes", "console")):
        done = run(command, project, shims)
        assert (done.stdout, done.stderr, done.returncode) == (output, "", 0)


@pytest.mark.skipif(find_spec("distributed") is None, reason="dask.distributed is not installed")
def test_the_cluster(project: Path) -> None:
    repository = project / "repositories" / "greeter"
    repository.mkdir(parents=True)
    (project / "hello.py").rename(repository / "hello.py")
    (program,) = shown("On a cluster", "python")
    (project / "on_dask.py").write_text(program, encoding="utf-8")
    for command, output in commands(*shown("On a cluster", "console")):
        done = run(command, project)
        assert (done.stdout, done.returncode) == (output, 1)


def test_the_options_of_the_table_of_fixes(project: Path) -> None:
    offered = run("flushlint check --help", project).stdout
    in_table = re.findall(r"^\| (`--[\w-]+`.*?) \|", README, re.MULTILINE)
    options = {option for row in in_table for option in re.findall(r"--[\w-]+", row)}
    assert options == set(re.findall(r"(--[\w-]*fix[\w-]*|--diff)", offered))


def test_the_finding_in_flake8(project: Path) -> None:
    ((command, output),) = commands(*shown("flake8", "console"))
    done = run(command, project)
    assert (done.stdout, done.stderr, done.returncode) == (output, "", 1)


def test_the_findings_under_every_start_method(project: Path) -> None:
    ((command, output),) = commands(*shown("Moving to Python 3.14", "console"))
    done = run(command, project)
    assert (done.stdout, done.stderr, done.returncode) == (output, "", 1)


def test_installing_and_continuous_integration(project: Path, tmp_path: Path) -> None:
    """Both in one fresh environment, because making one takes long."""
    (install,) = shown("Install", "console")
    (workflow,) = shown("Continuous integration", "yaml")
    venv.create(tmp_path / "venv", with_pip=True)
    scripts = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    steps = [*commands(install), *((step, "") for step in re.findall(r"- run: (.*)", workflow))]
    seen = []
    for step, output in steps:
        command = REPOSITORY.sub(ROOT.as_posix(), step)
        done = run(command, project, scripts)
        assert output in done.stdout
        seen.append((step.split()[0], done.returncode))
    assert seen == [("python", 0), ("flushlint", 0), ("python", 0), ("flushlint", 1)]
    assert "hello.py" in done.stdout
    assert f"flushlint: {__version__}" in run("flake8 --version", project, scripts).stdout


def test_the_versions_shown_are_this_one() -> None:
    versions = {match["version"] for match in REPOSITORY.finditer(README)}
    assert versions | set(re.findall(r"rev: v(.*)", README)) == {__version__}
    assert f"\nflushlint {__version__}\n" in README


def test_flake8s_configuration(project: Path) -> None:
    (ini,) = shown("flake8", "ini")
    options = re.findall(r"^(flushlint-[\w-]+) = ", ini, re.MULTILINE)
    offered = run("flake8 --help", project).stdout
    assert set(options) == set(re.findall(r"--(flushlint-[\w-]+)", offered))
    (project / ".flake8").write_text(ini, encoding="utf-8")
    done = run("flake8 --select=E,W hello.py", project)
    assert " FLU101 " in done.stdout
    for option in options:
        wrong = re.sub(rf"^{option} = .*", f"{option} = wrong", ini, flags=re.MULTILINE)
        (project / ".flake8").write_text(wrong, encoding="utf-8")
        assert f"--{option}: " in run("flake8 hello.py", project).stdout


def test_the_configuration(project: Path) -> None:
    (toml,), (own,) = shown("Configuration", "toml"), shown(OWN, "toml")
    toml += own.partition("\n")[2]
    keys = re.findall(r"^([\w-]+) = ", toml, re.MULTILINE)
    assert keys == re.findall(r"^\| `(\w[\w-]*)` \|", README, re.MULTILINE)
    (project / "pyproject.toml").write_text(toml, encoding="utf-8")
    done = run("flushlint check .", project)
    assert (done.returncode, done.stderr) == (1, "")
    assert " FLU101 " in done.stdout
    for key in keys:
        wrong = re.sub(rf"^{key} = .*", f"{key} = 1", toml, flags=re.MULTILINE)
        (project / "pyproject.toml").write_text(wrong, encoding="utf-8")
        done = run("flushlint check .", project)
        assert done.returncode == 2
        assert key in done.stderr


def test_the_tables_of_ones_own(project: Path) -> None:
    (toml,), (program,) = shown(OWN, "toml"), shown(OWN, "python")
    ((command, output),) = commands(*shown(OWN, "console"))
    (project / "pyproject.toml").write_text(toml, encoding="utf-8")
    (project / "jobs.py").write_text(program, encoding="utf-8")
    done = run(command, project)
    assert (done.stdout, done.stderr, done.returncode) == (output, "", 1)
    for key in re.findall(r"^(\w+) = ", toml, re.MULTILINE):
        (project / "pyproject.toml").write_text(
            re.sub(rf"^{key} = .*\n", "", toml, flags=re.MULTILINE), encoding="utf-8"
        )
        # What is not known to flush may do so, and is taken for it.
        assert (run(command, project).stdout == output) is (key == "flushers")


def test_the_command_line_options_of_the_table(project: Path) -> None:
    offered = run("flushlint check --help", project).stdout
    in_table = re.findall(r"^\| `[\w-]+` \| `(--[\w-]+)` \|", README, re.MULTILINE)
    assert in_table
    for option in [*in_table, "--config", "--isolated", "--exit-zero"]:
        assert option in offered


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("flushlint check empty.py", 0),
        ("flushlint check hello.py", 1),
        ("flushlint check --exit-zero hello.py", 0),
        ("flushlint check missing.py hello.py", 2),
        ("flushlint check --start-method thread hello.py", 2),
    ],
)
def test_the_exit_status(command: str, status: int, project: Path) -> None:
    (project / "empty.py").touch()
    assert run(command, project).returncode == status


@pytest.mark.parametrize("face", ["flushlint check", "flake8 --select=FLU"])
def test_the_comment(face: str, project: Path) -> None:
    (comment,) = shown("Suppression", "python")
    line = comment.partition("  #")[0].strip()
    assert line in HELLO
    suppressed = HELLO.replace(line, comment.strip())
    (project / "hello.py").write_text(suppressed, encoding="utf-8")
    done = run(f"{face} hello.py", project)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_ruff_leaves_the_comment_alone_when_told_to(project: Path) -> None:
    (toml,) = shown("Suppression", "toml")
    (comment,) = shown("Suppression", "python")
    (project / "hello.py").write_text(comment, encoding="utf-8")
    command = "ruff check --no-cache --select RUF100,RUF102 --preview hello.py"
    (project / "pyproject.toml").write_text("[tool.ruff]\n", encoding="utf-8")
    assert "Invalid rule code in `# noqa`: FLU101" in run(command, project).stdout
    (project / "pyproject.toml").write_text(toml, encoding="utf-8")
    assert run(command, project).returncode == 0


def test_the_table_of_rules_is_the_registry() -> None:
    rows = [
        f"| [{rule.code}]({rule.url}) | {rule.name} | {rule.summary} |" for rule in RULES.values()
    ]
    assert re.findall(r"^\| \[FLU.*", README, re.MULTILINE) == rows


def test_what_it_links_to_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists()
    titles = re.findall(r"^#+ (.*)", README, re.MULTILINE)
    headings = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in titles}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= headings
