"""Special functions, under the names of ``scipy.special``. The standard has none of them.

A backend's own implementation is used where its library has one, then the agnostic one given here, then SciPy on the host. Derivatives
are with respect to the arguments for which a closed form in terms of other functions is known; asking for one with respect to
another argument, such as the order of a Bessel function, raises. Numbers such as 10.6.1 are equations of the Digital Library of
Mathematical Functions, https://dlmf.nist.gov.

SciPy's other ufuncs are on the namespace too, without derivative.
"""

from __future__ import annotations

import functools
import inspect
import math
import operator
from collections.abc import Sequence
from typing import Any

from ..errors import NoDerivativeError, UnsupportedError
from .declare import OPS, Op, cast, composite, constant, elementwise, fit, rule

# Interpolation at Chebyshev nodes, computed with 50 digits: erf(x) / x in powers of x**2 on [0, 1] ...
_ERF_SMALL = (
    1.1283791670955126, -0.3761263890318375, 0.11283791670954879, -0.026866170645076792,
    0.0052239776248180145, -0.000854832698083379, 0.0001205533111164271, -1.4925595266831182e-05,
    1.6461000484121368e-06, -1.6350312701054695e-07, 1.4659775274047436e-08, -1.1372848856791674e-09,
    5.957176147748911e-11,
)  # fmt: skip
# ... and exp(x**2) * (1 - erf(x)) on [1, 6] in powers of t, which maps that interval to [-1, 1]:
# 5 t = 12 (x - 3) / (x + 3) + 1.
_ERF_LARGE = (
    0.20798329133342885, -0.15436117429436919, 0.04969844540339414, -0.012713147695691918,
    0.002479314697086253, -0.0003316029605792838, 1.956358319778174e-05, 2.425557485042923e-06,
    -5.54127309801664e-07, -4.5267318133461335e-09, 1.133933573114706e-08, -2.637756022974126e-10,
    -2.5700407551346905e-10, 6.02173256030324e-12, 6.043792147788813e-12, 6.697645564790815e-15,
)  # fmt: skip


def _polynomial(x: Any, coefficients: tuple[float, ...]) -> Any:
    out = x * coefficients[-1] + coefficients[-2]
    for coefficient in coefficients[-3::-1]:
        out = out * x + coefficient
    return out


def _erf(xp: Any, x: Any) -> Any:
    """For a library without an error function of its own; within an ulp of the true value in double precision."""
    if xp.isdtype(x.dtype, "complex floating"):
        raise UnsupportedError("special.erf: this backend has it for real arguments only")
    size = xp.minimum(xp.abs(x), 6.0)  # beyond that it is 1 to rounding, and nothing overflows
    small = size < 1
    near = xp.where(small, size * size, 0.0)
    far = xp.where(small, 1.0, size)
    tail = xp.exp(-far * far) * _polynomial((12 * (far - 3) / (far + 3) + 1) / 5, _ERF_LARGE)
    return xp.where(small, x * _polynomial(near, _ERF_SMALL), xp.sign(x) * (1 - tail))


# -- how they are declared ----------------------------------------------------------------------------------------------
def _names(text: str) -> tuple[str, ...]:
    """The arguments in a text such as "jv(v, z, /)"."""
    return tuple(inspect.signature(eval(f"lambda {text.partition('(')[2][:-1]}: None")).parameters)


def _arrays(values: Sequence[Any], keep: Sequence[bool], xp: Any) -> list[Any]:
    """Python numbers among the arguments as arrays, so that a formula may call any function on them; orders stay numbers."""
    like = next((value for value in values if hasattr(value, "dtype")), None)
    return [
        xp.full_like(like, value) if type(value) in (int, float, complex) and not kept else value
        for value, kept in zip(values, keep, strict=True)
    ]


def _lifting(function: Any, orders: Sequence[str]) -> Any:
    if not callable(function):
        return function
    names = [name for name, p in inspect.signature(function).parameters.items() if p.kind is not p.KEYWORD_ONLY][1:]
    keep = [name in orders for name in names]

    @functools.wraps(function)  # the signature says what is saved
    def lifted(xp: Any, *values: Any, **params: Any) -> Any:
        return function(xp, *_arrays(values, keep, xp), **params)

    return lifted


def _special(text: str, *partials: Any, orders: Sequence[str] = (), default: Any = None, **options: Any) -> Op:
    """An elementwise function of ``special``. ``orders`` are arguments such as the order of a Bessel function: they may be
    integers beside floating arrays, and Python numbers among them reach the formulas as they are."""
    if "(" not in text:
        text += "(x, /)"
    names = _names(text)
    if orders:
        options.setdefault(
            "promote", tuple([name for name in names if name not in orders]) if len(names) > 2 else False
        )
    if len(partials) > 1:
        partials = tuple([_lifting(partial, orders) for partial in partials])
        default = _lifting(default, orders)
    return elementwise(f"special.{text}", *partials, default=default, **options)


def _several(text: str, outputs: str, *partials: Any) -> Op:
    """A function with several outputs: for each input a function giving the partial derivatives of all outputs."""
    vjps: list[Any] = []
    jvps: list[Any] = []
    arrays = _names(text)
    for array, partial in zip(arrays, partials, strict=True):
        if partial is None:
            vjps.append(None)
            jvps.append(None)
            continue
        first, *rest = inspect.signature(partial).parameters.values()
        shape = f"{array}_shape"
        keep = [False] * len(rest)

        def vjp(
            xp: Any, g: Any, *values: Any, partial: Any = partial, shape: str = shape, keep: Any = keep, **facts: Any
        ) -> Any:
            slopes = partial(xp, *_arrays(values, keep, xp))
            terms = [each * conj(xp, slope) for each, slope in zip(g, slopes, strict=True) if each is not None]
            return fit(xp, functools.reduce(operator.add, terms), facts[shape])

        def jvp(xp: Any, tangent: Any, *values: Any, partial: Any = partial, keep: Any = keep) -> Any:
            return tuple([tangent * slope for slope in partial(xp, *_arrays(values, keep, xp))])

        g = first.replace(name="g")
        asked = inspect.Parameter(shape, inspect.Parameter.KEYWORD_ONLY)
        vjp.__signature__ = inspect.Signature([first, g, *rest, asked])  # type: ignore[attr-defined]
        jvp.__signature__ = inspect.Signature([first, g, *rest])  # type: ignore[attr-defined]
        vjps.append(vjp)
        jvps.append(jvp)
    promote = len(arrays) > 1
    return rule(f"special.{text}", tuple(vjps), tuple(jvps), outputs=tuple(outputs.split()), promote=promote)


