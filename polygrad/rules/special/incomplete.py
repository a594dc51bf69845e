"""Special functions: incomplete gamma and beta functions, and the distributions that are made of them.

The derivatives in the argument are densities. Those in the shape parameters are integrals without a closed form. Let t be the variable of
integration of DLMF 8.2.4 and 8.17.2, y = log(t) or logit(t), and s the distance of y from the end of the integral. Then the integrand is
exp(E(s)) with E(0) = 0, which falls to nothing over a distance that is known. Gauss and Legendre's quadrature of 64 points over it has full
precision for parameters from 1e-3 up to where the density itself loses digits. Of the two complementary integrals the smaller one is
computed: there the integrand keeps its sign but for a small part, even with the factor that differentiation brings. While such a
derivative is computed, there are 64 numbers for each element.
"""

from __future__ import annotations

import functools
import math
from typing import Any

from .forms import PI, like, special_function


# -- densities ----------------------------------------------------------------------------------------------------------
def gamma_density(xp: Any, a: Any, x: Any) -> Any:
    """Return the integrand of the regularised incomplete gamma function (DLMF 8.2.4)."""
    return xp.exp(xp.special.xlogy(a - 1, x) - x - xp.special.gammaln(a))


def beta_density(xp: Any, a: Any, b: Any, x: Any) -> Any:
    """Return the integrand of the regularised incomplete beta function (DLMF 8.17.1, 8.17.2)."""
    return xp.exp(xp.special.xlogy(a - 1, x) + xp.special.xlog1py(b - 1, -x) - xp.special.betaln(a, b))


def f_density(xp: Any, dfn: Any, dfd: Any, x: Any) -> Any:
    """Return the density of Fisher's distribution."""
    y = dfd + dfn * x
    return beta_density(xp, dfn / 2, dfd / 2, dfn * x / y) * dfn * dfd / (y * y)


def chi_density(xp: Any, v: Any, x: Any) -> Any:
    """Return the density of the chi-squared distribution."""
    return 0.5 * gamma_density(xp, v / 2, x / 2)


def t_density(xp: Any, df: Any, t: Any) -> Any:
    """Return the density of Student's distribution."""
    df = xp.where(df > 0, df, math.nan)  # a negative number is SciPy's way to say that it found no solution
    scale = xp.exp(xp.special.gammaln((df + 1) / 2) - xp.special.gammaln(df / 2)) / xp.sqrt(PI * df)
    return scale * xp.exp(-0.5 * (df + 1) * xp.log1p(t * t / df))


# -- derivatives in the shape parameters --------------------------------------------------------------------------------
# The integrand ends where it is exp(-40), below half a unit in the last place of the whole.
CUT = 40.0


@functools.cache
def legendre() -> tuple[list[float], list[float]]:
    """Return nodes and weights of Gauss and Legendre's quadrature of 64 points on (0, 1).

    The nodes are the roots of P_n, found by Newton's method, and the weights 2 / ((1 - x**2) P_n'(x)**2) (DLMF 3.5.30).
    """
    n = 64
    nodes, weights = [], []
    for k in range(n):
        x = math.cos(PI * (k + 0.75) / (n + 0.5))
        for _ in range(6):
            before, now = 1.0, x
            for j in range(2, n + 1):
                before, now = now, ((2 * j - 1) * x * now - (j - 1) * before) / j
            slope = n * (x * now - before) / (x * x - 1)
            x -= now / slope
        nodes.append((1 - x) / 2)
        weights.append(1 / ((1 - x * x) * slope * slope))
    return nodes, weights


def round_up(xp: Any, x: Any) -> Any:
    """Round up to a power of 2**(1/4).

    An interval need not be exact, and rounding makes it a constant, which has no derivative.
    """
    return xp.exp2(xp.ceil(4 * xp.log2(x)) / 4)


def integral(xp: Any, end: Any, logarithmic: Any, integrand: Any) -> Any:
    """Return the integral of ``integrand(s)`` from 0 to ``end``, over a new last axis.

    It is taken in log(1 + s) where ``logarithmic``, since with a small parameter it reaches over many orders of magnitude.
    """
    nodes, weights = [xp.asarray(each, **like(end)) for each in legendre()]
    k = round_up(xp, xp.where(logarithmic, xp.log1p(end), end))
    u = k * nodes
    s = xp.where(logarithmic, xp.expm1(u), u)
    steps = k * weights * xp.where(logarithmic, xp.exp(u), 1.0)
    return xp.sum(steps * integrand(s), axis=-1)


