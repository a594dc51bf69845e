"""Functions of each element alone: arithmetic, powers, logarithms, trigonometry, rounding, comparison, bits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .case import Sample, case
from .samples import A, Rng, binary, both, calls, complex_only, numbers, real_only, spread, unary

REAL = ("float64",)
INTEGERS = ("int64", "uint8")
INF = math.inf

# -- one array ------------------------------------------------------------------------------------------------------
case("negative", "torch.neg", unary(extremes=(1e-300, 1e300)))
case("positive", "torch.positive", unary())
case("reciprocal", "torch.reciprocal", unary(0.3, 2, extremes=(1e-150, -1e150, 3.0)), domain="x != 0")
case("square", "torch.square", unary(extremes=(1e-100, -1e100, 3.0)))
case("sqrt", "torch.sqrt", unary(0.2, 3, extremes=(1e-200, 1e200, 2.0)), domain="x > 0", mpmath="sqrt(x)")
case("exp", "torch.exp", unary(extremes=(-700.0, 700.0, 1e-20)), mpmath="exp(x)")
case("expm1", "torch.expm1", unary(extremes=(-30.0, 500.0, 1e-12)), mpmath="expm1(x)")
case("log", "torch.log", unary(0.2, 3, extremes=(1e-300, 1e300, 1.0000001)), domain="x > 0", mpmath="log(x)")
case("log1p", "torch.log1p", unary(-0.8, 3, extremes=(1e-200, 1e200, -1e-10)), domain="x > -1", mpmath="log1p(x)")
case("log2", "torch.log2", unary(0.2, 3, extremes=(1e-300, 1e300)), domain="x > 0", mpmath="log(x, 2)")
case("log10", "torch.log10", unary(0.2, 3, extremes=(1e-300, 1e300)), domain="x > 0", mpmath="log(x, 10)")
case("sin", "torch.sin", unary(-3, 3, extremes=(1e-300, 1e5)), mpmath="sin(x)")
case("cos", "torch.cos", unary(-3, 3, extremes=(1e-300, 1e5)), mpmath="cos(x)")
case("tan", "torch.tan", unary(-1.2, 1.2, extremes=(1e-200, 1e3)), mpmath="tan(x)")
case("asin", "torch.asin", unary(-0.9, 0.9, extremes=(1e-200, 0.999)), domain="|x| < 1", mpmath="asin(x)")
case("acos", "torch.acos", unary(-0.9, 0.9, extremes=(1e-200, 0.999)), domain="|x| < 1", mpmath="acos(x)")
case("atan", "torch.atan", unary(extremes=(1e-200, 1e100)), mpmath="atan(x)")
case("sinh", "torch.sinh", unary(extremes=(1e-200, 300.0)), mpmath="sinh(x)")
case("cosh", "torch.cosh", unary(extremes=(1e-200, 300.0)), mpmath="cosh(x)")
case("tanh", "torch.tanh", unary(extremes=(1e-200, 300.0)), mpmath="tanh(x)")
case("asinh", "torch.asinh", unary(extremes=(1e-200, 1e100)), mpmath="asinh(x)")
case("atanh", "torch.atanh", unary(-0.9, 0.9, extremes=(1e-200, 0.999)), domain="|x| < 1", mpmath="atanh(x)")
case("acosh", "torch.acosh", unary(1.1, 3, extremes=(1.001, 1e100)), domain="x > 1", mpmath="acosh(x)")
case(
    "abs",
    "torch.abs",
    both(unary(0.2, 2, kinks=(0.0, -0.0), extremes=(-1e-300, 1e300)), real_only(unary(-2, -0.2))),
    note="The derivative at 0 is 0.",
)
case(
    "sign",
    "torch.sgn(x) + 0 * x",
    unary(0.2, 2, kinks=(0.0, -1.5), specials=()),
    note="The derivative of a real sign is 0 everywhere.",
)
case("conj", "torch.conj(x) + 0", unary())
case("real", "torch.real(x)", unary())
case("imag", "torch.imag", unary(), dtypes=("complex128",), note="Of a real number torch and the standard have none.")

# -- two arrays -----------------------------------------------------------------------------------------------------
case(
    "add",
    "torch.add",
    both(binary(extremes=((1e300, 1e-300), (-1e300, 1e290)), integers=True), calls((A(2, 3), 1))),
)
case(
    "subtract",
    "torch.sub",
    both(binary(extremes=((1e300, 1e-300), (1.0, 1e-30)), integers=True), calls((1, A(2, 3)))),
)
case(
    "multiply",
    "torch.mul",
    both(binary(extremes=((1e150, 1e-150), (-1e-200, 1e100)), integers=True), calls((A(2, 3), 1 + 2j))),
)
case(
    "divide",
    "torch.div",
    both(
        binary((-2, 2), (0.3, 2), extremes=((1e100, 1e-100), (1e-200, 1e5))),
        calls((A(2, 3), 4), (3, A(2, 3, low=0.3)), (1 + 2j, A(2, 3, low=0.3))),
    ),
    domain="x2 != 0",
)
NUMBERS: tuple[tuple[Any, dict[str, str]], ...] = ((real_only, {"_note": "mixed kinds"}), (complex_only, {}))
case(
    "pow",
    "torch.pow",
    both(
        binary(
            (0.2, 2),
            (-2, 2),
            extremes=((1e-100, 2.0), (1e100, -1.5), (1.0000001, 1e5)),
            kinks=((0.0, 0.0), (0.0, 2.0), (0.0, 1.0)),
            specials=((INF, 2.0), (0.0, -1.0), (1.0, math.nan), (math.nan, 0.0), (-8.0, 1 / 3)),
        ),
        calls(*[(A(2, 3, low=0.2), exponent) for exponent in (2, 3, 0, 1, -1, 0.5, -1.5)]),
        calls(*[(base, A(2, 3)) for base in (2.0, 3)]),
        *[only(calls((A(2, 3, low=0.2), 1.5 + 0.5j, note), (1.5 - 0.5j, A(2, 3), note))) for only, note in NUMBERS],
    ),
    domain="x1 > 0, or a whole constant exponent",
    note="At the base 0 the derivative in the exponent is 0, and x ** 0 has the derivative 0.",
    mpmath="power(x1, x2)",
)
case("power", "torch.pow", binary((0.2, 2), (-2, 2)), domain="x1 > 0")
case(
    "hypot",
    "torch.hypot",
    binary((-2, 2), (0.3, 2), extremes=((1e-200, 1e-200), (1e200, 1e190))),
    dtypes=REAL,
    mpmath="hypot(x1, x2)",
)
case(
    "logaddexp",
    "torch.logaddexp",
    binary(extremes=((700.0, 800.0), (-900.0, -800.0), (0.0, -50.0))),
    dtypes=REAL,
    mpmath="log(exp(x1) + exp(x2))",
)
case(
    "atan2",
    "torch.atan2",
    binary((0.3, 2), (-2, 2), extremes=((1e-100, 1e100), (1e100, 1e-100)), kinks=((0.0, -1.0), (0.0, 1.0))),
    dtypes=REAL,
)
case(
    "remainder",
    "torch.remainder",
    both(
        binary((5.1, 5.9), (0.55, 0.7), scalar=None),
        binary((5.1, 5.9), (-0.7, -0.55), scalar=None, specials=()),
        calls((A(3, low=0.1, high=0.4), 0.45), (-5.2, A(3, low=0.83, high=0.99)), (A(3, low=0.45, high=0.75), 0.4)),
    ),
    dtypes=REAL,
    domain="x1 / x2 no whole number",
)
case(
    "copysign",
    "torch.copysign",
    both(
        binary((-2, -0.1), (0.1, 2), kinks=((0.0, 1.0), (-0.0, -1.0)), extremes=((1e300, -1e-300),)),
        calls((A(2, 3, high=-0.1), A(2, 3)), (A(2, 3, low=0.1), -1.0)),
    ),
    dtypes=REAL,
    note="The derivative at x1 = 0 is 0.",
)
case(
    "nextafter",
    "torch.nextafter(x1, x2).detach() + (x1 - x1.detach()) + 0 * x2",
    binary(specials=(), scalar=None),
    dtypes=REAL,
    orders=1,
    note="torch has no derivative of it; it moves with x1.",
    tolerance={"numeric": 1e-5},
    reason="the result moves in steps of a unit in the last place",
)
TIES = ((1.0, 1.0), (-2.0, -2.0), (0.0, -0.0), (1.0, 2.0))
case("maximum", "torch.maximum", binary(kinks=TIES), dtypes=REAL, note="Equal inputs share the gradient.")
case("minimum", "torch.minimum", binary(kinks=TIES), dtypes=REAL, note="Equal inputs share the gradient.")


def _clip(rng: Rng, dtype: str) -> Iterator[Sample]:
    def x() -> np.ndarray:
        return spread(rng, -2, 2, (2, 3))

    low, high = spread(rng, -1.5, -0.5, (3,)), spread(rng, 0.5, 1.5, (2, 1))
    for args in ((x(), -0.6, 0.7), (x(), 0.1), (x(), None, 0.1), (x(), low), (x(), None, high), (x(), low, high)):
        yield Sample(args)
    yield Sample((x(), low, 0.9))
    yield Sample((numbers(rng, dtype, (0, 3)), -1.0, 1.0))
    yield Sample((numbers(rng, dtype, ()), -5.0, 5.0))
    for point in ((-1.0,), (1.0,), (0.5,)):
        yield Sample((np.asarray(point), -1.0, 1.0), kind="kink")
    yield Sample((x(),))
    yield Sample((x(), np.asarray(-1.0), 0.9))
    yield Sample((x(), -0.6, spread(rng, 0.5, 1.5, (3,))))


case(
    "clip",
    "torch.clamp(x, min, max) if min is not None or max is not None else x * 1",
    _clip,
    dtypes=REAL,
    note="The gradient passes at the bounds.",
)


def _where(rng: Rng, dtype: str) -> Iterator[Sample]:
    for condition, left, right in (
        ((2, 3), (2, 3), (2, 3)),
        ((3,), (2, 1), (1, 3)),
        ((), (2,), ()),
        ((2, 1), (), (3,)),
        ((0, 2), (1, 2), (2,)),
    ):
        yield Sample((numbers(rng, "bool", condition), numbers(rng, dtype, left), numbers(rng, dtype, right)))
    yield Sample(
        (numbers(rng, "bool", (3, 2)), numbers(rng, dtype, (3, 2)), numbers(rng, dtype, (3, 2))), layout="strided"
    )
    yield Sample((numbers(rng, "bool", (4,)), numbers(rng, dtype, (4,)), 1.5))
    if dtype == "complex128":
        arrays = (numbers(rng, dtype, (3,)), numbers(rng, "float64", (3,)))
        yield Sample((numbers(rng, "bool", (3,)), *arrays), note="mixed kinds")
        yield Sample((numbers(rng, "bool", (3,)), *arrays[::-1]), note="mixed kinds")


case("where", "torch.where", _where)

# -- constant almost everywhere, and not differentiable ---------------------------------------------------------------
for _name in ("ceil", "floor", "round", "trunc"):
    case(_name, f"torch.{_name}", unary(-3, 3, kinks=(0.5, 1.5, -0.5, 2.0, -0.0)), dtypes=REAL)
case(
    "floor_divide",
    "torch.floor_divide",
    both(
        binary((-9, 9), (0.6, 2), specials=((5.0, INF), (math.nan, 1.0)), scalar=2.5),
        binary((-9, 9), (-2, -0.6), specials=(), scalar=None),
    ),
    dtypes=REAL,
)
for _name, _torch in {
    "equal": "eq", "not_equal": "ne", "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge",
}.items():  # fmt: skip
    _kinds = ("float64", "complex128", "int64") if _torch in ("eq", "ne") else ("float64", "int64")
    case(_name, f"torch.{_torch}", binary(kinks=TIES, specials=((INF, INF), (math.nan, math.nan))), dtypes=_kinds)
for _name in ("isfinite", "isinf", "isnan"):
    case(_name, f"torch.{_name}", unary())
case("signbit", "torch.signbit", unary(kinks=(0.0, -0.0)), dtypes=REAL)
for _name in ("logical_and", "logical_or", "logical_xor"):
    case(_name, f"torch.{_name}", binary(scalar=None), dtypes=("bool",))
case("logical_not", "torch.logical_not", unary(), dtypes=("bool",))
for _name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    case(_name, f"torch.{_name}", binary((0, 9), (0, 9), scalar=None), dtypes=("int64", "uint8", "bool"))
for _name in ("bitwise_left_shift", "bitwise_right_shift"):
    case(_name, f"torch.{_name}", binary((0, 9), (0, 4), scalar=None), dtypes=INTEGERS)
case("bitwise_invert", "torch.bitwise_not", unary(), dtypes=("int64", "uint8", "bool"))