def _complex_valued(text: str, partial: Any) -> Op:
    """A function that is complex also of a real argument, which is the last one; then its cotangent is the real part."""
    arrays = _names(text)
    array = arrays[-1]
    first, *rest = inspect.signature(partial).parameters.values()

    def vjp(xp: Any, g: Any, *values: Any, **facts: Any) -> Any:
        return cast(xp, fit(xp, g * xp.conj(partial(xp, *values)), facts[f"{array}_shape"]), facts[f"{array}_dtype"])

    def jvp(xp: Any, tangent: Any, *values: Any) -> Any:
        slope = partial(xp, *values)
        return xp.astype(tangent, slope.dtype) * slope

    g = first.replace(name="g")
    asked = [inspect.Parameter(f"{array}_{fact}", inspect.Parameter.KEYWORD_ONLY) for fact in ("shape", "dtype")]
    vjp.__signature__ = inspect.Signature([first, g, *rest, *asked])  # type: ignore[attr-defined]
    jvp.__signature__ = inspect.Signature([first, g, *rest])  # type: ignore[attr-defined]
    none = (None,) * (len(arrays) - 1)
    return rule(f"special.{text}", (*none, vjp), (*none, jvp))


def conj(xp: Any, x: Any) -> Any:
    return xp.conj(x) if hasattr(x, "dtype") and xp.isdtype(x.dtype, "complex floating") else x


def _real(xp: Any, x: Any, name: str) -> None:
    """Refuse complex arguments, of which the function has no complex derivative, or none that SciPy could compute."""
    if xp.isdtype(x.dtype, "complex floating"):
        raise NoDerivativeError(f"special.{name}: the derivative is known for real arguments only")


def _near(xp: Any, x: Any, limit: float, series: Sequence[float], formula: Any, square: bool = False) -> Any:
    """``formula(x)``, and where abs(x) is below ``limit``, where it would be 0/0 or nearly so, its power series (in x or x**2)."""
    near = xp.abs(x) < limit
    small = xp.where(near, x, 0.0)
    return xp.where(
        near, _polynomial(small * small if square else small, tuple(series)), formula(xp.where(near, 1.0, x))
    )


def _as(xp: Any, n: Any, x: Any) -> Any:
    """An order as a factor for arrays like ``x``."""
    return n if not hasattr(n, "dtype") or n.dtype == x.dtype else xp.astype(n, x.dtype)


def _below(xp: Any, n: Any) -> Any:
    """``n - 1``, but 0 for 0: the order of a derivative that vanishes there by its factor ``n``."""
    return max(n - 1, 0) if not hasattr(n, "dtype") else xp.where(n > 0, n - 1, n)


PI = math.pi
SQRT_PI = math.sqrt(math.pi)
SQRT_2PI = math.sqrt(2 * math.pi)
LN2 = math.log(2)
F = [float(math.factorial(k)) for k in range(60)]

# -- error functions (DLMF 7.2) -----------------------------------------------------------------------------------------
erf = _special("erf", lambda xp, x: (2 / SQRT_PI) * xp.exp(-x * x), default=_erf)
"""The error function: twice the integral of the Gaussian ``exp(-t**2)`` from 0 to x, over the square root of pi."""
erfc = _special("erfc", lambda xp, x: (-2 / SQRT_PI) * xp.exp(-x * x))
erfi = _special("erfi", lambda xp, x: (2 / SQRT_PI) * xp.exp(x * x))
# exp(x**2) erfc(x) and exp(-x**2) int_0^x exp(t**2) dt, by the product rule
erfcx = _special("erfcx", lambda xp, x, out: 2 * x * out - 2 / SQRT_PI, node="SpecialErfcxBackward0")
dawsn = _special("dawsn", lambda xp, x, out: 1 - 2 * x * out)
erfinv = _special("erfinv", lambda xp, out: (SQRT_PI / 2) * xp.exp(out * out))
erfcinv = _special("erfcinv", lambda xp, out: (-SQRT_PI / 2) * xp.exp(out * out))
wofz = _complex_valued("wofz(z, /)", lambda xp, z, out: 2j / SQRT_PI - 2 * (z * out))  # DLMF 7.10.2
fresnel = _several(
    "fresnel(z, /)", "ssa csa", lambda xp, z: (xp.sin(PI / 2 * z * z), xp.cos(PI / 2 * z * z))  # DLMF 7.2.7, 7.2.8
)  # fmt: skip


def _voigt(xp: Any, x: Any, sigma: Any, gamma: Any) -> tuple[Any, Any]:
    """The slopes in x and gamma of Re w(z) / (sigma sqrt(2 pi)), z = (x + i gamma) / (sigma sqrt 2) (DLMF 7.19.1, 7.10.2)."""
    z = (x + 1j * gamma) / (sigma * math.sqrt(2))
    slope = 2j / SQRT_PI - 2 * z * xp.special.wofz(z)
    scale = 1 / (2 * SQRT_PI * sigma * sigma)
    return xp.real(slope) * scale, -xp.imag(slope) * scale


def _voigt_sigma(xp: Any, x: Any, sigma: Any, gamma: Any, out: Any) -> Any:
    """The profile is homogeneous of degree -1 in its three arguments (Euler's theorem)."""
    slope_x, slope_gamma = _voigt(xp, x, sigma, gamma)
    return -(out + x * slope_x + gamma * slope_gamma) / sigma


voigt_profile = _special(
    "voigt_profile(x, sigma, gamma, /)",
    lambda xp, x, sigma, gamma: _voigt(xp, x, sigma, gamma)[0],
    _voigt_sigma,
    lambda xp, x, sigma, gamma: _voigt(xp, x, sigma, gamma)[1],
)


# -- the normal distribution --------------------------------------------------------------------------------------------
def _log_ndtr_slope(xp: Any, x: Any, out: Any) -> Any:
    """The density over the distribution function. Far to the left both underflow, and erfcx has their ratio (DLMF 7.2.3)."""
    left = x < -1
    tail = math.sqrt(2 / PI) / xp.special.erfcx(xp.where(left, x, -1.0) * -math.sqrt(0.5))
    right = xp.where(left, -1.0, x)
    return xp.where(left, tail, xp.exp(-0.5 * right * right - xp.where(left, 0.0, out)) / SQRT_2PI)


ndtr = _special("ndtr", lambda xp, x: xp.exp(-0.5 * x * x) / SQRT_2PI, node="MulBackward1")
ndtri = _special("ndtri", lambda xp, out: SQRT_2PI * xp.exp(0.5 * out * out), node="SpecialNdtriBackward0")
log_ndtr = _special("log_ndtr", _log_ndtr_slope, node="SpecialLogNdtrBackward0")
ndtri_exp = _special("ndtri_exp", lambda xp, out: math.sqrt(PI / 2) * xp.special.erfcx(out * -math.sqrt(0.5)))
owens_t = _special(
    "owens_t(h, a, /)",  # Owen (1956), by differentiating the defining integral
    lambda xp, h, a: xp.exp(-0.5 * h * h) * xp.special.erf(a * h * math.sqrt(0.5)) * (-0.5 / SQRT_2PI),
    lambda xp, h, a: xp.exp(-0.5 * h * h * (1 + a * a)) / (2 * PI * (1 + a * a)),
)


# -- logistic functions -------------------------------------------------------------------------------------------------
def _expit(xp: Any, x: Any) -> Any:
    """Nothing overflows, and small values keep their relative accuracy."""
    small = xp.exp(-xp.abs(x))
    return xp.where(x >= 0, 1.0, small) / (1 + small)


