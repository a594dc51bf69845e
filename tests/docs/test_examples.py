"""The scripts under examples/ run, and say what they should."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_data_parallel_training_over_a_mesh() -> None:
    """Eight virtual devices: sharded rows, replicated parameters, the result of one device to rounding."""
    pytest.importorskip("jax")
    environment = {
        **os.environ,
        "XLA_FLAGS": "--xla_force_host_platform_device_count=8",
        "JAX_ENABLE_X64": "1",
        "JAX_PLATFORMS": "cpu",
    }
    done = subprocess.run(
        [sys.executable, EXAMPLES / "data_parallel.py"], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    devices, rows, everywhere, difference = done.stdout.splitlines()
    assert devices.startswith("8 devices, losses 0.658947 ... 0.0719")
    assert rows == "rows of the residuals on each device: {8}"
    assert everywhere == "every device has all parameters: True"
    assert float(difference.rpartition(" ")[2]) < 1e-14
