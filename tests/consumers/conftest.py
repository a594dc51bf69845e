"""The tests of consumers need a process of their own: SciPy reads SCIPY_ARRAY_API when it is imported.

``tests/interop/test_consumers.py`` starts it; by hand it is ``SCIPY_ARRAY_API=1 python -m pytest tests/consumers``.
"""

from __future__ import annotations

import os

import pytest

SWITCHED_ON = os.environ.get("SCIPY_ARRAY_API") == "1"
collect_ignore_glob = [] if SWITCHED_ON else ["test_*.py"]


def pytest_report_header() -> str:
    return "consumers: tested" if SWITCHED_ON else "consumers: left out, for SCIPY_ARRAY_API=1 is not set"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    from support.consumers.call_outcomes import summary

    lines = summary()
    if lines:
        terminalreporter.section("reach")
        for line in lines:
            terminalreporter.write_line(line)
