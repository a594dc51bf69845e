"""A zero cotangent stays zero under ``zero_absorbing``, in branches of ``where`` that were not taken."""

from __future__ import annotations

import math

import numpy as np
import pytest

import polygrad as pg

pytestmark = [pytest.mark.usefixtures("backend"), pytest.mark.filterwarnings("ignore::RuntimeWarning")]


def safe_root(x: pg.Tensor) -> pg.Tensor:
    return pg.where(x > 0, pg.sqrt(x), pg.zeros_like(x))


def gradient(f, data: list[float], create_graph: bool = False) -> tuple[pg.Tensor, pg.Tensor]:
    x = pg.tensor(data, dtype="float64", requires_grad=True)
    (g,) = pg.autograd.grad(f(x).sum(), x, create_graph=create_graph)
    return x, g


def test_off_by_default() -> None:
    _, g = gradient(safe_root, [0.0, 1.0])
    assert math.isnan(g.tolist()[0])


@pytest.mark.parametrize(
    ("f", "data", "expected"),
    [
        (safe_root, [0.0, 1.0, 4.0], [0.0, 0.5, 0.25]),
        (lambda x: pg.where(x > 0, pg.log(x), 0 * x), [0.0, 2.0], [0.0, 0.5]),
        (lambda x: pg.where(x != 0, pg.sin(x) / x, pg.ones_like(x)), [0.0, np.pi], [0.0, -1 / np.pi]),
        (lambda x: pg.where(x > 0, x**0.5, 0 * x), [0.0, 4.0], [0.0, 0.25]),
        (lambda x: pg.where(x > 0, pg.reciprocal(x), x), [0.0, 2.0], [1.0, -0.25]),
    ],
)
def test_the_branch_not_taken(f, data: list[float], expected: list[float]) -> None:
    with pg.zero_absorbing():
        _, g = gradient(f, data)
    np.testing.assert_allclose(g.tolist(), expected, rtol=1e-12)


def test_broadcasting_second_order_and_transforms() -> None:
    with pg.zero_absorbing():
        x, g = gradient(lambda x: safe_root(x) * pg.ones((2, 1), dtype="float64"), [0.0, 4.0], create_graph=True)
        np.testing.assert_allclose(g.tolist(), [0.0, 0.5])
        (h,) = pg.autograd.grad(g.sum(), x)
        np.testing.assert_allclose(h.tolist(), [0.0, -2 / 32])
        np.testing.assert_allclose(
            pg.func.grad(lambda x: safe_root(x).sum())(pg.tensor([0.0, 4.0], dtype="float64")).tolist(), [0.0, 0.25]
        )
    assert math.isnan(gradient(safe_root, [0.0])[1].tolist()[0])


def test_everything_else_is_as_before() -> None:
    def f(x: pg.Tensor) -> pg.Tensor:
        y = pg.exp(pg.sin(x) * 2 - x / 3) + pg.maximum(x, 0.5) ** 2 + pg.clip(x, 0.2, 0.8)
        return y.reshape(2, 2).sum(axis=0) * x[:2]

    data = [0.1, 0.4, 0.6, 0.9]
    _, plain = gradient(f, data)
    with pg.zero_absorbing():
        _, absorbed = gradient(f, data)
    np.testing.assert_allclose(absorbed.tolist(), plain.tolist(), rtol=1e-14)


def test_as_decorator() -> None:
    @pg.zero_absorbing()
    def run() -> list[float]:
        return gradient(safe_root, [0.0])[1].tolist()

    assert run() == [0.0]
