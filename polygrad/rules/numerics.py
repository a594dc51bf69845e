"""torch's elementwise functions beyond the standard, and distances.

At a kink or a tie the derivative is torch's. ``fmax`` and ``fmin`` give everything to the first of two equals. ``frac`` and ``fmod``
ignore their jumps. ``angle`` of real numbers and of 0 has the derivative 0.
"""

from __future__ import annotations

import math
from typing import Any

from ..errors import ShapeError, describe
from .declare import applied, composite, constant, elementwise
from .helpers import falling_logistic, fill_numbers, is_complex
from .vmap import forms

LN2 = math.log(2)


# -- elementwise -------------------------------------------------------------------------------------------------------
logaddexp2 = elementwise(
    "logaddexp2",
    lambda xp, x1, x2: falling_logistic(xp, (x2 - x1) * LN2),
    lambda xp, x1, x2: falling_logistic(xp, (x1 - x2) * LN2),
    default=lambda xp, x1, x2: xp.logaddexp(x1 * LN2, x2 * LN2) / LN2,
    methods="logaddexp2",
)


def _fmod(xp: Any, x1: Any, x2: Any) -> Any:
    """Return the remainder of the sizes, which is exact, with the sign of the dividend."""
    x1, x2 = fill_numbers(xp, x1, x2)
    return xp.sign(x1) * xp.remainder(xp.abs(x1), xp.abs(x2))


fmod = elementwise(
    "fmod",
    1,
    lambda xp, x1, x2: -xp.trunc(x1 / x2),
    default=_fmod,
    node=("FmodBackward1", "FmodBackward0", "FmodBackward1"),
    methods="fmod fmod_",
)


def _fmax_first(xp: Any, x1: Any, x2: Any) -> Any:
    x1, x2 = fill_numbers(xp, x1, x2)
    return xp.greater_equal(x1, x2) | xp.isnan(x2)


def _fmin_first(xp: Any, x1: Any, x2: Any) -> Any:
    x1, x2 = fill_numbers(xp, x1, x2)
    return xp.less_equal(x1, x2) | xp.isnan(x2)


fmax = elementwise(
    "fmax",
    applied(lambda xp, g, x1, x2: xp.where(_fmax_first(xp, x1, x2), g, 0.0)),
    applied(lambda xp, g, x1, x2: xp.where(_fmax_first(xp, x1, x2), 0.0, g)),
    default=lambda xp, x1, x2: xp.where(_fmax_first(xp, x1, x2), x1, x2),
    methods="fmax",
)
fmin = elementwise(
    "fmin",
    applied(lambda xp, g, x1, x2: xp.where(_fmin_first(xp, x1, x2), g, 0.0)),
    applied(lambda xp, g, x1, x2: xp.where(_fmin_first(xp, x1, x2), 0.0, g)),
    default=lambda xp, x1, x2: xp.where(_fmin_first(xp, x1, x2), x1, x2),
    methods="fmin",
)
frac = elementwise("frac", 1, default=lambda xp, x: x - xp.trunc(x), methods="frac frac_")


def _angle(xp: Any, x: Any) -> Any:
    if is_complex(xp, x):
        return xp.atan2(xp.imag(x), xp.real(x))
    return xp.where(xp.isnan(x), x, xp.where(x < 0, math.pi, xp.zeros_like(x)))


def _angle_partial(xp: Any, x: Any) -> Any:
    """Return the gradient of atan2(y, x): -y + ix over the square of the size, i z / |z|²."""
    if not is_complex(xp, x):
        return xp.zeros_like(x)
    square = xp.real(x * xp.conj(x))
    zero = square == 0
    return xp.where(zero, 0.0, x * 1j / xp.astype(xp.where(zero, 1.0, square), x.dtype))


angle = elementwise("angle", _angle_partial, default=_angle, methods="angle")
deg2rad = elementwise(
    "deg2rad", math.pi / 180, default=lambda xp, x: x * (math.pi / 180), node="Deg2RadBackward0", methods="deg2rad"
)
rad2deg = elementwise(
    "rad2deg", 180 / math.pi, default=lambda xp, x: x * (180 / math.pi), node="Rad2DegBackward0", methods="rad2deg"
)
rsqrt = elementwise(
    "rsqrt", lambda xp, x, out: out / x * -0.5, default=lambda xp, x: 1 / xp.sqrt(x), methods="rsqrt rsqrt_"
)


def _heaviside(xp: Any, x1: Any, x2: Any) -> Any:
    if not hasattr(x1, "dtype"):
        x1 = xp.full_like(x2, x1)
    return xp.where(xp.isnan(x1), x1, xp.where(x1 == 0, x2, xp.astype(x1 > 0, x1.dtype)))


heaviside = elementwise(
    "heaviside",
    0,
    lambda xp, x1: xp.astype(x1 == 0, x1.dtype) if hasattr(x1, "dtype") else float(x1 == 0),
    default=_heaviside,
    methods="heaviside",
)


