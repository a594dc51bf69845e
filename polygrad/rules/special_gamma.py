"""Special functions: the gamma function and its kin, incomplete integrals and distributions, exponential and elliptic integrals."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from typing import Any

from .declare import constant
from .special_forms import PI, below, near_zero, require_real, several_outputs, special_function

# -- the gamma function and its kin (DLMF 5) ----------------------------------------------------------------------------
gamma = special_function("gamma", lambda xp, x, out: out * xp.special.digamma(x))  # 5.2.2
gammaln = special_function("gammaln", lambda xp, x: xp.special.digamma(x), node="LgammaBackward0")
loggamma = special_function("loggamma", lambda xp, x: xp.special.digamma(x))
gammasgn = constant("special.gammasgn")


def _rgamma_slope(xp: Any, x: Any, out: Any) -> Any:
    """-psi(x) / gamma(x); to the left in terms of 1 - x (DLMF 5.5.3), since both have poles where the function is zero."""
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


def _shifted(xp: Any, function: str, a: Any, d: int) -> Any:
    return functools.reduce(operator.add, [getattr(xp.special, function)(a - i / 2) for i in range(d)])


multigammaln = special_function(
    "multigammaln(a, d)",  # DLMF 35.3.4
    lambda xp, a, *, d: _shifted(xp, "digamma", a, d),
    default=lambda xp, a, d: _shifted(xp, "gammaln", a, d) + d * (d - 1) / 4 * math.log(PI),
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
zeta = special_function(
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


gammainc = special_function("gammainc(a, x, /)", None, _gamma_density, node="IgammaBackward0")
gammaincc = special_function(
    "gammaincc(a, x, /)", None, lambda xp, a, x: -_gamma_density(xp, a, x), node="IgammacBackward0"
)
gammaincinv = special_function("gammaincinv(a, y, /)", None, lambda xp, a, out: 1 / _gamma_density(xp, a, out))
gammainccinv = special_function("gammainccinv(a, y, /)", None, lambda xp, a, out: -1 / _gamma_density(xp, a, out))
betainc = special_function("betainc(a, b, x, /)", None, None, _beta_density)
betaincc = special_function("betaincc(a, b, x, /)", None, None, lambda xp, a, b, x: -_beta_density(xp, a, b, x))
betaincinv = special_function(
    "betaincinv(a, b, y, /)", None, None, lambda xp, a, b, out: 1 / _beta_density(xp, a, b, out)
)
betainccinv = special_function(
    "betainccinv(a, b, y, /)", None, None, lambda xp, a, b, out: -1 / _beta_density(xp, a, b, out)
)
gdtr = special_function(
    "gdtr(a, b, x, /)",
    lambda xp, a, b, x: x * _gamma_density(xp, b, a * x),
    None,
    lambda xp, a, b, x: a * _gamma_density(xp, b, a * x),
)
gdtrc = special_function(
    "gdtrc(a, b, x, /)",
    lambda xp, a, b, x: -x * _gamma_density(xp, b, a * x),
    None,
    lambda xp, a, b, x: -a * _gamma_density(xp, b, a * x),
)
fdtr = special_function("fdtr(dfn, dfd, x, /)", None, None, _f_density)
fdtrc = special_function("fdtrc(dfn, dfd, x, /)", None, None, lambda xp, dfn, dfd, x: -_f_density(xp, dfn, dfd, x))
fdtri = special_function(
    "fdtri(dfn, dfd, p, /)", None, None, lambda xp, dfn, dfd, out: 1 / _f_density(xp, dfn, dfd, out)
)
chdtri = special_function("chdtri(v, p, /)", None, lambda xp, v, out: -1 / _chi_density(xp, v, out))
stdtr = special_function("stdtr(df, t, /)", None, _t_density)
pdtr = special_function("pdtr(k, m, /)", None, lambda xp, k, m: -_gamma_density(xp, xp.floor(k) + 1, m))
pdtrc = special_function("pdtrc(k, m, /)", None, lambda xp, k, m: _gamma_density(xp, xp.floor(k) + 1, m))
pdtri = special_function("pdtri(k, y, /)", None, lambda xp, k, out: -1 / _gamma_density(xp, xp.floor(k) + 1, out))


# The binomial distributions are incomplete beta functions of the probability (DLMF 8.17.5): of k successes or fewer in n trials
# I(n - k, k + 1; 1 - p), of k failures or fewer before the n-th success I(n, k + 1; p).
# SciPy wants the counts as integers.
def _counts(xp: Any, p: Any, *counts: Any) -> list[Any]:
    """Counts as floating arrays that fit the probability."""
    return [xp.floor(xp.astype(n, p.dtype)) if hasattr(n, "dtype") else xp.full_like(p, n) for n in counts]


def _binomial_density(xp: Any, k: Any, n: Any, p: Any) -> Any:
    k, n = _counts(xp, p, k, n)
    return _beta_density(xp, n - k, k + 1, 1 - p)


def _negative_binomial_density(xp: Any, k: Any, n: Any, p: Any) -> Any:
    k, n = _counts(xp, p, k, n)
    return _beta_density(xp, n, k + 1, p)


def _of_counts(name: str, density: Any, sign: int) -> None:
    """A distribution function, its complement, or, with ``y``, its inverse in the probability, which lies in the output then."""
    if name.endswith("i"):
        slope: Any = lambda xp, k, n, out: sign / density(xp, k, n, out)
    else:
        slope = lambda xp, k, n, p: sign * density(xp, k, n, p)
    argument = "y" if name.endswith("i") else "p"
    special_function(f"{name}(k, n, {argument}, /)", None, None, slope, orders=("k", "n"))


for _name, _sign in (("bdtr", -1), ("bdtrc", 1), ("bdtri", -1)):
    _of_counts(_name, _binomial_density, _sign)
for _name, _sign in (("nbdtr", 1), ("nbdtrc", -1), ("nbdtri", 1)):
    _of_counts(_name, _negative_binomial_density, _sign)


# -- exponential integrals (DLMF 6.2, 8.19) -----------------------------------------------------------------------------
def _expn_slope(xp: Any, n: Any, x: Any) -> Any:
    """-E_{n-1}(x) (8.19.13); of E_0 = exp(-x) / x itself, as SciPy has no negative orders."""
    if not hasattr(n, "dtype"):
        return -xp.special.expn(n - 1, x) if n >= 1 else -xp.exp(-x) * (1 + x) / (x * x)
    return xp.where(n >= 1, -xp.special.expn(below(xp, n), x), -xp.exp(-x) * (1 + x) / (x * x))


def _sinh_ratio(xp: Any, x: Any) -> Any:
    """sinh(x) / x, regular at 0 for real x."""
    if xp.isdtype(x.dtype, "complex floating"):
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
_A = [math.prod((2 * i + 1) / (2 * i + 2) for i in range(k)) for k in range(24)]
"""(1/2)_k / k!, the coefficients of (1 - t)**(-1/2)."""
_K_SLOPE = [PI / 2 * k * _A[k] ** 2 for k in range(1, 24)]
_E_SLOPE = [-PI / 2 * k * _A[k] ** 2 / (2 * k - 1) for k in range(1, 24)]


def _ellipk_slope(xp: Any, m: Any, p: Any, k: Any) -> Any:
    """The slope of K in m; ``p`` is 1 - m, which may be known better, and ``k`` is K (19.4.1)."""
    return near_zero(xp, m, 0.1, _K_SLOPE, lambda s: (xp.special.ellipe(m) / p - k) / (2 * s))


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
    """F(ph(u, m), m) = u, differentiated; then sn and cn are the sine and cosine of ph, and dn**2 = 1 - m sn**2."""
    slope = -dn * _f_slope_m(xp, ph, m, u)
    return cn * slope, -sn * slope, -sn * (0.5 * sn + m * cn * slope) / dn, slope


ellipj = several_outputs(
    "ellipj(u, m, /)", "sn cn dn ph", lambda xp, m, sn, cn, dn: (cn * dn, -sn * dn, -m * sn * cn, dn), _ellipj_m
)
# Carlson's symmetric integral (19.18.1); of R_D no derivative is declared.
elliprf = special_function(
    "elliprf(x, y, z, /)",
    lambda xp, x, y, z: xp.special.elliprd(y, z, x) / -6,
    lambda xp, x, y, z: xp.special.elliprd(x, z, y) / -6,
    lambda xp, x, y, z: xp.special.elliprd(x, y, z) / -6,
)
elliprd = special_function("elliprd(x, y, z, /)", None, None, None)
elliprc = special_function(  # R_F of x and twice y
    "elliprc(x, y, /)",
    lambda xp, x, y: xp.special.elliprd(y, y, x) / -6,
    lambda xp, x, y: xp.special.elliprd(x, y, y) / -3,
)
