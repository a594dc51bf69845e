"""Functions of torch and NumPy beyond the standard."""

from __future__ import annotations

import math

from .case import case
from .samples import A, I, R, binary, both, calls, complex_only, real_only, unary

REAL = ("float64",)
INF = math.inf

case("logaddexp2", "torch.logaddexp2", binary(extremes=((700.0, 800.0), (-900.0, -800.0))), dtypes=REAL)
case(
    "fmod",
    "torch.fmod",
    both(
        binary((5.1, 5.9), (0.55, 0.7), scalar=None),
        binary((-5.9, -5.1), (0.55, 0.7), scalar=None, specials=()),
        binary((5.1, 5.9), (-0.7, -0.55), scalar=None, specials=()),
        calls((A(3, low=1.6, high=2.9), 1.5)),
    ),
    dtypes=REAL,
)
_nans = ((1.0, 1.0), (1.0, math.nan), (math.nan, 2.0))
case(
    "fmax",
    "torch.fmax",
    binary(kinks=_nans),
    dtypes=REAL,
    note="nan loses; equal inputs: torch gives the first one all.",
)
case("fmin", "torch.fmin", binary(kinks=_nans), dtypes=REAL)
case("frac", "torch.frac", both(unary(0.1, 0.9), calls((A(2, 3, low=-2.9, high=-2.1),))), dtypes=REAL)
case("angle", "torch.angle", both(unary(0.3, 2), real_only(unary(-2, -0.3, specials=()))))
case("deg2rad", "torch.deg2rad", unary(), dtypes=REAL)
case("rad2deg", "torch.rad2deg", unary(), dtypes=REAL)
case("rsqrt", "torch.rsqrt", unary(0.2, 3, extremes=(1e-200, 1e200)), domain="x > 0")
case("heaviside", "torch.heaviside(x1, torch.as_tensor(x2, dtype=x1.dtype))", binary(specials=()), dtypes=REAL)
case("lerp", "torch.lerp", calls((A(2, 3), A(2, 3), 0.3), (A(3), A(2, 1), A(3)), (A(), A(), A())))
for _name in ("addcmul", "addcdiv"):
    case(
        _name,
        f"torch.{_name}(input, x1, x2, value=value)",
        calls(
            (A(2, 3), A(2, 3), A(2, 3, low=0.5)),
            (A(3), A(2, 1), A(1, 3, low=0.5), {"value": 2}),
            (A(), A(), A(low=0.5)),
        ),
    )