expit = _special("expit", lambda xp, out: out * (1 - out), default=_expit, node="SigmoidBackward0")
logit = _special("logit", lambda xp, x: 1 / (x * (1 - x)), default=lambda xp, x: xp.log(x) - xp.log1p(-x))
log_expit = _special(
    "log_expit",
    lambda xp, x: xp.special.expit(-x),
    default=lambda xp, x: xp.minimum(x, 0.0) - xp.log1p(xp.exp(-xp.abs(x))),
    node="LogSigmoidBackward0",
)
softplus = _special(
    "softplus",
    lambda xp, x: xp.special.expit(x),
    default=lambda xp, x: xp.maximum(x, 0.0) + xp.log1p(xp.exp(-xp.abs(x))),
)


# -- entropies and losses -----------------------------------------------------------------------------------------------
def _times_log(log: str, edge: float) -> tuple[Any, Any, Any]:
    """x f(y) for a logarithm f that is singular at ``edge``: slope in x, slope in y, and the function. As torch, 0 f(y) is 0."""

    def slope(xp: Any, x: Any, y: Any) -> Any:
        zero = (x == 0) & (y <= edge)
        return xp.where(zero, 0.0, getattr(xp, log)(xp.where(zero, 1.0, y)))

    def value(xp: Any, x: Any, y: Any) -> Any:
        zero = (x == 0) & ~xp.isnan(y)
        return xp.where(zero, 0.0, x * getattr(xp, log)(xp.where(zero, 1.0, y)))

    return slope, lambda xp, x, y: x / (y - edge), value


_slope_x, _slope_y, _value = _times_log("log", 0.0)
xlogy = _special("xlogy(x, y, /)", _slope_x, _slope_y, default=_value)
_slope_x, _slope_y, _value = _times_log("log1p", -1.0)
xlog1py = _special("xlog1py(x, y, /)", _slope_x, _slope_y, default=_value, node="SpecialXlog1PyBackward0")


def _entr(xp: Any, x: Any) -> Any:
    inside = x > 0
    safe = xp.where(inside, x, 1.0)
    outside = xp.where(xp.isnan(x), x, xp.where(x == 0, xp.zeros_like(x), -math.inf))
    return xp.where(inside, -safe * xp.log(safe), outside)


def _rel_entr(xp: Any, x: Any, y: Any) -> Any:
    inside = (x > 0) & (y > 0)
    safe_x, safe_y = xp.where(inside, x, 1.0), xp.where(inside, y, 1.0)
    zero = xp.zeros_like(safe_x + safe_y)
    outside = xp.where((x == 0) & (y >= 0), zero, xp.where(xp.isnan(x) | xp.isnan(y), zero + math.nan, math.inf))
    return xp.where(inside, safe_x * (xp.log(safe_x) - xp.log(safe_y)), outside)


def _kl_div(xp: Any, x: Any, y: Any) -> Any:
    return _rel_entr(xp, x, y) - x + y


def _huber(xp: Any, delta: Any, r: Any) -> Any:
    size = xp.abs(r)
    value = xp.where(size <= delta, 0.5 * r * r, delta * (size - 0.5 * delta))
    return xp.where(delta < 0, math.inf, value)


def _pseudo_huber(xp: Any, delta: Any, r: Any) -> Any:
    zero = delta == 0
    v = r / xp.where(zero, 1.0, delta)
    value = xp.where(zero, 0.0, delta * delta * xp.expm1(0.5 * xp.log1p(v * v)))
    return xp.where(delta < 0, math.inf, value)


def _root(xp: Any, delta: Any, r: Any) -> Any:
    v = r / delta
    return xp.sqrt(1 + v * v)


entr = _special("entr", lambda xp, x: -1 - xp.log(x), default=_entr, node="SpecialEntrBackward0")
rel_entr = _special(
    "rel_entr(x, y, /)",
    lambda xp, x, y: xp.log(x) - xp.log(y) + 1,
    lambda xp, x, y: -x / y,
    default=_rel_entr,
)
kl_div = _special(
    "kl_div(x, y, /)", lambda xp, x, y: xp.log(x) - xp.log(y), lambda xp, x, y: 1 - x / y, default=_kl_div
)
huber = _special(
    "huber(delta, r, /)",
    lambda xp, delta, r: xp.maximum(xp.abs(r) - delta, 0.0),
    lambda xp, delta, r: xp.where(xp.abs(r) <= delta, r, xp.sign(r) * delta),
    default=_huber,
)
pseudo_huber = _special(
    "pseudo_huber(delta, r, /)",
    lambda xp, delta, r, out: 2 * out / delta - r * r / (delta * _root(xp, delta, r)),
    lambda xp, delta, r: r / _root(xp, delta, r),
    default=_pseudo_huber,
)

# -- exponentials, logarithms, powers -----------------------------------------------------------------------------------
exp2 = _special("exp2", lambda xp, out: LN2 * out, default=lambda xp, x: 2.0**x)
exp10 = _special("exp10", lambda xp, out: math.log(10) * out, default=lambda xp, x: 10.0**x)
expm1 = composite("special.expm1(x, /)", lambda xp, x: xp.expm1(x))
log1p = composite("special.log1p(x, /)", lambda xp, x: xp.log1p(x))
cosm1 = _special("cosm1", lambda xp, x: -xp.sin(x), default=lambda xp, x: -2 * xp.sin(x / 2) ** 2)
cbrt = _special("cbrt", lambda xp, out: 1 / (3 * (out * out)), default=lambda xp, x: xp.sign(x) * xp.abs(x) ** (1 / 3))
powm1 = _special(
    "powm1(x, y, /)",
    lambda xp, x, y: y * x ** (y - 1),
    lambda xp, x, y, out: (out + 1) * xp.log(x),
    default=lambda xp, x, y: x**y - 1,
)
_EXPREL = [k / F[k + 1] for k in range(1, 22)]


def _exprel_slope(xp: Any, x: Any) -> Any:
    """The derivative of (exp(x) - 1) / x."""
    return _near(xp, x, 1.0, _EXPREL, lambda s: (xp.exp(s) - xp.special.exprel(s)) / s)


def _exprel(xp: Any, x: Any) -> Any:
    zero = x == 0
    safe = xp.where(zero, 1.0, x)
    return xp.where(zero, 1.0, xp.expm1(safe) / safe)


exprel = _special("exprel", _exprel_slope, default=_exprel)
_SINC = [(-1) ** (k + 1) * 2 * (k + 1) / F[2 * k + 3] for k in range(12)]


def _sinc_slope(xp: Any, x: Any) -> Any:
    t = PI * x
    near = xp.abs(x) < 0.3
    small = xp.where(near, t, 0.0)
    safe = xp.where(near, 1.0, x)
    far = (xp.cos(PI * safe) - xp.special.sinc(safe)) / safe
    return xp.where(near, PI * small * _polynomial(small * small, tuple(_SINC)), far)


def _sinc(xp: Any, x: Any) -> Any:
    zero = x == 0
    t = PI * xp.where(zero, 1.0, x)
    return xp.where(zero, 1.0, xp.sin(t) / t)


sinc = _special("sinc", _sinc_slope, default=_sinc)
"""sin(pi x) / (pi x), as in NumPy."""


def _power_ratio(xp: Any, log: Any, lmbda: Any) -> Any:
    """(exp(lmbda log) - 1) / lmbda, also where the logarithm is infinite."""
    zero = lmbda == 0
    safe = xp.where(zero, 1.0, lmbda)
    return xp.where(zero, log, xp.expm1(safe * log) / safe)


