"""Order statistics, quantiles, covariances, histograms: values, derivatives, ties, nan and empty arrays as torch has them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import polygrad
from polygrad.errors import ArgumentError, ShapeError
from support.gradient_checks import check, host, tensor, torch

RNG = np.random.default_rng(3)
A = RNG.normal(size=(3, 4))
B = RNG.normal(size=(2, 3, 5))
V = RNG.normal(size=7)
Z = RNG.normal(size=(3, 5)) + 1j * RNG.normal(size=(3, 5))
S = np.asarray(1.5)
N = np.where(RNG.uniform(size=(4, 5)) < 0.4, np.nan, RNG.normal(size=(4, 5)))
N[1], N[2, 0] = np.nan, 1.0
ONE = RNG.normal(size=(4, 5))
ONE[[0, 1, 3], [2, 0, 4]] = np.nan
TIES = np.asarray([[1.0, 2.0, 2.0, 1.0, 3.0], [5.0, 5.0, 5.0, 4.0, 4.0], [1.0, 2.0, 3.0, 4.0, 5.0]])
W = np.asarray([1.0, 2.0, 1.0, 3.0, 2.0])
Q = np.asarray([0.15, 0.55, 0.9])
NAN, INF = math.nan, math.inf

CASES = [
    # name, arrays, further arguments, keywords; a tuple counts with its differentiable parts
    ("median", [V], (), {}),
    ("median", [A], (), {}),
    ("median", [A], (1,), {}),
    ("median", [B], (-2, True), {}),
    ("median", [S], (), {}),
    ("median", [S], (0,), {}),
    ("nanmedian", [V], (), {}),
    ("nanmedian", [B], (0,), {}),
    ("kthvalue", [V], (3,), {}),
    ("kthvalue", [B], (2, 1, True), {}),
    ("kthvalue", [S], (1,), {}),
    ("mode", [V], (), {}),
    ("mode", [B], (1,), {}),
    ("topk", [V], (3,), {}),
    ("topk", [A], (2, 0), {}),
    ("topk", [B], (2, -2, False), {}),
    ("topk", [B], (0, 1), {}),
    ("topk", [S], (1,), {}),
    ("aminmax", [A], (), {}),
    ("aminmax", [B], (), {"axis": -2, "keepdims": True}),
    ("quantile", [V], (0.3,), {}),
    ("quantile", [A], (0.5, 1), {}),
    ("quantile", [A], (0.0, 0), {}),
    ("quantile", [A], (1.0, 0), {}),
    ("quantile", [B], (0.7, 1, True), {}),
    ("quantile", [B], (0.7, None, True), {}),
    ("quantile", [V, Q], (), {}),
    ("quantile", [B, Q], (-1,), {}),
    ("quantile", [B, Q], (1, True), {}),
    ("quantile", [B, np.asarray(0.35)], (2,), {}),
    *[("quantile", [A], (0.35, 1), {"interpolation": how}) for how in ("lower", "higher", "midpoint", "nearest")],
    *[("quantile", [A, Q], (0,), {"interpolation": how}) for how in ("lower", "higher", "midpoint", "nearest")],
    ("quantile", [S], (0.3,), {}),
    ("nanquantile", [V], (0.3,), {}),
    ("nanquantile", [A], (0.5, 1), {}),
    ("nanquantile", [B, Q], (1, True), {}),
    ("nansum", [A], (), {}),
    ("nansum", [B], ((0, 2), True), {}),
    ("nanmean", [A], (), {}),
    ("nanmean", [B], (-1,), {}),
    ("nanmean", [B], ((0, 1),), {}),
    ("var_mean", [A], (), {}),
    ("var_mean", [B], (1,), {"correction": 0, "keepdims": True}),
    ("std_mean", [A], (0,), {}),
    ("cov", [A], (), {}),
    ("cov", [A], (), {"correction": 0}),
    ("cov", [V], (), {}),
    ("cov", [Z], (), {}),
    ("corrcoef", [B[0]], (), {}),
    ("corrcoef", [Z], (), {}),
]


def renamed(params: dict[str, Any]) -> dict[str, Any]:
    return {{"axis": "dim", "keepdims": "keepdim"}.get(k, k): v for k, v in params.items()}


def floating(out: Any) -> Any:
    """The parts of a result that have gradients."""
    if not isinstance(out, tuple):
        return out
    return tuple(part for part in out if "int" not in str(part.dtype))


@pytest.mark.parametrize(("name", "arrays", "args", "params"), CASES, ids=[c[0] for c in CASES])
def test_derivatives(name: str, arrays: Any, args: Any, params: Any, backend: str) -> None:
    check(
        lambda *ts: floating(getattr(polygrad, name)(*ts, *args, **params)),
        arrays,
        backend,
        reference=lambda *ts: floating(getattr(torch, name)(*ts, *args, **renamed(params))),
    )


@pytest.mark.parametrize("complex_", [False, True])
def test_weighted_covariance(complex_: bool, backend: str) -> None:
    x = Z if complex_ else B[0]
    f = np.asarray([1, 2, 1, 3, 2])
    a = W / 3
    check(
        lambda x, a: polygrad.cov(x, fweights=tensor(f, backend), aweights=a, correction=0.5),
        [x, a],
        backend,
        reference=None if complex_ else lambda x, a: _cov(x, f, a, 0.5),
    )
    out = polygrad.cov(tensor(x, backend), fweights=tensor(f, backend), aweights=tensor(a, backend), correction=2)
    expected = torch.cov(torch.tensor(x), fweights=torch.tensor(f), aweights=torch.tensor(a), correction=2)
    np.testing.assert_allclose(host(out), expected.resolve_conj().numpy(), rtol=1e-12)


def _cov(x: Any, f: Any, a: Any, correction: float) -> Any:
    """torch's takes whole numbers for the correction."""
    w = torch.tensor(f) * a
    total = w.sum()
    centered = x - (x * w).sum(1, keepdim=True) / total
    return centered @ (centered * w).T / (total - correction * (w * a).sum() / total)


