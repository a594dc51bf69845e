"""The example of a regression on two worker processes: it compares itself with the single process, and says what it found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.gradient_checks import only_on

only_on("dask")
pytest.importorskip("distributed")
EXAMPLE = Path(__file__).parents[2] / "examples" / "dask_regression.py"


def test_the_example_runs() -> None:
    out = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLE), "4000"], capture_output=True, text=True, check=False, timeout=300
    )
    assert out.returncode == 0, out.stderr
    assert "the data are on 2 worker processes" in out.stdout
    losses = [float(word) for word in out.stdout.partition("losses: ")[2].partition("\n")[0].split()]
    assert len(losses) == 10
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.05 * losses[0]
    parameters = [float(word) for word in out.stdout.partition("parameters: ")[2].split()]
    assert all(abs(found - true) < 0.5 for found, true in zip(parameters, [1, 2, 3, 4, 3], strict=True))
