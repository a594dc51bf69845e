"""A library that no adapter knows, but that speaks the standard, works through the agnostic defaults alone.

That is shown on one whose arrays cannot be written and that has nothing beyond the standard, and on pydata/sparse.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import toyarray

import polygrad as pg
from polygrad import func
from polygrad.backend import Backend
from polygrad.errors import UnsupportedError
from support.gradient_checks import tensor
from support.operation_samples import names, run

MISSING = {"linalg.eig", "linalg.eigvals"}
"""What neither the standard has nor polygrad can make of it."""
VALUE = np.asarray([1.0, 2.0, 3.0])


@pytest.fixture(autouse=True)
def unknown() -> Iterator[None]:
    """Nothing of the library is left behind."""
    yield
    pg.backend.select._BY_NAME.pop("toyarray", None)
    pg.backend.select.BY_TYPE.pop(toyarray.Array, None)


def toy(array: Any) -> Any:
    array = np.asarray(array)
    return pg.asarray(toyarray.Array(array)).requires_grad_(array.dtype.kind in "fc")


def on_numpy(array: Any) -> Any:
    return tensor(array, "numpy", np.asarray(array).dtype.kind in "fc")


@pytest.mark.parametrize("name", [name for name in names() if name not in MISSING])
def test_every_operation_and_its_gradient(name: str) -> None:
    got, expected = run(name, toy), run(name, on_numpy)
    assert len(got) == len(expected)
    for ours, theirs in zip(got, expected, strict=True):
        assert isinstance(ours.array, toyarray.Array)
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
        # factors are unique up to signs only, and the gradient goes by other ways where NumPy has functions of its own
        np.testing.assert_allclose(np.asarray(ours.tolist()), np.asarray(theirs.tolist()), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", sorted(MISSING))
def test_what_it_cannot_do_says_so(name: str) -> None:
    with pytest.raises(
        UnsupportedError, match=f"{name} is not supported on the backend 'toyarray': toyarray 1.0 has no"
    ):
        run(name, toy)


def test_gradient() -> None:
    x = toy(VALUE)
    assert x.backend == "toyarray"
    y = (pg.sin(x * x)[1:] * pg.exp(x[0])).sum()
    y.backward()
    expected = np.cos(VALUE * VALUE) * 2 * VALUE * np.e
    expected[0] = np.sin(VALUE * VALUE)[1:].sum() * np.e
    assert isinstance(x.grad.array, toyarray.Array)
    np.testing.assert_allclose(x.grad.tolist(), expected)


def test_selection_with_repeats_assignment_and_second_order() -> None:
    x = toy(VALUE)
    y = x * 1
    y[0] = y[2] * 2
    z = y[toyarray.Array([0, 0, 1])]
    (g,) = pg.autograd.grad((z * z).sum(), x, create_graph=True)
    np.testing.assert_allclose(g.tolist(), [0.0, 4.0, 48.0])
    (h,) = pg.autograd.grad(g.sum(), x)
    np.testing.assert_allclose(h.tolist(), [0.0, 2.0, 16.0])


X = np.arange(24.0).reshape(2, 3, 4)
KEYS = {
    "mask": (X % 5 == 0,),
    "mask of leading axes": (X[..., 0] > 4,),
    "rows": (np.asarray([1, 0, 1]),),
    "negative": (slice(None), np.asarray([-1, 0])),
    "neighbours": (slice(None), np.asarray([0, 2]), np.asarray([3, 3])),
    "apart": (np.asarray([1, 1]), slice(None), np.asarray([0, 3])),
    "broadcast": (np.asarray([[0], [1]]), np.asarray([2, 0])),
    "beside integers": (0, slice(None), np.asarray([3, 3])),
    "with new axes": (np.asarray([1, 0]), None, slice(0, 2)),
    "list and step": ([1, 0], slice(None, None, -2)),
    "mask and slice": (slice(1), np.asarray([True, False, True])),
    "ellipsis": (..., np.asarray([1, 1, 0])),
    "nothing": (np.asarray([], dtype=np.int64),),
    "basic": (slice(None), None, 1, slice(3, 0, -2)),
}


@pytest.mark.parametrize("name", KEYS)
def test_keys(name: str) -> None:
    """NumPy's meaning for every key, in selection, its gradient, and assignment, by the functions of the standard alone."""
    key = tuple([toyarray.Array(part) if isinstance(part, np.ndarray) else part for part in KEYS[name]])
    x = toy(X)
    y = x[key]
    np.testing.assert_array_equal(np.asarray(y.tolist()).reshape(y.shape), X[KEYS[name]])
    weights = np.linspace(1, 2, y.size).reshape(y.shape)
    (y * toyarray.Array(weights)).sum().backward()
    expected = np.zeros_like(X)
    np.add.at(expected, KEYS[name], weights)
    np.testing.assert_allclose(x.grad.tolist(), expected)
    z = toy(X) * 1
    z[key] = toyarray.Array(weights)
    expected = X.copy()
    expected[KEYS[name]] = weights
    np.testing.assert_array_equal(z.tolist(), expected)
    z[key] = -1.0
    expected[KEYS[name]] = -1.0
    np.testing.assert_array_equal(z.tolist(), expected)