POINTS = [
    # function of polygrad or torch, the point
    (lambda lib, x: lib.median(x), [3.0, 1.0, 1.0, 1.0, 2.0]),
    (lambda lib, x: lib.median(x), [3.0, NAN, 1.0, NAN, 2.0]),
    (lambda lib, x: lib.nanmedian(x), [3.0, NAN, 1.0, NAN, 2.0, 2.0, 3.0]),
    (lambda lib, x: lib.nanmedian(x), [NAN, NAN]),
    (lambda lib, x: lib.nanmedian(x, 1)[0], ONE),
    (lambda lib, x: lib.median(x, 1)[0], N),
    (lambda lib, x: lib.kthvalue(x, 4, 1)[0], ONE),
    (lambda lib, x: lib.topk(x, 3, 1)[0], ONE),
    (lambda lib, x: lib.topk(x, 3, 1, False)[0], ONE),
    (lambda lib, x: lib.quantile(x, 0.5), [1.0, 1.0, 1.0, 2.0]),
    (lambda lib, x: lib.quantile(x, 0.3, 1), N),
    (lambda lib, x: lib.nanquantile(x, 0.3, 1), N),
    (lambda lib, x: lib.nansum(x), N),
    (lambda lib, x: lib.nansum(x, 1), N),
    (lambda lib, x: lib.nanmean(x, 1), N),
    (lambda lib, x: lib.nanmean(x), [NAN, NAN]),
    (lambda lib, x: lib.aminmax(x)[0], [1.0, 1.0, 2.0]),
    (lambda lib, x: lib.mode(x, 1)[0], TIES),
    (lambda lib, x: lib.corrcoef(x), [[2.0, 4.0, 6.0], [1.0, 2.5, 3.0]]),
]


@pytest.mark.parametrize(("function", "point"), POINTS)
def test_ties_and_nan(function: Any, point: Any, backend: str) -> None:
    ours = tensor(np.asarray(point), backend, requires_grad=True)
    theirs = torch.tensor(np.asarray(point), requires_grad=True)
    out, expected = function(polygrad, ours), function(torch, theirs)
    np.testing.assert_allclose(host(out.detach()), expected.detach().numpy(), rtol=1e-12)
    (g,) = polygrad.autograd.grad(out, ours, polygrad.ones_like(out.detach()))
    (expected_g,) = torch.autograd.grad(expected, theirs, torch.ones_like(expected))
    np.testing.assert_allclose(host(g), expected_g.numpy(), rtol=1e-9, atol=1e-14)


INDICES = [
    (lambda lib, x: lib.mode(x, 1), TIES),
    (lambda lib, x: lib.mode(x, 0), TIES),
    (lambda lib, x: lib.mode(x), np.asarray([3.0, NAN, 1.0, NAN, 2.0, 2.0, 3.0])),
    (lambda lib, x: lib.median(x, 1), N),
    (lambda lib, x: lib.kthvalue(x, 2, 0), A),
    (lambda lib, x: lib.topk(x, 3, 1), A),
    (lambda lib, x: lib.median(x, 0), np.zeros((3, 0))),
    (lambda lib, x: lib.mode(x, 0), np.zeros((3, 0))),
    (lambda lib, x: lib.median(x, 1), np.asarray([[3, 1, 2], [5, 5, 4]])),
    (lambda lib, x: lib.topk(x, 2), np.asarray([3, 1, 2])),
]


