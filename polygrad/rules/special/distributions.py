"""Special functions: distributions solved for a parameter, noncentral distributions, and those of Kolmogorov and Tukey.

An inverse keeps the distribution function at ``p``. With F(a, x) = p the slopes of a are 1 / F_a in p and -F_x / F_a in x (the implicit
function theorem). In these functions SciPy takes counts as real numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .forms import PI, SQRT_2PI, argument_names, like, special_function, with_parameters
from .incomplete import (
    CUT,
    beta_density,
    beta_shape,
    chi_density,
    f_density,
    f_shape,
    gamma_density,
    gamma_shape,
    integral,
    t_density,
    t_shape,
)
from .special import exprel_slope

# The partial derivatives of a distribution function by its arguments, in their order: functions of the namespace and all arguments, or
# None where none is known.
Slopes = dict[str, Callable[..., Any] | None]


def _declare_solution(text: str, unknown: str, slopes: Slopes) -> None:
    """Declare the function of ``text``, which finds the argument ``unknown`` of a distribution function from its value.

    The value has the name in ``text`` that is not one of ``slopes``.
    """
    names = argument_names(text)
    needed = [name if name != unknown else "out" for name in slopes]

    own = slopes[unknown]
    assert own is not None

    def slope(name: str) -> Any:
        other = slopes.get(name)
        if name in slopes and other is None:
            return None

        def partial(xp: Any, *values: Any) -> Any:
            return (1 if other is None else -other(xp, *values)) / own(xp, *values)

        return with_parameters(partial, *needed)

    special_function(text, *[slope(name) for name in names])


# -- normal, gamma, chi-squared and Poisson distributions -------------------------------------------------------------------
nrdtrimn = special_function(
    "nrdtrimn(p, std, x, /)",  # x - std ndtri(p), and ndtri(p) = (x - out) / std
    lambda xp, p, std, x, out: -std * SQRT_2PI * xp.exp(0.5 * ((x - out) / std) ** 2),
    lambda xp, std, x, out: (out - x) / std,
    lambda xp, x: xp.ones_like(x),
)
nrdtrisd = special_function(
    "nrdtrisd(mn, p, x, /)",  # (x - mn) / ndtri(p)
    lambda xp, p: -1 / xp.special.ndtri(p),
    lambda xp, p, out: -out * SQRT_2PI * xp.exp(0.5 * xp.special.ndtri(p) ** 2) / xp.special.ndtri(p),
    lambda xp, p: 1 / xp.special.ndtri(p),
)
_GAMMA: Slopes = {
    "a": lambda xp, a, b, x: x * gamma_density(xp, b, a * x),
    "b": lambda xp, a, b, x: gamma_shape(xp, b, a * x),
    "x": lambda xp, a, b, x: a * gamma_density(xp, b, a * x),
}
_declare_solution("gdtria(p, b, x, /)", "a", _GAMMA)
_declare_solution("gdtrib(a, p, x, /)", "b", _GAMMA)
_declare_solution("gdtrix(a, b, p, /)", "x", _GAMMA)
_declare_solution(
    "chdtriv(p, x, /)",
    "v",
    {"v": lambda xp, v, x: 0.5 * gamma_shape(xp, v / 2, x / 2), "x": chi_density},
)
_declare_solution(
    "pdtrik(p, m, /)",  # the complement of the incomplete gamma function of k + 1
    "k",
    {
        "k": lambda xp, k, m: -gamma_shape(xp, k + 1, m),
        "m": lambda xp, k, m: -gamma_density(xp, k + 1, m),
    },
)
chdtr = special_function(
    "chdtr(v, x, /)",
    lambda xp, v, x: 0.5 * gamma_shape(xp, v / 2, x / 2),
    chi_density,
    default=lambda xp, v, x: xp.special.gammainc(v / 2, x / 2),
)
chdtrc = special_function(
    "chdtrc(v, x, /)",
    lambda xp, v, x: -0.5 * gamma_shape(xp, v / 2, x / 2),
    lambda xp, v, x: -chi_density(xp, v, x),
    default=lambda xp, v, x: xp.where(x >= 0, xp.special.gammaincc(v / 2, x / 2), 1.0),
)

# -- beta, F, Student's and binomial distributions --------------------------------------------------------------------------
_BETA: Slopes = {
    "a": lambda xp, a, b, x: beta_shape(xp, a, b, x, 1 - x, True),
    "b": lambda xp, a, b, x: beta_shape(xp, a, b, x, 1 - x, False),
    "x": beta_density,
}
_declare_solution("btdtria(p, b, x, /)", "a", _BETA)
_declare_solution("btdtrib(a, p, x, /)", "b", _BETA)
_declare_solution(
    "fdtridfd(dfn, p, x, /)",
    "dfd",
    {
        "dfn": lambda xp, dfn, dfd, x: f_shape(xp, dfn, dfd, x, True),
        "dfd": lambda xp, dfn, dfd, x: f_shape(xp, dfn, dfd, x, False),
        "x": f_density,
    },
)
_T: Slopes = {"df": t_shape, "t": t_density}
_declare_solution("stdtridf(p, t, /)", "df", _T)
_declare_solution("stdtrit(df, p, /)", "t", _T)
_BINOMIAL: Slopes = {  # I(n - k, k + 1; 1 - p)
    "k": lambda xp, k, n, p: (
        beta_shape(xp, n - k, k + 1, 1 - p, p, False) - beta_shape(xp, n - k, k + 1, 1 - p, p, True)
    ),
    "n": lambda xp, k, n, p: beta_shape(xp, n - k, k + 1, 1 - p, p, True),
    "p": lambda xp, k, n, p: -beta_density(xp, n - k, k + 1, 1 - p),
}
_NEGATIVE_BINOMIAL: Slopes = {  # I(n, k + 1; p)
    "k": lambda xp, k, n, p: beta_shape(xp, n, k + 1, p, 1 - p, False),
    "n": lambda xp, k, n, p: beta_shape(xp, n, k + 1, p, 1 - p, True),
    "p": lambda xp, k, n, p: beta_density(xp, n, k + 1, p),
}
_declare_solution("bdtrik(y, n, p, /)", "k", _BINOMIAL)
_declare_solution("bdtrin(k, y, p, /)", "n", _BINOMIAL)
_declare_solution("nbdtrik(y, n, p, /)", "k", _NEGATIVE_BINOMIAL)
_declare_solution("nbdtrin(k, y, p, /)", "n", _NEGATIVE_BINOMIAL)


# -- noncentral distributions -------------------------------------------------------------------------------------------------
def _noncentral_chi_density(xp: Any, x: Any, df: Any, nc: Any) -> Any:
    """Return exp(-(x + nc) / 2) (x / 2)**(df/2 - 1) / 2 times the regularised 0F1(df / 2; nc x / 4).

    That is a Bessel function (DLMF 10.39.9), which is scaled where it is large.
    """
    near = nc * x < 1e4
    product = xp.where(near, nc * x, 0.0)
    power = xp.exp(xp.special.xlogy(df / 2 - 1, x / 2) - (x + nc) / 2 - xp.special.gammaln(df / 2))
    small = 0.5 * power * xp.special.hyp0f1(df / 2, product / 4)
    x, nc = xp.where(near, 100.0, x), xp.where(near, 100.0, nc)
    root, shift = xp.sqrt(x * nc), xp.sqrt(x) - xp.sqrt(nc)
    large = 0.5 * xp.exp((df / 4 - 0.5) * xp.log(x / nc) - 0.5 * shift * shift) * xp.special.ive(df / 2 - 1, root)
    return xp.where(near, small, large)


_NONCENTRAL_CHI: Slopes = {
    "x": _noncentral_chi_density,
    "df": None,
    "nc": lambda xp, x, df, nc: -_noncentral_chi_density(xp, x, df + 2, nc),  # term by term of Poisson's mixture
}
chndtr = special_function("chndtr(x, df, nc, /)", *_NONCENTRAL_CHI.values())
_declare_solution("chndtrix(p, df, nc, /)", "x", _NONCENTRAL_CHI)
_declare_solution("chndtrinc(x, df, p, /)", "nc", _NONCENTRAL_CHI)


def _kummer(xp: Any, a: Any, b: Any, nc: Any, y: Any) -> Any:
    """Return exp(-nc / 2) 1F1(a; b; nc y / 2), the sum of Poisson's mixture of beta distributions.

    It is nan where 1F1 itself is too large.
    """
    z = nc * y / 2
    known = z < 600
    return xp.where(known, xp.exp(-nc / 2) * xp.special.hyp1f1(a, b, xp.where(known, z, 0.0)), math.nan)


def _noncentral_f_density(xp: Any, dfn: Any, dfd: Any, nc: Any, f: Any) -> Any:
    y = dfn * f / (dfd + dfn * f)
    return f_density(xp, dfn, dfd, f) * _kummer(xp, (dfn + dfd) / 2, dfn / 2, nc, y)


def _noncentral_f_slope(xp: Any, dfn: Any, dfd: Any, nc: Any, f: Any) -> Any:
    """Return the slope in nc: half of what I(a + j, b) falls from one term of the mixture to the next, summed (DLMF 8.17.20)."""
    a, b = dfn / 2, dfd / 2
    scale = dfd + dfn * f
    y = dfn * f / scale
    step = xp.exp(xp.special.xlogy(a, y) + xp.special.xlogy(b, dfd / scale) - xp.special.betaln(a, b)) / a
    return -0.5 * step * _kummer(xp, a + b, a + 1, nc, y)


_NONCENTRAL_F: Slopes = {"dfn": None, "dfd": None, "nc": _noncentral_f_slope, "f": _noncentral_f_density}
ncfdtr = special_function("ncfdtr(dfn, dfd, nc, f, /)", *_NONCENTRAL_F.values())
_declare_solution("ncfdtri(dfn, dfd, nc, p, /)", "f", _NONCENTRAL_F)
_declare_solution("ncfdtrinc(dfn, dfd, p, f, /)", "nc", _NONCENTRAL_F)


def _chi_moment(xp: Any, k: int, df: Any, nc: Any, t: Any) -> Any:
    """Return the mean of v**k phi(t v / sqrt(df) - nc) over v distributed as chi with df degrees of freedom.

    phi is the normal density. In u = log(v) the integrand is exp(p u - a exp(2 u) + b exp(u)) with p = df + k, and has one maximum. To both
    sides of it the integral ends where the exponent has fallen by CUT. Bisection finds that place, approximately, since it is a constant.
    """
    df, nc, t = [xp.expand_dims(value, axis=-1) for value in (df + 0 * t, nc + 0 * t, t + 0 * nc + 0 * df)]
    p, a, b = df + k, 0.5 + 0.5 * t * t / df, nc * t / xp.sqrt(df)
    root = xp.sqrt(b * b + 8 * a * p)
    top = xp.where(b > 0, (root + xp.abs(b)) / (4 * a), 2 * p / (root + xp.abs(b)))
    square, line = a * top * top, b * top

    def fallen(s: Any) -> Any:
        """Return how far the exponent has fallen at a distance of s to the left."""
        return p * s + square * xp.expm1(-2 * s) - line * xp.expm1(-s)

    total: Any = 0.0
    for side in (1, -1):
        low, high = xp.full_like(p, math.log(1e-7)), xp.log(2 * CUT / p + 2 * CUT)
        for _ in range(14):
            middle = (low + high) / 2
            short = fallen(side * xp.exp(xp.minimum(middle, 5.0 if side < 0 else 50.0))) < CUT
            low, high = xp.where(short, middle, low), xp.where(short, high, middle)
        end = xp.exp(xp.minimum(high, 5.0) if side < 0 else high)
        total = total + integral(xp, end, high > -math.inf, lambda s, side=side: xp.exp(-fallen(side * s)))
    df, nc, p, top, square, line = [value[..., 0] for value in (df, nc, p, top, square, line)]
    constant = (1 - df / 2) * math.log(2) - xp.special.gammaln(df / 2) - 0.5 * nc * nc
    return total * xp.exp(constant + p * xp.log(top) - square + line) / SQRT_2PI


_NONCENTRAL_T: Slopes = {
    "df": None,
    "nc": lambda xp, df, nc, t: -_chi_moment(xp, 0, df, nc, t),
    "t": lambda xp, df, nc, t: _chi_moment(xp, 1, df, nc, t) / xp.sqrt(df),
}
nctdtr = special_function("nctdtr(df, nc, t, /)", *_NONCENTRAL_T.values())
_declare_solution("nctdtrit(df, nc, p, /)", "t", _NONCENTRAL_T)
_declare_solution("nctdtrinc(df, p, t, /)", "nc", _NONCENTRAL_T)


# -- Kolmogorov, Smirnov, Tukey -----------------------------------------------------------------------------------------------
def _reciprocal(xp: Any, slope: Any) -> Any:
    """Return 1 / slope of a decreasing function, and -inf where it is flat."""
    flat = slope == 0
    return xp.where(flat, -math.inf, 1 / xp.where(flat, 1.0, slope))


def _kolmogorov_slope(xp: Any, y: Any) -> Any:
    """Differentiate twice the alternating sum of exp(-2 k**2 y**2).

    For small y it is the transformed theta series (DLMF 20.7.33).
    """
    small, never = y < 1, y < 0.04  # where the function is below the smallest number
    near, far = xp.where(small & ~never, y, 1.0), xp.where(small, 1.0, xp.minimum(y, 30.0))
    left: Any = 0.0
    right: Any = 0.0
    for k in range(1, 6):
        w = ((2 * k - 1) * PI) ** 2 / (8 * near * near)
        left = left + (2 * w - 1) * xp.exp(-w)
        right = right + (-1) ** k * k * k * xp.exp(-2 * k * k * far * far)
    left = xp.where(never, 0.0, -SQRT_2PI / (near * near) * left)
    return xp.where(small, left, 8 * far * right)


kolmogorov = special_function("kolmogorov(y, /)", _kolmogorov_slope)
kolmogi = special_function("kolmogi(p, /)", lambda xp, out: _reciprocal(xp, _kolmogorov_slope(xp, out)))


def _smirnov_slope(xp: Any, n: Any, d: Any) -> Any:
    """Differentiate the sum of Birnbaum and Tingey (1951).

    It has as many terms as the largest n, so that n has to have a value.
    """
    if hasattr(n, "dtype") and xp.lazy:
        raise xp.refusal("special.smirnov(array)")
    number = n if not hasattr(n, "dtype") else xp.max(n) if math.prod(n.shape) else 0
    number = int(number)
    n = xp.expand_dims(xp.astype(n, d.dtype) + 0 * d if hasattr(n, "dtype") else xp.full_like(d, n), axis=-1)
    outside = (d < 0) | (d > 1) | xp.isnan(d)
    d = xp.expand_dims(xp.where(outside, 0.5, d), axis=-1) + 0 * n
    j = xp.arange(1, number + 1, **like(d)) + 0 * d
    inside = (j < n) & (1 - d - j / n > 0)
    j = xp.where(inside, j, 1.0)
    up, down = d + j / n, xp.where(inside, 1 - d - j / n, 0.5)
    gammaln = xp.special.gammaln
    log = gammaln(n + 1) - gammaln(j + 1) - gammaln(xp.where(inside, n - j, 1.0) + 1)
    log = log + (j - 1) * xp.log(up) + (n - j) * xp.log(down)
    terms = xp.exp(xp.where(inside, log, 0.0)) * (1 + d * ((j - 1) / up - (n - j) / down))
    first = -n * xp.exp(xp.special.xlog1py(n - 1, -d))
    slope = first[..., 0] + xp.sum(xp.where(inside, terms, 0.0), axis=-1)
    return xp.where(outside, math.nan, slope)


smirnov = special_function("smirnov(n, d, /)", None, _smirnov_slope, orders=("n",))
smirnovi = special_function(
    "smirnovi(n, p, /)",
    None,
    lambda xp, n, out: _reciprocal(xp, _smirnov_slope(xp, n, out)),
    orders=("n",),
)


def _tukey_slopes(xp: Any, lmbda: Any, out: Any) -> tuple[Any, Any, Any]:
    """Return where Tukey's distribution is between 0 and 1, and the slopes of its inverse in p and lmbda.

    The inverse is boxcox(p, lmbda) - boxcox(1 - p, lmbda).
    """
    inside = (out > 0) & (out < 1)
    p = xp.where(inside, out, 0.5)
    low, high = xp.log(p), xp.log1p(-p)
    by_p = xp.exp((lmbda - 1) * low) + xp.exp((lmbda - 1) * high)
    by_lmbda = low * low * exprel_slope(xp, lmbda * low) - high * high * exprel_slope(xp, lmbda * high)
    return inside, by_p, by_lmbda


def _tukey_x(xp: Any, lmbda: Any, out: Any) -> Any:
    inside, by_p, _ = _tukey_slopes(xp, lmbda, out)
    return xp.where(inside, 1 / by_p, 0 * out)


def _tukey_lmbda(xp: Any, lmbda: Any, out: Any) -> Any:
    inside, by_p, by_lmbda = _tukey_slopes(xp, lmbda, out)
    return xp.where(inside, -by_lmbda / by_p, 0 * out)


tklmbda = special_function("tklmbda(x, lmbda, /)", _tukey_x, _tukey_lmbda)
