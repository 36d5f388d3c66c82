from __future__ import annotations

from tests.oracle.interpreters import describe


def pytest_report_header() -> str:
    return describe()
