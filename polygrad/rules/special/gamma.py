"""Special functions: the gamma function and its kin, exponential and elliptic integrals."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from ..declare import constant
from ..helpers import is_complex
from ..vmap import forms
from .forms import PI, decrement, near_zero, require_real, several_outputs, special_function

# -- the gamma function and its kin (DLMF 5) ----------------------------------------------------------------------------
gamma = special_function("gamma", lambda xp, x, out: out * xp.special.digamma(x))  # 5.2.2
gammaln = special_function("gammaln", lambda xp, x: xp.special.digamma(x), node="LgammaBackward0")
loggamma = special_function("loggamma", lambda xp, x: xp.special.digamma(x))
gammasgn = constant("special.gammasgn", batch=forms.elementwise)


def _rgamma_slope(xp: Any, x: Any, out: Any) -> Any:
    """Return -psi(x) / gamma(x). On the left it is in terms of 1 - x (DLMF 5.5.3), since both have poles where the function is zero."""
    left = xp.real(x) < 0.5
    y = xp.where(left, x, 0.0)
    mirrored = xp.special.gamma(1 - y) * (xp.cos(PI * y) - xp.sin(PI * y) / PI * xp.special.digamma(1 - y))
    return xp.where(left, mirrored, -xp.special.digamma(xp.where(left, 1.0, x)) * xp.where(left, 0.0, out))


rgamma = special_function("rgamma", _rgamma_slope)


def _next_polygamma(xp: Any, n: Any, x: Any, name: str) -> Any:
    require_real(xp, x, name)
    return xp.special.polygamma(n + 1, x)


digamma = special_function("digamma", lambda xp, x: _next_polygamma(xp, 0, x, "digamma"))
psi = special_function("psi", lambda xp, x: _next_polygamma(xp, 0, x, "psi"), node="DigammaBackward0")
polygamma = special_function(
    "polygamma(n, x, /)", None, lambda xp, n, x: _next_polygamma(xp, n, x, "polygamma"), orders=("n",)
)


def _sum_shifted(xp: Any, function: str, a: Any, d: int) -> Any:
    return functools.reduce(operator.add, [getattr(xp.special, function)(a - i / 2) for i in range(d)])


multigammaln = special_function(
    "multigammaln(a, d)",  # DLMF 35.3.4
    lambda xp, a, *, d: _sum_shifted(xp, "digamma", a, d),
    default=lambda xp, a, d: _sum_shifted(xp, "gammaln", a, d) + d * (d - 1) / 4 * math.log(PI),
    arrays=("a",),
    node="MvlgammaBackward0",
)
beta = special_function(
    "beta(a, b, /)",
    lambda xp, a, b, out: out * (xp.special.digamma(a) - xp.special.digamma(a + b)),
    lambda xp, a, b, out: out * (xp.special.digamma(b) - xp.special.digamma(a + b)),
)
betaln = special_function(
    "betaln(a, b, /)",
    lambda xp, a, b: xp.special.digamma(a) - xp.special.digamma(a + b),
    lambda xp, a, b: xp.special.digamma(b) - xp.special.digamma(a + b),
)
poch = special_function(
    "poch(z, m, /)",
    lambda xp, z, m, out: out * (xp.special.digamma(z + m) - xp.special.digamma(z)),
    lambda xp, z, m, out: out * xp.special.digamma(z + m),
)
binom = special_function(
    "binom(n, k, /)",
    lambda xp, n, k, out: out * (xp.special.digamma(n + 1) - xp.special.digamma(n - k + 1)),
    lambda xp, n, k, out: out * (xp.special.digamma(n - k + 1) - xp.special.digamma(k + 1)),
)


# B_2k / (2k)!, by the recurrence of the Bernoulli numbers (DLMF 24.5.3)
def _bernoulli(number: int) -> list[float]:
    b = [Fraction(1)]
    for n in range(1, 2 * number + 1):
        b.append(-sum((math.comb(n + 1, k) * b[k] for k in range(n)), Fraction(0)) / (n + 1))
    return [float(b[2 * k] / math.factorial(2 * k)) for k in range(1, number + 1)]


_BERNOULLI = _bernoulli(12)


def _hurwitz_slope(xp: Any, x: Any, q: Any) -> Any:
    """Return the derivative of Hurwitz's zeta function in x >= 0, by the formula of Euler and Maclaurin, differentiated.

    See DLMF 25.2.9, for q beside 1, and 25.2.10. There are ten terms of the series, and for the rest the integral, half the first term and
    twelve corrections.
    """
    total: Any = 0.0
    for k in range(10):
        log = xp.log(q + k)
        total = total - log * xp.exp(-x * log)
    w = q + 10
    log = xp.log(w)
    part, slope = x / w, 1 / w  # (x)_{2k-1} w**(1 - 2k), and its derivative in x
    tail = -w / (x - 1) * (log + 1 / (x - 1)) - 0.5 * log
    for k, coefficient in enumerate(_BERNOULLI, 1):
        tail = tail + coefficient * (slope - log * part)
        slope = (slope * (x + 2 * k - 1) * (x + 2 * k) + part * (2 * x + 4 * k - 1)) / (w * w)
        part = part * (x + 2 * k - 1) * (x + 2 * k) / (w * w)
    return total + xp.exp(-x * log) * tail


def _zeta_slope(xp: Any, x: Any, q: Any, out: Any) -> Any:
    """Return the derivative of the zeta function in x.

    Riemann's function has a functional equation, which serves to the left of 0 (DLMF 25.4.1). Hurwitz's is not defined below 1.
    """
    require_real(xp, x, "zeta")
    if q is not None:
        known = (x > 1) & (x < math.inf) & (q > 0)
        return xp.where(known, _hurwitz_slope(xp, xp.where(known, x, 2.0), xp.where(known, q, 1.0)), math.nan)
    left = (x < 0) & (x > -math.inf)
    special = (x == 1) | (xp.abs(x) == math.inf)
    s = xp.where(special, 2.0, xp.where(left, 1 - x, x))
    slope = _hurwitz_slope(xp, s, xp.ones_like(x))
    r = xp.where(left, x, -1.0)
    outer = xp.exp(r * math.log(2 * PI) + xp.special.gammaln(1 - r)) / PI
    angle = PI / 2 * r
    mirrored = outer * (PI / 2 * xp.cos(angle) * xp.special.zeta(1 - r) - xp.sin(angle) * slope)
    mirrored = mirrored + (math.log(2 * PI) - xp.special.digamma(1 - r)) * xp.where(left, out, 0.0)
    limit = xp.where(x == 1, -math.inf, xp.where(x > 0, xp.zeros_like(x), math.nan))
    return xp.where(special, limit, xp.where(left, mirrored, slope))


zeta = special_function(
    "zeta(x, q=None)",
    _zeta_slope,
    lambda xp, x, q: -x * xp.special.zeta(x + 1, q),  # DLMF 25.11.17
    arrays=("x", "q"),
    node="SpecialZetaBackward0",
)
zetac = special_function("zetac(x, /)", lambda xp, x, out: _zeta_slope(xp, x, None, out + 1))


# -- exponential integrals (DLMF 6.2, 8.19) -----------------------------------------------------------------------------
def _expn_slope(xp: Any, n: Any, x: Any) -> Any:
    """Return -E_{n-1}(x) (8.19.13). E_0 = exp(-x) / x is differentiated itself, as SciPy has no negative orders."""
    if not hasattr(n, "dtype"):
        return -xp.special.expn(n - 1, x) if n >= 1 else -xp.exp(-x) * (1 + x) / (x * x)
    return xp.where(n >= 1, -xp.special.expn(decrement(xp, n), x), -xp.exp(-x) * (1 + x) / (x * x))


def _sinh_ratio(xp: Any, x: Any) -> Any:
    """Return sinh(x) / x, which is regular at 0 for real x."""
    if is_complex(xp, x):
        return xp.sinh(x) / x
    return (xp.special.exprel(x) + xp.special.exprel(-x)) / 2


_SPENCE = [(-1) ** (k + 1) / (k + 1) for k in range(20)]
expi = special_function("expi", lambda xp, x: xp.exp(x) / x)
exp1 = special_function("exp1", lambda xp, x: -xp.exp(-x) / x)
expn = special_function("expn(n, x, /)", None, _expn_slope, orders=("n",))
sici = several_outputs("sici(x, /)", "si ci", lambda xp, x: (xp.special.sinc(x / PI), xp.cos(x) / x))
shichi = several_outputs("shichi(x, /)", "shi chi", lambda xp, x: (_sinh_ratio(xp, x), xp.cosh(x) / x))
spence = special_function(
    "spence(z, /)",  # the integral of log(t) / (1 - t) from 1 to z (DLMF 25.12.2)
    lambda xp, z: near_zero(xp, z - 1, 0.1, _SPENCE, lambda w: -xp.log(z) / w),
)

# -- elliptic integrals and functions (DLMF 19, 22), by the parameter m = k**2 ------------------------------------------
# (1/2)_k / k!, the coefficients of (1 - t)**(-1/2).
_A = [math.prod((2 * i + 1) / (2 * i + 2) for i in range(k)) for k in range(24)]
_K_SLOPE = [PI / 2 * k * _A[k] ** 2 for k in range(1, 24)]
_E_SLOPE = [-PI / 2 * k * _A[k] ** 2 / (2 * k - 1) for k in range(1, 24)]


def _ellipk_slope(xp: Any, m: Any, p: Any, k: Any) -> Any:
    """Return the slope of K in m; ``p`` is 1 - m, which may be known better, and ``k`` is K (19.4.1)."""
    return near_zero(xp, m, 0.1, _K_SLOPE, lambda s: (xp.special.ellipe(m) / p - k) / (2 * s))


def _agm_slope(xp: Any, a: Any, b: Any, out: Any) -> Any:
    """Return the slope in b of the arithmetic-geometric mean pi a / (2 K(1 - (b / a)**2)) (19.8.5)."""
    k = PI / 2 * a / out
    p = (b / a) ** 2
    return PI * b / a * _ellipk_slope(xp, 1 - p, p, k) / (k * k)


def _powers_of_sine(xp: Any, phi: Any, number: int) -> list[Any]:
    """Return the integrals of sin(t)**(2k) from 0 to phi, for k below ``number``, by their recurrence."""
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


# The coefficients of (1 - t)**(1/2).
_B = [-_A[k] / (2 * k - 1) for k in range(24)]


def _delta(xp: Any, phi: Any, m: Any) -> Any:
    return xp.sqrt(1 - m * xp.sin(phi) ** 2)


def _f_slope_m(xp: Any, phi: Any, m: Any, out: Any) -> Any:
    """Return the slope in m of the integral of the first kind (19.4.5); near m = 0 from its power series."""
    near = xp.abs(m) < 0.05
    s = xp.where(near, 0.5, m)
    e = xp.special.ellipeinc(phi, m)
    far = (e / (1 - s) - out) / (2 * s) - xp.sin(2 * phi) / (4 * (1 - s) * _delta(xp, phi, m))
    return xp.where(near, _incomplete_series(xp, phi, xp.where(near, m, 0.0), _A), far)


def _e_slope_m(xp: Any, phi: Any, m: Any, out: Any) -> Any:
    """Return the slope in m of the integral of the second kind (19.4.6)."""
    near = xp.abs(m) < 0.05
    far = (out - xp.special.ellipkinc(phi, m)) / (2 * xp.where(near, 0.5, m))
    return xp.where(near, _incomplete_series(xp, phi, xp.where(near, m, 0.0), _B), far)


agm = special_function(
    "agm(a, b, /)",
    lambda xp, a, b, out: (out - b * _agm_slope(xp, a, b, out)) / a,
    _agm_slope,
)
ellipk = special_function("ellipk(m, /)", lambda xp, m, out: _ellipk_slope(xp, m, 1 - m, out))
ellipkm1 = special_function("ellipkm1(p, /)", lambda xp, p, out: -_ellipk_slope(xp, 1 - p, p, out))
ellipe = special_function(
    "ellipe(m, /)",
    lambda xp, m, out: near_zero(xp, m, 0.1, _E_SLOPE, lambda s: (out - xp.special.ellipk(m)) / (2 * s)),  # 19.4.2
)
ellipkinc = special_function(
    "ellipkinc(phi, m, /)",
    lambda xp, phi, m: 1 / _delta(xp, phi, m),
    _f_slope_m,
)
ellipeinc = special_function("ellipeinc(phi, m, /)", _delta, _e_slope_m)


def _ellipj_m(xp: Any, u: Any, m: Any, sn: Any, cn: Any, dn: Any, ph: Any) -> tuple[Any, ...]:
    """Return the slopes in m, by differentiating F(ph(u, m), m) = u.

    sn and cn are the sine and cosine of ph, and dn**2 = 1 - m sn**2.
    """
    slope = -dn * _f_slope_m(xp, ph, m, u)
    return cn * slope, -sn * slope, -sn * (0.5 * sn + m * cn * slope) / dn, slope


ellipj = several_outputs(
    "ellipj(u, m, /)", "sn cn dn ph", lambda xp, m, sn, cn, dn: (cn * dn, -sn * dn, -m * sn * cn, dn), _ellipj_m
)
