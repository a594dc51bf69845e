"""torch's numerical functions beyond the standard: values, derivatives, kinks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import polygrad
from polygrad.errors import ArgumentError, ShapeError
from support.gradient_checks import check, host, tensor, torch

RNG = np.random.default_rng(5)
A = RNG.normal(size=(3, 4))
B = RNG.normal(size=(3, 4))
C = RNG.normal(size=(2, 3, 4))
Z = RNG.normal(size=(3, 4)) + 1j * RNG.normal(size=(3, 4))
Y = RNG.normal(size=(3, 4)) + 1j * RNG.normal(size=(3, 4))
R = RNG.normal(size=4)
P = RNG.uniform(0.5, 2.0, size=(3, 4))
S = np.asarray(0.7)
E = np.zeros((3, 0))
X = np.asarray([0.0, 0.5, 2.0, 2.25])
NAN, INF = math.nan, math.inf

CASES = [
    # name, arrays, further arguments, keywords of torch
    ("logaddexp2", [A, B], (), {}),
    ("logaddexp2", [A, R * 100], (), {}),
    ("fmod", [A * 5, P], (), {}),
    ("fmod", [A * 5, -P], (), {}),
    ("fmod", [A * 5], (1.5,), {}),
    ("fmax", [A, B], (), {}),
    ("fmax", [A, R], (), {}),
    ("fmin", [A, B], (), {}),
    ("fmin", [R, A], (), {}),
    ("frac", [A * 3], (), {}),
    ("angle", [A], (), {}),
    ("angle", [Z], (), {}),
    ("deg2rad", [A], (), {}),
    ("rad2deg", [A], (), {}),
    ("rsqrt", [P], (), {}),
    ("rsqrt", [Z], (), {}),
    ("lerp", [A, B], (0.3,), {}),
    ("lerp", [A, B], (0.8,), {}),
    ("lerp", [A, B, P], (), {}),
    ("lerp", [A, R, S], (), {}),
    ("lerp", [Z, Y], (0.3,), {}),
    ("addcmul", [A, B, P], (), {}),
    ("addcmul", [A, R, P], (), {"value": 0.5}),
    ("addcmul", [Z, Y, Z], (), {"value": -2}),
    ("addcdiv", [A, B, P], (), {}),
    ("addcdiv", [S, R, P], (), {"value": 0.5}),
    ("addcdiv", [Z, Y, Z + 2], (), {"value": -2}),
    ("ldexp", [A, B], (), {}),
    ("float_power", [P, A], (), {}),
    ("float_power", [A], (2,), {}),
    ("float_power", [Z], (3,), {}),
    ("clamp_min", [A, B], (), {}),
    ("clamp_min", [A], (0.1,), {}),
    ("clamp_max", [A, B], (), {}),
    ("clamp_max", [A], (0.1,), {}),
    ("rsub", [A, B], (), {"alpha": 2}),
    ("rsub", [A], (2.0,), {}),
    ("erf", [A], (), {}),
    ("erfc", [A], (), {}),
    ("erfinv", [A / 4], (), {}),
    ("digamma", [P], (), {}),
    ("lgamma", [P], (), {}),
    ("exp2", [A], (), {}),
    ("sinc", [A], (), {}),
    ("i0", [A], (), {}),
    ("xlogy", [A, P], (), {}),
    ("mvlgamma", [P + 2], (3,), {}),
    ("logit", [P / 3], (), {}),
    ("logit", [P / 3], (0.3,), {}),
    ("cumsum", [A], (1,), {}),
    ("cumsum", [Z], (-2,), {}),
    ("cumprod", [A], (1,), {}),
    ("cummax", [A], (1,), {}),
    ("cummax", [C], (-2,), {}),
    ("cummax", [RNG.normal(size=17)], (0,), {}),
    ("cummax", [S], (0,), {}),
    ("cummin", [A], (0,), {}),
    ("cummin", [C], (-1,), {}),
    ("logcumsumexp", [A], (1,), {}),
    ("logcumsumexp", [C], (-2,), {}),
    ("logcumsumexp", [RNG.normal(size=9) * 300], (0,), {}),
    ("logcumsumexp", [Z], (0,), {}),
    ("logcumsumexp", [S], (0,), {}),
    ("logcumsumexp", [E], (1,), {}),
    ("cumulative_trapezoid", [A], (), {}),
    ("cumulative_trapezoid", [A], (), {"dx": 0.5}),
    ("cumulative_trapezoid", [A, X], (), {}),
    ("cumulative_trapezoid", [Z, np.cumsum(P, axis=0)], (), {"axis": 0}),
    ("cumulative_trapezoid", [C], (), {"axis": 1}),
    ("gradient", [A], (), {}),
    ("gradient", [A], (), {"axis": 1}),
    ("gradient", [C], (), {"axis": (0, -1), "spacing": 0.5}),
    ("gradient", [C], (), {"axis": (1, 2), "spacing": [0.5, 2.0]}),
    ("gradient", [A], (), {"axis": 1, "edge_order": 2}),
    ("gradient", [Z], (), {"axis": 0, "edge_order": 2, "spacing": 0.1}),
    ("dist", [A, B], (), {}),
    ("dist", [A, R], (3.0,), {}),
    ("dist", [A, B], (1,), {}),
    ("dist", [A, B], (INF,), {}),
    ("cdist", [A, B], (), {}),
    ("cdist", [C, B], (1.0,), {}),
    ("cdist", [A[:2], B], (3.0,), {}),
    ("cdist", [A, B], (INF,), {}),
    ("cdist", [A[:, :0], B[:2, :0]], (), {}),
    ("cdist", [A, B[:0]], (), {}),
    ("pdist", [A], (), {}),
    ("renorm", [A], (2, 0, 1.5), {}),
    ("renorm", [C], (1, -2, 2.5), {}),
    ("renorm", [A / 100], (2, 0, 1.5), {}),
]
TORCH_NAMES = {"axis": "dim"}


@pytest.mark.parametrize(("name", "arrays", "args", "params"), CASES, ids=[c[0] for c in CASES])
def test_derivatives(name: str, arrays: Any, args: Any, params: Any, backend: str) -> None:
    def reference(*ts: Any) -> Any:
        found = getattr(torch, name, None) or getattr(torch.nn.functional, name)
        if name == "renorm":
            found = lambda x, p, dim, m: torch.renorm(x, p, dim % x.ndim, m)  # noqa: E731
        out = found(*ts, *args, **{TORCH_NAMES.get(k, k): v for k, v in params.items()})
        return out[0] if name in ("cummax", "cummin") else out

    def function(*ts: Any) -> Any:
        out = getattr(polygrad, name)(*ts, *args, **params)
        return out[0] if name in ("cummax", "cummin") else out

    # torch's gamma and Bessel functions have fewer digits than SciPy's
    loose = name in ("digamma", "lgamma", "i0", "mvlgamma", "erfinv")
    narrow = name != "float_power"  # which computes in double precision, as torch's does
    check(function, arrays, backend, reference=reference, rtol=1e-8 if loose else 1e-10, narrow=narrow)


@pytest.mark.parametrize(
    ("name", "function", "reference", "arrays"),
    [
        ("ldexp", lambda x: polygrad.ldexp(x, 3), lambda x: x * 8, [A]),
        ("polygamma", lambda x: polygrad.polygamma(1, x), lambda x: torch.polygamma(1, x), [P]),
        (
            "igamma",
            lambda x: polygrad.igamma(2.5, x),
            lambda x: torch.special.gammainc(torch.tensor(2.5).double(), x),
            [P],
        ),
        (
            "igammac",
            lambda x: polygrad.igammac(2.5, x),
            lambda x: torch.special.gammaincc(torch.tensor(2.5).double(), x),
            [P],
        ),
        ("expit", polygrad.expit, torch.special.expit, [A]),
        (
            "gradient",
            lambda x, t: polygrad.gradient(x, spacing=[t], axis=1),
            lambda x, t: torch.gradient(x, spacing=(t,), dim=1),
            [A, X],
        ),
        (
            "gradient",
            lambda x, t: polygrad.gradient(x, spacing=[t], axis=(1,), edge_order=2),
            lambda x, t: torch.gradient(x, spacing=(t,), dim=1, edge_order=2),
            [A, X],
        ),
        ("heaviside", lambda x, y: polygrad.heaviside(x, y), None, [A, B]),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_derivatives_with_other_arguments(name: str, function: Any, reference: Any, arrays: Any, backend: str) -> None:
    check(function, arrays, backend, reference=reference, rtol=1e-7)


KINKS = [
    # function, its torch namesake, the points: everything has to be torch's, nan included
    (polygrad.fmax, torch.fmax, [[1.0, NAN, 2, NAN, 2], [1.0, 1, NAN, NAN, 3]]),
    (polygrad.fmin, torch.fmin, [[1.0, NAN, 2, NAN, 2], [1.0, 1, NAN, NAN, 3]]),
    (polygrad.fmod, torch.fmod, [[5.0, -5.0, 5.0, 0.0], [3.0, 3.0, -3.0, 2.0]]),
    (polygrad.frac, torch.frac, [[1.0, -2.5, 0.0]]),
    (polygrad.angle, torch.angle, [[1.0, -1.0, 0.0, NAN]]),
    (polygrad.angle, torch.angle, [[0j, 1j, -1 + 0j]]),
    (polygrad.sinc, torch.sinc, [[0.0, 1.0]]),
    (lambda x: polygrad.clamp_min(x, 1.0), lambda x: torch.clamp_min(x, 1.0), [[1.0, 0.0, 2.0]]),
    (lambda x: polygrad.renorm(x, 2, 0, 1.0), lambda x: torch.renorm(x, 2, 0, 1.0), [[[0.0, 0.0], [3.0, 4.0]]]),
    (lambda x: polygrad.logcumsumexp(x, 0), lambda x: torch.logcumsumexp(x, 0), [[-INF, -INF, 1.0, 2.0]]),
    (lambda x: polygrad.logcumsumexp(x, 0), lambda x: torch.logcumsumexp(x, 0), [[1.0, -INF, 2.0, -INF]]),
    (lambda x: polygrad.cummax(x, 0)[0], lambda x: torch.cummax(x, 0)[0], [[3.0, NAN, 1.0, NAN, 5.0]]),
    (lambda x: polygrad.cummax(x, 0)[0], lambda x: torch.cummax(x, 0)[0], [[1.0, 1.0, 0.0, 2.0, 2.0, 1.0]]),
    (lambda x, y: polygrad.dist(x, y), lambda x, y: torch.dist(x, y), [[1.0, 2.0], [1.0, 2.0]]),
    *[
        (
            lambda x, y, p=p: polygrad.cdist(x, y, p),
            lambda x, y, p=p: torch.cdist(x, y, p),
            [[[1.0, 2.0]], [[1.0, 2.0], [3.0, 2.0]]],
        )
        for p in (0.0, 1.0, 1.5, 2.0, 3.0, INF)
    ],
]


@pytest.mark.parametrize(("function", "reference", "points"), KINKS)
def test_kinks(function: Any, reference: Any, points: Any, backend: str) -> None:
    ours = [tensor(np.asarray(p), backend, requires_grad=True) for p in points]
    theirs = [torch.tensor(np.asarray(p), requires_grad=True) for p in points]
    out, expected = function(*ours), reference(*theirs)
    # the sine at the first root of sinc is a rounding error, or exactly 0
    np.testing.assert_allclose(host(out.detach()), expected.detach().numpy(), rtol=1e-12, atol=1e-16)
    grads = polygrad.autograd.grad(out, ours, polygrad.ones_like(out.detach()), materialize_grads=True)
    expected_grads = torch.autograd.grad(expected, theirs, torch.ones_like(expected))
    for g, e in zip(grads, expected_grads, strict=True):
        np.testing.assert_allclose(host(g), e.numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", ["cummax", "cummin"])
def test_indices_of_running_extremes(name: str, backend: str) -> None:
    for values in ([3.0, NAN, 1.0, NAN, 2.0], [1.0, 1.0, 0.0, 2.0, 2.0], [2.0], []):
        out = getattr(polygrad, name)(tensor(np.asarray(values), backend), 0)
        expected = getattr(torch, name)(torch.tensor(values, dtype=torch.float64), 0)
        np.testing.assert_array_equal(host(out.values), expected.values.numpy())
        assert out.indices.tolist() == expected.indices.tolist()
    ints = getattr(polygrad, name)(tensor(np.asarray([[3, 1], [2, 2]]), backend), axis=0)
    assert ints.values.tolist() == getattr(torch, name)(torch.tensor([[3, 1], [2, 2]]), 0).values.tolist()


CLOSE = [
    ([1.0, NAN, INF, -INF, 1.0, INF], [1.0 + 1e-9, NAN, INF, INF, 1.1, 1.0], {}),
    ([1.0, NAN, INF], [1.0, NAN, 1.0], {"equal_nan": True}),
    ([1.0, 2.0], [1.01, 2.5], {"rtol": 0.1}),
    ([0.0, 0.0], [0.01, 0.2], {"atol": 0.1}),
    ([1, 5], [1, 6], {}),
    ([1 + 1j, 2], [1 + 1j, 2j], {}),
]


@pytest.mark.parametrize(("a", "b", "params"), CLOSE)
def test_isclose(a: Any, b: Any, params: Any, backend: str) -> None:
    x, y = tensor(np.asarray(a), backend), tensor(np.asarray(b), backend)
    expected = torch.isclose(torch.tensor(np.asarray(a)), torch.tensor(np.asarray(b)), **params)
    assert polygrad.isclose(x, y, **params).tolist() == expected.tolist()
    assert polygrad.allclose(x, y, **params) is bool(expected.all())


def test_array_equal(backend: str) -> None:
    x = tensor(A, backend)
    assert polygrad.array_equal(x, tensor(A, backend)) is True
    assert polygrad.array_equal(x, tensor(B, backend)) is False
    assert polygrad.array_equal(x, tensor(R, backend)) is False


NAMES = [
    ("fmax", 2), ("fmin", 2), ("fmod", 2), ("logaddexp2", 2), ("lerp", 3), ("addcmul", 3), ("addcdiv", 3), ("frac", 1), ("angle", 1),
    ("deg2rad", 1), ("rad2deg", 1), ("sinc", 1), ("i0", 1), ("erf", 1), ("rsqrt", 1), ("xlogy", 2), ("digamma", 1), ("lgamma", 1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "number"), NAMES)
def test_node_names(name: str, number: int, backend: str) -> None:
    ours = getattr(polygrad, name)(*[tensor(P, backend, requires_grad=True) for _ in range(number)])
    theirs = getattr(torch, name)(*[torch.tensor(P, requires_grad=True) for _ in range(number)])
    assert ours.grad_fn.name() == theirs.grad_fn.name()


def test_node_names_of_running_functions(backend: str) -> None:
    x = tensor(P, backend, requires_grad=True)
    assert polygrad.cummax(x, 0).values.grad_fn.name() == "CummaxBackward0"
    assert polygrad.logcumsumexp(x, 0).grad_fn.name() == "LogcumsumexpBackward0"
    assert polygrad.lerp(x, x, 0.5).grad_fn.name() == "LerpBackward0"
    assert polygrad.fmod(x, 0.5).grad_fn.name() == "FmodBackward0"


def test_numbers_beside_arrays(backend: str) -> None:
    x = tensor(A, backend)
    np.testing.assert_allclose(host(polygrad.fmax(x, 0.1)), np.fmax(A, 0.1))
    np.testing.assert_allclose(host(polygrad.fmin(0.1, x)), np.fmin(A, 0.1))
    np.testing.assert_allclose(host(polygrad.fmod(2.5, x)), np.fmod(2.5, A))
    np.testing.assert_allclose(host(polygrad.logaddexp2(x, 1)), np.logaddexp2(A, 1))
    np.testing.assert_allclose(host(polygrad.lerp(x, 1.0, 0.25)), A + 0.25 * (1 - A))
    np.testing.assert_allclose(host(polygrad.heaviside(x, 0.5)), np.heaviside(A, 0.5))
    assert polygrad.isclose(x, 0.0).tolist() == np.isclose(A, 0.0).tolist()
    assert polygrad.fmod(tensor(np.asarray([-7, 7]), backend), tensor(np.asarray([3, -3]), backend)).tolist() == [-1, 1]


def test_errors(backend: str) -> None:
    x = tensor(A, backend)
    with pytest.raises(ShapeError) as shape:
        polygrad.gradient(x[:, :1], axis=1)
    assert "too short for edge_order=1" in str(shape.value)
    with pytest.raises(ArgumentError) as argument:
        polygrad.gradient(x, spacing=[1.0])
    assert "2 axes and 1 spacings" in str(argument.value)
    with pytest.raises(ShapeError) as rows:
        polygrad.cdist(x, x[:, :2])
    assert "rows of equal length" in str(rows.value)


def test_methods(backend: str) -> None:
    x, y = tensor(A, backend, requires_grad=True), tensor(P, backend)
    np.testing.assert_allclose(host(x.lerp(y, weight=0.25).detach()), A + 0.25 * (P - A))
    np.testing.assert_allclose(host(x.median(0).values.detach()), torch.tensor(A).median(0).values.numpy())
    assert x.topk(2)[1].tolist() == torch.tensor(A).topk(2)[1].tolist()
    z = x * 1
    z.addcdiv_(y, y + 1, value=-0.5)
    np.testing.assert_allclose(host(z.detach()), A - 0.5 * P / (P + 1))
    z.sum().backward()
    np.testing.assert_allclose(host(x.grad), np.ones_like(A))


def test_heaviside_of_a_python_number(backend: str, xp: Any) -> None:
    for number, slope in ((1.5, 0.0), (0.0, 1.0)):
        x = tensor(np.asarray([0.5, 2.0]), backend, True)
        y = xp.heaviside(number, x)
        y.backward(tensor(np.ones(2), backend))
        np.testing.assert_array_equal(host(y.detach()), [1.0, 1.0] if number else [0.5, 2.0])
        np.testing.assert_array_equal(host(x.grad), [slope] * 2)
