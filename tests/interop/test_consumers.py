"""Consumers of the Array API, unmodified. Their tests run in a process of their own, since SciPy has to be told when it is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.gradient_checks import NAMES

FOLDER = Path(__file__).parents[1] / "consumers"


@pytest.mark.skipif("numpy" not in NAMES, reason="the consumers are tested on NumPy")
@pytest.mark.skipif(
    os.environ.get("SCIPY_ARRAY_API") == "1", reason="SCIPY_ARRAY_API=1 is set, so they run by themselves"
)
def test_consumers() -> None:
    for library in ("scipy", "sklearn", "xarray"):
        pytest.importorskip(library)  # the session `consumers` has them, in the releases that the tables are about
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(FOLDER)]
    environment = os.environ | {"SCIPY_ARRAY_API": "1", "POLYGRAD_TEST_BACKEND": "numpy"}
    environment.pop("PYTEST_ADDOPTS", None)
    run = subprocess.run(
        command, cwd=FOLDER.parents[1], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    print(run.stdout)
    assert run.returncode == 0, run.stdout[-20000:] + run.stderr[-2000:]
