"""The elementwise functions: derivatives against torch, values at kinks, ties and singular points, names, dtypes."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polygrad
from polygrad import func
from polygrad.rules.declare import OPS
from support.gradient_checks import HAVE_TORCH, check, host, tensor, torch

inf, nan = math.inf, math.nan


def uniform(low: float, high: float, shape: tuple[int, ...] = (2, 3), seed: int = 0) -> np.ndarray:
    """Real numbers spread over an interval, away from its ends and middle; other seeds have no number in common."""
    size = math.prod(shape)
    grid = (np.arange(size * 7) + 0.31 + 0.17 * seed) / (size * 7)
    return low + (high - low) * np.random.default_rng(seed).permutation(grid)[:size].reshape(shape)


def around(shape: tuple[int, ...] = (2, 3), seed: int = 0) -> np.ndarray:
    """Complex numbers in all four quadrants, off the axes and so off every branch cut."""
    size = math.prod(shape)
    rng = np.random.default_rng(seed)
    angles = (np.arange(size) % 4) * np.pi / 2 + rng.uniform(0.3, 1.2, size)
    return (rng.uniform(0.4, 1.8, size) * np.exp(1j * angles)).reshape(shape)


def ordered(backend: str, low: Any, high: Any) -> None:
    """The standard leaves open what ``clip`` does with bounds in the wrong order; array-api-strict refuses them."""
    if backend == "array_api_strict" and low is not None and high is not None and np.any(np.asarray(low) > high):
        pytest.skip("array-api-strict wants bounds in order")


def of_torch(name: str) -> Any:
    """The function of torch by that name of the standard."""
    if not HAVE_TORCH:
        return None
    if name == "sign":  # torch.sgn of a real number has a gradient that is a "zero tensor", which cannot be read
        return lambda x: torch.sgn(x) + 0 * x
    return getattr(torch, name)


# -- derivatives ----------------------------------------------------------------------------------------------------
UNARY = [  # the function, an interval of its domain, whether it takes complex numbers
    ("abs", 0.2, 2, True),
    ("abs", -2, -0.2, False),
    ("acos", -0.9, 0.9, True),
    ("acosh", 1.1, 3, True),
    ("asin", -0.9, 0.9, True),
    ("asinh", -2, 2, True),
    ("atan", -2, 2, True),
    ("atanh", -0.9, 0.9, True),
    ("conj", -2, 2, True),
    ("cos", -3, 3, True),
    ("cosh", -2, 2, True),
    ("exp", -2, 2, True),
    ("expm1", -2, 2, True),
    ("log", 0.2, 3, True),
    ("log1p", -0.8, 3, True),
    ("log2", 0.2, 3, True),
    ("log10", 0.2, 3, True),
    ("negative", -2, 2, True),
    ("positive", -2, 2, True),
    ("real", -2, 2, True),
    ("reciprocal", 0.3, 2, True),
    ("sign", -2, -0.1, True),
    ("sin", -3, 3, True),
    ("sinh", -2, 2, True),
    ("square", -2, 2, True),
    ("sqrt", 0.2, 3, True),
    ("tan", -1.2, 1.2, True),
    ("tanh", -2, 2, True),
]


@pytest.mark.parametrize(("name", "low", "high", "analytic"), UNARY)
def test_unary(name: str, low: float, high: float, analytic: bool, backend: str, xp: Any) -> None:
    check(getattr(xp, name), [uniform(low, high)], backend, reference=of_torch(name))


@pytest.mark.parametrize("name", [name for name, _, _, analytic in UNARY if analytic] + ["imag"])
def test_unary_complex(name: str, backend: str, xp: Any) -> None:
    check(getattr(xp, name), [around()], backend, reference=of_torch(name))


@pytest.mark.parametrize("shape", [(), (1,), (0,), (2, 0, 3)])
@pytest.mark.parametrize("name", ["abs", "exp", "sign", "conj", "square", "sqrt"])
def test_unary_shapes(name: str, shape: tuple[int, ...], backend: str, xp: Any) -> None:
    check(getattr(xp, name), [uniform(0.5, 2, shape)], backend, reference=of_torch(name))


BINARY = [  # the function, an interval for each input
    ("add", (-2, 2), (-2, 2)),
    ("atan2", (-2, 2), (-2, 2)),
    ("copysign", (-2, -0.1), (-2, 2)),
    ("divide", (-2, 2), (0.3, 2)),
    ("hypot", (-2, 2), (0.3, 2)),
    ("logaddexp", (-2, 2), (-2, 2)),
    ("maximum", (-2, 2), (-2, 2)),
    ("minimum", (-2, 2), (-2, 2)),
    ("multiply", (-2, 2), (-2, 2)),
    ("pow", (0.2, 2), (-2, 2)),
    ("remainder", (5.1, 5.9), (0.55, 0.7)),
    ("remainder", (5.1, 5.9), (-0.7, -0.55)),
    ("subtract", (-2, 2), (-2, 2)),
]
SHAPES = [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2,)), ((), ()), ((0, 3), (3,)), ((1,), (0,))]


@pytest.mark.parametrize(("name", "first", "second"), BINARY)
def test_binary(name: str, first: Any, second: Any, backend: str, xp: Any) -> None:
    check(getattr(xp, name), [uniform(*first), uniform(*second, seed=1)], backend, reference=of_torch(name))


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("name", ["add", "divide", "maximum", "pow", "atan2"])
def test_binary_broadcasting(name: str, shapes: Any, backend: str, xp: Any) -> None:
    arrays = [uniform(0.3, 1, shapes[0]), uniform(1.3, 2, shapes[1], 1)]
    check(getattr(xp, name), arrays, backend, reference=of_torch(name))


@pytest.mark.parametrize("which", [[0], [1]])
@pytest.mark.parametrize(("name", "first", "second"), BINARY)
def test_binary_with_one_constant(name: str, first: Any, second: Any, which: Any, backend: str, xp: Any) -> None:
    arrays = [uniform(*first, (2, 1)), uniform(*second, (3,), 1)]
    check(getattr(xp, name), arrays, backend, reference=of_torch(name), differentiate=which)


@pytest.mark.parametrize("kinds", ["cc", "cr", "rc"])
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "pow"])
def test_binary_complex(name: str, kinds: str, backend: str, xp: Any) -> None:
    """Also of one real and one complex input: the gradient of the real one is real."""
    arrays = [around(seed=i) if kind == "c" else uniform(0.3, 2, (3,), i) for i, kind in enumerate(kinds)]
    check(getattr(xp, name), arrays, backend, reference=of_torch(name))


SCALARS = [  # an expression with Python numbers; the same with torch where it is spelled otherwise
    (lambda xp, x: 1 - x, None),
    (lambda xp, x: 2.5 * x + 1, None),
    (lambda xp, x: xp.subtract(1.5, x), lambda x: 1.5 - x),
    (lambda xp, x: x / 4, None),
    (lambda xp, x: 3 / x, None),
    (lambda xp, x: x**2, None),
    (lambda xp, x: x**3, None),
    (lambda xp, x: x**-1.5, None),
    (lambda xp, x: x**1, None),
    (lambda xp, x: x**0, None),
    (lambda xp, x: 2.0**x, None),
    (lambda xp, x: xp.pow(3, x), lambda x: 3**x),
    (lambda xp, x: x ** (1.5 + 0.5j), None),
    (lambda xp, x: (1.5 - 0.5j) ** x, None),
    (lambda xp, x: x * (1 + 2j), None),
    (lambda xp, x: (1 + 2j) / x, None),
    (lambda xp, x: x % 0.4, None),
    (lambda xp, x: xp.remainder(5.0, x), lambda x: torch.remainder(torch.tensor(5.0, dtype=x.dtype), x)),
    (lambda xp, x: xp.maximum(x, 1.0), lambda x: x.clamp(min=1.0)),
    (lambda xp, x: xp.minimum(1.0, x), lambda x: x.clamp(max=1.0)),
    (lambda xp, x: xp.atan2(x, 0.5), lambda x: torch.atan2(x, torch.tensor(0.5, dtype=x.dtype))),
    (lambda xp, x: xp.atan2(0.5, x), lambda x: torch.atan2(torch.tensor(0.5, dtype=x.dtype), x)),
    (lambda xp, x: xp.hypot(x, 2), lambda x: torch.hypot(x, torch.tensor(2.0, dtype=x.dtype))),
    (lambda xp, x: xp.logaddexp(x, 0.0), lambda x: torch.logaddexp(x, torch.tensor(0.0, dtype=x.dtype))),
    (lambda xp, x: xp.copysign(x, -1.0), lambda x: torch.copysign(x, -1.0)),
    (lambda xp, x: xp.copysign(2.0, x) + x, lambda x: torch.copysign(torch.tensor(2.0, dtype=x.dtype), x) + x),
]


@pytest.mark.parametrize(("function", "reference"), SCALARS)
def test_scalars(function: Any, reference: Any, backend: str, xp: Any) -> None:
    reference = reference or (lambda x: function(torch, x))
    check(lambda x: function(xp, x), [uniform(0.55, 1.9)], backend, reference=reference)


@pytest.mark.parametrize("exponent", [2, 3, 0.5, -1, 1, 0, 1.5 + 0.5j])
def test_complex_powers_with_a_scalar_exponent(exponent: Any, backend: str, xp: Any) -> None:
    check(lambda x: x**exponent, [around()], backend, reference=lambda x: x**exponent)


X = np.asarray([[-1.5, 0.2, 2.5], [0.7, -0.3, 1.2]])
CLIP = [  # bounds, either numbers or arrays
    (0.0, 1.0),
    (0.0, None),
    (None, 1),
    (None, None),
    (np.asarray([-0.4, 0.3, 0.1]), None),
    (None, np.asarray([[0.6], [0.9]])),
    (np.asarray([-0.4, 0.3, 0.1]), np.asarray([[0.6], [0.9]])),
    (np.asarray(0.1), 1.0),
    (0.1, np.asarray([1.1, 0.05, 0.5])),
]


@pytest.mark.parametrize(("low", "high"), CLIP)
def test_clip(low: Any, high: Any, backend: str, xp: Any) -> None:
    ordered(backend, low, high)
    arrays = [X, *[bound for bound in (low, high) if isinstance(bound, np.ndarray)]]

    def bounds(given: Any) -> Any:
        given = list(given)
        return [given.pop(0) if isinstance(bound, np.ndarray) else bound for bound in (low, high)]

    def reference(x: Any, *given: Any) -> Any:
        low, high = bounds(given)
        if low is None and high is None:
            return x * 1
        as_tensor = any(isinstance(bound, torch.Tensor) for bound in (low, high))
        low, high = [torch.tensor(b, dtype=x.dtype) if as_tensor and isinstance(b, float) else b for b in (low, high)]
        return torch.clamp(x, low, high)

    def function(x: Any, *given: Any) -> Any:
        low, high = bounds(given)
        return xp.clip(x, min=low, max=high)

    check(function, arrays, backend, reference=reference)


WHERE = [  # shapes of the condition and of both choices
    ((2, 3), (2, 3), (2, 3)),
    ((2, 1), (3,), (2, 3)),
    ((2, 3), (), (1,)),
    ((), (2,), (2, 1)),
    ((3,), (0, 3), (3,)),
    ((), (), ()),
]


@pytest.mark.parametrize("shapes", WHERE)
def test_where(shapes: Any, backend: str, xp: Any) -> None:
    condition = uniform(-1, 1, shapes[0]) < 0
    arrays = [condition, uniform(-2, 2, shapes[1], 1), uniform(-2, 2, shapes[2], 2)]
    check(xp.where, arrays, backend, reference=torch and torch.where)


def test_where_of_numbers(backend: str, xp: Any) -> None:
    condition = np.asarray([[True, False, True], [False, False, True]])
    for function in (
        lambda c, x: xp.where(c, x, 0.5),
        lambda c, x: xp.where(c, 0, x),
        lambda c, x: xp.where(c, x, inf),
    ):
        mask = tensor(condition, backend)
        x = tensor(X, backend, True)
        y = function(mask, x)
        (g,) = polygrad.autograd.grad(xp.sum(y), [x])
        _, t = func.jvp(lambda x, f=function, c=mask: f(c, x), (tensor(X, backend),), (xp.ones((2, 3), dtype=x.dtype),))
        taken = host(y) == X
        np.testing.assert_array_equal(host(g), taken.astype(float))
        np.testing.assert_array_equal(host(t), taken.astype(float))


def test_where_of_complex_and_real(backend: str, xp: Any) -> None:
    condition = np.asarray([True, False, True])
    check(xp.where, [condition, around((3,)), uniform(-1, 1, (3,))], backend)  # torch has no backward for this


# -- kinks, ties and singular points --------------------------------------------------------------------------------
KINKS = [  # the function, the point, the value, the gradient with respect to each input; all as in torch
    ("abs", (0.0,), 0.0, (0.0,)),
    ("abs", (0j,), 0.0, (0j,)),
    ("sign", (0.0,), 0.0, (0.0,)),
    ("sign", (0j,), 0j, (0j,)),
    ("maximum", (0.0, 0.0), 0.0, (0.5, 0.5)),
    ("maximum", (inf, inf), inf, (0.5, 0.5)),
    ("maximum", (1.0, nan), nan, (1.0, 1.0)),
    ("minimum", (2.0, 2.0), 2.0, (0.5, 0.5)),
    ("minimum", (nan, 2.0), nan, (1.0, 1.0)),
    ("sqrt", (0.0,), 0.0, (inf,)),
    ("sqrt", (inf,), inf, (0.0,)),
    ("sqrt", (-1.0,), nan, (nan,)),
    ("log", (0.0,), -inf, (inf,)),
    ("log", (-1.0,), nan, (-1.0,)),
    ("log1p", (-1.0,), -inf, (inf,)),
    ("reciprocal", (0.0,), inf, (-inf,)),
    ("reciprocal", (inf,), 0.0, (-0.0,)),
    ("divide", (1.0, 0.0), inf, (inf, -inf)),
    ("divide", (0.0, 0.0), nan, (inf, nan)),
    ("asin", (1.0,), math.pi / 2, (inf,)),
    ("acos", (-1.0,), math.pi, (-inf,)),
    ("acosh", (1.0,), 0.0, (inf,)),
    ("acosh", (0.5,), nan, (nan,)),
    ("atanh", (1.0,), inf, (inf,)),
    ("hypot", (0.0, 0.0), 0.0, (nan, nan)),
    ("hypot", (inf, 1.0), inf, (nan, 0.0)),
    ("atan2", (0.0, 0.0), 0.0, (0.0, -0.0)),
    ("copysign", (0.0, -1.0), -0.0, (0.0, 0.0)),
    ("copysign", (2.0, 0.0), 2.0, (1.0, 0.0)),
    ("copysign", (2.0, -0.0), -2.0, (-1.0, 0.0)),
    ("nextafter", (1.0, 2.0), 1.0 + 2**-52, (1.0, 0.0)),
    ("nextafter", (1.0, 1.0), 1.0, (0.0, 0.0)),
    ("remainder", (4.0, 2.0), 0.0, (1.0, -2.0)),
    ("remainder", (-5.5, 2.0), 0.5, (1.0, 3.0)),
    ("logaddexp", (inf, 0.0), inf, (1.0, 0.0)),
    ("logaddexp", (-inf, 0.0), 0.0, (0.0, 1.0)),
    ("logaddexp", (-inf, inf), inf, (0.0, 1.0)),
    ("logaddexp", (0.0, 1000.0), 1000.0, (0.0, 1.0)),
    ("logaddexp", (inf, inf), inf, (nan, nan)),
    ("logaddexp", (-inf, -inf), -inf, (nan, nan)),
    ("pow", (0.0, 0.0), 1.0, (0.0, 0.0)),
    ("pow", (0.0, 1.0), 0.0, (1.0, 0.0)),
    ("pow", (0.0, 2.0), 0.0, (0.0, 0.0)),
    ("pow", (0.0, 0.5), 0.0, (inf, 0.0)),
    ("pow", (0.0, -1.0), inf, (-inf, -inf)),
    ("pow", (-2.0, 2.0), 4.0, (-4.0, nan)),
    ("pow", (-2.0, 0.0), 1.0, (0.0, nan)),
    ("pow", (-2.0, 0.5), nan, (nan, nan)),
    ("pow", (nan, 0.0), 1.0, (0.0, nan)),
    ("pow", (inf, 0.0), 1.0, (0.0, inf)),
    ("pow", (1.0, inf), 1.0, (inf, 0.0)),
    ("clip", (0.0, 0.0, 1.0), 0.0, (1.0, 0.0, 0.0)),
    ("clip", (1.0, 0.0, 1.0), 1.0, (1.0, 0.0, 0.0)),
    ("clip", (-1.0, 0.0, 1.0), 0.0, (0.0, 1.0, 0.0)),
    ("clip", (2.0, 0.0, 1.0), 1.0, (0.0, 0.0, 1.0)),
    ("clip", (1.0, 1.0, 1.0), 1.0, (1.0, 0.0, 0.0)),
    ("clip", (0.5, 1.0, 0.0), 0.0, (0.0, 0.0, 1.0)),
    ("clip", (-1.0, 1.0, 0.0), 0.0, (0.0, 0.0, 1.0)),
    ("clip", (nan, 0.0, 1.0), nan, (0.0, 0.0, 0.0)),
]
SCALAR_KINKS = [  # a function of one number, the point, the value, the gradient
    (lambda x: x**0, 0.0, 1.0, 0.0),
    (lambda x: x**0.0, nan, 1.0, 0.0),
    (lambda x: x**1, 0.0, 0.0, 1.0),
    (lambda x: x**2, 0.0, 0.0, 0.0),
    (lambda x: x**0.5, 0.0, 0.0, inf),
    (lambda x: x**-1, 0.0, inf, -inf),
    (lambda x: x**0, 0j, 1 + 0j, 0j),
    (lambda x: x**2, 0j, 0j, 0j),
    (lambda x: x**3, -2.0, -8.0, 12.0),
    (lambda x: 0.0**x, 0.0, 1.0, 0.0),
    (lambda x: 0.0**x, 1.0, 0.0, 0.0),
    (lambda x: 0.0**x, -1.0, inf, -inf),
    (lambda x: 1.0**x, 2.0, 1.0, 0.0),
    (lambda x: (-2.0) ** x, 1.0, -2.0, nan),
    (lambda x: x / 0.0, 1.0, inf, inf),
    (lambda x: x / -0.0, 1.0, -inf, -inf),
    (lambda x: x / 0, 1.0, inf, inf),
]
singular = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def gradients(function: Callable[..., Any], point: Any, backend: str, graph: bool) -> tuple[Any, list[Any]]:
    xs = [tensor(np.asarray(x), backend, True) for x in point]
    y = function(*xs)
    one = tensor(np.ones((), dtype=host(y).dtype), backend)
    gs = polygrad.autograd.grad([y], xs, [one], create_graph=graph, materialize_grads=True)
    return host(y), [host(g.detach()) for g in gs]


@singular
@pytest.mark.parametrize(("name", "point", "value", "expected"), KINKS)
def test_kinks(name: str, point: Any, value: Any, expected: Any, backend: str, xp: Any) -> None:
    if name == "clip":
        ordered(backend, *point[1:])
    function = getattr(xp, name)
    for graph in (False, True):  # on raw arrays and on Tensors
        y, gs = gradients(function, point, backend, graph)
        np.testing.assert_array_equal(y, value)
        np.testing.assert_array_equal(np.asarray(gs), np.asarray(expected))
    for i, slope in enumerate(expected):
        rest = [tensor(np.asarray(x), backend) for x in point]

        def along(x: Any, i: int = i, rest: Any = rest) -> Any:
            return function(*rest[:i], x, *rest[i + 1 :])

        y, t = func.jvp(along, (rest[i],), (tensor(np.ones((), dtype=np.asarray(point[i]).dtype), backend),))
        np.testing.assert_array_equal(host(t), slope)


@singular
@pytest.mark.skipif(not HAVE_TORCH, reason="torch is not installed")
@pytest.mark.parametrize(("name", "point", "value", "expected"), KINKS)
def test_kinks_are_those_of_torch(name: str, point: Any, value: Any, expected: Any) -> None:
    xs = [torch.tensor(x, dtype=torch.complex128 if isinstance(x, complex) else torch.float64) for x in point]
    y = of_torch(name)(*[x.requires_grad_() for x in xs])
    gs = torch.autograd.grad(y, xs, torch.ones_like(y))
    np.testing.assert_array_equal(y.detach().numpy(), value)
    np.testing.assert_array_equal([g.item() for g in gs], expected)


@singular
@pytest.mark.parametrize(("function", "point", "value", "slope"), SCALAR_KINKS)
def test_kinks_with_numbers(function: Any, point: Any, value: Any, slope: Any, backend: str) -> None:
    for graph in (False, True):
        y, (g,) = gradients(function, [point], backend, graph)
        np.testing.assert_array_equal(y, value)
        np.testing.assert_array_equal(g, slope)
    if HAVE_TORCH:
        x = torch.tensor(
            point, dtype=torch.complex128 if isinstance(point, complex) else torch.float64
        ).requires_grad_()
        y = function(x)
        np.testing.assert_array_equal(y.item(), value)
        np.testing.assert_array_equal(torch.autograd.grad(y, x, torch.ones_like(y))[0].item(), slope)


@singular
def test_copysign_of_an_infinity_departs_from_torch(backend: str, xp: Any) -> None:
    """torch divides by x and gets nan; the derivative is a sign."""
    _, gs = gradients(xp.copysign, (inf, -1.0), backend, False)
    assert gs == [-1.0, 0.0]


@singular
@pytest.mark.parametrize(
    "outer",
    [
        lambda xp, x: xp.sqrt(xp.maximum(x, 0.0)),
        lambda xp, x: xp.sqrt(xp.clip(x, min=0.0)),
        lambda xp, x: xp.sqrt(-xp.minimum(-x, 0.0)),
        lambda xp, x: xp.where(x > 0, xp.sqrt(xp.where(x > 0, x, 0.0)), 0.0) + 0 * x,
    ],
)
def test_an_infinite_cotangent_stays_out_of_what_was_not_selected(outer: Any, backend: str, xp: Any) -> None:
    x = tensor(np.asarray([-1.0, -2.0, 4.0]), backend, True)
    xp.sum(outer(xp, x)[:2]).backward()
    np.testing.assert_array_equal(host(x.grad), [0.0, 0.0, 0.0])


HIGHER = [  # a function, the point, its derivatives of order 1, 2 and 3
    (lambda x: x**3, 0.0, (0.0, 0.0, 6.0)),
    (lambda x: x**2, 0.0, (0.0, 2.0, 0.0)),
    (lambda x: x**1, 0.0, (1.0, 0.0, 0.0)),
    (lambda x: x**4, -1.0, (-4.0, 12.0, -24.0)),
    (abs, 2.0, (1.0, 0.0, 0.0)),
    (lambda x: abs(x) ** 3, 0.0, (0.0, 0.0, 0.0)),
    (lambda x: x % 3.0 * x, 4.0, (5.0, 2.0, 0.0)),
]


@pytest.mark.parametrize(("function", "point", "orders"), HIGHER)
def test_higher_orders(function: Any, point: float, orders: Any, backend: str) -> None:
    x = tensor(np.asarray(point), backend, True)
    y = function(x)
    for expected in orders:
        if not y.requires_grad:
            assert expected == 0.0
            break
        (y,) = polygrad.autograd.grad([y], [x], create_graph=True, materialize_grads=True)
        np.testing.assert_allclose(host(y.detach()), expected, rtol=1e-12)


def test_mixed_second_derivative_of_pow_at_exponent_zero(backend: str, xp: Any) -> None:
    """d/dn of n x^(n-1) is 1/x at n = 0. torch masks the exponent 0 altogether and gets 0."""
    x, n = tensor(np.asarray(2.0), backend, True), tensor(np.asarray(0.0), backend, True)
    (g,) = polygrad.autograd.grad([x**n], [x], create_graph=True)
    assert g.item() == 0.0
    (h,) = polygrad.autograd.grad([g], [n])
    assert h.item() == 0.5


# -- node names -----------------------------------------------------------------------------------------------------
SAME = [
    "abs", "acos", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp", "expm1", "log", "log1p", "log2", "log10",
    "negative", "reciprocal", "sign", "sin", "sinh", "sqrt", "tan", "tanh",
]  # fmt: skip
NODES = [  # the same expression in both; x and y are positive tensors
    lambda f, x, y: f.add(x, y),
    lambda f, x, y: f.subtract(x, y),
    lambda f, x, y: x - 1,
    lambda f, x, y: 1 - x,
    lambda f, x, y: x * y,
    lambda f, x, y: x / y,
    lambda f, x, y: x / 2,
    lambda f, x, y: -x,
    lambda f, x, y: x**2,
    lambda f, x, y: x**y,
    lambda f, x, y: 2.0**x,
    lambda f, x, y: f.square(x),
    lambda f, x, y: f.remainder(x, y),
    lambda f, x, y: x % 2,
    lambda f, x, y: f.atan2(x, y),
    lambda f, x, y: f.hypot(x, y),
    lambda f, x, y: f.logaddexp(x, y),
    lambda f, x, y: f.copysign(x, y),
    lambda f, x, y: f.copysign(x, 2.0),
    lambda f, x, y: f.nextafter(x, y),
    lambda f, x, y: f.maximum(x, y),
    lambda f, x, y: f.minimum(x, y),
    lambda f, x, y: f.clip(x, 0.0, 1.0),
    lambda f, x, y: f.clip(x, y),
    lambda f, x, y: f.where(x > 0, x, y),
    lambda f, x, y: f.where(x > 0, x, 0.0),
    *[lambda f, x, y, name=name: getattr(f, name)(x) for name in SAME],
    lambda f, x, y: f.acosh(x + 1),
    lambda f, x, y: f.conj(x + 1j),
    lambda f, x, y: f.real(x + 1j),
    lambda f, x, y: f.imag(x + 1j),
]


@pytest.mark.skipif(not HAVE_TORCH, reason="torch is not installed")
@pytest.mark.parametrize("expression", NODES)
def test_nodes_are_named_as_in_torch(expression: Any, backend: str, xp: Any) -> None:
    a, b = np.asarray([0.3, 0.6]), np.asarray([0.5, 0.2])
    ours = expression(xp, tensor(a, backend, True), tensor(b, backend, True))
    theirs = expression(torch, torch.tensor(a, requires_grad=True), torch.tensor(b, requires_grad=True))
    assert ours.grad_fn.name() == theirs.grad_fn.name()


# -- what is constant -----------------------------------------------------------------------------------------------
CONSTANT = [
    *[(name, 1) for name in ("ceil", "floor", "round", "trunc", "isfinite", "isinf", "isnan", "signbit")],
    *[(name, 2) for name in ("floor_divide", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal")],
]


@pytest.mark.parametrize(("name", "arity"), CONSTANT)
def test_constants(name: str, arity: int, backend: str, xp: Any) -> None:
    values = [np.asarray([-1.5, 0.4, 2.6, 0.6]), np.asarray([0.5, 0.4, -1.2, 2.0])][:arity]
    y = getattr(xp, name)(*[tensor(v, backend, True) for v in values])
    assert not y.requires_grad
    np.testing.assert_array_equal(host(y), getattr(np, name)(*values))
    if arity == 2:
        for given in ((values[0], 0.5), (0.5, values[1])):
            y = getattr(xp, name)(*[tensor(v, backend, True) if isinstance(v, np.ndarray) else v for v in given])
            np.testing.assert_array_equal(host(y), getattr(np, name)(*given))


def test_a_constant_inside_a_derivative(backend: str, xp: Any) -> None:
    """x - floor(x) is differentiable although floor is not recorded, in both modes."""
    check(lambda x: (x - xp.floor(x)) * xp.astype(x > 0.5, x.dtype), [X + 0.05], backend)


INTEGERS = [
    ("abs", "i"), ("add", "ii"), ("bitwise_and", "ii"), ("bitwise_and", "bb"), ("bitwise_invert", "i"),
    ("bitwise_left_shift", "ii"), ("bitwise_or", "ii"), ("bitwise_right_shift", "ii"), ("bitwise_xor", "ii"),
    ("equal", "ii"), ("floor_divide", "ii"), ("less", "ii"), ("logical_and", "bb"), ("logical_not", "b"),
    ("logical_or", "bb"), ("logical_xor", "bb"), ("maximum", "ii"), ("minimum", "ii"), ("multiply", "ii"),
    ("negative", "i"), ("not_equal", "bb"), ("pow", "ii"), ("remainder", "ii"), ("sign", "i"), ("square", "i"),
    ("subtract", "ii"), ("floor", "i"), ("isnan", "i"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kinds"), INTEGERS)
def test_integers_and_truth_values(name: str, kinds: str, backend: str, xp: Any) -> None:
    pool = {
        "i": [np.asarray([[3, 5, 2]]), np.asarray([[1], [2]])],
        "b": [np.asarray([True, False]), np.asarray([[True], [False]])],
    }
    values = [pool[kind][i] for i, kind in enumerate(kinds)]
    y = getattr(xp, name)(*[tensor(v, backend) for v in values])
    assert not y.requires_grad
    expected = getattr(np, name)(*values)
    np.testing.assert_array_equal(host(y), expected)
    assert host(y).dtype == expected.dtype


OPERATORS = [
    lambda a, b: a & b, lambda a, b: a | b, lambda a, b: a ^ b, lambda a, b: a << b, lambda a, b: a >> b,
    lambda a, b: ~a, lambda a, b: a // b, lambda a, b: a % b, lambda a, b: a == b, lambda a, b: a != b,
    lambda a, b: a < b, lambda a, b: a >= b, lambda a, b: 7 // b, lambda a, b: 7 % b, lambda a, b: 3 & b,
    lambda a, b: 1 << b, lambda a, b: 64 >> b, lambda a, b: +a, lambda a, b: -a, lambda a, b: abs(a),
    lambda a, b: a**b, lambda a, b: 2**b,
    lambda a, b: 2 == b, lambda a, b: 2 > b,  # noqa: SIM300 - the number in front is the point
]  # fmt: skip


@pytest.mark.parametrize("expression", OPERATORS)
def test_operators(expression: Any, backend: str) -> None:
    a, b = np.asarray([5, 6, 7]), np.asarray([1, 2, 3])
    np.testing.assert_array_equal(host(expression(tensor(a, backend), tensor(b, backend))), expression(a, b))


# -- dtypes ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["add", "multiply", "divide", "pow", "maximum", "atan2", "hypot", "less"])
def test_an_integer_array_takes_the_floating_dtype(name: str, backend: str, xp: Any) -> None:
    x = tensor(np.asarray([0.5, 1.5], dtype=np.float32), backend, True)
    n = tensor(np.asarray([2, 3]), backend)
    for arguments in ((x, n), (n, x)):
        y = getattr(xp, name)(*arguments)
        assert y.dtype == (x.dtype if name != "less" else tensor(np.asarray(True), backend).dtype)
        if name != "less":
            (g,) = polygrad.autograd.grad([xp.sum(y)], [x])
            assert g.dtype == x.dtype


SINGLE = [
    lambda xp, x, y: xp.sum(x**y * 2 + 1.5 / x - xp.logaddexp(x, y)),
    lambda xp, x, y: xp.sum(xp.maximum(x, 1.0) + xp.minimum(0.7, y) + xp.clip(x, 0.3, y)),
    lambda xp, x, y: xp.sum(xp.where(x > y, x, 0.0) + xp.atan2(x, 2.0) + xp.hypot(x, y) + xp.copysign(x, -1.0)),
    lambda xp, x, y: xp.sum(xp.abs(x * (1 + 1j) + y) + xp.real(xp.sign(x + 1j)) + xp.imag(x * 2j)),
    lambda xp, x, y: xp.sum(x**0 + x**1 + x**2 + 2.0**y + 0.0**y + xp.sign(x) + x % 0.3 + xp.nextafter(x, y)),
]


@pytest.mark.parametrize("function", SINGLE)
def test_single_precision_stays_single(function: Any, backend: str, xp: Any) -> None:
    x = tensor(np.asarray([0.5, 1.25], dtype=np.float32), backend, True)
    y = tensor(np.asarray([0.75, 0.4], dtype=np.float32), backend, True)
    out = function(xp, x, y)
    assert out.dtype == x.dtype
    for graph in (True, False):
        for g in polygrad.autograd.grad([out], [x, y], retain_graph=True, create_graph=graph, materialize_grads=True):
            assert g.dtype == x.dtype
    one = tensor(np.ones(2, dtype=np.float32), backend)
    y, t = func.jvp(lambda a, b: function(xp, a, b), (x.detach(), y.detach()), (one, one))
    assert t.dtype == x.dtype


# -- what is kept ---------------------------------------------------------------------------------------------------
KEPT = [  # an expression in x, which requires grad, and y, which does not; which arrays its node keeps
    (lambda xp, x, y: x + y, ""),
    (lambda xp, x, y: x * 2, ""),
    (lambda xp, x, y: x * y, "y"),
    (lambda xp, x, y: x / y, "y"),
    (lambda xp, x, y: y / x, "xo"),
    (lambda xp, x, y: xp.exp(x), "o"),
    (lambda xp, x, y: xp.sqrt(x), "o"),
    (lambda xp, x, y: xp.tanh(x), "o"),
    (lambda xp, x, y: xp.sin(x), "x"),
    (lambda xp, x, y: x**3, "x"),
    (lambda xp, x, y: 3.0**x, "o"),
    (lambda xp, x, y: -x, ""),
]


@pytest.mark.parametrize(("expression", "kept"), KEPT)
def test_what_a_node_keeps(expression: Any, kept: str, backend: str, xp: Any) -> None:
    x, y = tensor(uniform(0.3, 2), backend, True), tensor(uniform(0.3, 2, seed=1), backend)
    out = expression(xp, x, y)
    arrays = [value for value in out.grad_fn.saved if hasattr(value, "dtype")]
    owners = {id(x._data): "x", id(y._data): "y", id(out._data): "o"}
    assert sorted(owners[id(array)] for array in arrays) == sorted(kept)


# -- the standard ---------------------------------------------------------------------------------------------------
STANDARD = [
    "abs", "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and", "bitwise_invert",
    "bitwise_left_shift", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "ceil", "clip", "conj", "copysign",
    "cos", "cosh", "divide", "equal", "exp", "expm1", "floor", "floor_divide", "greater", "greater_equal", "hypot",
    "imag", "isfinite", "isinf", "isnan", "less", "less_equal", "log", "log1p", "log2", "log10", "logaddexp",
    "logical_and", "logical_not", "logical_or", "logical_xor", "maximum", "minimum", "multiply", "negative",
    "nextafter", "not_equal", "positive", "pow", "real", "reciprocal", "remainder", "round", "sign", "signbit",
    "sin", "sinh", "square", "sqrt", "subtract", "tan", "tanh", "trunc", "where",
]  # fmt: skip


@pytest.mark.parametrize("name", STANDARD)
def test_signatures_are_the_standard_s(name: str) -> None:
    ours = inspect.signature(OPS[name].call)
    strict = pytest.importorskip("array_api_strict")
    theirs = inspect.signature(getattr(strict, name))
    assert [(p.name, p.kind, p.default) for p in ours.parameters.values()] == [
        (p.name, p.kind, p.default) for p in theirs.parameters.values()
    ]
    assert inspect.signature(getattr(polygrad.namespace("numpy"), name)).parameters.keys() == ours.parameters.keys()


def test_power_is_pow(backend: str, xp: Any) -> None:
    check(xp.power, [uniform(0.3, 2), uniform(-1, 1, seed=1)], backend, reference=torch and torch.pow)