def _lerp(xp: Any, input: Any, end: Any, weight: Any) -> Any:
    """Interpolate from the nearer end, so that a weight of 1 gives ``end`` exactly."""
    span = end - input
    if not hasattr(weight, "dtype"):
        return input + span * weight if abs(weight) < 0.5 else end - span * (1 - weight)
    return xp.where(xp.abs(weight) < 0.5, input + span * weight, end - span * (1 - weight))


lerp = elementwise(
    "lerp(input, end, weight)",
    lambda xp, weight: 1 - weight,
    lambda xp, weight: weight,
    lambda xp, input, end: end - input,
    arrays=("input", "end", "weight"),
    promote=True,
    default=_lerp,
    node=lambda payloads, params: "LerpBackward1" if hasattr(payloads[2], "dtype") else "LerpBackward0",
    methods="lerp lerp_",
    doc="``input + weight * (end - input)``.",
)
addcmul = elementwise(
    "addcmul(input, x1, x2, /, *, value=1)",
    1,
    lambda xp, x2, *, value: x2 * value,
    lambda xp, x1, *, value: x1 * value,
    default=lambda xp, input, x1, x2, *, value=1: input + (x1 * x2 if value == 1 else x1 * x2 * value),
    methods="addcmul addcmul_",
)
addcdiv = elementwise(
    "addcdiv(input, x1, x2, /, *, value=1)",
    1,
    lambda xp, x2, *, value: value / x2,
    lambda xp, x1, x2, *, value: x1 / x2 / x2 * -value,
    default=lambda xp, input, x1, x2, *, value=1: input + (x1 / x2 if value == 1 else x1 / x2 * value),
    methods="addcdiv addcdiv_",
)


def _ldexp(xp: Any, x1: Any, x2: Any) -> Any:
    """Return ``x1 * 2**x2``. NumPy takes only integers for the exponent; in torch it has a derivative."""
    if hasattr(x2, "dtype") and hasattr(x1, "dtype") and not xp.isdtype(x2.dtype, "real floating"):
        x2 = xp.astype(x2, x1.dtype)
    return xp.multiply(x1, xp.pow(2.0, x2) if hasattr(x2, "dtype") else 2.0**x2)


ldexp = composite("ldexp(x1, x2, /)", _ldexp, methods="ldexp")


def _float_power(xp: Any, x1: Any, x2: Any) -> Any:
    arrays = [x for x in (x1, x2) if hasattr(x, "dtype")]
    wide = any(is_complex(xp, x) for x in arrays) or complex in (type(x1), type(x2))
    dtype = xp.complex128 if wide else xp.float64
    x1, x2 = (xp.astype(x, dtype) if hasattr(x, "dtype") else x for x in (x1, x2))
    return xp.pow(x1, x2)


float_power = composite(
    "float_power(x1, x2, /)", _float_power, doc="The power in double precision.", methods="float_power"
)
clamp_min = composite("clamp_min(x, min, /)", lambda xp, x, min: xp.clip(x, min, None), methods="clamp_min clamp_min_")
clamp_max = composite("clamp_max(x, max, /)", lambda xp, x, max: xp.clip(x, None, max), methods="clamp_max clamp_max_")
rsub = composite(
    "rsub(x1, x2, /, *, alpha=1)", lambda xp, x1, x2, *, alpha: xp.subtract(x2, x1 if alpha == 1 else x1 * alpha)
)


# -- torch's names of the special functions, and of the running ones ---------------------------------------------------
def _alias_special(name: str, target: str = "", text: str = "x, /", **options: Any) -> Any:
    """Declare a function of ``special`` at the top level."""
    short = target or name
    return composite(f"{name}({text})", lambda xp, *arrays: getattr(xp.special, short)(*arrays), **options)


erf = _alias_special("erf", methods="erf erf_")
erfc = _alias_special("erfc", methods="erfc")
erfinv = _alias_special("erfinv", methods="erfinv")
digamma = _alias_special("digamma", methods="digamma")
expit = _alias_special("expit")
exp2 = _alias_special("exp2", methods="exp2 exp2_")
sinc = _alias_special("sinc", methods="sinc sinc_")
i0 = _alias_special("i0", methods="i0")
lgamma = _alias_special("lgamma", "gammaln", methods="lgamma")
xlogy = _alias_special("xlogy", text="x1, x2, /", methods="xlogy")
igamma = _alias_special("igamma", "gammainc", "x1, x2, /", methods="igamma")
igammac = _alias_special("igammac", "gammaincc", "x1, x2, /", methods="igammac")
polygamma = _alias_special("polygamma", text="n, x, /")
mvlgamma = composite(
    "mvlgamma(x, p)", lambda xp, x, *, p: xp.special.multigammaln(x, p), arrays=("x",), methods="mvlgamma"
)


def _logit(xp: Any, x: Any, *, eps: float | None) -> Any:
    return xp.special.logit(x if eps is None else xp.clip(x, eps, 1 - eps))