# (x**lmbda - 1) / lmbda is log(x) exprel(lmbda log(x)), which is regular at lmbda = 0.
boxcox = _special(
    "boxcox(x, lmbda, /)",
    lambda xp, x, lmbda: x ** (lmbda - 1),
    lambda xp, x, lmbda: xp.log(x) ** 2 * _exprel_slope(xp, lmbda * xp.log(x)),
    default=lambda xp, x, lmbda: _power_ratio(xp, xp.log(x), lmbda),
)
boxcox1p = _special(
    "boxcox1p(x, lmbda, /)",
    lambda xp, x, lmbda: xp.exp((lmbda - 1) * xp.log1p(x)),
    lambda xp, x, lmbda: xp.log1p(x) ** 2 * _exprel_slope(xp, lmbda * xp.log1p(x)),
    default=lambda xp, x, lmbda: _power_ratio(xp, xp.log1p(x), lmbda),
)
_BOXCOX = [(-1) ** (k + 1) * (k + 1) / (k + 2) for k in range(18)]


def _inverse_boxcox(xp: Any, y: Any, lmbda: Any) -> Any:
    """The slope in lmbda of log(1 + lmbda y) / lmbda: y**2 (w / (1 + w) - log(1 + w)) / w**2 with w = lmbda y."""
    slope = _near(xp, lmbda * y, 0.1, _BOXCOX, lambda w: (w / (1 + w) - xp.log1p(w)) / (w * w))
    return y * y * slope


def _log1p_ratio(xp: Any, w: Any) -> Any:
    """log(1 + w) / w."""
    zero = w == 0
    safe = xp.where(zero, 1.0, w)
    return xp.where(zero, 1.0, xp.log1p(safe) / safe)


inv_boxcox = _special(
    "inv_boxcox(y, lmbda, /)",
    lambda xp, y, lmbda, out: out / (1 + lmbda * y),
    lambda xp, y, lmbda, out: out * _inverse_boxcox(xp, y, lmbda),
    default=lambda xp, y, lmbda: xp.exp(y * _log1p_ratio(xp, lmbda * y)),
)
inv_boxcox1p = _special(
    "inv_boxcox1p(y, lmbda, /)",
    lambda xp, y, lmbda, out: (out + 1) / (1 + lmbda * y),
    lambda xp, y, lmbda, out: (out + 1) * _inverse_boxcox(xp, y, lmbda),
    default=lambda xp, y, lmbda: xp.expm1(y * _log1p_ratio(xp, lmbda * y)),
)
DEGREE = PI / 180
sindg = _special("sindg", lambda xp, x: DEGREE * xp.special.cosdg(x))
cosdg = _special("cosdg", lambda xp, x: -DEGREE * xp.special.sindg(x))
tandg = _special("tandg", lambda xp, out: DEGREE * (1 + out * out))
cotdg = _special("cotdg", lambda xp, out: -DEGREE * (1 + out * out))
radian = _special(
    "radian(d, m, s, /)",
    DEGREE,
    DEGREE / 60,
    DEGREE / 3600,
    default=lambda xp, d, m, s: DEGREE * (d + m / 60 + s / 3600),
)
wrightomega = _special("wrightomega(z, /)", lambda xp, out: out / (1 + out))
# W exp(W) = z (DLMF 4.13.1), differentiated; in this form it is regular at 0.
lambertw = _special("lambertw(z, k=0, tol=1e-8)", lambda xp, out: 1 / (xp.exp(out) * (1 + out)), arrays=("z",))
"""Lambert's W, a branch of the inverse of w exp(w). Unlike SciPy's it stays real for real z: nan where the branch is complex."""

# -- the gamma function and its kin (DLMF 5) ----------------------------------------------------------------------------
gamma = _special("gamma", lambda xp, x, out: out * xp.special.digamma(x))  # 5.2.2
gammaln = _special("gammaln", lambda xp, x: xp.special.digamma(x), node="LgammaBackward0")
loggamma = _special("loggamma", lambda xp, x: xp.special.digamma(x))
gammasgn = constant("special.gammasgn")


def _rgamma_slope(xp: Any, x: Any, out: Any) -> Any:
    """-psi(x) / gamma(x); to the left in terms of 1 - x (DLMF 5.5.3), since both have poles where the function is zero."""
    left = xp.real(x) < 0.5
    y = xp.where(left, x, 0.0)
    mirrored = xp.special.gamma(1 - y) * (xp.cos(PI * y) - xp.sin(PI * y) / PI * xp.special.digamma(1 - y))
    return xp.where(left, mirrored, -xp.special.digamma(xp.where(left, 1.0, x)) * xp.where(left, 0.0, out))


rgamma = _special("rgamma", _rgamma_slope)


def _next_polygamma(xp: Any, n: Any, x: Any, name: str) -> Any:
    _real(xp, x, name)
    return xp.special.polygamma(n + 1, x)


digamma = _special("digamma", lambda xp, x: _next_polygamma(xp, 0, x, "digamma"))
psi = _special("psi", lambda xp, x: _next_polygamma(xp, 0, x, "psi"), node="DigammaBackward0")
polygamma = _special("polygamma(n, x, /)", None, lambda xp, n, x: _next_polygamma(xp, n, x, "polygamma"), orders=("n",))


def _shifted(xp: Any, function: str, a: Any, d: int) -> Any:
    return functools.reduce(operator.add, [getattr(xp.special, function)(a - i / 2) for i in range(d)])


multigammaln = _special(
    "multigammaln(a, d)",  # DLMF 35.3.4
    lambda xp, a, *, d: _shifted(xp, "digamma", a, d),
    default=lambda xp, a, d: _shifted(xp, "gammaln", a, d) + d * (d - 1) / 4 * math.log(PI),
    arrays=("a",),
    node="MvlgammaBackward0",
)
beta = _special(
    "beta(a, b, /)",
    lambda xp, a, b, out: out * (xp.special.digamma(a) - xp.special.digamma(a + b)),
    lambda xp, a, b, out: out * (xp.special.digamma(b) - xp.special.digamma(a + b)),
)
betaln = _special(
    "betaln(a, b, /)",
    lambda xp, a, b: xp.special.digamma(a) - xp.special.digamma(a + b),
    lambda xp, a, b: xp.special.digamma(b) - xp.special.digamma(a + b),
)
poch = _special(
    "poch(z, m, /)",
    lambda xp, z, m, out: out * (xp.special.digamma(z + m) - xp.special.digamma(z)),
    lambda xp, z, m, out: out * xp.special.digamma(z + m),
)
binom = _special(
    "binom(n, k, /)",
    lambda xp, n, k, out: out * (xp.special.digamma(n + 1) - xp.special.digamma(n - k + 1)),
    lambda xp, n, k, out: out * (xp.special.digamma(n - k + 1) - xp.special.digamma(k + 1)),
)
zeta = _special(
    "zeta(x, q=None)",
    None,
    lambda xp, x, q: -x * xp.special.zeta(x + 1, q),  # DLMF 25.11.17
    arrays=("x", "q"),
    node="SpecialZetaBackward0",
)


