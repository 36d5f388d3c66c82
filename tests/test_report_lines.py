from __future__ import annotations

import json
from dataclasses import replace

import pytest

from flushlint.lines import one_line, split_lines
from flushlint.model import AnalysisOptions, Diagnostic, Edit, Fix, Severity
from flushlint.report import json as json_report
from flushlint.report.concise import ConciseReporter
from flushlint.report.json import JsonReporter
from flushlint.report.statistics import statistics
from flushlint.rules.registry import RULES
from tests.stand_ins import HEADER, check_source, span

SOURCE = f"{HEADER}\nlog.write()  # finds FLU101\n"


def no_text(cell: int | None) -> str:
    raise AssertionError("this format shows no source")


def findings(source: str = SOURCE, path: str = "a/b.py") -> list[Diagnostic]:
    return list(check_source(source.encode(), path, AnalysisOptions()).diagnostics)


def diagnostic(message: str, path: str = "x.py", severity: Severity = "error") -> Diagnostic:
    return Diagnostic("FLU101", "name", message, severity, path, span(2, 4, 9), span(2, 0, 12))


class TestConcise:
    def test_a_finding_is_one_line_with_1_based_columns(self) -> None:
        reporter = ConciseReporter()
        written = reporter.add([diagnostic("it is lost"), diagnostic("too")], no_text)
        assert written == "x.py:2:5: FLU101 it is lost\nx.py:2:5: FLU101 too\n"
        assert reporter.finish() == ""

    def test_it_stays_one_line_whatever_the_path_and_the_message_hold(self) -> None:
        written = ConciseReporter().add([diagnostic("a\nb", path="x\ny\udcff\x1b.py")], no_text)
        assert written == "x\\ny\\udcff\\x1b.py:2:5: FLU101 a\\nb\n"


class TestJson:
    def test_the_documented_object(self) -> None:
        reporter = JsonReporter()
        assert reporter.add(findings(), no_text) == ""
        assert json.loads(reporter.finish()) == [
            {
                "code": "FLU101",
                "name": "lost-passed-file",
                "message": "lost under None on None, None",
                "start_methods": None,
                "severity": "error",
                "filename": "a/b.py",
                "cell": None,
                "location": {"row": 3, "column": 1},
                "end_location": {"row": 3, "column": 4},
                "witness": [
                    {
                        "kind": "opened",
                        "process": "main process",
                        "filename": "a/b.py",
                        "cell": None,
                        "location": {"row": 1, "column": 1},
                        "end_location": {"row": 1, "column": 5},
                        "text": "`log` is opened",
                    },
                    {
                        "kind": "ended",
                        "process": "child `put`",
                        "filename": "a/b.py",
                        "cell": None,
                        "location": {"row": 3, "column": 1},
                        "end_location": {"row": 3, "column": 4},
                        "text": "the child ends",
                    },
                ],
                "fixes": [],
                "url": "src/flushlint/rules/pages/FLU101.md",
            }
        ]

    def test_every_key_is_documented(self) -> None:
        reporter = JsonReporter()
        edit = Edit("x.py", span(2, 0, 0), "log.flush()\n")
        fixed = replace(diagnostic("it is lost"), fixes=(Fix("flush it", "safe", (edit,)),))
        reporter.add([replace(fixed, witness=findings()[0].witness)], no_text)
        (finding,) = json.loads(reporter.finish())
        (fix,) = finding["fixes"]
        keys = {*finding, *finding["witness"][0], *finding["location"], *fix, *fix["edits"][0]}
        for key in keys:
            assert json_report.__doc__ is not None
            assert f'{key}"' in json_report.__doc__ or f"``{key}``" in json_report.__doc__, key

    def test_findings_of_all_files_are_one_list(self) -> None:
        reporter = JsonReporter()
        reporter.add(findings(path="a.py"), no_text)
        reporter.add(findings(path="b.py"), no_text)
        assert [f["filename"] for f in json.loads(reporter.finish())] == ["a.py", "b.py"]

    def test_no_findings_are_an_empty_list(self) -> None:
        assert json.loads(JsonReporter().finish()) == []

    def test_it_is_ascii_whatever_the_path_holds(self) -> None:
        reporter = JsonReporter()
        reporter.add([diagnostic("é", path="\udcff\n.py")], no_text)
        written = reporter.finish()
        assert written.isascii()
        assert json.loads(written)[0]["filename"] == "\udcff\n.py"


def test_statistics_begin_with_the_most_frequent() -> None:
    assert statistics({"FLU901": 1, "FLU201": 12, "FLU101": 1}) == [
        "12  FLU201  duplicated-buffer",
        " 1  FLU101  lost-passed-file",
        " 1  FLU901  not-analysed",
    ]
    assert statistics({}) == []
    assert all(statistics({code: 1}) for code in RULES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [""]),
        ("a\nb\r\nc\rd\n", ["a", "b", "c", "d", ""]),
        ("a\x0cb\x0bc\x1cd\u2028e", ["a\x0cb\x0bc\x1cd\u2028e"]),
    ],
)
def test_only_newlines_end_a_line_of_python(text: str, expected: list[str]) -> None:
    assert split_lines(text) == expected


def test_what_prints_is_left_alone() -> None:
    assert one_line("漢字 é `x`") == "漢字 é `x`"
    assert one_line("tab\there\u202e") == "tab\\there\\u202e"
