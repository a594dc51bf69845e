"""NumPy's ufuncs and functions on Tensors are polygrad's operations."""

from __future__ import annotations

import io

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
    with pytest.raises(TypeError, match="numpy.add.reduceat"):
        np.add.reduceat(x, [0, 1])


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.logaddexp.reduce(x),
        lambda x: np.logaddexp.reduce(x, axis=1, keepdims=True),
        lambda x: np.hypot.reduce(x, axis=None),
        lambda x: np.subtract.reduce(x, axis=1),
        lambda x: np.maximum.accumulate(x, axis=1),
        lambda x: np.hypot.accumulate(x),
        lambda x: np.add.reduce(x, axis=1, where=np.array([True, False]), initial=2.0),
        lambda x: np.multiply.reduce(x, dtype=np.float64),
        lambda x: np.add.outer(x, x, dtype=np.float64),
    ],
)
def test_any_binary_ufunc_reduces_and_accumulates(call) -> None:
    a = np.asarray([[1.0, 3.0], [2.5, 4.0]])
    x = leaf(a)
    y = call(x)
    np.testing.assert_allclose(y.detach().numpy(), call(a))
    y.sum().backward()
    difference = [(call(a + 1e-6 * e).sum() - call(a - 1e-6 * e).sum()) / 2e-6 for e in np.eye(4).reshape(4, 2, 2)]
    np.testing.assert_allclose(x.grad.numpy().reshape(-1), difference, rtol=1e-6)


@pytest.mark.parametrize("name", ["add", "multiply", "true_divide", "arctan2", "maximum", "hypot"])
def test_a_ufunc_computes_in_its_dtype(name: str) -> None:
    ufunc = getattr(np, name)
    a, b = np.asarray([16777217.0, 1e-30, 3.0]), np.asarray([1.0, 1e-30, 7.0])
    with np.errstate(all="ignore"):
        want = ufunc(a, b, dtype=np.float32)
        got = ufunc(leaf(a), b, dtype=np.float32)
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got.detach().numpy(), want)
    with pytest.raises(TypeError):
        ufunc(leaf(a), b, dtype=np.int64)  # by no rule of casting
    with pytest.raises(TypeError):
        ufunc(leaf(a), b, dtype=np.float32, casting="safe")
    integers = pg.tensor([100, 100, 3], dtype="int8")
    if name in ("add", "multiply"):  # int8 would overflow
        assert ufunc(integers, integers, dtype=np.int64).tolist() == ufunc([100, 100, 3], [100, 100, 3]).tolist()


def test_what_has_no_graph_goes_in_as_an_array() -> None:
    x = leaf([1.0, 2.0, 4.0]).detach()
    assert np.polydiv(x, [1.0, 1.0])[0].tolist() == [1.0, 1.0]
    assert np.frexp(x)[1].tolist() == [1, 2, 3]
    assert np.histogram2d(x, x, bins=2)[0].tolist() == [[2.0, 0.0], [0.0, 1.0]]
    buffer = io.BytesIO()
    np.save(buffer, x)
    assert np.load(io.BytesIO(buffer.getvalue())).tolist() == [1.0, 2.0, 4.0]
    out = np.zeros(3)
    np.add(x, 1.0, out=out)
    out += x
    np.cumsum(x, out=out)
    assert out.tolist() == [1.0, 3.0, 7.0]
    with pytest.raises(TypeError, match="numpy.nan_to_num"):
        np.nan_to_num(x, copy=False)  # which would be written into a copy
    for call in (np.frexp, lambda x: np.polydiv(x, [1.0, 1.0]), lambda x: np.save(io.BytesIO(), x)):
        with pytest.raises(TypeError, match="would lose the graph"):
            call(leaf())
        with pg.interop.allow_detach():
            call(leaf())


@pytest.mark.parametrize("transform", [pg.func.grad, pg.func.jacfwd])
def test_inside_a_transform_nothing_leaves(transform) -> None:
    with pytest.raises(TypeError, match="would lose the graph"):
        transform(lambda x: pg.asarray(np.frexp(x)[0]).sum())(np.asarray([1.0, 2.0]))


def test_where_a_value_lies_has_no_derivative() -> None:
    x = leaf([0.5, 1.5, 2.5])
    assert np.digitize(x, [0.0, 1.0, 2.0]).tolist() == [1, 2, 3]
    assert np.lexsort((x, -x)).tolist() == [2, 1, 0]


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