case(
    "ldexp",
    "torch.ldexp(x1, x2)",
    both(calls((A(3), I(1, -2, 3)), (A(2, 1), I(0, 4))), calls((A(2, 3), 3)), real_only(calls((A(2, 3), A(2, 3))))),
)
case(
    "float_power",
    "torch.float_power(x1, x2)",
    both(binary((0.2, 2), (-2, 2), specials=()), real_only(calls((A(2, 3), 2))), complex_only(calls((A(2, 3), 3)))),
    domain="x1 > 0, or a whole constant exponent",
    wide=True,
)
case(
    "clamp_min",
    "torch.clamp_min(x, min)",
    calls((A(2, 3), 0.1), (A(2, 3), A(3)), (R([0.5, 1.0]), 0.5, {"_kind": "kink"})),
    dtypes=REAL,
)
case(
    "clamp_max",
    "torch.clamp_max(x, max)",
    calls((A(2, 3), 0.1), (A(2, 3), A(3)), (R([0.5, 1.0]), 0.5, {"_kind": "kink"})),
    dtypes=REAL,
)
case(
    "rsub", "torch.rsub(x1, x2, alpha=alpha)", calls((A(2, 3), A(3)), (A(2, 3), A(2, 1), {"alpha": 2}), (A(2, 3), 2.0))
)
case("erf", "torch.erf", unary(), dtypes=REAL, mpmath="erf(x)")
case("erfc", "torch.erfc", unary(), dtypes=REAL, mpmath="erfc(x)")
case("erfinv", "torch.erfinv", unary(-0.9, 0.9), dtypes=REAL, mpmath="erfinv(x)")
case("digamma", "torch.digamma", unary(0.3, 4), dtypes=REAL, mpmath="digamma(x)")
case("expit", "torch.special.expit", unary(), dtypes=REAL)
case("exp2", "torch.exp2", unary())
case("sinc", "torch.sinc", unary(0.2, 2))
case("i0", "torch.i0", unary(), dtypes=REAL, mpmath="besseli(0, x)")
case("lgamma", "torch.lgamma", unary(0.3, 4), dtypes=REAL, mpmath="re(loggamma(x))")
case("xlogy", "torch.xlogy", binary((0.2, 2), (0.2, 2), specials=((0.0, 0.0), (0.0, INF))), dtypes=REAL)
case(
    "igamma",
    "torch.igamma",
    both(binary((0.3, 3), (0.3, 3), constant=("x1",), scalar=None), calls((2.5, A(2, 3, low=0.5)))),
    dtypes=REAL,
    mpmath="gammainc(x1, 0, x2, regularized=True)",
    tolerance=1e-10,
    reason="incomplete gamma functions of the libraries have ten to twelve digits",
)
case(
    "igammac",
    "torch.igammac",
    both(binary((0.3, 3), (0.3, 3), constant=("x1",), scalar=None), calls((2.5, A(2, 3, low=0.5)))),
    dtypes=REAL,
    mpmath="gammainc(x1, x2, inf, regularized=True)",
    tolerance=1e-10,
    reason="incomplete gamma functions of the libraries have ten to twelve digits",
)
case(
    "polygamma",
    "torch.polygamma(n, x)",
    calls((0, A(3, low=0.3)), (1, A(3, low=0.3)), (3, A(2, 2, low=0.3))),
    dtypes=REAL,
    mpmath="polygamma(n, x)",
)
case("mvlgamma", "torch.mvlgamma(x, p)", calls((A(2, 3, low=2, high=4), 3), (A(low=1, high=2), 1)), dtypes=REAL)
case(
    "logit", "torch.logit(x, eps)", calls((A(2, 3, low=0.1, high=0.9),), (A(2, 3, low=0.1, high=0.9), 0.2)), dtypes=REAL
)
case(
    "isclose",
    "torch.isclose(x1, x2, rtol, atol, equal_nan)",
    both(binary(scalar=None, specials=((INF, INF), (math.nan, math.nan)))),
    dtypes=REAL,
)
case(
    "allclose",
    "torch.tensor(torch.allclose(x1, x2, rtol, atol, equal_nan))",
    calls((A(3), A(3)), (R([1.0, 2.0]), R([1.0, 2.0 + 1e-9]))),
    dtypes=REAL,
    orders=0,
)
case(
    "array_equal",
    "torch.tensor(torch.equal(x1, x2))",
    calls((A(3), A(3)), (R([1.0, 2.0]), R([1.0, 2.0])), (A(2), A(3))),
    dtypes=REAL,
    orders=0,
)
case(
    "gradient",
    "references.gradient(x, spacing, axis, edge_order)",
    calls(
        *[(A(5),), (A(5), {"spacing": 0.5}), (A(3, 4), {"axis": 1}), (A(3, 4),), (A(5), {"edge_order": 2})],
        (A(2, 3, 4), {"axis": (0, -1), "spacing": 0.5}),
        (A(2, 3, 4), {"axis": (1, 2), "spacing": [0.5, 2.0]}),
        (A(3, 4), {"axis": 0, "edge_order": 2, "spacing": 0.1}),
        (A(3, 4), {"axis": 1, "spacing": [I(0.0, 0.5, 2.0, 2.25, dtype="float64")]}),
        (A(3, 4), {"axis": (1,), "spacing": [I(0.0, 0.5, 2.0, 2.25, dtype="float64")], "edge_order": 2}),
    ),
)