def _restrict(xp: Any, inside: Any, edge: Any, value: Any) -> Any:
    """Return 0 at the ends of the range, where the function is constant in its parameters, and nan outside of the range."""
    return xp.where(inside, value, xp.where(edge, xp.zeros_like(value), math.nan))


def gamma_shape(xp: Any, a: Any, x: Any) -> Any:
    """Return the derivative of the regularised lower incomplete gamma function in a.

    P is x**a exp(-x) / gamma(a) times the integral of exp(E), E = -a d - x expm1(-d), t = x exp(-d), over d = s from 0 to infinity. Its
    complement is the integral over d = -s, with the other sign. Differentiation brings the factor log(t) - digamma(a).
    """
    inside = (a > 0) & (x > 0) & (x < math.inf) & (a < math.inf)
    edge = (a > 0) & ((x == 0) | (x == math.inf))
    a, x = [xp.expand_dims(xp.where(inside, value, 1.0), axis=-1) for value in (a, x)]
    lower = x < a
    small, large = xp.minimum(a, x), xp.maximum(a, x)
    # Newton's method from above, where both exponents are convex: large s + small expm1(-s) = CUT, large expm1(s) - small s = CUT
    down = xp.where(small > 3 * CUT, xp.sqrt(3 * CUT / small), (CUT + small) / large)
    up = xp.minimum(xp.sqrt(2 * CUT / large), 1.5 + xp.log1p(2 * CUT / large))
    for _ in range(4):
        down = down - (large * down + small * xp.expm1(-down) - CUT) / (large - small * xp.exp(-down))
        up = up - (large * xp.expm1(up) - small * up - CUT) / (large * xp.exp(up) - small)
    sign = xp.where(lower, xp.ones_like(x), -xp.ones_like(x))
    factor = xp.log(x) - xp.special.digamma(a)

    def integrand(s: Any) -> Any:
        d = sign * s
        return xp.exp(-a * d - x * xp.expm1(-d)) * (factor - d)

    total = integral(xp, xp.where(lower, down, up), lower, integrand)
    a, x, sign = a[..., 0], x[..., 0], sign[..., 0]
    return _restrict(xp, inside, edge, sign * total * xp.exp(a * xp.log(x) - x - xp.special.gammaln(a)))


def beta_shape(xp: Any, a: Any, b: Any, x: Any, rest: Any, first: bool) -> Any:
    """Return the derivative of the regularised incomplete beta function in a (``first``) or b.

    ``rest`` is 1 - x, which may be known better. I is x**a rest**b / B(a, b) times the integral of exp(E) over s from 0 to infinity, where
    E = -a s - (a + b) log(rest + x exp(-s)). Its complement is the same with a and b, x and rest exchanged. Differentiation brings
    log(t) - digamma(a) + digamma(a + b), or the same of 1 - t and b.
    """
    inside = (a > 0) & (b > 0) & (x > 0) & (rest > 0) & (a < math.inf) & (b < math.inf)
    edge = (a > 0) & (b > 0) & ((x == 0) | (rest == 0))
    a, b, x, rest = [xp.expand_dims(xp.where(inside, value, 0.5), axis=-1) for value in (a, b, x, rest)]
    lower = x * b < a * rest
    p, q = xp.where(lower, a, b), xp.where(lower, b, a)
    z, c = xp.where(lower, x, rest), xp.where(lower, rest, x)
    both = a + b

    def logarithm(s: Any) -> Any:
        """Return log(c + z exp(-s)), to full precision near s = 0 too."""
        near = s < 1
        return xp.where(near, xp.log1p(z * xp.expm1(-xp.where(near, s, 0.0))), xp.log(c + z * xp.exp(-s)))

    width = both * z * c
    end = xp.where(width > 6 * CUT, xp.sqrt(6 * CUT / width), (CUT - both * xp.log(c)) / p)
    for _ in range(5):
        share = z * xp.exp(-end)
        end = end - (p * end + both * logarithm(end) - CUT) / (p - both * share / (c + share))
    of_t = lower if first else xp.logical_not(lower)
    constant = xp.where(of_t, xp.log(z) - xp.special.digamma(p), xp.log(c) - xp.special.digamma(q))
    constant = constant + xp.special.digamma(both)

    def integrand(s: Any) -> Any:
        log = logarithm(s)
        return xp.exp(-p * s - both * log) * (constant - log - xp.where(of_t, s, 0.0))

    total = integral(xp, end, xp.ones_like(lower), integrand)
    sign = xp.where(lower, xp.ones_like(z), -xp.ones_like(z))[..., 0]
    p, q, z, c = p[..., 0], q[..., 0], z[..., 0], c[..., 0]
    return _restrict(xp, inside, edge, sign * total * xp.exp(p * xp.log(z) + q * xp.log(c) - xp.special.betaln(p, q)))