# -- incomplete integrals and distributions -----------------------------------------------------------------------------
def _gamma_density(xp: Any, a: Any, x: Any) -> Any:
    """The integrand of the regularised incomplete gamma function (DLMF 8.2.4)."""
    return xp.exp(xp.special.xlogy(a - 1, x) - x - xp.special.gammaln(a))


def _beta_density(xp: Any, a: Any, b: Any, x: Any) -> Any:
    """The integrand of the regularised incomplete beta function (DLMF 8.17.1, 8.17.2)."""
    return xp.exp(xp.special.xlogy(a - 1, x) + xp.special.xlog1py(b - 1, -x) - xp.special.betaln(a, b))


def _f_density(xp: Any, dfn: Any, dfd: Any, x: Any) -> Any:
    y = dfd + dfn * x
    return _beta_density(xp, dfn / 2, dfd / 2, dfn * x / y) * dfn * dfd / (y * y)


def _chi_density(xp: Any, v: Any, x: Any) -> Any:
    return 0.5 * _gamma_density(xp, v / 2, x / 2)


def _t_density(xp: Any, df: Any, t: Any) -> Any:
    scale = xp.exp(xp.special.gammaln((df + 1) / 2) - xp.special.gammaln(df / 2)) / xp.sqrt(PI * df)
    return scale * xp.exp(-0.5 * (df + 1) * xp.log1p(t * t / df))


gammainc = _special("gammainc(a, x, /)", None, _gamma_density, node="IgammaBackward0")
gammaincc = _special("gammaincc(a, x, /)", None, lambda xp, a, x: -_gamma_density(xp, a, x), node="IgammacBackward0")
gammaincinv = _special("gammaincinv(a, y, /)", None, lambda xp, a, out: 1 / _gamma_density(xp, a, out))
gammainccinv = _special("gammainccinv(a, y, /)", None, lambda xp, a, out: -1 / _gamma_density(xp, a, out))
betainc = _special("betainc(a, b, x, /)", None, None, _beta_density)
betaincc = _special("betaincc(a, b, x, /)", None, None, lambda xp, a, b, x: -_beta_density(xp, a, b, x))
betaincinv = _special("betaincinv(a, b, y, /)", None, None, lambda xp, a, b, out: 1 / _beta_density(xp, a, b, out))
betainccinv = _special("betainccinv(a, b, y, /)", None, None, lambda xp, a, b, out: -1 / _beta_density(xp, a, b, out))
gdtr = _special(
    "gdtr(a, b, x, /)",
    lambda xp, a, b, x: x * _gamma_density(xp, b, a * x),
    None,
    lambda xp, a, b, x: a * _gamma_density(xp, b, a * x),
)
gdtrc = _special(
    "gdtrc(a, b, x, /)",
    lambda xp, a, b, x: -x * _gamma_density(xp, b, a * x),
    None,
    lambda xp, a, b, x: -a * _gamma_density(xp, b, a * x),
)
fdtr = _special("fdtr(dfn, dfd, x, /)", None, None, _f_density)
fdtrc = _special("fdtrc(dfn, dfd, x, /)", None, None, lambda xp, dfn, dfd, x: -_f_density(xp, dfn, dfd, x))
fdtri = _special("fdtri(dfn, dfd, p, /)", None, None, lambda xp, dfn, dfd, out: 1 / _f_density(xp, dfn, dfd, out))
chdtri = _special("chdtri(v, p, /)", None, lambda xp, v, out: -1 / _chi_density(xp, v, out))
stdtr = _special("stdtr(df, t, /)", None, _t_density)
pdtr = _special("pdtr(k, m, /)", None, lambda xp, k, m: -_gamma_density(xp, xp.floor(k) + 1, m))
pdtrc = _special("pdtrc(k, m, /)", None, lambda xp, k, m: _gamma_density(xp, xp.floor(k) + 1, m))


# -- exponential integrals (DLMF 6.2, 8.19) -----------------------------------------------------------------------------
def _expn_slope(xp: Any, n: Any, x: Any) -> Any:
    """-E_{n-1}(x) (8.19.13); of E_0 = exp(-x) / x itself, as SciPy has no negative orders."""
    if not hasattr(n, "dtype"):
        return -xp.special.expn(n - 1, x) if n >= 1 else -xp.exp(-x) * (1 + x) / (x * x)
    return xp.where(n >= 1, -xp.special.expn(_below(xp, n), x), -xp.exp(-x) * (1 + x) / (x * x))


def _sinh_ratio(xp: Any, x: Any) -> Any:
    """sinh(x) / x, regular at 0 for real x."""
    if xp.isdtype(x.dtype, "complex floating"):
        return xp.sinh(x) / x
    return (xp.special.exprel(x) + xp.special.exprel(-x)) / 2


_SPENCE = [(-1) ** (k + 1) / (k + 1) for k in range(20)]
expi = _special("expi", lambda xp, x: xp.exp(x) / x)
exp1 = _special("exp1", lambda xp, x: -xp.exp(-x) / x)
expn = _special("expn(n, x, /)", None, _expn_slope, orders=("n",))
sici = _several("sici(x, /)", "si ci", lambda xp, x: (xp.special.sinc(x / PI), xp.cos(x) / x))
shichi = _several("shichi(x, /)", "shi chi", lambda xp, x: (_sinh_ratio(xp, x), xp.cosh(x) / x))
spence = _special(
    "spence(z, /)",  # the integral of log(t) / (1 - t) from 1 to z (DLMF 25.12.2)
    lambda xp, z: _near(xp, z - 1, 0.1, _SPENCE, lambda w: -xp.log(z) / w),
)

# -- elliptic integrals and functions (DLMF 19, 22), by the parameter m = k**2 ------------------------------------------
_A = [math.prod((2 * i + 1) / (2 * i + 2) for i in range(k)) for k in range(24)]
"""(1/2)_k / k!, the coefficients of (1 - t)**(-1/2)."""
_K_SLOPE = [PI / 2 * k * _A[k] ** 2 for k in range(1, 24)]
_E_SLOPE = [-PI / 2 * k * _A[k] ** 2 / (2 * k - 1) for k in range(1, 24)]


def _ellipk_slope(xp: Any, m: Any, p: Any, k: Any) -> Any:
    """The slope of K in m; ``p`` is 1 - m, which may be known better, and ``k`` is K (19.4.1)."""
    return _near(xp, m, 0.1, _K_SLOPE, lambda s: (xp.special.ellipe(m) / p - k) / (2 * s))


def _agm_slope(xp: Any, a: Any, b: Any, out: Any) -> Any:
    """The slope in b of the arithmetic-geometric mean pi a / (2 K(1 - (b / a)**2)) (19.8.5)."""
    k = PI / 2 * a / out
    p = (b / a) ** 2
    return PI * b / a * _ellipk_slope(xp, 1 - p, p, k) / (k * k)


def _powers_of_sine(xp: Any, phi: Any, number: int) -> list[Any]:
    """The integrals of sin(t)**(2k) from 0 to phi, for k below ``number``, by their recurrence."""
    sine, cosine = xp.sin(phi), xp.cos(phi)
    out = [phi]
    power = sine * cosine
    for k in range(1, number):
        out.append(((2 * k - 1) * out[-1] - power) / (2 * k))
        power = power * sine * sine
    return out


