"""Every operation of the registry on every backend: it works, or the table ``unsupported`` says why it does not, and so does its error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polygrad
from polygrad.errors import UnsupportedError
from polygrad.rules.declare import OPS
from support.gradient_checks import host, tensor
from support.operation_samples import SAMPLES, SQUARE, call, names, outputs

CASES: dict[str, Callable[[Any, str], Any]] = {
    "getitem(mask)": lambda x, backend: x[x > 0.5],
    "special.smirnov(array)": lambda x, backend: (
        polygrad.special.smirnov(tensor(np.asarray([1, 2]), backend), x.requires_grad_()).sum().backward()
    ),
    "repeat(array)": lambda x, backend: polygrad.repeat(x, tensor(np.asarray([1, 2]), backend), axis=0),
}
"""What is a case of an operation, not all of it."""


@pytest.mark.parametrize("name", names())
def test_works_or_says_why_not(name: str, backend: str) -> None:
    reason = polygrad.get_backend(backend).unsupported.get(name)
    make = lambda array: tensor(array, backend, np.asarray(array).dtype.kind in "fc")  # noqa: E731
    if reason is None:
        for out in outputs(
            call(OPS[name], make)
        ):  # a case of another operation that is refused is skipped, and counted
            assert out.backend == backend
            host(out)
        return
    with pytest.raises(NotImplementedError) as caught:
        call(OPS[name], make)
    assert str(caught.value) == f"{name} is not supported on the backend {backend!r}: {reason}"


def test_the_table_is_about_operations_and_known_cases(backend: str) -> None:
    for name, reason in polygrad.get_backend(backend).unsupported.items():
        assert reason
        if name in OPS:
            continue
        with pytest.raises(UnsupportedError) as caught:
            CASES[name](tensor(SQUARE, backend), backend)
        assert str(caught.value) == f"{name} is not supported on the backend {backend!r}: {reason}"
        assert (caught.value.op, caught.value.backend) == (name, backend)


def test_samples_are_of_operations() -> None:
    assert set(SAMPLES) <= set(names())
    assert SQUARE.shape == (2, 2)