def _beta_shapes(sign: int) -> list[Any]:
    return [
        lambda xp, a, b, x: sign * beta_shape(xp, a, b, x, 1 - x, True),
        lambda xp, a, b, x: sign * beta_shape(xp, a, b, x, 1 - x, False),
    ]


def _beta_inverses() -> list[Any]:
    """Return the slopes of the inverses of the function and of its complement, which keep the function at ``out`` as it is."""
    return [
        lambda xp, a, b, out: -beta_shape(xp, a, b, out, 1 - out, True) / beta_density(xp, a, b, out),
        lambda xp, a, b, out: -beta_shape(xp, a, b, out, 1 - out, False) / beta_density(xp, a, b, out),
    ]


def f_shape(xp: Any, dfn: Any, dfd: Any, x: Any, first: bool) -> Any:
    """Return the slope of Fisher's distribution in dfn (``first``) or dfd.

    It is I(dfn / 2, dfd / 2) of dfn x / (dfd + dfn x), which depends on dfn x / dfd alone.
    """
    y = dfd + dfn * x
    shape = 0.5 * beta_shape(xp, dfn / 2, dfd / 2, dfn * x / y, dfd / y, first)
    moved = x * f_density(xp, dfn, dfd, x)
    return shape + moved / dfn if first else shape - moved / dfd


def t_shape(xp: Any, df: Any, t: Any) -> Any:
    """Return the slope of Student's distribution in df.

    It is 1/2 + sign(t)/2 I(1/2, df / 2) of t**2 / (df + t**2), which depends on t**2 / df alone.
    """
    y = df + t * t
    shape = beta_shape(xp, xp.full_like(y, 0.5), df / 2, t * t / y, df / y, False)
    return 0.25 * xp.sign(t) * shape - t / (2 * df) * t_density(xp, df, t)


# -- incomplete gamma functions -----------------------------------------------------------------------------------------
gammainc = special_function("gammainc(a, x, /)", gamma_shape, gamma_density, node="IgammaBackward0")
gammaincc = special_function(
    "gammaincc(a, x, /)",
    lambda xp, a, x: -gamma_shape(xp, a, x),
    lambda xp, a, x: -gamma_density(xp, a, x),
    node="IgammacBackward0",
)


def _gamma_inverse(xp: Any, a: Any, out: Any) -> Any:
    """Return the slope of both inverses in a, which keep the function at ``out`` as it is."""
    return -gamma_shape(xp, a, out) / gamma_density(xp, a, out)


gammaincinv = special_function("gammaincinv(a, y, /)", _gamma_inverse, lambda xp, a, out: 1 / gamma_density(xp, a, out))
gammainccinv = special_function(
    "gammainccinv(a, y, /)", _gamma_inverse, lambda xp, a, out: -1 / gamma_density(xp, a, out)
)
gdtr = special_function(
    "gdtr(a, b, x, /)",
    lambda xp, a, b, x: x * gamma_density(xp, b, a * x),
    lambda xp, a, b, x: gamma_shape(xp, b, a * x),
    lambda xp, a, b, x: a * gamma_density(xp, b, a * x),
)
gdtrc = special_function(
    "gdtrc(a, b, x, /)",
    lambda xp, a, b, x: -x * gamma_density(xp, b, a * x),
    lambda xp, a, b, x: -gamma_shape(xp, b, a * x),
    lambda xp, a, b, x: -a * gamma_density(xp, b, a * x),
)
chdtri = special_function(
    "chdtri(v, p, /)",
    lambda xp, v, out: -0.5 * gamma_shape(xp, v / 2, out / 2) / chi_density(xp, v, out),
    lambda xp, v, out: -1 / chi_density(xp, v, out),
)
# Poisson's distribution is the incomplete gamma function of the integer k + 1.
pdtr = special_function("pdtr(k, m, /)", None, lambda xp, k, m: -gamma_density(xp, xp.floor(k) + 1, m))
pdtrc = special_function("pdtrc(k, m, /)", None, lambda xp, k, m: gamma_density(xp, xp.floor(k) + 1, m))
pdtri = special_function("pdtri(k, y, /)", None, lambda xp, k, out: -1 / gamma_density(xp, xp.floor(k) + 1, out))