def _incomplete_series(xp: Any, phi: Any, m: Any, coefficients: Sequence[float]) -> Any:
    total: Any = 0.0
    for k, integral in reversed(list(enumerate(_powers_of_sine(xp, phi, 14)))):
        if k:
            total = total * m + k * coefficients[k] * integral
    return total


_B = [-_A[k] / (2 * k - 1) for k in range(24)]
"""The coefficients of (1 - t)**(1/2)."""


def _delta(xp: Any, phi: Any, m: Any) -> Any:
    return xp.sqrt(1 - m * xp.sin(phi) ** 2)


def _f_slope_m(xp: Any, phi: Any, m: Any, out: Any) -> Any:
    """The slope in m of the integral of the first kind (19.4.5); near m = 0, from its power series."""
    near = xp.abs(m) < 0.05
    s = xp.where(near, 0.5, m)
    e = xp.special.ellipeinc(phi, m)
    far = (e / (1 - s) - out) / (2 * s) - xp.sin(2 * phi) / (4 * (1 - s) * _delta(xp, phi, m))
    return xp.where(near, _incomplete_series(xp, phi, xp.where(near, m, 0.0), _A), far)


def _e_slope_m(xp: Any, phi: Any, m: Any, out: Any) -> Any:
    """The slope in m of the integral of the second kind (19.4.6)."""
    near = xp.abs(m) < 0.05
    far = (out - xp.special.ellipkinc(phi, m)) / (2 * xp.where(near, 0.5, m))
    return xp.where(near, _incomplete_series(xp, phi, xp.where(near, m, 0.0), _B), far)


agm = _special(
    "agm(a, b, /)",
    lambda xp, a, b, out: (out - b * _agm_slope(xp, a, b, out)) / a,
    _agm_slope,
)
ellipk = _special("ellipk(m, /)", lambda xp, m, out: _ellipk_slope(xp, m, 1 - m, out))
ellipkm1 = _special("ellipkm1(p, /)", lambda xp, p, out: -_ellipk_slope(xp, 1 - p, p, out))
ellipe = _special(
    "ellipe(m, /)",
    lambda xp, m, out: _near(xp, m, 0.1, _E_SLOPE, lambda s: (out - xp.special.ellipk(m)) / (2 * s)),  # 19.4.2
)
ellipkinc = _special(
    "ellipkinc(phi, m, /)",
    lambda xp, phi, m: 1 / _delta(xp, phi, m),
    _f_slope_m,
)
ellipeinc = _special("ellipeinc(phi, m, /)", _delta, _e_slope_m)


def _ellipj_m(xp: Any, u: Any, m: Any, sn: Any, cn: Any, dn: Any, ph: Any) -> tuple[Any, ...]:
    """F(ph(u, m), m) = u, differentiated; then sn and cn are the sine and cosine of ph, and dn**2 = 1 - m sn**2."""
    slope = -dn * _f_slope_m(xp, ph, m, u)
    return cn * slope, -sn * slope, -sn * (0.5 * sn + m * cn * slope) / dn, slope


ellipj = _several(
    "ellipj(u, m, /)", "sn cn dn ph", lambda xp, m, sn, cn, dn: (cn * dn, -sn * dn, -m * sn * cn, dn), _ellipj_m
)
# Carlson's symmetric integral (19.18.1); of R_D no derivative is declared.
elliprf = _special(
    "elliprf(x, y, z, /)",
    lambda xp, x, y, z: xp.special.elliprd(y, z, x) / -6,
    lambda xp, x, y, z: xp.special.elliprd(x, z, y) / -6,
    lambda xp, x, y, z: xp.special.elliprd(x, y, z) / -6,
)
elliprd = _special("elliprd(x, y, z, /)", None, None, None)

# -- Bessel functions (DLMF 10) -----------------------------------------------------------------------------------------
_J1_RATIO = [(-1) ** k / (2 * 4**k * F[k] * F[k + 1]) for k in range(14)]
_I1_RATIO = [abs(c) for c in _J1_RATIO]
j0 = _special("j0", lambda xp, x: -xp.special.j1(x))
j1 = _special(  # 10.6.2; J_1(x) / x by the series 10.2.2 near 0
    "j1",
    lambda xp, x, out: xp.special.j0(x) - _near(xp, x, 1.0, _J1_RATIO, lambda s: out / s, square=True),
)
y0 = _special("y0", lambda xp, x: -xp.special.y1(x))
y1 = _special("y1", lambda xp, x, out: xp.special.y0(x) - out / x)
i0 = _special("i0", lambda xp, x: xp.special.i1(x))
i1 = _special(  # 10.29.2, and the series 10.25.2
    "i1",
    lambda xp, x, out: xp.special.i0(x) - _near(xp, x, 1.0, _I1_RATIO, lambda s: out / s, square=True),
    node="SpecialI1Backward0",
)
k0 = _special("k0", lambda xp, x: -xp.special.k1(x))
k1 = _special("k1", lambda xp, x, out: -xp.special.k0(x) - out / x)
# scaled by exp(-abs(x)) and exp(x)
i0e = _special("i0e", lambda xp, x, out: xp.special.i1e(x) - xp.sign(x) * out, node="SpecialI0EBackward0")


def _i1e_slope(xp: Any, x: Any, out: Any) -> Any:
    near = xp.abs(x) < 1
    small = xp.where(near, x, 0.0)
    series = xp.exp(-xp.abs(small)) * _polynomial(small * small, tuple(_I1_RATIO))
    return xp.special.i0e(x) - xp.sign(x) * out - xp.where(near, series, out / xp.where(near, 1.0, x))


i1e = _special("i1e", _i1e_slope, node="SpecialI1EBackward0")
k0e = _special("k0e", lambda xp, x, out: out - xp.special.k1e(x))
k1e = _special("k1e", lambda xp, x, out: out - xp.special.k0e(x) - out / x)


def _neighbours(name: str, sign: int, scale: Any = None) -> Any:
    """Half the sum or difference of the neighbouring orders (10.6.1, 10.29.1), plus what a scaling adds: ``scale * out``."""

    def partial(xp: Any, v: Any, z: Any, out: Any) -> Any:
        function = getattr(xp.special, name)
        slope = 0.5 * (function(v - 1, z) + function(v + 1, z) if sign > 0 else function(v - 1, z) - function(v + 1, z))
        return slope if scale is None else slope + scale(xp, z, name) * out

    def unscaled(xp: Any, v: Any, z: Any) -> Any:
        return partial(xp, v, z, None)

    return partial if scale is not None else unscaled


def _minus_sign(xp: Any, z: Any, name: str) -> Any:
    _real(xp, z, name)  # the scaling by exp(-abs(real(z))) has no complex derivative
    return -xp.sign(z)


def _no_scale(xp: Any, z: Any, name: str) -> Any:
    _real(xp, z, name)  # the scaling by exp(-abs(imag(z))) is 1 for real z and has no complex derivative
    return 0.0


def _minus(function: Any) -> Any:
    return lambda xp, v, z: -function(xp, v, z)


