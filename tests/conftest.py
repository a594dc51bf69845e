"""The ``backend`` fixture: the same tests run on each backend named in POLYGRAD_TEST_BACKEND (comma-separated)."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Generator

import pytest

import polygrad
from support.gradient_checks import NAMES


def pytest_configure(config: pytest.Config) -> None:
    if "jax" in NAMES:
        os.environ.setdefault("JAX_ENABLE_X64", "1")  # finite differences need float64
    if "dask" in NAMES:
        os.environ.setdefault("DASK_SCHEDULER", "synchronous")  # for arrays this small threads cost more than they save


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """A test that comes upon what its backend's table ``unsupported`` declares is skipped with the reason given there, and counted.

    What a library turns out not to have, and the table does not declare, fails.
    """
    try:
        yield
    except polygrad.errors.UnsupportedError as error:
        if error.backend is None or error.op not in polygrad.get_backend(error.backend).unsupported:
            raise
        pytest.skip(str(error))


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