def test_an_integer_out_of_range_beside_an_array() -> None:
    with pytest.raises(IndexError, match="index 3 is out of bounds for axis 1 with size 3"):
        toy(X)[toyarray.Array([0]), 3]


def test_transforms() -> None:
    def f(x: Any) -> Any:
        return (pg.linalg.inv(pg.reshape(x, (2, 2))) @ pg.reshape(x * x, (2, 2))).sum()

    values = np.asarray([2.0, 0.5, 0.25, 1.0])
    for function in (func.grad(f), func.jacfwd(func.jacrev(f)), func.jacrev(func.jacfwd(f))):
        ours, theirs = function(toyarray.Array(values)), function(values)
        assert isinstance(ours, toyarray.Array)
        np.testing.assert_allclose(np.asarray(pg.asarray(ours).tolist()), theirs, rtol=1e-10)
    value, tangent = func.jvp(f, (toyarray.Array(values),), (toyarray.Array(np.ones(4)),))
    expected = func.jvp(f, (values,), (np.ones(4),))
    np.testing.assert_allclose([float(value), float(tangent)], expected)


def test_training() -> None:
    """A step of descent after the other, with the parameters changed in place."""
    data, target = toyarray.Array(np.linspace(0, 1, 12).reshape(6, 2)), toyarray.Array(np.linspace(1, 2, 6))
    w = pg.tensor(toyarray.Array([0.0, 0.0]), requires_grad=True)
    losses = []
    for _ in range(20):
        loss = ((data @ w - target) ** 2).mean()
        w.grad = None
        loss.backward()
        with pg.no_grad():
            w -= 0.3 * w.grad
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert losses == sorted(losses, reverse=True)


def test_creation_goes_by_a_registered_name() -> None:
    class ToyBackend(Backend):
        def owns(self, kind: type) -> bool:
            return kind is toyarray.Array

    pg.register_backend(ToyBackend("toyarray", toyarray))
    assert isinstance(pg.ones(2, backend="toyarray").array, toyarray.Array)
    assert isinstance(pg.randn(2, backend="toyarray").array, toyarray.Array)
    with pg.use_backend("toyarray"):
        assert pg.zeros(2, device="toy").backend == "toyarray"


class TestSparse:
    """pydata/sparse: arrays in coordinates, whose zeros are not stored. So are the gradients."""

    def test_gradient_of_a_quadratic_form(self) -> None:
        sparse = pytest.importorskip("sparse")
        dense = np.diag([1.0, 2.0, 3.0]) + np.diag([0.5, 0.5], 1)
        a = pg.asarray(sparse.COO.from_numpy(dense)).requires_grad_()
        assert a.backend == "sparse"
        loss = ((a @ a) * a).sum()
        loss.backward()
        assert isinstance(a.grad.array, sparse.COO)
        expected = dense @ dense + (dense @ dense.T) + (dense.T @ dense)
        got = a.grad.array.todense()
        reference = pg.tensor(dense, requires_grad=True)
        ((reference @ reference) * reference).sum().backward()
        np.testing.assert_allclose(got, reference.grad.array)
        assert expected.shape == got.shape

    def test_elementwise_reductions_forward_mode_and_second_order(self) -> None:
        sparse = pytest.importorskip("sparse")
        dense = np.asarray([[0.0, 1.0, 0.0], [2.0, 0.0, 0.5]])

        def f(x: Any) -> Any:
            return pg.sum(pg.sin(x) * x) + pg.max(x) + pg.mean(pg.abs(x) ** 2)

        x = sparse.COO.from_numpy(dense)
        np.testing.assert_allclose(func.grad(f)(x).todense(), func.grad(f)(dense))
        tangent = sparse.COO.from_numpy(np.ones_like(dense))
        ours, theirs = func.jvp(f, (x,), (tangent,)), func.jvp(f, (dense,), (np.ones_like(dense),))
        np.testing.assert_allclose(
            [float(np.asarray(part.todense())) if hasattr(part, "todense") else float(part) for part in ours], theirs
        )
        second = func.grad(lambda x: pg.sum(func.grad(f)(x) ** 2))
        np.testing.assert_allclose(second(x).todense(), second(dense))