jv = _special("jv(v, z, /)", None, _neighbours("jv", -1), orders=("v",))
yv = _special("yv(v, z, /)", None, _neighbours("yv", -1), orders=("v",))
iv = _special("iv(v, z, /)", None, _neighbours("iv", 1), orders=("v",))
kv = _special("kv(v, z, /)", None, _minus(_neighbours("kv", 1)), orders=("v",))
jn = composite("special.jn(v, z, /)", lambda xp, v, z: xp.special.jv(v, z))
yn = _special(
    "yn(n, x, /)", None, lambda xp, n, x: 0.5 * (xp.special.yn(n - 1, x) - xp.special.yn(n + 1, x)), orders=("n",)
)
kn = _special(
    "kn(n, x, /)", None, lambda xp, n, x: -0.5 * (xp.special.kn(n - 1, x) + xp.special.kn(n + 1, x)), orders=("n",)
)
jve = _special("jve(v, z, /)", None, _neighbours("jve", -1, _no_scale), orders=("v",))
yve = _special("yve(v, z, /)", None, _neighbours("yve", -1, _no_scale), orders=("v",))
ive = _special("ive(v, z, /)", None, _neighbours("ive", 1, _minus_sign), orders=("v",))
kve = _special(
    "kve(v, z, /)", None,
    lambda xp, v, z, out: out - 0.5 * (xp.special.kve(v - 1, z) + xp.special.kve(v + 1, z)),
    orders=("v",),
)  # fmt: skip
hankel1 = _complex_valued("hankel1(v, z, /)", _neighbours("hankel1", -1))
hankel2 = _complex_valued("hankel2(v, z, /)", _neighbours("hankel2", -1))
hankel1e = _complex_valued("hankel1e(v, z, /)", _neighbours("hankel1e", -1, lambda xp, z, name: -1j))
hankel2e = _complex_valued("hankel2e(v, z, /)", _neighbours("hankel2e", -1, lambda xp, z, name: 1j))


def _spherical(name: str, sign_below: int, sign_above: int) -> Any:
    """(n f_{n-1} and (n+1) f_{n+1}, with their signs) / (2n + 1) (10.51.1, 10.51.4)."""

    def partial(xp: Any, n: Any, z: Any) -> Any:
        function = getattr(xp.special, name)
        factor = _as(xp, n, z)
        above = sign_above * (factor + 1) * function(n + 1, z)
        if type(n) is int and n == 0:
            return above
        below = sign_below * factor * function(_below(xp, n), z)
        return (below + above) / (2 * factor + 1)

    return partial


spherical_jn = _special("spherical_jn(n, z, /)", None, _spherical("spherical_jn", 1, -1), orders=("n",))
spherical_yn = _special("spherical_yn(n, z, /)", None, _spherical("spherical_yn", 1, -1), orders=("n",))
spherical_in = _special("spherical_in(n, z, /)", None, _spherical("spherical_in", 1, 1), orders=("n",))
spherical_kn = _special("spherical_kn(n, z, /)", None, _spherical("spherical_kn", -1, -1), orders=("n",))
airy = _several(
    "airy(z, /)", "ai aip bi bip", lambda xp, z, ai, aip, bi, bip: (aip, z * ai, bip, z * bi)  # 9.2.1
)  # fmt: skip
itj0y0 = _several("itj0y0(x, /)", "ij0 iy0", lambda xp, x: (xp.special.j0(x), xp.special.y0(x)))
iti0k0 = _several("iti0k0(x, /)", "ii0 ik0", lambda xp, x: (xp.special.i0(x), xp.special.k0(x)))


def _itairy(xp: Any, x: Any) -> tuple[Any, ...]:
    ai, _, bi, _ = xp.special.airy(x)
    ai_mirrored, _, bi_mirrored, _ = xp.special.airy(-x)
    return ai, bi, ai_mirrored, bi_mirrored


itairy = _several("itairy(x, /)", "apt bpt ant bnt", _itairy)
itstruve0 = _special("itstruve0", lambda xp, x: xp.special.struve(0, x))
itmodstruve0 = _special("itmodstruve0", lambda xp, x: xp.special.modstruve(0, x))


def _struve_slope(name: str, sign: int) -> Any:
    """Half of H_{v-1} - H_{v+1} + (x/2)^v / (sqrt(pi) Gamma(v + 3/2)) (11.4.23, 11.4.24); modified: the sum (11.4.25, 11.4.26)."""

    def partial(xp: Any, v: Any, x: Any) -> Any:
        function = getattr(xp.special, name)
        order = _as(xp, v, x)
        if hasattr(order, "dtype"):
            rest = (x / 2) ** order * xp.special.rgamma(order + 1.5) / SQRT_PI
        else:
            rest = (x / 2) ** order / (SQRT_PI * math.gamma(order + 1.5))
        return 0.5 * (function(v - 1, x) + sign * function(v + 1, x) + rest)

    return partial


struve = _special("struve(v, x, /)", None, _struve_slope("struve", -1), orders=("v",))
modstruve = _special("modstruve(v, x, /)", None, _struve_slope("modstruve", 1), orders=("v",))
# Kelvin's functions: w'' + w'/x = i w for both ber + i bei and ker + i kei (10.61.3)
ber = _special("ber", lambda xp, x: xp.special.berp(x))
bei = _special("bei", lambda xp, x: xp.special.beip(x))
ker = _special("ker", lambda xp, x: xp.special.kerp(x))
kei = _special("kei", lambda xp, x: xp.special.keip(x))
berp = _special("berp", lambda xp, x, out: -xp.special.bei(x) - out / x)
beip = _special("beip", lambda xp, x, out: xp.special.ber(x) - out / x)
kerp = _special("kerp", lambda xp, x, out: -xp.special.kei(x) - out / x)
keip = _special("keip", lambda xp, x, out: xp.special.ker(x) - out / x)

# -- hypergeometric and parabolic cylinder functions (DLMF 12, 13, 15) --------------------------------------------------
hyp0f1 = _special("hyp0f1(v, z, /)", None, lambda xp, v, z: xp.special.hyp0f1(v + 1, z) / v)  # 16.3.1
hyp1f1 = _special(
    "hyp1f1(a, b, x, /)", None, None, lambda xp, a, b, x: a / b * xp.special.hyp1f1(a + 1, b + 1, x)
)  # 13.3.15
hyp2f1 = _special(
    "hyp2f1(a, b, c, z, /)",
    None,
    None,
    None,
    lambda xp, a, b, c, z: a * b / c * xp.special.hyp2f1(a + 1, b + 1, c + 1, z),
)  # 15.5.1
hyperu = _special(
    "hyperu(a, b, x, /)", None, None, lambda xp, a, b, x: -a * xp.special.hyperu(a + 1, b + 1, x)
)  # 13.3.22
wright_bessel = _special(  # by differentiating the series 10.46.1
    "wright_bessel(a, b, x, /)", None, None, lambda xp, a, b, x: xp.special.wright_bessel(a, a + b, x)
)
pbdv = _several("pbdv(v, x, /)", "d dp", None, lambda xp, v, x, d, dp: (dp, (x * x / 4 - v - 0.5) * d))  # 12.2.2
pbvv = _several("pbvv(v, x, /)", "v0 vp", None, lambda xp, v, x, v0, vp: (vp, (x * x / 4 - v - 0.5) * v0))
pbwa = _several("pbwa(a, x, /)", "w wp", None, lambda xp, a, x, w, wp: (wp, (a - x * x / 4) * w))  # 12.14.2


