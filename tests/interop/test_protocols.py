"""NumPy's ufuncs and functions on Tensors are polygrad's operations."""

from __future__ import annotations

import numpy as np
import pytest

import polygrad as pg


def leaf(data: object = (1.0, 2.0, 3.0)) -> pg.Tensor:
    return pg.Tensor(np.asarray(data, dtype="float64"), requires_grad=True)


@pytest.mark.parametrize(
    "name", ["sin", "exp", "arctan", "absolute", "sqrt", "negative", "square", "conjugate", "log1p"]
)
def test_unary_ufuncs(name: str) -> None:
    x = leaf()
    y = getattr(np, name)(x)
    assert isinstance(y, pg.Tensor)
    np.testing.assert_allclose(y.tolist(), getattr(np, name)(np.asarray([1.0, 2.0, 3.0])))
    y.sum().backward()
    assert x.grad is not None


@pytest.mark.parametrize("name", ["add", "multiply", "true_divide", "power", "arctan2", "maximum", "less"])
def test_binary_ufuncs(name: str) -> None:
    a = np.asarray([2.0, 1.0, 4.0])
    x = leaf()
    for y, expected in (
        (getattr(np, name)(a, x), getattr(np, name)(a, np.asarray(x.tolist()))),
        (getattr(np, name)(x, a), getattr(np, name)(np.asarray(x.tolist()), a)),
    ):
        assert isinstance(y, pg.Tensor)
        np.testing.assert_allclose(y.tolist(), expected)


def test_operators_with_arrays_and_numpy_scalars() -> None:
    x, a = leaf(), np.asarray([2.0, 3.0, 4.0])
    (a * x + a - x / a).sum().backward()
    np.testing.assert_allclose(x.grad.tolist(), a - 1 / a)
    assert isinstance(np.float64(2.0) * x, pg.Tensor)
    assert (np.float32(2.0) * x).tolist() == [2.0, 4.0, 6.0]


def test_numpy_scalars_are_numbers_to_every_backend(backend: str) -> None:
    x = pg.tensor([1.0, 2.0], dtype="float32")
    y = x * np.float64(2.0)
    assert y.tolist() == [2.0, 4.0]


def test_reductions() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    assert np.add.reduce(x).tolist() == [4.0, 6.0]
    assert np.maximum.reduce(x, axis=1).tolist() == [2.0, 4.0]
    assert np.add.accumulate(x, axis=1).tolist() == [[1.0, 3.0], [3.0, 7.0]]
    with pytest.raises(TypeError, match="numpy.hypot.accumulate"):
        np.hypot.accumulate(x)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda x: np.sum(x), 10.0),
        (lambda x: np.mean(x, axis=0), [2.0, 3.0]),
        (lambda x: np.mean(x, 1), [1.5, 3.5]),
        (lambda x: np.max(x, axis=1, keepdims=True), [[2.0], [4.0]]),
        (lambda x: np.var(x, ddof=1), 5 / 3),
        (lambda x: np.concatenate([x, x], axis=1), [[1.0, 2.0, 1.0, 2.0], [3.0, 4.0, 3.0, 4.0]]),
        (lambda x: np.stack([x[0], x[1]]), [[1.0, 2.0], [3.0, 4.0]]),
        (lambda x: np.transpose(x), [[1.0, 3.0], [2.0, 4.0]]),
        (lambda x: np.reshape(x, (4,)), [1.0, 2.0, 3.0, 4.0]),
        (lambda x: np.where(x > 2, x, 0.0), [[0.0, 0.0], [3.0, 4.0]]),
        (lambda x: np.cumsum(x, axis=0), [[1.0, 2.0], [4.0, 6.0]]),
        (lambda x: np.dot(x[0], x[1]), 11.0),
        (lambda x: np.linalg.det(x), -2.0),
        (lambda x: np.fft.fft(x, axis=0).real, [[4.0, 6.0], [-2.0, -2.0]]),
    ],
)
def test_functions(call, expected) -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    y = call(x)
    assert isinstance(y, pg.Tensor)
    np.testing.assert_allclose(np.asarray(y.tolist()), expected, atol=1e-12)
    assert y.requires_grad


def test_scipy_ufuncs() -> None:
    special = pytest.importorskip("scipy.special")
    x = leaf()
    special.gammaln(x).sum().backward()
    np.testing.assert_allclose(x.grad.tolist(), special.digamma([1.0, 2.0, 3.0]))
    with pytest.raises(NotImplementedError, match="no derivative"):
        special.hyp1f1(leaf(2.5), 2.0, 0.5).backward()
