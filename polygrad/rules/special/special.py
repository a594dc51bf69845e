"""Special functions, under the names of ``scipy.special``. The standard has none of them.

A function is computed by the array library where it has one, else by the agnostic default given here, else by SciPy on the host.
Derivatives are with respect to the arguments for which a closed form in terms of other functions is known. Asking for a derivative with
respect to another argument, such as the order of a Bessel function, raises. Numbers such as 10.6.1 are equations of the Digital Library of
Mathematical Functions, https://dlmf.nist.gov.

SciPy's other ufuncs are on the namespace too, without derivative.
"""

from __future__ import annotations

import math
from typing import Any

from ...errors import UnsupportedError
from ..declare import OPS, Op, composite, constant, elementwise, rule
from ..helpers import is_complex, log1p_exp, logistic
from ..vmap import forms
from .forms import (
    LN2,
    PI,
    SQRT_2PI,
    SQRT_PI,
    F,
    complex_valued,
    near_zero,
    polynomial,
    several_outputs,
    special_function,
)

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


def _erf(xp: Any, x: Any) -> Any:
    """Compute erf for a library without it, within an ulp of the true value in double precision."""
    if is_complex(xp, x):
        raise UnsupportedError("special.erf: this backend has it for real arguments only")
    size = xp.minimum(xp.abs(x), 6.0)  # beyond that it is 1 to rounding, and nothing overflows
    small = size < 1
    near = xp.where(small, size * size, 0.0)
    far = xp.where(small, 1.0, size)
    tail = xp.exp(-far * far) * polynomial((12 * (far - 3) / (far + 3) + 1) / 5, _ERF_LARGE)
    return xp.where(small, x * polynomial(near, _ERF_SMALL), xp.sign(x) * (1 - tail))


# -- error functions (DLMF 7.2) -----------------------------------------------------------------------------------------
erf = special_function(
    "erf",
    lambda xp, x: (2 / SQRT_PI) * xp.exp(-x * x),
    default=_erf,
    doc="The error function: twice the integral of the Gaussian ``exp(-t**2)`` from 0 to ``x``, over the square root of pi.",
)
erfc = special_function("erfc", lambda xp, x: (-2 / SQRT_PI) * xp.exp(-x * x))
erfi = special_function("erfi", lambda xp, x: (2 / SQRT_PI) * xp.exp(x * x))
# exp(x**2) erfc(x) and exp(-x**2) int_0^x exp(t**2) dt, by the product rule
erfcx = special_function("erfcx", lambda xp, x, out: 2 * x * out - 2 / SQRT_PI, node="SpecialErfcxBackward0")
dawsn = special_function("dawsn", lambda xp, x, out: 1 - 2 * x * out)
erfinv = special_function("erfinv", lambda xp, out: (SQRT_PI / 2) * xp.exp(out * out))
erfcinv = special_function("erfcinv", lambda xp, out: (-SQRT_PI / 2) * xp.exp(out * out))
wofz = complex_valued("wofz(z, /)", lambda xp, z, out: 2j / SQRT_PI - 2 * (z * out))  # DLMF 7.10.2
fresnel = several_outputs(
    "fresnel(z, /)", "ssa csa", lambda xp, z: (xp.sin(PI / 2 * z * z), xp.cos(PI / 2 * z * z))  # DLMF 7.2.7, 7.2.8
)  # fmt: skip


def _voigt(xp: Any, x: Any, sigma: Any, gamma: Any) -> tuple[Any, Any]:
    """Return the slopes in x and gamma of Re w(z) / (sigma sqrt(2 pi)), z = (x + i gamma) / (sigma sqrt 2) (DLMF 7.19.1, 7.10.2)."""
    z = (x + 1j * gamma) / (sigma * math.sqrt(2))
    slope = 2j / SQRT_PI - 2 * z * xp.special.wofz(z)
    scale = 1 / (2 * SQRT_PI * sigma * sigma)
    return xp.real(slope) * scale, -xp.imag(slope) * scale


def _voigt_sigma(xp: Any, x: Any, sigma: Any, gamma: Any, out: Any) -> Any:
    """Return the slope in sigma. The profile is homogeneous of degree -1 in its three arguments (Euler's theorem)."""
    slope_x, slope_gamma = _voigt(xp, x, sigma, gamma)
    return -(out + x * slope_x + gamma * slope_gamma) / sigma


