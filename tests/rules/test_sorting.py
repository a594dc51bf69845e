"""Sorting, searching and sets: the derivative of a sort, and what has none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polygrad
from polygrad import func
from polygrad.errors import NoDerivativeError
from polygrad.rules.declare import OPS
from support.gradient_checks import check, host, tensor, torch

RNG = np.random.default_rng(11)
A = RNG.permutation(12.0 * np.arange(12) / 7).reshape(3, 4)
B = RNG.permutation(np.linspace(-3, 3, 24)).reshape(2, 3, 4)
V = np.asarray([0.5, -1.0, 2.0, -3.0, 1.0])
E = np.zeros((3, 0))
TIES = np.asarray([[1.0, 0.0, 1.0, 0.0], [2.0, 2.0, 2.0, 2.0], [3.0, -1.0, 3.0, -1.0]])

SORTS = [
    # array, parameters, axis and direction in torch
    (V, {}, (-1, False)),
    (V, {"descending": True}, (-1, True)),
    (A, {}, (-1, False)),
    (A, {"axis": 0}, (0, False)),
    (A, {"axis": -2, "descending": True}, (0, True)),
    (A, {"axis": 1, "stable": False}, (1, False)),
    (B, {"axis": 1}, (1, False)),
    (B, {"axis": 0, "descending": True, "stable": False}, (0, True)),
    (V[:1], {}, (0, False)),
    (E, {"axis": 1}, (1, False)),
    (E, {"axis": 0}, (0, False)),
]


@pytest.mark.parametrize(("array", "params", "reference"), SORTS)
def test_sort(array: Any, params: Any, reference: Any, backend: str, xp: Any) -> None:
    axis, descending = reference
    check(
        lambda x: xp.sort(x, **params),
        [array],
        backend,
        reference=lambda x: torch.sort(x, dim=axis, descending=descending)[0],
    )


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("axis", [0, 1])
def test_equal_elements_keep_their_order(axis: int, descending: bool, backend: str, xp: Any) -> None:
    weights = RNG.normal(size=TIES.shape)
    x = tensor(TIES, backend, True)
    xp.sum(xp.sort(x, axis=axis, descending=descending) * tensor(weights, backend)).backward()
    t = torch.tensor(TIES, requires_grad=True)
    (torch.sort(t, dim=axis, descending=descending, stable=True)[0] * torch.tensor(weights)).sum().backward()
    np.testing.assert_allclose(host(x.grad), t.grad)
    u = RNG.normal(size=TIES.shape)
    _, dual = func.jvp(
        lambda x: xp.sort(x, axis=axis, descending=descending), (tensor(TIES, backend),), (tensor(u, backend),)
    )
    np.testing.assert_allclose(np.sum(host(dual) * weights), np.sum(host(x.grad) * u))


def test_sort_keeps_float32(backend: str, xp: Any) -> None:
    x = tensor(V.astype(np.float32), backend, True)
    y = xp.sort(x)
    assert y.grad_fn.name() == "SortBackward0"
    xp.sum(y * y).backward()
    assert x.grad.dtype == xp.float32


def test_sort_of_integers_is_constant(backend: str, xp: Any) -> None:
    y = xp.sort(tensor(np.asarray([3, 1, 2]), backend))
    assert not y.requires_grad
    np.testing.assert_array_equal(host(y), [1, 2, 3])


def _whole(xp: Any, x: Any) -> Any:
    """The standard has isin for integers only."""
    return xp.astype(x * 7, xp.int64)


CONSTANT = [
    (lambda xp, x: xp.argsort(x), lambda a: np.argsort(a, stable=True)),
    (lambda xp, x: xp.argsort(x, axis=0, descending=True), lambda a: np.argsort(-a, axis=0, stable=True)),
    (lambda xp, x: xp.isin(_whole(xp, x), _whole(xp, x)[0, ...]), lambda a: np.isin(a, a[0])),
    (lambda xp, x: xp.isin(_whole(xp, x), _whole(xp, x)[0, ...], invert=True), lambda a: np.isin(a, a[0], invert=True)),
    (lambda xp, x: xp.searchsorted(xp.sort(x[0, ...]), x[1, ...]), lambda a: np.searchsorted(np.sort(a[0]), a[1])),
    (
        lambda xp, x: xp.searchsorted(xp.sort(x[0, ...]), x[0, ...], side="right"),
        lambda a: np.searchsorted(np.sort(a[0]), a[0], side="right"),
    ),
    (
        lambda xp, x: xp.searchsorted(x[0, ...], x[1, ...], sorter=xp.argsort(x[0, ...])),
        lambda a: np.searchsorted(a[0], a[1], sorter=np.argsort(a[0])),
    ),
]


@pytest.mark.parametrize(("function", "reference"), CONSTANT)
def test_without_derivative(function: Any, reference: Any, backend: str, xp: Any) -> None:
    x = tensor(A, backend, True)
    y = function(xp, x)
    assert not y.requires_grad
    np.testing.assert_array_equal(host(y), reference(A))
    # in forward mode the tangent is zero
    value, tangent = func.jvp(lambda x: function(xp, x), (x.detach(),), (x.detach(),))
    np.testing.assert_array_equal(host(value), reference(A))
    assert not np.any(host(tangent))


def test_searchsorted_meets_two_dtypes(backend: str, xp: Any) -> None:
    found = xp.searchsorted(tensor(np.asarray([1.0, 2.0, 3.0]), backend), tensor(np.asarray([2, 3]), backend))
    np.testing.assert_array_equal(host(found), [1, 2])


def test_isin_takes_a_number(backend: str, xp: Any) -> None:
    whole = np.asarray([1, 2, 3, 2])
    np.testing.assert_array_equal(host(xp.isin(tensor(whole, backend), 2)), whole == 2)


def test_isin_of_floating_numbers(backend: str, xp: Any) -> None:
    if backend == "array_api_strict":
        pytest.skip("the standard has it for integers only")
    np.testing.assert_array_equal(host(xp.isin(tensor(A, backend, True), tensor(A[0], backend))), np.isin(A, A[0]))


def test_nonzero(backend: str, xp: Any) -> None:
    x = tensor(np.asarray([[1.0, 0.0], [0.0, 2.0]]), backend, True)
    rows, columns = xp.nonzero(x)
    assert not rows.requires_grad
    np.testing.assert_array_equal(host(rows), [0, 1])
    np.testing.assert_array_equal(host(columns), [0, 1])
    xp.sum(x[rows, columns] ** 2).backward()
    np.testing.assert_array_equal(host(x.grad), 2 * host(x.detach()))


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("unique_all", ("values", "indices", "inverse_indices", "counts")),
        ("unique_counts", ("values", "counts")),
        ("unique_inverse", ("values", "inverse_indices")),
    ],
)
def test_unique_gives_named_results(name: str, fields: Any, backend: str, xp: Any) -> None:
    x = tensor(TIES, backend, True)
    found = getattr(xp, name)(x)
    assert found._fields == fields
    expected = np.unique_all(TIES)
    order = np.argsort(host(found.values.detach()))  # the standard leaves the order open
    np.testing.assert_array_equal(host(found.values.detach())[order], expected.values)
    assert all(not getattr(found, field).requires_grad for field in fields[1:])
    if "counts" in fields:
        np.testing.assert_array_equal(host(found.counts)[order], expected.counts)
    if "inverse_indices" in fields:
        np.testing.assert_array_equal(host(found.values.detach())[host(found.inverse_indices)], TIES)
    if "indices" in fields:
        np.testing.assert_array_equal(host(xp.reshape(x.detach(), (-1,))[found.indices]), host(found.values.detach()))


@pytest.mark.parametrize("name", ["unique_values", "unique_all", "unique_counts", "unique_inverse"])
def test_asking_unique_values_for_a_gradient_raises(name: str, backend: str, xp: Any) -> None:
    x = tensor(V, backend, True)
    found = getattr(xp, name)(x)
    values = found if name == "unique_values" else found.values
    assert values.requires_grad
    with pytest.raises(NoDerivativeError, match=rf"{name}: no derivative.*detach\(\)"):
        xp.sum(values).backward()
    with pytest.raises(NoDerivativeError, match=name):
        func.jvp(getattr(xp, name), (x.detach(),), (x.detach(),))
    assert x.grad is None


def test_unique_values_without_gradient(backend: str, xp: Any) -> None:
    x = tensor(TIES, backend, True)
    with polygrad.no_grad():
        values = xp.unique_values(x)
    np.testing.assert_array_equal(np.sort(host(values)), np.unique(TIES))
    assert not values.requires_grad


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("x2", [3, np.asarray([1, 3]), np.asarray([[5], [0]])])
@pytest.mark.parametrize("x1", [3, np.asarray(2), np.asarray([[1, 2], [3, 4]])])
def test_isin_where_a_library_has_none(x1: Any, x2: Any, invert: bool, backend: str) -> None:
    if isinstance(x1, int) and isinstance(x2, int):
        pytest.skip("one of the two is an array")
    raw = polygrad.get_backend(backend).raw
    arrays = [tensor(x, backend).array if isinstance(x, np.ndarray) else x for x in (x1, x2)]
    found = polygrad.asarray(OPS["isin"].default(raw, *arrays, invert=invert))  # type: ignore[misc]
    np.testing.assert_array_equal(host(found), np.isin(x1, x2, invert=invert))
