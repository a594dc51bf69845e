"""The adapter of CuPy where there is no GPU: on a stand-in, in a process of its own, every operation and the adapter's own tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("scipy")
HERE = Path(__file__).parent
FILES = ("test_cupy.py", "test_every_operation.py")


def test_the_adapter_runs_on_the_stand_in() -> None:
    paths = [str(HERE.parent / "support" / "libraries"), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {**os.environ, "POLYGRAD_TEST_BACKEND": "cupy", "PYTHONPATH": os.pathsep.join(paths)}
    files = [str(HERE / name) for name in FILES]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "cupy_standin",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        *files,
    ]
    out = subprocess.run(command, env=env, cwd=HERE.parent.parent, capture_output=True, text=True, check=False)
    assert out.returncode == 0, out.stdout[-5000:] + out.stderr
    (passed,) = re.findall(r"(\d+) passed", out.stdout)
    assert int(passed) > 600
    assert "skipped" not in out.stdout
