"""The tests of consumers need a process of their own: SciPy reads SCIPY_ARRAY_API when it is imported.

``tests/interop/test_consumers.py`` starts it; by hand it is ``SCIPY_ARRAY_API=1 python -m pytest tests/consumers``.
"""

from __future__ import annotations

import os

import pytest

if os.environ.get("SCIPY_ARRAY_API") != "1":
    collect_ignore_glob = ["test_*.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    from .reach import summary

    lines = summary()
    if lines:
        terminalreporter.section("reach")
        for line in lines:
            terminalreporter.write_line(line)
