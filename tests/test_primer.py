"""The primer: its own parts on made-up packages, and the small ones of the real packages."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.primer import fetching
from tests.primer.checking import Checked, Found, Step, check
from tests.primer.fetching import FetchError, UnreachableError, cache_directory, fetch, newest
from tests.primer.packages import LIST, Package, load, pinned
from tests.primer.report import differences, summary, total
from tests.primer.table import TABLE, UNJUDGED, VERDICTS, Row, Table, compare

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = load(LIST.read_text("utf-8"))
RECORDED = Table(TABLE.read_text("utf-8"))

THING = Package("thing", "1.0", "thing-1.0-py3-none-any.whl", "0" * 64)
LOSING = """\
from multiprocessing import Process

log = open("log", "w")

def put(fd):
    fd.write("hello")

p = Process(target=put, args=(log,))
p.start()
"""


class TestList:
    def test_it_names_enough_packages_and_what_they_are(self) -> None:
        assert len(PACKAGES) >= 40
        for package in PACKAGES:
            assert len(bytes.fromhex(package.sha256)) == 32
            assert package.version in package.file
            assert package.file.endswith((".whl", ".tar.gz"))

    def test_some_are_small(self) -> None:
        assert len([package for package in PACKAGES if package.small]) >= 3

    def test_what_is_listed_twice_or_in_part_is_refused(self) -> None:
        entry = pinned("", THING)
        assert load(entry) == [THING]
        with pytest.raises(ValueError, match="listed twice: thing"):
            load(entry + entry)
        with pytest.raises(ValueError, match="sha512"):
            load(entry.replace("sha256", "sha512"))

    def test_pinning_changes_one_package_alone(self) -> None:
        other = replace(THING, name="other")
        text = f"# about things\n{pinned('', THING)}small = true\n\n# about others\n"
        text = pinned(text, other)
        newer = replace(THING, version="2.0", file="thing-2.0.tar.gz", sha256="f" * 64)
        after = pinned(text, newer)
        assert load(after) == [replace(newer, small=True), other]
        assert [line for line in after.split("\n") if line not in text.split("\n")] == [
            'version = "2.0"',
            'file = "thing-2.0.tar.gz"',
            f'sha256 = "{"f" * 64}"',
        ]
        assert pinned(after, THING) == text


def wheel(directory: Path, members: dict[str, str]) -> Package:
    """Write a wheel into `directory`, and return what the list would say of it."""
    directory.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(directory / THING.file, "w") as packed:
        info = "thing-1.0.dist-info"
        packed.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        packed.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        packed.writestr(f"{info}/RECORD", "")
        for name, text in members.items():
            packed.writestr(name, text)
    digest = hashlib.sha256((directory / THING.file).read_bytes()).hexdigest()
    return replace(THING, sha256=digest)


def unpacked(directory: Path) -> list[str]:
    return sorted(str(p.relative_to(directory)) for p in directory.rglob("*") if p.is_file())


class TestFetching:
    @pytest.fixture(autouse=True)
    def _registry(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have pip look into a directory alone."""
        self.shelf = tmp_path / "shelf"
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(self.shelf))

    def test_sources_are_downloaded_once_and_unpacked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        package = wheel(self.shelf, {"thing/a.py": LOSING, "thing/data.txt": "no source"})
        assert newest("thing", tmp_path / "other") == package
        directory = fetch(package, tmp_path / "cache")
        assert unpacked(directory) == ["thing/a.py"]
        assert (directory / "thing/a.py").read_text("utf-8") == LOSING
        monkeypatch.setattr(fetching, "_pip", None)
        assert fetch(package, tmp_path / "cache") == directory

    def test_another_file_than_the_listed_one_is_refused(self, tmp_path: Path) -> None:
        package = wheel(self.shelf, {"thing/a.py": LOSING})
        wheel(self.shelf, {"thing/a.py": "import evil\n"})
        with pytest.raises(FetchError, match=r"thing 1\.0: THESE PACKAGES DO NOT MATCH") as raised:
            fetch(package, tmp_path / "cache")
        assert not isinstance(raised.value, UnreachableError)
        assert not list((tmp_path / "cache").rglob("*.py"))

    def test_a_damaged_download_is_fetched_again(self, tmp_path: Path) -> None:
        package = wheel(self.shelf, {"thing/a.py": LOSING})
        downloads = tmp_path / "cache" / "downloads"
        downloads.mkdir(parents=True)
        (downloads / THING.file).write_bytes(b"half of it")
        assert unpacked(fetch(package, tmp_path / "cache")) == ["thing/a.py"]

    def test_nothing_is_written_beside_the_directory(self, tmp_path: Path) -> None:
        package = wheel(self.shelf, {"../a.py": "", "/b.py": "", "c.py": ""})
        assert unpacked(fetch(package, tmp_path / "cache")) == ["c.py"]
        assert not list(tmp_path.rglob("a.py"))

    def test_an_archive_of_sources_is_unpacked_too(self, tmp_path: Path) -> None:
        downloads = tmp_path / "downloads"
        downloads.mkdir()
        with tarfile.open(downloads / "thing-1.0.tar.gz", "w:gz") as packed:
            info = tarfile.TarInfo("thing-1.0/setup.py")
            info.size = 4
            packed.addfile(info, io.BytesIO(b"pass"))
            link = tarfile.TarInfo("thing-1.0/link.py")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            packed.addfile(link)
        digest = hashlib.sha256((downloads / "thing-1.0.tar.gz").read_bytes()).hexdigest()
        directory = fetch(replace(THING, file="thing-1.0.tar.gz", sha256=digest), tmp_path)
        assert unpacked(directory) == ["thing-1.0/setup.py"]

    def test_a_registry_out_of_reach_is_told_from_one_that_says_no(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.shelf.mkdir()
        with pytest.raises(FetchError) as raised:
            fetch(THING, tmp_path)
        assert not isinstance(raised.value, UnreachableError)
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", "https://127.0.0.1:9/simple")
        with pytest.raises(UnreachableError):
            fetch(THING, tmp_path)

    def test_the_cache_is_where_the_user_says(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        monkeypatch.delenv("FLUSHLINT_PRIMER_CACHE", raising=False)
        assert cache_directory() == tmp_path / "flushlint-primer"
        monkeypatch.setenv("FLUSHLINT_PRIMER_CACHE", str(tmp_path / "here"))
        assert cache_directory() == tmp_path / "here"


class TestChecking:
    def test_files_findings_and_times(self, tmp_path: Path) -> None:
        (tmp_path / "losing.py").write_text(LOSING)
        (tmp_path / "dropped.py").write_text("print('nothing')\n")
        (tmp_path / "old.py").write_text("import os\nprint 'two'\nos._exit(0)\n")
        checked = check(tmp_path, 60)
        assert checked.failures == []
        assert checked.files == 3
        assert list(checked.seconds) == ["losing.py"]
        assert 0 < checked.seconds["losing.py"] <= checked.total
        (refused,) = checked.refused
        assert refused.startswith("old.py:2: error: ")
        (found,) = checked.found
        assert (found.path, found.line, found.code) == ("losing.py", 8, "FLU101")
        assert found.source == "p = Process(target=put, args=(log,))"
        first = found.steps[0]
        assert (first.kind, first.path, first.line) == ("opened", "losing.py", 3)

    def test_a_package_does_not_get_to_run(self, tmp_path: Path) -> None:
        (tmp_path / "json.py").write_text("raise SystemExit('run')\n")
        (tmp_path / "losing.py").write_text(LOSING)
        assert len(check(tmp_path, 60).found) == 1

    def test_running_out_of_time_is_a_failure(self, tmp_path: Path) -> None:
        (tmp_path / "losing.py").write_text(LOSING)
        (failure,) = check(tmp_path, 0).failures
        assert failure == "not done after 0 s; the last file was the start"

    def test_what_flushlint_fails_at_is_a_failure(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said = "losing.py: error: internal error: KeyError: 'x'"
        script = f"import sys; sys.stderr.write({said + chr(10)!r}); print('[]'); sys.exit(2)"
        monkeypatch.setattr("tests.primer.checking._COMMAND", ("-c", script))
        assert check(tmp_path, 60).failures == [said]
        monkeypatch.setattr("tests.primer.checking._COMMAND", ("-c", "import os; os.abort()"))
        (failure,) = check(tmp_path, 60).failures
        assert failure.startswith("ended with status -")


HEADINGS = "# All\n\n## Findings\n\nText.\n\n## Bounds\n\n## Packages\n"
FOUND = Found(
    "a.py", 3, "FLU104", "os._exit(a | b)  # `x`", "lost", (Step("ended", "m", "a.py", 3, "t"),)
)
BOUND = Found("a.py", 9, "FLU901", "def f():", "`f` is not analysed: it takes too many steps")
CHECKED = Checked(files=2, found=[FOUND, BOUND], seconds={"a.py": 0.5})


def recorded(checked: Checked = CHECKED, verdict: str = "right", why: str = "So it is.") -> Table:
    """Return a table with what was found in the made-up package, all of it judged."""
    table = Table(HEADINGS)
    table.record(THING, compare(table, THING, checked), checked)
    table.rows = [
        row if row.code == "FLU901" else replace(row, verdict=verdict, why=why)
        for row in table.rows
    ]
    return Table(table.text())


class TestTable:
    def test_it_is_read_as_it_is_written(self) -> None:
        table = recorded()
        assert table.rows == [
            Row("thing 1.0", "a.py", 3, "FLU104", FOUND.source, "right", "So it is."),
            Row("thing 1.0", "a.py", 9, "FLU901", "def f():", "", BOUND.message),
        ]
        assert table.counts == {"thing 1.0": ("thing 1.0", "2", "1", "1", "1", "0")}
        assert Table(table.text()).text() == table.text()

    def test_text_around_the_tables_stays(self) -> None:
        text = recorded().text()
        assert text.startswith("# All\n\n## Findings\n\nText.\n\n| package | place |")
        assert r"`` os._exit(a \| b)  # `x` ``" in text

    def test_a_row_of_another_shape_is_refused(self) -> None:
        text = recorded().text()
        with pytest.raises(ValueError, match="7 cells instead of 6"):
            Table(text.replace("| So it is. |", "| So | it is. |"))
        with pytest.raises(ValueError, match="the columns are not package, place"):
            Table(text.replace("| place | code |", "| code | place |"))
        with pytest.raises(ValueError, match="no heading Bounds"):
            Table(text.replace("## Bounds", "## Limits"))


class TestComparing:
    def test_nothing_has_changed(self) -> None:
        assert not compare(recorded(), THING, CHECKED)

    def test_new_and_gone(self) -> None:
        other = replace(FOUND, code="FLU201")
        difference = compare(recorded(), THING, replace_found(other, BOUND))
        assert [row.verdict for row, found in difference.new if found is other] == [UNJUDGED]
        assert [(row.code, row.verdict) for row in difference.gone] == [("FLU104", "right")]
        assert difference.moved == []

    def test_a_finding_that_moves_keeps_its_verdict(self) -> None:
        lower = replace(FOUND, line=30)
        difference = compare(recorded(), THING, replace_found(lower, BOUND))
        assert not difference.new
        assert not difference.gone
        ((old, new),) = difference.moved
        assert (old.line, new.line, new.verdict, new.why) == (3, 30, "right", "So it is.")

    def test_a_newer_version_keeps_the_verdicts(self) -> None:
        newer = replace(THING, version="2.0")
        table = recorded()
        difference = compare(table, newer, CHECKED)
        assert difference.counts == ["thing 2.0 is not recorded"]
        table.record(newer, difference, CHECKED)
        assert {row.package for row in table.rows} == {"thing 2.0"}
        assert list(table.counts) == ["thing 2.0"]
        assert table.rows[0].verdict == "right"

    def test_two_findings_in_one_line_are_two(self) -> None:
        difference = compare(recorded(), THING, replace_found(FOUND, FOUND, BOUND))
        assert [found for _, found in difference.new] == [FOUND]
        difference = compare(recorded(difference_free()), THING, CHECKED)
        assert len(difference.gone) == 1

    def test_another_package_of_a_longer_name_is_left_alone(self) -> None:
        table = recorded()
        table.rows.append(Row("thing-extra 1.0", "a.py", 3, "FLU104", "x"))
        assert not compare(table, THING, CHECKED)

    def test_a_bound_with_another_reason_and_numbers_that_changed(self) -> None:
        bound = replace(BOUND, message="`f` is not analysed: it is nested too deeply")
        checked = replace(replace_found(FOUND, bound), files=5)
        difference = compare(recorded(), THING, checked)
        ((_, new),) = difference.moved
        assert new.why == bound.message
        assert difference.counts == ["thing 1.0: files: 2, now 5"]


def replace_found(*found: Found) -> Checked:
    return replace(CHECKED, found=list(found))


def difference_free() -> Checked:
    return replace_found(FOUND, FOUND, BOUND)


class TestReport:
    def test_new_findings_are_shown_in_their_sources(self, tmp_path: Path) -> None:
        (tmp_path / "losing.py").write_text(LOSING)
        checked = check(tmp_path, 60)
        shown = differences(compare(Table(HEADINGS), THING, checked), tmp_path)
        assert "  NEW  losing.py:8 FLU101 what `put` writes" in shown
        assert (
            "    opened, main process, losing.py:3: the file is opened here\n"
            "          1 from multiprocessing import Process\n"
            "          2 \n"
            '    >     3 log = open("log", "w")\n'
        ) in shown
        assert "  COUNT thing 1.0 is not recorded" in shown

    def test_gone_and_moved(self, tmp_path: Path) -> None:
        lower = replace(BOUND, line=10)
        shown = differences(compare(recorded(), THING, replace_found(lower)), tmp_path)
        assert "  GONE a.py:3 FLU104 (right) os._exit(a | b)  # `x`\n" in shown
        assert "  MOVED a.py:9 FLU901: now a.py:10 in thing 1.0\n" in shown

    def test_one_line_of_numbers_and_the_bounds(self) -> None:
        lines = summary(THING, CHECKED).split("\n")
        assert lines[0].startswith("thing 1.0: 2 files, 1 analysed, 1 findings, 1 bounds, ")
        assert lines[1] == f"  bound: a.py:9: {BOUND.message}"

    def test_the_sum_of_several_packages(self) -> None:
        other = Checked(files=3, failures=["crash"], seconds={"b.py": 1.5, "c.py": 4.0})
        assert total([CHECKED, other]) == (
            "2 packages, 5 files, 3 analysed, 1 findings, 1 bounds, 1 failures; "
            "6 s, half of the files below 1.50 s"
        )
        assert total([]).startswith("0 packages, 0 files, 0 analysed")


def test_a_package_that_is_not_listed_is_an_error() -> None:
    command = [sys.executable, "-m", "tests.primer", "run", "nothing-of-this-name"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "not in packages.toml: nothing-of-this-name" in done.stderr


class TestRecord:
    def test_it_is_written_as_a_run_would_write_it(self) -> None:
        assert RECORDED.text() == TABLE.read_text("utf-8")

    def test_it_is_about_the_listed_packages(self) -> None:
        titles = {package.title for package in PACKAGES}
        assert set(RECORDED.counts) == titles
        assert {row.package for row in RECORDED.rows} <= titles

    def test_every_finding_is_judged_and_none_is_wrong(self) -> None:
        for row in RECORDED.rows:
            if row.code != "FLU901":
                assert row.verdict in VERDICTS
                assert row.verdict not in ("wrong", UNJUDGED), row
            assert row.why, row

    def test_the_numbers_are_those_of_the_rows(self) -> None:
        for title, (_, _, _, findings, bounds, _) in RECORDED.counts.items():
            rows = [row for row in RECORDED.rows if row.package == title]
            of_bounds = [row for row in rows if row.code == "FLU901"]
            assert (len(rows) - len(of_bounds), len(of_bounds)) == (int(findings), int(bounds))


@pytest.mark.parametrize(
    "package", [pytest.param(one, id=one.name) for one in PACKAGES if one.small]
)
def test_small_packages_are_as_recorded(package: Package) -> None:
    try:
        directory = fetch(package, cache_directory())
    except UnreachableError as error:
        pytest.skip(f"no package registry in reach: {error}")
    checked = check(directory, package.seconds)
    assert checked.failures == []
    difference = compare(RECORDED, package, checked)
    assert not difference, differences(difference, directory)