voigt_profile = special_function(
    "voigt_profile(x, sigma, gamma, /)",
    lambda xp, x, sigma, gamma: _voigt(xp, x, sigma, gamma)[0],
    _voigt_sigma,
    lambda xp, x, sigma, gamma: _voigt(xp, x, sigma, gamma)[1],
)


# -- the normal distribution --------------------------------------------------------------------------------------------
def _log_ndtr_slope(xp: Any, x: Any, out: Any) -> Any:
    """Return the density over the distribution function.

    Far to the left both underflow, and erfcx gives their ratio (DLMF 7.2.3).
    """
    left = x < -1
    tail = math.sqrt(2 / PI) / xp.special.erfcx(xp.where(left, x, -1.0) * -math.sqrt(0.5))
    right = xp.where(left, -1.0, x)
    return xp.where(left, tail, xp.exp(-0.5 * right * right - xp.where(left, 0.0, out)) / SQRT_2PI)


ndtr = special_function("ndtr", lambda xp, x: xp.exp(-0.5 * x * x) / SQRT_2PI, node="MulBackward1")
ndtri = special_function("ndtri", lambda xp, out: SQRT_2PI * xp.exp(0.5 * out * out), node="SpecialNdtriBackward0")
log_ndtr = special_function("log_ndtr", _log_ndtr_slope, node="SpecialLogNdtrBackward0")
ndtri_exp = special_function("ndtri_exp", lambda xp, out: math.sqrt(PI / 2) * xp.special.erfcx(out * -math.sqrt(0.5)))
owens_t = special_function(
    "owens_t(h, a, /)",  # Owen (1956), by differentiating the defining integral
    lambda xp, h, a: xp.exp(-0.5 * h * h) * xp.special.erf(a * h * math.sqrt(0.5)) * (-0.5 / SQRT_2PI),
    lambda xp, h, a: xp.exp(-0.5 * h * h * (1 + a * a)) / (2 * PI * (1 + a * a)),
)


# -- logistic functions -------------------------------------------------------------------------------------------------
expit = special_function("expit", lambda xp, out: out * (1 - out), default=logistic, node="SigmoidBackward0")
logit = special_function("logit", lambda xp, x: 1 / (x * (1 - x)), default=lambda xp, x: xp.log(x) - xp.log1p(-x))
log_expit = special_function(
    "log_expit",
    lambda xp, x: xp.special.expit(-x),
    default=lambda xp, x: -log1p_exp(xp, -x),
    node="LogSigmoidBackward0",
)
softplus = special_function(
    "softplus",
    lambda xp, x: xp.special.expit(x),
    default=log1p_exp,
)


# -- entropies and losses -----------------------------------------------------------------------------------------------
def _times_log(log: str, edge: float) -> tuple[Any, Any, Any]:
    """Return slope in x, slope in y, and value of x f(y), for a logarithm f that is singular at ``edge``. As in torch, 0 f(y) is 0."""

    def slope(xp: Any, x: Any, y: Any) -> Any:
        zero = (x == 0) & (y <= edge)
        return xp.where(zero, 0.0, getattr(xp, log)(xp.where(zero, 1.0, y)))

    def value(xp: Any, x: Any, y: Any) -> Any:
        zero = (x == 0) & ~xp.isnan(y)
        return xp.where(zero, 0.0, x * getattr(xp, log)(xp.where(zero, 1.0, y)))

    return slope, lambda xp, x, y: x / (y - edge), value


_slope_x, _slope_y, _value = _times_log("log", 0.0)
xlogy = special_function("xlogy(x, y, /)", _slope_x, _slope_y, default=_value)
_slope_x, _slope_y, _value = _times_log("log1p", -1.0)
xlog1py = special_function("xlog1py(x, y, /)", _slope_x, _slope_y, default=_value, node="SpecialXlog1PyBackward0")


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


