"""The registry is complete and light, and the programs on the rules' pages do what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flushlint.engine import check_source
from flushlint.model import AnalysisOptions
from flushlint.rules.registry import RULES, Rule
from tests.one_module import fix_source
from tests.oracle import Interpreter, Job, chosen_interpreters, run_program
from tests.programs import blocks

if TYPE_CHECKING:
    from tests.oracle import Run

ROOT = Path(__file__).parent.parent
CODES = [
    "FLU101",
    "FLU102",
    "FLU103",
    "FLU104",
    "FLU105",
    "FLU106",
    "FLU201",
    "FLU202",
    "FLU203",
    "FLU301",
    "FLU302",
    "FLU303",
    "FLU304",
    "FLU401",
    "FLU402",
    "FLU403",
    "FLU404",
    "FLU405",
    "FLU901",
]
HEADINGS = [
    "What it does",
    "Why is this bad?",
    "Example",
    "Use instead",
    "Fix",
    "How to be sure",
    "Suppression",
]
# code: the file that the page's programs write, what the losing one leaves in it, what was meant
OUTCOMES = {
    "FLU101": ("error1.log", "", "hello, func put write\n"),
    "FLU102": ("worker.log", "", "work done\n"),
    "FLU103": ("worker.log", "", "0 done\n1 done\n2 done\n"),
    "FLU104": ("report.txt", "", "3 files checked\n"),
    "FLU105": ("watch.log", "", "watching\n"),
    "FLU106": ("totals.log", "", "adding up\n"),
    "FLU201": ("table.csv", "number\n1\nnumber\n2\nnumber\n", "number\n1\n2\n"),
    "FLU202": ("ledger.txt", "late\nearly\n", "early\nlate\n"),
    "FLU203": ("run.log", "", "started\n"),
    "FLU301": ("hello.log", "", "hello\n"),
    "FLU302": ("work.log", "", "work done\n"),
    "FLU303": ("work.log", "", "work done\n"),
    "FLU304": ("work.log", "", "work done\n"),
    "FLU401": ("work.log", "", "work done\n"),
    "FLU402": ("events.bin", "", "started\n"),
    "FLU403": ("journal.log", "", "committed\n"),
    "FLU404": ("jobs.log", "", "job done\n"),
    "FLU405": ("day.log.bz2", "", "work done\n"),
}
RULES_WITH_PROGRAMS = sorted(OUTCOMES)
COMPLAINTS = {
    "FLU106": "json.decoder.JSONDecodeError: ",
    "FLU301": "TypeError: cannot pickle",
    "FLU302": "local object",
    "FLU303": "before the\n        current process has finished its bootstrapping phase",
    "FLU304": "NameError: name 'log' is not defined",
    "FLU401": "ValueError: can't have unbuffered text I/O",
    "FLU402": "RuntimeWarning: line buffering (buffering=1) isn't supported in binary mode",
}
# The remedy keeps what was written before an exception; the exception is raised all the same.
RAISING = {"FLU106"}


def programs(code: str, heading: str) -> list[str]:
    return [
        block.text
        for block in blocks(RULES[code].page())
        if block.language == "python" and block.heading == heading
    ]


def test_the_rules_of_this_release_in_order() -> None:
    assert list(RULES) == CODES
    assert all(code == rule.code for code, rule in RULES.items())


def test_names_are_unique_kebab_case() -> None:
    names = [rule.name for rule in RULES.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in names)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_summary_is_one_sentence(rule: Rule) -> None:
    assert rule.summary.endswith(".")
    assert "\n" not in rule.summary
    assert not re.search(r"\.\s", rule.summary)


def test_only_what_was_not_analysed_is_a_warning() -> None:
    assert [rule.code for rule in RULES.values() if rule.severity == "warning"] == ["FLU901"]


def test_a_rule_is_frozen() -> None:
    with pytest.raises(AttributeError):
        RULES["FLU101"].name = "other"  # type: ignore[misc]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_url_leads_to_the_page(rule: Rule) -> None:
    assert (ROOT / rule.url).read_text(encoding="utf-8") == rule.page()


def test_there_is_no_page_without_a_rule() -> None:
    pages = (ROOT / "src/flushlint/rules/pages").iterdir()
    assert sorted(page.name for page in pages) == [f"{code}.md" for code in CODES]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_page_has_the_sections_of_the_template(rule: Rule) -> None:
    page = rule.page()
    assert page.startswith(f"# {rule.code}: {rule.name}\n")
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == HEADINGS
    assert "What people try, and why it does nothing:\n\n- " in page
    assert f"`# noqa: {rule.code}`" in page
    assert page.endswith("\n")
    assert not page.endswith("\n\n")
    assert max(len(line) for line in page.splitlines()) <= 100


def test_pages_mention_only_rules_that_exist() -> None:
    for rule in RULES.values():
        assert set(re.findall(r"FLU\d+", rule.page())) <= set(RULES)


def test_every_rule_but_the_warning_has_programs() -> None:
    assert set(OUTCOMES) == set(RULES) - {"FLU901"}


def run(program: str, interpreter: Interpreter) -> tuple[Run, dict[str, str]]:
    """Run a program; return what became of it, and its files apart from stdout and stderr."""
    done = run_program(Job(program.encode(), interpreter.path))
    texts = done.output.texts.items()
    return done, {name: text.decode() for name, text in texts if not name.startswith("<")}


@pytest.mark.parametrize("interpreter", chosen_interpreters(), ids=str)
@pytest.mark.parametrize("code", RULES_WITH_PROGRAMS)
def test_the_example_loses(code: str, interpreter: Interpreter) -> None:
    name, lost, _ = OUTCOMES[code]
    (program,) = programs(code, "Example")
    done, files = run(program, interpreter)
    assert files == {name: lost}
    if code in COMPLAINTS:
        assert COMPLAINTS[code] in done.output.stderr
    else:
        assert (done.status, done.output.stderr) == (0, "")


@pytest.mark.parametrize("interpreter", chosen_interpreters(), ids=str)
@pytest.mark.parametrize("code", RULES_WITH_PROGRAMS)
def test_the_remedy_loses_nothing(code: str, interpreter: Interpreter) -> None:
    name, _, meant = OUTCOMES[code]
    remedies = programs(code, "Use instead")
    assert remedies
    for program in remedies:
        done, files = run(program, interpreter)
        assert files == {name: meant}
        if code in RAISING:
            assert COMPLAINTS[code] in done.output.stderr
        else:
            assert (done.status, done.output.stderr) == (0, "")


@pytest.mark.parametrize("code", RULES_WITH_PROGRAMS)
def test_flushlint_finds_the_example_and_accepts_the_remedy(code: str) -> None:
    (example,) = programs(code, "Example")
    found = check_source(example.encode(), "example.py", AnalysisOptions())
    assert code in [finding.code for finding in found.diagnostics]
    for remedy in programs(code, "Use instead"):
        assert not check_source(remedy.encode(), "remedy.py", AnalysisOptions()).diagnostics


def fixed(program: str, code: str, applicability: str) -> str:
    """Return a program with those fixes of a rule that have an applicability."""
    done = fix_source(
        program.encode(),
        "example.py",
        AnalysisOptions(),
        lambda _, found: [one for one in found if one.code == code],
        lambda _, fix: fix.applicability == applicability,
    )
    assert not done.trouble
    return done.data.decode()


@pytest.mark.parametrize("code", RULES_WITH_PROGRAMS)
def test_a_fixed_example_loses_nothing(code: str) -> None:
    name, _, meant = OUTCOMES[code]
    (example,) = programs(code, "Example")
    changed = fixed(example, code, "safe")
    assert (changed != example) == RULES[code].fixable
    if RULES[code].fixable:
        _, files = run(changed, chosen_interpreters()[-1])
        assert files == {name: meant}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_page_says_whether_there_is_a_fix(rule: Rule) -> None:
    section = rule.page().partition("## Fix\n\n")[2].partition("\n\n## ")[0]
    assert section.startswith("The fix is safe. `--fix` ") == rule.fixable
    is_unsafe = section.startswith("The fix is unsafe: `--fix --unsafe-fixes` ")
    if rule.code in OUTCOMES and not rule.fixable:
        (example,) = programs(rule.code, "Example")
        assert (fixed(example, rule.code, "unsafe") != example) == is_unsafe


def test_the_registry_imports_nothing_heavy() -> None:
    query = (
        "import sys, flushlint.rules.registry\n"
        "heavy = {'libcst', 'rich', 'msgspec', 'flake8', 'importlib.resources'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", query], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
