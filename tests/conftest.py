"""The ``backend`` fixture: the same tests run on each backend named in POLYGRAD_TEST_BACKEND (comma-separated)."""

from __future__ import annotations

import importlib.util
import os

import pytest

import polygrad

NAMES = os.environ.get("POLYGRAD_TEST_BACKEND", "numpy,array_api_strict").split(",")


def pytest_configure(config: pytest.Config) -> None:
    if "jax" in NAMES:
        os.environ.setdefault("JAX_ENABLE_X64", "1")  # finite differences need float64


@pytest.fixture(params=NAMES)
def backend(request: pytest.FixtureRequest):
    """The name of a backend that is installed; creation functions use it during the test."""
    name = request.param
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    if name == "cupy":
        reason = polygrad.get_backend(name).missing()
        if reason:
            pytest.skip(reason)
    with polygrad.use_backend(name):
        yield name


@pytest.fixture
def xp(backend: str):
    """The differentiable namespace of the backend."""
    return polygrad.namespace(backend)