entr = special_function("entr", lambda xp, x: -1 - xp.log(x), default=_entr, node="SpecialEntrBackward0")
rel_entr = special_function(
    "rel_entr(x, y, /)",
    lambda xp, x, y: xp.log(x) - xp.log(y) + 1,
    lambda xp, x, y: -x / y,
    default=_rel_entr,
)
kl_div = special_function(
    "kl_div(x, y, /)", lambda xp, x, y: xp.log(x) - xp.log(y), lambda xp, x, y: 1 - x / y, default=_kl_div
)
huber = special_function(
    "huber(delta, r, /)",
    lambda xp, delta, r: xp.maximum(xp.abs(r) - delta, 0.0),
    lambda xp, delta, r: xp.where(xp.abs(r) <= delta, r, xp.sign(r) * delta),
    default=_huber,
)
pseudo_huber = special_function(
    "pseudo_huber(delta, r, /)",
    lambda xp, delta, r, out: 2 * out / delta - r * r / (delta * _root(xp, delta, r)),
    lambda xp, delta, r: r / _root(xp, delta, r),
    default=_pseudo_huber,
)

# -- exponentials, logarithms, powers -----------------------------------------------------------------------------------
exp2 = special_function("exp2", lambda xp, out: LN2 * out, default=lambda xp, x: 2.0**x)
exp10 = special_function("exp10", lambda xp, out: math.log(10) * out, default=lambda xp, x: 10.0**x)
expm1 = composite("special.expm1(x, /)", lambda xp, x: xp.expm1(x))
log1p = composite("special.log1p(x, /)", lambda xp, x: xp.log1p(x))
cosm1 = special_function("cosm1", lambda xp, x: -xp.sin(x), default=lambda xp, x: -2 * xp.sin(x / 2) ** 2)
cbrt = special_function(
    "cbrt", lambda xp, out: 1 / (3 * (out * out)), default=lambda xp, x: xp.sign(x) * xp.abs(x) ** (1 / 3)
)
powm1 = special_function(
    "powm1(x, y, /)",
    lambda xp, x, y: y * x ** (y - 1),
    lambda xp, x, y, out: (out + 1) * xp.log(x),
    default=lambda xp, x, y: x**y - 1,
)
_EXPREL = [k / F[k + 1] for k in range(1, 22)]


def exprel_slope(xp: Any, x: Any) -> Any:
    """Return the derivative of (exp(x) - 1) / x."""
    return near_zero(xp, x, 1.0, _EXPREL, lambda s: (xp.exp(s) - xp.special.exprel(s)) / s)


def _exprel(xp: Any, x: Any) -> Any:
    zero = x == 0
    safe = xp.where(zero, 1.0, x)
    return xp.where(zero, 1.0, xp.expm1(safe) / safe)


exprel = special_function("exprel", exprel_slope, default=_exprel)
_SINC = [(-1) ** (k + 1) * 2 * (k + 1) / F[2 * k + 3] for k in range(12)]


def _sinc_slope(xp: Any, x: Any) -> Any:
    t = PI * x
    near = xp.abs(x) < 0.3
    small = xp.where(near, t, 0.0)
    safe = xp.where(near, 1.0, x)
    far = (xp.cos(PI * safe) - xp.special.sinc(safe)) / safe
    return xp.where(near, PI * small * polynomial(small * small, tuple(_SINC)), far)


def _sinc(xp: Any, x: Any) -> Any:
    zero = x == 0
    t = PI * xp.where(zero, 1.0, x)
    return xp.where(zero, 1.0, xp.sin(t) / t)


sinc = special_function("sinc", _sinc_slope, default=_sinc, doc="``sin(pi x) / (pi x)``, as in NumPy.")


def _power_ratio(xp: Any, log: Any, lmbda: Any) -> Any:
    """Return (exp(lmbda log) - 1) / lmbda, also where the logarithm is infinite."""
    zero = lmbda == 0
    safe = xp.where(zero, 1.0, lmbda)
    return xp.where(zero, log, xp.expm1(safe * log) / safe)


# (x**lmbda - 1) / lmbda is log(x) exprel(lmbda log(x)), which is regular at lmbda = 0.
boxcox = special_function(
    "boxcox(x, lmbda, /)",
    lambda xp, x, lmbda: x ** (lmbda - 1),
    lambda xp, x, lmbda: xp.log(x) ** 2 * exprel_slope(xp, lmbda * xp.log(x)),
    default=lambda xp, x, lmbda: _power_ratio(xp, xp.log(x), lmbda),
)
boxcox1p = special_function(
    "boxcox1p(x, lmbda, /)",
    lambda xp, x, lmbda: xp.exp((lmbda - 1) * xp.log1p(x)),
    lambda xp, x, lmbda: xp.log1p(x) ** 2 * exprel_slope(xp, lmbda * xp.log1p(x)),
    default=lambda xp, x, lmbda: _power_ratio(xp, xp.log1p(x), lmbda),
)
_BOXCOX = [(-1) ** (k + 1) * (k + 1) / (k + 2) for k in range(18)]


