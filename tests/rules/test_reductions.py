"""The reductions and running reductions: derivatives, dtypes, node names, values at ties, zeros and empty axes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import polygrad
from polygrad import func
from polygrad.rules.declare import OPS
from support.gradient_checks import check, host, tensor, torch

RNG = np.random.default_rng(7)
A = RNG.normal(size=(3, 4))
B = RNG.normal(size=(2, 3, 4))
C = RNG.normal(size=(3, 4)) + 1j * RNG.normal(size=(3, 4))
V = RNG.normal(size=5)
W = RNG.normal(size=5) + 1j * RNG.normal(size=5)
S = np.asarray(1.5)
Z = np.asarray(1.5 - 0.5j)
E = np.zeros((3, 0))
ONE_ZERO = np.asarray([[2.0, 0.0, 3.0, -1.5], [1.0, 2.0, -0.5, 4.0], [0.5, 1.5, 2.5, 0.0]])
TWO_ZEROS = np.asarray([[0.0, 2.0, 0.0, 3.0], [0.0, 0.0, 0.0, 1.0], [1.5, 2.0, -1.0, 0.5]])
TIES = np.asarray([[1.0, 3.0, 3.0, 0.0], [2.0, 2.0, 2.0, 2.0], [5.0, -1.0, 5.0, 5.0]])


def only(backend: str, arrays: Any) -> None:
    """array-api-strict has only what the standard asks for."""
    if backend == "array_api_strict" and any(np.iscomplexobj(a) for a in arrays):
        pytest.skip("the standard defines this for real numbers only")


REDUCTIONS = [
    # name, arrays, parameters, the same in torch
    ("sum", [A], {}, lambda x: x.sum()),
    ("sum", [A], {"axis": 0}, lambda x: x.sum(0)),
    ("sum", [A], {"axis": -1, "keepdims": True}, lambda x: x.sum(-1, keepdim=True)),
    ("sum", [B], {"axis": (0, -1)}, lambda x: x.sum((0, -1))),
    ("sum", [B], {"axis": (-1, 0), "keepdims": True}, lambda x: x.sum((0, -1), keepdim=True)),
    ("sum", [A], {"keepdims": True}, lambda x: x.sum((0, 1), keepdim=True)),
    ("sum", [C], {"axis": 1}, lambda x: x.sum(1)),
    ("sum", [S], {}, lambda x: x.sum()),
    ("sum", [E], {"axis": 1}, lambda x: x.sum(1)),
    ("sum", [E], {}, lambda x: x.sum()),
    ("mean", [A], {}, lambda x: x.mean()),
    ("mean", [A], {"axis": -2}, lambda x: x.mean(-2)),
    ("mean", [B], {"axis": (0, 2), "keepdims": True}, lambda x: x.mean((0, 2), keepdim=True)),
    ("mean", [C], {"axis": 0}, lambda x: x.mean(0)),
    ("mean", [S], {}, lambda x: x.mean()),
    ("mean", [E], {"axis": 0}, lambda x: x.mean(0)),
    ("prod", [A], {}, lambda x: x.prod()),
    ("prod", [A], {"axis": 0}, lambda x: x.prod(0)),
    ("prod", [A], {"axis": -1, "keepdims": True}, lambda x: x.prod(-1, keepdim=True)),
    ("prod", [B], {"axis": (0, -1)}, lambda x: x.prod(-1).prod(0)),
    ("prod", [B], {"axis": (2, 0), "keepdims": True}, lambda x: x.prod(-1, keepdim=True).prod(0, keepdim=True)),
    ("prod", [B], {"axis": 1}, lambda x: x.prod(1)),
    ("prod", [C], {"axis": 1}, lambda x: x.prod(1)),
    ("prod", [W], {}, lambda x: x.prod()),
    ("prod", [S], {}, lambda x: x.prod()),
    ("prod", [A[:1]], {"axis": 0}, lambda x: x.prod(0)),
    ("prod", [E], {"axis": 1}, lambda x: x.prod(1)),
    ("prod", [E], {}, lambda x: x.prod()),
    ("prod", [ONE_ZERO], {}, lambda x: x.prod()),
    ("prod", [ONE_ZERO], {"axis": 1}, lambda x: x.prod(1)),
    ("prod", [TWO_ZEROS], {"axis": 1}, lambda x: x.prod(1)),
    ("prod", [TWO_ZEROS * (1 + 2j)], {"axis": 0}, lambda x: x.prod(0)),
    ("max", [A], {}, lambda x: x.max()),
    ("max", [A], {"axis": 0}, lambda x: x.amax(0)),
    ("max", [B], {"axis": (0, -1), "keepdims": True}, lambda x: x.amax((0, -1), keepdim=True)),
    ("max", [B], {"axis": (2, 1)}, lambda x: x.amax((1, 2))),
    ("max", [S], {}, lambda x: x.max()),
    ("max", [E], {"axis": 0}, lambda x: x.amax(0)),
    ("min", [A], {}, lambda x: x.min()),
    ("min", [A], {"axis": -1}, lambda x: x.amin(-1)),
    ("min", [B], {"axis": (0, 1)}, lambda x: x.amin((0, 1))),
    ("min", [B], {"keepdims": True}, lambda x: x.amin((0, 1, 2), keepdim=True)),
    ("var", [A], {}, lambda x: x.var(correction=0)),
    ("var", [A], {"correction": 1}, lambda x: x.var()),
    ("var", [A], {"axis": 0, "correction": 1}, lambda x: x.var(0)),
    ("var", [B], {"axis": (0, -1), "keepdims": True}, lambda x: x.var((0, -1), correction=0, keepdim=True)),
    ("var", [B], {"axis": -1, "correction": 1.5}, lambda x: x.var(-1, correction=1.5)),
    ("var", [C], {"axis": 1, "correction": 1}, lambda x: x.var(1)),
    ("var", [W], {}, lambda x: x.var(correction=0)),
    ("var", [S], {}, lambda x: x.var(correction=0)),
    ("std", [A], {}, lambda x: x.std(correction=0)),
    ("std", [A], {"axis": 0, "correction": 1}, lambda x: x.std(0)),
    ("std", [B], {"axis": (1, 2), "keepdims": True}, lambda x: x.std((1, 2), correction=0, keepdim=True)),
    ("std", [C], {"axis": 0, "correction": 1}, lambda x: x.std(0)),
    ("logsumexp", [A], {}, lambda x: x.logsumexp((0, 1))),
    ("logsumexp", [A], {"axis": 0}, lambda x: x.logsumexp(0)),
    ("logsumexp", [B + 800], {"axis": (0, -1), "keepdims": True}, lambda x: x.logsumexp((0, -1), keepdim=True)),
    ("logsumexp", [C], {"axis": -1}, lambda x: x.logsumexp(-1)),
    ("logsumexp", [S], {}, lambda x: x.logsumexp(())),
    ("logsumexp", [E], {"axis": 0}, lambda x: x.logsumexp(0)),
    ("cumulative_sum", [V], {}, lambda x: x.cumsum(0)),
    ("cumulative_sum", [B], {"axis": 1}, lambda x: x.cumsum(1)),
    ("cumulative_sum", [C], {"axis": -1}, lambda x: x.cumsum(-1)),
    ("cumulative_sum", [A], {"axis": 0, "include_initial": True}, lambda x: torch.cat([0 * x[:1], x.cumsum(0)])),
    ("cumulative_sum", [E], {"axis": 1}, lambda x: x.cumsum(1)),
    ("cumulative_sum", [E], {"axis": 1, "include_initial": True}, lambda x: torch.zeros(3, 1, dtype=x.dtype) + x.sum()),
    ("cumulative_prod", [V], {}, lambda x: x.cumprod(0)),
    ("cumulative_prod", [V[:1]], {}, lambda x: x.cumprod(0)),
    ("cumulative_prod", [V[:2]], {}, lambda x: x.cumprod(0)),
    ("cumulative_prod", [B], {"axis": 1}, lambda x: x.cumprod(1)),
    ("cumulative_prod", [B], {"axis": 0}, lambda x: x.cumprod(0)),
    ("cumulative_prod", [C], {"axis": -1}, lambda x: x.cumprod(-1)),
    ("cumulative_prod", [W], {"include_initial": True}, lambda x: torch.cat([0 * x[:1] + 1, x.cumprod(0)])),
    ("cumulative_prod", [A], {"axis": 0, "include_initial": True}, lambda x: torch.cat([0 * x[:1] + 1, x.cumprod(0)])),
    ("cumulative_prod", [E], {"axis": 1}, lambda x: x.cumprod(1)),
    ("cumulative_prod", [E], {"axis": 0, "include_initial": True}, None),
    ("cumulative_prod", [ONE_ZERO], {"axis": 1}, lambda x: x.cumprod(1)),
    ("cumulative_prod", [TWO_ZEROS], {"axis": 1}, lambda x: x.cumprod(1)),
    ("cumulative_prod", [TWO_ZEROS], {"axis": 0}, lambda x: x.cumprod(0)),
]


@pytest.mark.parametrize(
    ("name", "arrays", "params", "reference"), REDUCTIONS, ids=[f"{i}-{case[0]}" for i, case in enumerate(REDUCTIONS)]
)
def test_derivatives(name: str, arrays: Any, params: Any, reference: Any, backend: str, xp: Any) -> None:
    if name in ("var", "std"):
        only(backend, arrays)
    check(lambda x: getattr(xp, name)(x, **params), arrays, backend, reference=reference)


JOINED = [
    ([V], {}, torch.diff),
    ([V], {"n": 2}, lambda x: torch.diff(x, n=2)),
    ([V], {"n": 4}, lambda x: torch.diff(x, n=4)),
    ([V], {"n": 5}, lambda x: torch.diff(x, n=5)),
    ([V], {"n": 0}, lambda x: torch.diff(x, n=0)),
    ([V[:1]], {}, torch.diff),
    ([B], {"axis": 0}, lambda x: torch.diff(x, dim=0)),
    ([B], {"axis": -2, "n": 2}, lambda x: torch.diff(x, dim=-2, n=2)),
    ([C], {"axis": 0}, lambda x: torch.diff(x, dim=0)),
    ([E], {"axis": 0}, lambda x: torch.diff(x, dim=0)),
]


@pytest.mark.parametrize(("arrays", "params", "reference"), JOINED)
def test_diff(arrays: Any, params: Any, reference: Any, backend: str, xp: Any) -> None:
    check(lambda x: xp.diff(x, **params), arrays, backend, reference=reference)


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("axis", [0, -1])
def test_diff_with_ends(n: int, axis: int, backend: str, xp: Any) -> None:
    first, last = (A[:2], A[1:]) if axis == 0 else (A[:, :1], A[:, 2:])
    for p, q in ((first, last), (first, None), (None, last)):
        ends = {name: end for name, end in (("prepend", p), ("append", q)) if end is not None}

        def function(x: Any, *arrays: Any, names: Any = tuple(ends)) -> Any:
            return xp.diff(x, n=n, axis=axis, **dict(zip(names, arrays, strict=True)))

        def reference(x: Any, *arrays: Any, names: Any = tuple(ends)) -> Any:
            return torch.diff(x, n=n, dim=axis, **dict(zip(names, arrays, strict=True)))

        check(function, [A, *ends.values()], backend, reference=reference)


def test_diff_holds_a_raw_end_constant(backend: str, xp: Any) -> None:
    x = tensor(V, backend, True)
    xp.sum(xp.diff(x, prepend=tensor(V[:1], backend).array) * tensor(V, backend)).backward()
    t = torch.tensor(V, requires_grad=True)
    (torch.diff(t, prepend=torch.tensor(V[:1])) * torch.tensor(V)).sum().backward()
    np.testing.assert_allclose(host(x.grad), t.grad)


POINTS = np.asarray([0.0, 0.5, 0.75, 2.0])
TRAPEZOIDS = [
    ([A], {}, torch.trapezoid),
    ([A], {"axis": 0, "dx": 0.5}, lambda y: torch.trapezoid(y, dx=0.5, dim=0)),
    ([C], {"axis": 1}, lambda y: torch.trapezoid(y, dim=1)),
    ([B], {"axis": 1}, lambda y: torch.trapezoid(y, dim=1)),
    ([V[:2]], {}, torch.trapezoid),
    ([V[:1]], {}, lambda y: 0 * y[0]),
    # torch's own has no derivative without points
    ([V[:0]], {}, lambda y: y.sum()),
    ([A[:, :0]], {"dx": 0.5}, lambda y: y.sum(1)),
    ([A[:0]], {"axis": 0}, lambda y: y.sum(0)),
    ([A[:, :0], POINTS[:0]], {}, lambda y, x: (y * x).sum(1)),
    ([A, POINTS], {}, torch.trapezoid),
    ([B, POINTS[1:]], {"axis": 1}, lambda y, x: torch.trapezoid(y, x, dim=1)),
    ([V, V + 3], {"axis": 0}, lambda y, x: torch.trapezoid(y, x, dim=0)),
    ([A, B[0]], {"axis": 0}, lambda y, x: torch.trapezoid(y, x, dim=0)),
    ([A, B[0, :, :1]], {"axis": 0}, lambda y, x: torch.trapezoid(y, x, dim=0)),
    ([A[:1], B[0]], {"axis": 1}, lambda y, x: torch.trapezoid(y, x, dim=1)),
    ([C, W[:4]], {}, torch.trapezoid),
    ([C, POINTS], {}, torch.trapezoid),
    ([A[:, :1], V[:1]], {}, lambda y, x: 0 * y[:, 0]),
]


@pytest.mark.parametrize(("arrays", "params", "reference"), TRAPEZOIDS)
def test_trapezoid(arrays: Any, params: Any, reference: Any, backend: str, xp: Any) -> None:
    check(lambda *ts: xp.trapezoid(*ts, **params), arrays, backend, reference=reference)


# -- values at special points ------------------------------------------------------------------------------------------
def gradient_of(backend: str, array: Any, function: Any) -> np.ndarray:
    x = tensor(array, backend, True)
    function(x).backward()
    return host(x.grad)


@pytest.mark.parametrize(
    ("name", "params", "reference"),
    [
        ("max", {}, lambda x: x.max()),
        ("max", {"axis": 1}, lambda x: x.amax(1)),
        ("max", {"axis": (0, 1), "keepdims": True}, lambda x: x.amax((0, 1), keepdim=True)),
        ("min", {}, lambda x: x.min()),
        ("min", {"axis": 0}, lambda x: x.amin(0)),
    ],
)
def test_ties_share_equally(name: str, params: Any, reference: Any, backend: str, xp: Any) -> None:
    got = gradient_of(backend, TIES, lambda x: xp.sum(getattr(xp, name)(x, **params)))
    t = torch.tensor(TIES, requires_grad=True)
    reference(t).sum().backward()
    np.testing.assert_allclose(got, t.grad)
    # and forward mode gives the mean of the tangents there
    u = RNG.normal(size=TIES.shape)
    _, dual = func.jvp(
        lambda x: xp.sum(getattr(xp, name)(x, **params)), (tensor(TIES, backend),), (tensor(u, backend),)
    )
    np.testing.assert_allclose(host(dual), np.sum(got * u))


def test_a_nan_takes_the_gradient_of_a_maximum_over_everything(backend: str, xp: Any) -> None:
    got = gradient_of(backend, np.asarray([1.0, np.nan, 2.0]), xp.max)
    np.testing.assert_array_equal(got, [0.0, 1.0, 0.0])


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")
def test_a_nan_spoils_the_gradient_of_a_maximum_over_an_axis(backend: str, xp: Any) -> None:
    got = gradient_of(backend, np.asarray([1.0, np.nan, 2.0]), lambda x: xp.max(x, axis=0))
    assert np.isnan(got).all()


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize("correction", [2, 3, 4])
@pytest.mark.parametrize("axis", [None, 0])
def test_no_degrees_of_freedom(name: str, correction: int, axis: Any, backend: str, xp: Any) -> None:
    values = np.asarray([1.0, 2.0, 3.0])
    x = tensor(values, backend, True)
    y = getattr(xp, name)(x, axis=axis, correction=correction)
    t = torch.tensor(values, requires_grad=True)
    z = getattr(t, name)(dim=axis, correction=correction)
    y.backward()
    z.backward()
    # from there on these have NaN for the value itself
    if correction < {"jax": 3, "cupy": 3, "dask": 4}.get(backend, 5):
        np.testing.assert_allclose(host(y), z.detach())
        np.testing.assert_allclose(host(x.grad), t.grad)


def test_the_deviation_of_equal_values_has_gradient_zero(backend: str, xp: Any) -> None:
    for correction in (0, 1):
        got = gradient_of(backend, np.full(3, 2.0), lambda x, c=correction: xp.std(x, correction=c))
        np.testing.assert_array_equal(got, np.zeros(3))
    got = gradient_of(backend, np.full((2, 3), 2.0), lambda x: xp.sum(xp.std(x, axis=1)))
    np.testing.assert_array_equal(got, np.zeros((2, 3)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", ["mean", "var", "std"])
def test_nothing_at_all(name: str, backend: str, xp: Any) -> None:
    x = tensor(np.zeros(0), backend, True)
    y = getattr(xp, name)(x)
    y.backward()
    assert np.isnan(host(y))
    assert tuple(x.grad.shape) == (0,)


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")
@pytest.mark.parametrize(
    "values",
    [[-np.inf, -np.inf], [-np.inf, 1.0], [np.inf, 1.0], [np.inf, np.inf, 1.0], [np.nan, 1.0], [1000.0, -1000.0]],
)
def test_logsumexp_at_infinity(values: Any, backend: str, xp: Any) -> None:
    x = tensor(np.asarray(values), backend, True)
    y = xp.logsumexp(x, axis=0)
    y.backward()
    t = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    z = t.logsumexp(0)
    z.backward()
    np.testing.assert_allclose(host(y), z.detach())
    np.testing.assert_allclose(host(x.grad), t.grad)


def test_logsumexp_of_nothing_is_minus_infinity(backend: str, xp: Any) -> None:
    x = tensor(E, backend, True)
    y = xp.logsumexp(x, axis=1)
    np.testing.assert_array_equal(host(y), np.full(3, -np.inf))
    xp.sum(y).backward()
    assert tuple(x.grad.shape) == (3, 0)


@pytest.mark.parametrize("function", ["prod", "cumulative_prod"])
def test_zeros_to_the_third_order(function: str, backend: str, xp: Any) -> None:
    """d³(xyz)/dx dy dz is 1 at the origin too."""

    def f(x: Any) -> Any:
        y = getattr(xp, function)(x)
        return y if function == "prod" else y[2]

    def torch_f(x: Any) -> Any:
        return x[0] * x[1] * x[2]

    at = np.zeros(3)
    x, t = tensor(at, backend, True), torch.tensor(at, requires_grad=True)
    v = np.asarray([1.0, 2.0, 3.0])
    y, z = f(x), torch_f(t)
    for _ in range(3):
        (y,) = polygrad.autograd.grad(y, [x], create_graph=True)
        (z,) = torch.autograd.grad(z, [t], create_graph=True)
        np.testing.assert_allclose(host(y.detach()), z.detach())
        y, z = xp.sum(y * tensor(v, backend)), (z * torch.tensor(v)).sum()


def test_a_long_running_product(backend: str, xp: Any) -> None:
    values = 1 + 0.1 * np.random.default_rng(3).normal(size=37)
    values[[5, 20]] = 0
    check(xp.cumulative_prod, [values], backend, reference=lambda x: x.cumprod(0), second=False)
    check(xp.prod, [values[:20]], backend, reference=lambda x: x.prod(), second=False)


# -- dtypes ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name",
    [
        "sum",
        "mean",
        "prod",
        "max",
        "min",
        "var",
        "std",
        "logsumexp",
        "cumulative_sum",
        "cumulative_prod",
        "diff",
        "trapezoid",
    ],
)
def test_float32_stays(name: str, backend: str, xp: Any) -> None:
    x = tensor(V.astype(np.float32), backend, True)
    y = getattr(xp, name)(x)
    assert y.dtype == x.dtype
    (g,) = polygrad.autograd.grad(xp.sum(y), [x], create_graph=True)
    assert g.dtype == x.dtype
    _, t = func.jvp(getattr(xp, name), (x.detach(),), (x.detach(),))
    assert t.dtype == x.dtype


@pytest.mark.parametrize("name", ["sum", "prod", "cumulative_sum", "cumulative_prod"])
def test_dtype_parameter(name: str, backend: str, xp: Any) -> None:
    x = tensor(V.astype(np.float32), backend, True)
    y = getattr(xp, name)(x, dtype=xp.float64)
    assert y.dtype == xp.float64
    xp.sum(y).backward()
    assert x.grad.dtype == xp.float32
    t = torch.tensor(V.astype(np.float32), requires_grad=True)
    torch_name = {"cumulative_sum": "cumsum", "cumulative_prod": "cumprod"}.get(name, name)
    args = (0,) if name.startswith("cumulative") else ()
    getattr(t, torch_name)(*args, dtype=torch.float64).sum().backward()
    np.testing.assert_allclose(host(x.grad), t.grad, rtol=1e-6)
    _, dual = func.jvp(lambda x: getattr(xp, name)(x, dtype=xp.float64), (x.detach(),), (x.detach(),))
    assert dual.dtype == xp.float64
    whole = tensor(np.arange(1, 4), backend)
    y = getattr(xp, name)(whole, dtype=xp.float64)
    assert y.dtype == xp.float64
    assert not y.requires_grad


def test_real_to_complex_sum(backend: str, xp: Any) -> None:
    if backend == "array_api_strict":
        pytest.skip("the standard keeps the kind of the dtype")
    # torch's own gradient of this fails
    check(lambda x: xp.sum(x, axis=0, dtype=xp.complex128), [A], backend, narrow=False)


CONSTANT = [
    ("any", {"axis": 1}, np.any),
    ("all", {"axis": 0, "keepdims": True}, np.all),
    ("argmax", {"axis": 1}, np.argmax),
    ("argmax", {}, np.argmax),
    ("argmin", {"axis": 0, "keepdims": True}, np.argmin),
    ("count_nonzero", {"axis": 1}, np.count_nonzero),
    ("count_nonzero", {"axis": (0, 1), "keepdims": True}, np.count_nonzero),
]


@pytest.mark.parametrize(("name", "params", "reference"), CONSTANT)
def test_without_derivative(name: str, params: Any, reference: Any, backend: str, xp: Any) -> None:
    x = tensor(ONE_ZERO, backend, True)
    y = getattr(xp, name)(x, **params)
    assert not y.requires_grad
    np.testing.assert_array_equal(host(y), reference(ONE_ZERO, **params))


DEFAULTS = [
    ("logsumexp", [B], {"axis": (0, -1)}),
    ("logsumexp", [A], {"keepdims": True}),
    ("logsumexp", [A], {}),
    ("count_nonzero", [ONE_ZERO], {"axis": 1}),
    ("diff", [A], {"n": 2, "axis": 0}),
    ("trapezoid", [A], {"dx": 0.5, "axis": 0}),
    ("trapezoid", [A, POINTS], {}),
]


@pytest.mark.parametrize(("name", "arrays", "params"), DEFAULTS)
def test_where_a_library_has_no_such_function(name: str, arrays: Any, params: Any, backend: str, xp: Any) -> None:
    """The agnostic default gives what the library, or torch, gives."""
    ts = [tensor(a, backend) for a in arrays]
    default = polygrad.asarray(OPS[name].default(ts[0]._frame.raw, *[t.array for t in ts], **params))  # type: ignore[misc]
    np.testing.assert_allclose(host(default), host(getattr(xp, name)(*ts, **params)), rtol=1e-14)


# -- the graph ---------------------------------------------------------------------------------------------------------
NAMES = [
    (lambda xp, x: xp.sum(x), lambda x: x.sum()),
    (lambda xp, x: xp.sum(x, axis=0), lambda x: x.sum(0)),
    (lambda xp, x: xp.sum(x, keepdims=True), lambda x: torch.sum(x, dim=None, keepdim=True)),
    (lambda xp, x: xp.mean(x), lambda x: x.mean()),
    (lambda xp, x: xp.mean(x, axis=(0, 1)), lambda x: x.mean((0, 1))),
    (lambda xp, x: xp.prod(x), lambda x: x.prod()),
    (lambda xp, x: xp.prod(x, axis=0), lambda x: x.prod(0)),
    (lambda xp, x: xp.max(x), lambda x: x.max()),
    (lambda xp, x: xp.max(x, axis=0), lambda x: x.amax(0)),
    (lambda xp, x: xp.min(x), lambda x: x.min()),
    (lambda xp, x: xp.min(x, axis=0), lambda x: x.amin(0)),
    (lambda xp, x: xp.var(x), lambda x: x.var()),
    (lambda xp, x: xp.std(x, axis=0), lambda x: x.std(0)),
    (lambda xp, x: xp.logsumexp(x, axis=0), lambda x: x.logsumexp(0)),
    (lambda xp, x: xp.cumulative_sum(x, axis=0), lambda x: x.cumsum(0)),
    (lambda xp, x: xp.cumulative_prod(x, axis=0), lambda x: x.cumprod(0)),
    (lambda xp, x: xp.diff(x), torch.diff),
    (lambda xp, x: xp.trapezoid(x), torch.trapezoid),
    (lambda xp, x: xp.trapezoid(x, x), lambda x: torch.trapezoid(x, x)),
]


@pytest.mark.parametrize(("function", "reference"), NAMES)
def test_node_names(function: Any, reference: Any, backend: str, xp: Any) -> None:
    x = tensor(A, backend, True)
    assert function(xp, x).grad_fn.name() == reference(torch.tensor(A, requires_grad=True)).grad_fn.name()


@pytest.mark.parametrize("name", ["sum", "mean", "cumulative_sum", "diff"])
def test_linear_reductions_keep_nothing(name: str, backend: str, xp: Any) -> None:
    y = getattr(xp, name)(tensor(V, backend, True))
    assert y.grad_fn.saved_arrays == ()


def test_the_gradient_of_a_sum_is_a_view() -> None:
    """A broadcast scalar: no array of the size of x is made on the way down."""
    xp = polygrad.namespace("numpy")
    for name in ("sum", "mean"):
        x = polygrad.tensor(np.ones((100, 50)), backend="numpy", requires_grad=True) * 1.0
        y = getattr(xp, name)(x)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            (part,) = y.grad_fn.pull(y._frame.raw, np.asarray(1.0), y.grad_fn.edges, y.grad_fn.saved)
        assert part.shape == (100, 50)
        assert part.strides == (0, 0)


def test_errors_name_the_operation(backend: str, xp: Any) -> None:
    x = tensor(A, backend, True)
    if backend == "dask":
        pytest.skip("dask looks at axes later")
    with pytest.raises(Exception, match=r"sum\("):
        xp.sum(x, axis=5)
    with pytest.raises(Exception, match=r"cumulative_sum\("):
        xp.cumulative_sum(x)


def test_the_integral_over_no_points_is_zero(backend: str, xp: Any) -> None:
    check(lambda y: xp.trapezoid(y), [np.zeros(0)], backend)
    check(lambda y: xp.trapezoid(y, axis=0), [np.zeros((0, 2))], backend)
    check(lambda y, x: xp.trapezoid(y, x), [np.zeros((2, 0)), np.zeros(0)], backend)
    assert xp.trapezoid(tensor(np.zeros((0, 2)), backend), axis=0).tolist() == [0.0, 0.0]