logit = composite("logit(x, eps=None)", _logit, arrays=("x",), methods="logit logit_")
cumsum = composite(
    "cumsum(x, axis=None, *, dtype=None)",
    lambda xp, x, *, axis, dtype: xp.cumulative_sum(x, axis=axis, dtype=dtype),
    arrays=("x",),
)
cumprod = composite(
    "cumprod(x, axis=None, *, dtype=None)",
    lambda xp, x, *, axis, dtype: xp.cumulative_prod(x, axis=axis, dtype=dtype),
    arrays=("x",),
)


# -- comparison --------------------------------------------------------------------------------------------------------
def _isclose(xp: Any, x1: Any, x2: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    x1, x2 = fill_numbers(xp, x1, x2)
    equal = xp.equal(x1, x2)
    if xp.isdtype(x1.dtype, "bool"):
        return equal
    # An infinity is close only to itself, so numbers that are not finite are compared apart.
    finite = xp.isfinite(x1) & xp.isfinite(x2)
    a, b = (xp.where(finite, x, xp.zeros_like(x)) for x in (x1, x2))
    if xp.isdtype(x1.dtype, "integral"):
        a, b = (xp.astype(x, xp.float64) for x in (a, b))
    close = equal | (finite & (xp.abs(a - b) <= xp.abs(b) * rtol + atol))
    return close | (xp.isnan(x1) & xp.isnan(x2)) if equal_nan else close


isclose = constant(
    "isclose(x1, x2, /, rtol=1e-05, atol=1e-08, equal_nan=False)",
    arrays=("x1", "x2"),
    promote=True,
    default=_isclose,
    batch=forms.elementwise,
    methods="isclose",
)
allclose = composite(
    "allclose(x1, x2, /, rtol=1e-05, atol=1e-08, equal_nan=False)",
    lambda xp, x1, x2, *, rtol, atol, equal_nan: bool(
        xp.all(xp.isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan))
    ),
    arrays=("x1", "x2"),
    doc="True if all elements of two arrays are close, as a Python bool.",
    methods="allclose",
)
array_equal = composite(
    "array_equal(x1, x2, /)",
    lambda xp, x1, x2: tuple(x1.shape) == tuple(x2.shape) and bool(xp.all(xp.equal(x1, x2))),
    doc="True if two arrays have the same shape and elements, as a Python bool; torch's name is ``equal``.",
)


# -- distances ---------------------------------------------------------------------------------------------------------
dist = composite(
    "dist(x1, x2, /, p=2)",
    lambda xp, x1, x2, *, p: xp.linalg.vector_norm(x1 - x2, ord=p),
    arrays=("x1", "x2"),
    methods="dist",
)


def _cdist(xp: Any, x1: Any, x2: Any, *, p: float) -> Any:
    if x1.ndim < 2 or x2.ndim < 2 or x1.shape[-1] != x2.shape[-1]:
        raise ShapeError(f"cdist: expected rows of equal length, got {describe(x1)} and {describe(x2)}")
    difference = xp.expand_dims(x1, axis=-2) - xp.expand_dims(x2, axis=-3)
    if difference.shape[-1] == 0:
        return xp.sum(difference, axis=-1)
    return xp.linalg.vector_norm(difference, axis=-1, ord=p)


cdist = composite(
    "cdist(x1, x2, /, p=2.0)",
    _cdist,
    arrays=("x1", "x2"),
    doc="The p-distances of all rows of one matrix to all rows of another. They are computed from the differences, so no digits are lost.",
)


def _pdist(xp: Any, x: Any, *, p: float) -> Any:
    rows = [i for i in range(x.shape[-2]) for _ in range(i + 1, x.shape[-2])]
    others = [j for i in range(x.shape[-2]) for j in range(i + 1, x.shape[-2])]
    first, second = (xp.take(x, xp.asarray(k, dtype=xp.int64, device=x.device), axis=0) for k in (rows, others))
    return xp.linalg.vector_norm(first - second, axis=-1, ord=p)


pdist = composite(
    "pdist(x, p=2.0)",
    _pdist,
    arrays=("x",),
    doc="The p-distances of all pairs of rows, in the order of the upper triangle of ``cdist``.",
)


def _renorm(xp: Any, x: Any, *, p: float, axis: int, maxnorm: float) -> Any:
    others = tuple([i for i in range(x.ndim) if i != axis % x.ndim])
    norms = xp.linalg.vector_norm(x, axis=others, keepdims=True, ord=p)
    factors = xp.where(norms > maxnorm, maxnorm / (norms + 1e-7), 1.0)  # torch's guard against division by zero
    return xp.multiply(x, xp.astype(factors, x.dtype) if factors.dtype != x.dtype else factors)


renorm = composite(
    "renorm(x, p, axis, maxnorm)",
    _renorm,
    arrays=("x",),
    methods="renorm renorm_",
    doc="Each slice along an axis, scaled down to a p-norm of at most ``maxnorm``.",
)