def _inverse_boxcox(xp: Any, y: Any, lmbda: Any) -> Any:
    """Return the slope in lmbda of log(1 + lmbda y) / lmbda.

    It is y**2 (w / (1 + w) - log(1 + w)) / w**2 with w = lmbda y.
    """
    slope = near_zero(xp, lmbda * y, 0.1, _BOXCOX, lambda w: (w / (1 + w) - xp.log1p(w)) / (w * w))
    return y * y * slope


def _log1p_ratio(xp: Any, w: Any) -> Any:
    """Return log(1 + w) / w."""
    zero = w == 0
    safe = xp.where(zero, 1.0, w)
    return xp.where(zero, 1.0, xp.log1p(safe) / safe)


inv_boxcox = special_function(
    "inv_boxcox(y, lmbda, /)",
    lambda xp, y, lmbda, out: out / (1 + lmbda * y),
    lambda xp, y, lmbda, out: out * _inverse_boxcox(xp, y, lmbda),
    default=lambda xp, y, lmbda: xp.exp(y * _log1p_ratio(xp, lmbda * y)),
)
inv_boxcox1p = special_function(
    "inv_boxcox1p(y, lmbda, /)",
    lambda xp, y, lmbda, out: (out + 1) / (1 + lmbda * y),
    lambda xp, y, lmbda, out: (out + 1) * _inverse_boxcox(xp, y, lmbda),
    default=lambda xp, y, lmbda: xp.expm1(y * _log1p_ratio(xp, lmbda * y)),
)
constant("special.round", batch=forms.elementwise)
DEGREE = PI / 180
sindg = special_function("sindg", lambda xp, x: DEGREE * xp.special.cosdg(x))
cosdg = special_function("cosdg", lambda xp, x: -DEGREE * xp.special.sindg(x))
tandg = special_function("tandg", lambda xp, out: DEGREE * (1 + out * out))
cotdg = special_function("cotdg", lambda xp, out: -DEGREE * (1 + out * out))
radian = special_function(
    "radian(d, m, s, /)",
    DEGREE,
    DEGREE / 60,
    DEGREE / 3600,
    default=lambda xp, d, m, s: DEGREE * (d + m / 60 + s / 3600),
)
wrightomega = special_function("wrightomega(z, /)", lambda xp, out: out / (1 + out))
# W exp(W) = z (DLMF 4.13.1), differentiated; in this form it is regular at 0.
lambertw = special_function(
    "lambertw(z, k=0, tol=1e-8)",
    lambda xp, out: 1 / (xp.exp(out) * (1 + out)),
    arrays=("z",),
    doc="Lambert's W, a branch of the inverse of ``w exp(w)``. For real ``z`` it is real, and nan where the branch is complex.",
)


# -- torch's names ------------------------------------------------------------------------------------------------------
def _declare_aliases() -> None:
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


_declare_aliases()
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
# Functions that are not on the namespace. SciPy looks there first, and its own versions are made of other functions, which have
# derivatives.
LEFT_OUT = {"logsumexp", "softmax", "log_softmax"}


def special_fallback(name: str, inputs: int, outputs: int) -> Op:
    """Return a ufunc of SciPy's that is not in the table as an operation without a known derivative."""
    arrays = ", ".join(["x"] if inputs == 1 else [f"x{i + 1}" for i in range(inputs)])
    unknown = (None,) * inputs
    if outputs == 1:
        op = elementwise(f"special.{name}({arrays}, /)", *unknown)
    else:
        names = tuple([f"out{i + 1}" for i in range(outputs)])
        op = rule(
            f"special.{name}({arrays}, /)", unknown, unknown, outputs=names, promote=inputs > 1, batch=forms.elementwise
        )
    OPS.withdraw(
        op
    )  # the table lists the operations that are declared here, not those that somebody happened to ask for
    return op