# -- orthogonal polynomials (DLMF 18.9), by the argument ----------------------------------------------------------------
def _polynomials(text: str, slope: Any) -> Op:
    *orders, _ = _names(text)
    return _special(text, *[None] * len(orders), slope, orders=tuple(orders), promote=False)


eval_chebyt = _polynomials(
    "eval_chebyt(n, x, /)", lambda xp, n, x: _as(xp, n, x) * xp.special.eval_chebyu(n - 1, x)
)  # 18.9.21
eval_chebyu = _polynomials("eval_chebyu(n, x, /)", lambda xp, n, x: 2 * xp.special.eval_gegenbauer(n - 1, 2.0, x))
eval_chebyc = _polynomials(
    "eval_chebyc(n, x, /)", lambda xp, n, x: _as(xp, n, x) * xp.special.eval_chebyu(n - 1, x / 2)
)
eval_chebys = _polynomials("eval_chebys(n, x, /)", lambda xp, n, x: xp.special.eval_gegenbauer(n - 1, 2.0, x / 2))
eval_sh_chebyt = _polynomials(
    "eval_sh_chebyt(n, x, /)", lambda xp, n, x: 2 * _as(xp, n, x) * xp.special.eval_sh_chebyu(n - 1, x)
)
eval_sh_chebyu = _polynomials(
    "eval_sh_chebyu(n, x, /)", lambda xp, n, x: 4 * xp.special.eval_gegenbauer(n - 1, 2.0, 2 * x - 1)
)
eval_gegenbauer = _polynomials(  # 18.9.19
    "eval_gegenbauer(n, alpha, x, /)",
    lambda xp, n, alpha, x: 2 * _as(xp, alpha, x) * xp.special.eval_gegenbauer(n - 1, alpha + 1, x),
)
eval_legendre = _polynomials("eval_legendre(n, x, /)", lambda xp, n, x: xp.special.eval_gegenbauer(n - 1, 1.5, x))
eval_sh_legendre = _polynomials(
    "eval_sh_legendre(n, x, /)", lambda xp, n, x: 2 * xp.special.eval_gegenbauer(n - 1, 1.5, 2 * x - 1)
)
eval_laguerre = _polynomials("eval_laguerre(n, x, /)", lambda xp, n, x: -xp.special.eval_genlaguerre(n - 1, 1.0, x))
eval_genlaguerre = _polynomials(  # 18.9.23
    "eval_genlaguerre(n, alpha, x, /)", lambda xp, n, alpha, x: -xp.special.eval_genlaguerre(n - 1, alpha + 1, x)
)
eval_jacobi = _polynomials(  # 18.9.15
    "eval_jacobi(n, alpha, beta, x, /)",
    lambda xp, n, alpha, beta, x: (
        0.5 * _as(xp, n + alpha + beta + 1, x) * xp.special.eval_jacobi(n - 1, alpha + 1, beta + 1, x)
    ),
)
eval_hermite = _polynomials(  # 18.9.25
    "eval_hermite(n, x, /)", lambda xp, n, x: 2 * _as(xp, n, x) * xp.special.eval_hermite(_below(xp, n), x)
)
eval_hermitenorm = _polynomials(  # 18.9.27
    "eval_hermitenorm(n, x, /)", lambda xp, n, x: _as(xp, n, x) * xp.special.eval_hermitenorm(_below(xp, n), x)
)


# -- torch's names ------------------------------------------------------------------------------------------------------
def _aliases() -> None:
    one = {
        "bessel_j0": "j0", "bessel_j1": "j1", "bessel_y0": "y0", "bessel_y1": "y1",
        "modified_bessel_i0": "i0", "modified_bessel_i1": "i1", "modified_bessel_k0": "k0", "modified_bessel_k1": "k1",
        "scaled_modified_bessel_k0": "k0e", "scaled_modified_bessel_k1": "k1e",
    }  # fmt: skip
    for name, target in one.items():

        def body(xp: Any, x: Any, target: str = target) -> Any:
            return getattr(xp.special, target)(x)

        composite(f"special.{name}(x, /)", body, doc=f"torch's name of ``{target}``.")
    polynomials = {
        "chebyshev_polynomial_t": "eval_chebyt", "chebyshev_polynomial_u": "eval_chebyu",
        "shifted_chebyshev_polynomial_t": "eval_sh_chebyt", "shifted_chebyshev_polynomial_u": "eval_sh_chebyu",
        "hermite_polynomial_h": "eval_hermite", "hermite_polynomial_he": "eval_hermitenorm",
        "laguerre_polynomial_l": "eval_laguerre", "legendre_polynomial_p": "eval_legendre",
    }  # fmt: skip
    for name, target in polynomials.items():

        def of_order(xp: Any, x: Any, *, n: Any, target: str = target) -> Any:
            return getattr(xp.special, target)(n, x)

        composite(
            f"special.{name}(x, n)", of_order, arrays=("x",), doc=f"torch's name of ``{target}``, the order last."
        )


_aliases()
# The third and fourth kinds, from the second (DLMF 18.7.17, 18.7.18 and 18.9.12)
chebyshev_polynomial_v = composite(
    "special.chebyshev_polynomial_v(x, n)",
    lambda xp, x, *, n: xp.special.eval_chebyu(n, x) - xp.special.eval_chebyu(n - 1, x),
    arrays=("x",),
)
chebyshev_polynomial_w = composite(
    "special.chebyshev_polynomial_w(x, n)",
    lambda xp, x, *, n: xp.special.eval_chebyu(n, x) + xp.special.eval_chebyu(n - 1, x),
    arrays=("x",),
)
airy_ai = composite(
    "special.airy_ai(x, /)", lambda xp, x: xp.special.airy(x)[0], doc="Airy's function Ai, in torch's name."
)
spherical_bessel_j0 = composite("special.spherical_bessel_j0(x, /)", lambda xp, x: xp.special.sinc(x / PI))


# -- the rest of SciPy --------------------------------------------------------------------------------------------------
LEFT_OUT = {"logsumexp", "softmax", "log_softmax", "stdtrit", "chdtr", "chdtrc"}
"""Not on the namespace, so that SciPy, which looks there first, uses its own versions made of other functions: they have derivatives."""


def special_fallback(name: str, inputs: int, outputs: int) -> Op:
    """A ufunc of SciPy's that is not in the table, as an operation whose derivative is not known."""
    arrays = ", ".join(["x"] if inputs == 1 else [f"x{i + 1}" for i in range(inputs)])
    unknown = (None,) * inputs
    if outputs == 1:
        op = elementwise(f"special.{name}({arrays}, /)", *unknown)
    else:
        names = tuple([f"out{i + 1}" for i in range(outputs)])
        op = rule(f"special.{name}({arrays}, /)", unknown, unknown, outputs=names, promote=inputs > 1)
    OPS.pop(op.name)  # the table is what is declared here, not what somebody happened to ask for
    return op