@pytest.mark.parametrize(("function", "point"), INDICES)
def test_indices(function: Any, point: Any, backend: str) -> None:
    out, expected = function(polygrad, tensor(point, backend)), function(torch, torch.tensor(point))
    np.testing.assert_array_equal(host(out.values), expected.values.numpy())
    assert out.indices.shape == tuple(expected.indices.shape)
    if (point == np.round(point)).all() and point.ndim > 1 and point.shape[1] == 3:
        return  # which of equals is the median is nobody's promise
    assert out.indices.tolist() == expected.indices.tolist()


EMPTY = [
    (lambda lib, x: lib.median(x), [0]),
    (lambda lib, x: lib.nanmedian(x), [0]),
    (lambda lib, x: lib.nansum(x), [0]),
    (lambda lib, x: lib.nanmean(x), [0]),
    (lambda lib, x: lib.cov(x), [3, 1]),
    (lambda lib, x: lib.cov(x), [1]),
    (lambda lib, x: lib.histc(x, 3), [0]),
]


@pytest.mark.filterwarnings("ignore:cov")
@pytest.mark.parametrize(("function", "shape"), EMPTY)
def test_empty(function: Any, shape: Any, backend: str) -> None:
    out, expected = function(polygrad, polygrad.zeros(tuple(shape))), function(torch, torch.zeros(shape))
    np.testing.assert_array_equal(host(out), expected.numpy())


HISTOGRAMS = [
    (lambda lib, x: lib.histc(x, 4), V),
    (lambda lib, x: lib.histc(x, 4, -1, 1), V),
    (lambda lib, x: lib.histc(x, bins=3, min=0, max=3), np.asarray([1.0, 2.0, 1.0, 3.0, 0.0, 4.0])),
    (lambda lib, x: lib.histc(x, 3), np.asarray([2.0, 2.0])),
    (lambda lib, x: lib.histogram(x, 4), V),
    (lambda lib, x: lib.histogram(x, 3), np.asarray([2.0, 2.0])),
    (lambda lib, x: lib.histogram(x, 4, range=(-1.0, 1.0), density=True), V),
]


@pytest.mark.parametrize(("function", "point"), HISTOGRAMS)
def test_histograms(function: Any, point: Any, backend: str) -> None:
    x = tensor(point, backend, requires_grad=True)
    out, expected = function(polygrad, x), function(torch, torch.tensor(point))
    if not isinstance(out, tuple):
        out, expected = (out,), (expected,)
    for ours, theirs in zip(out, expected, strict=True):
        assert not ours.requires_grad
        np.testing.assert_allclose(host(ours), theirs.numpy(), rtol=1e-12)


def test_histogram_between_given_edges(backend: str) -> None:
    edges, weight = np.asarray([-1.0, -0.25, 0.5, 2.0]), RNG.uniform(size=7)
    out = polygrad.histogram(tensor(V, backend), tensor(edges, backend), weight=tensor(weight, backend))
    expected = torch.histogram(torch.tensor(V), torch.tensor(edges), weight=torch.tensor(weight))
    np.testing.assert_allclose(host(out.hist), expected.hist.numpy())
    check(lambda w: polygrad.histogram(tensor(V, backend), tensor(edges, backend), weight=w).hist, [weight], backend)


NAMES = [
    ("median", ()), ("nanmedian", ()), ("median", (0,)), ("nanmedian", (0,)), ("mode", ()), ("kthvalue", (2,)), ("topk", (2,)),
    ("nansum", ()), ("nanmean", ()),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args"), NAMES)
def test_node_names(name: str, args: Any, backend: str) -> None:
    ours, theirs = (
        getattr(polygrad, name)(tensor(A, backend, True), *args),
        getattr(torch, name)(torch.tensor(A, requires_grad=True), *args),
    )
    ours, theirs = (out[0] if isinstance(out, tuple) else out for out in (ours, theirs))
    assert ours.grad_fn.name() == theirs.grad_fn.name()


def test_errors(backend: str) -> None:
    x = tensor(A, backend)
    for function, kind, text in (
        (lambda: polygrad.quantile(x, 1.5), ArgumentError, "q has to be between 0 and 1"),
        (lambda: polygrad.quantile(x, 0.5, interpolation="cubic"), ArgumentError, "not 'cubic'"),
        (lambda: polygrad.quantile(x[:0], 0.5), ShapeError, "has no elements"),
        (lambda: polygrad.cov(polygrad.ones((2, 2, 2))), ShapeError, "at most two axes"),
    ):
        with pytest.raises(kind) as caught:
            function()
        assert text in str(caught.value)
    for function in (
        lambda: polygrad.topk(x, 7),
        lambda: polygrad.kthvalue(x, 0),
        lambda: polygrad.median(x[:0], 0),
    ):
        with pytest.raises((ArgumentError, ShapeError, RuntimeError, IndexError)):
            function()