# -- incomplete beta functions ------------------------------------------------------------------------------------------
betainc = special_function("betainc(a, b, x, /)", *_beta_shapes(1), beta_density)
betaincc = special_function("betaincc(a, b, x, /)", *_beta_shapes(-1), lambda xp, a, b, x: -beta_density(xp, a, b, x))
betaincinv = special_function(
    "betaincinv(a, b, y, /)", *_beta_inverses(), lambda xp, a, b, out: 1 / beta_density(xp, a, b, out)
)
betainccinv = special_function(
    "betainccinv(a, b, y, /)", *_beta_inverses(), lambda xp, a, b, out: -1 / beta_density(xp, a, b, out)
)
fdtr = special_function(
    "fdtr(dfn, dfd, x, /)",
    lambda xp, dfn, dfd, x: f_shape(xp, dfn, dfd, x, True),
    lambda xp, dfn, dfd, x: f_shape(xp, dfn, dfd, x, False),
    f_density,
)
fdtrc = special_function(
    "fdtrc(dfn, dfd, x, /)",
    lambda xp, dfn, dfd, x: -f_shape(xp, dfn, dfd, x, True),
    lambda xp, dfn, dfd, x: -f_shape(xp, dfn, dfd, x, False),
    lambda xp, dfn, dfd, x: -f_density(xp, dfn, dfd, x),
)
fdtri = special_function(
    "fdtri(dfn, dfd, p, /)",
    lambda xp, dfn, dfd, out: -f_shape(xp, dfn, dfd, out, True) / f_density(xp, dfn, dfd, out),
    lambda xp, dfn, dfd, out: -f_shape(xp, dfn, dfd, out, False) / f_density(xp, dfn, dfd, out),
    lambda xp, dfn, dfd, out: 1 / f_density(xp, dfn, dfd, out),
)
stdtr = special_function("stdtr(df, t, /)", t_shape, t_density)


# The binomial distributions are incomplete beta functions of the probability (DLMF 8.17.5): I(n - k, k + 1; 1 - p) for k successes or
# fewer in n trials, I(n, k + 1; p) for k failures or fewer before the n-th success. SciPy takes only integers for the counts.
def _counts(xp: Any, p: Any, *counts: Any) -> list[Any]:
    """Return counts as floating arrays that fit the probability."""
    return [xp.floor(xp.astype(n, p.dtype)) if hasattr(n, "dtype") else xp.full_like(p, n) for n in counts]


def _binomial_density(xp: Any, k: Any, n: Any, p: Any) -> Any:
    k, n = _counts(xp, p, k, n)
    return beta_density(xp, n - k, k + 1, 1 - p)


def _negative_binomial_density(xp: Any, k: Any, n: Any, p: Any) -> Any:
    k, n = _counts(xp, p, k, n)
    return beta_density(xp, n, k + 1, p)


def _declare_counts(name: str, density: Any, sign: int) -> None:
    """Declare a distribution function, its complement, or its inverse in the probability, which has ``y`` and returns that."""
    if name.endswith("i"):
        slope: Any = lambda xp, k, n, out: sign / density(xp, k, n, out)
    else:
        slope = lambda xp, k, n, p: sign * density(xp, k, n, p)
    argument = "y" if name.endswith("i") else "p"
    special_function(f"{name}(k, n, {argument}, /)", None, None, slope, orders=("k", "n"))


for _name, _sign in (("bdtr", -1), ("bdtrc", 1), ("bdtri", -1)):
    _declare_counts(_name, _binomial_density, _sign)
for _name, _sign in (("nbdtr", 1), ("nbdtrc", -1), ("nbdtri", 1)):
    _declare_counts(_name, _negative_binomial_density, _sign)
