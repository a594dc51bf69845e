"""Special functions: Bessel, hypergeometric and parabolic cylinder functions, orthogonal polynomials."""

from __future__ import annotations

import math
from typing import Any

from ..declare import Op, composite
from .forms import (
    SQRT_PI,
    F,
    argument_names,
    as_like,
    complex_valued,
    decrement,
    like,
    near_zero,
    polynomial,
    require_real,
    several_outputs,
    special_function,
)
from .incomplete import round_up

# -- Bessel functions (DLMF 10) -----------------------------------------------------------------------------------------
_J1_RATIO = [(-1) ** k / (2 * 4**k * F[k] * F[k + 1]) for k in range(14)]
_I1_RATIO = [abs(c) for c in _J1_RATIO]
j0 = special_function("j0", lambda xp, x: -xp.special.j1(x))
j1 = special_function(  # 10.6.2; J_1(x) / x by the series 10.2.2 near 0
    "j1",
    lambda xp, x, out: xp.special.j0(x) - near_zero(xp, x, 1.0, _J1_RATIO, lambda s: out / s, square=True),
)
y0 = special_function("y0", lambda xp, x: -xp.special.y1(x))
y1 = special_function("y1", lambda xp, x, out: xp.special.y0(x) - out / x)
i0 = special_function("i0", lambda xp, x: xp.special.i1(x))
i1 = special_function(  # 10.29.2, and the series 10.25.2
    "i1",
    lambda xp, x, out: xp.special.i0(x) - near_zero(xp, x, 1.0, _I1_RATIO, lambda s: out / s, square=True),
    node="SpecialI1Backward0",
)
k0 = special_function("k0", lambda xp, x: -xp.special.k1(x))
k1 = special_function("k1", lambda xp, x, out: -xp.special.k0(x) - out / x)
# scaled by exp(-abs(x)) and exp(x)
i0e = special_function("i0e", lambda xp, x, out: xp.special.i1e(x) - xp.sign(x) * out, node="SpecialI0EBackward0")


def _i1e_slope(xp: Any, x: Any, out: Any) -> Any:
    near = xp.abs(x) < 1
    small = xp.where(near, x, 0.0)
    series = xp.exp(-xp.abs(small)) * polynomial(small * small, tuple(_I1_RATIO))
    return xp.special.i0e(x) - xp.sign(x) * out - xp.where(near, series, out / xp.where(near, 1.0, x))


i1e = special_function("i1e", _i1e_slope, node="SpecialI1EBackward0")
k0e = special_function("k0e", lambda xp, x, out: out - xp.special.k1e(x))
k1e = special_function("k1e", lambda xp, x, out: out - xp.special.k0e(x) - out / x)


def _neighbours(name: str, sign: int, scale: Any = None) -> Any:
    """Return the slope of a Bessel function: half the sum or difference of its neighbouring orders (10.6.1, 10.29.1).

    A scaled function adds ``scale * out``.
    """

    def partial(xp: Any, v: Any, z: Any, out: Any) -> Any:
        function = getattr(xp.special, name)
        slope = 0.5 * (function(v - 1, z) + function(v + 1, z) if sign > 0 else function(v - 1, z) - function(v + 1, z))
        return slope if scale is None else slope + scale(xp, z, name) * out

    def unscaled(xp: Any, v: Any, z: Any) -> Any:
        return partial(xp, v, z, None)

    return partial if scale is not None else unscaled


def _minus_sign(xp: Any, z: Any, name: str) -> Any:
    require_real(xp, z, name)  # the scaling by exp(-abs(real(z))) has no complex derivative
    return -xp.sign(z)


def _no_scale(xp: Any, z: Any, name: str) -> Any:
    require_real(xp, z, name)  # the scaling by exp(-abs(imag(z))) is 1 for real z and has no complex derivative
    return 0.0


def _minus(function: Any) -> Any:
    return lambda xp, v, z: -function(xp, v, z)


jv = special_function("jv(v, z, /)", None, _neighbours("jv", -1), orders=("v",))
yv = special_function("yv(v, z, /)", None, _neighbours("yv", -1), orders=("v",))
iv = special_function("iv(v, z, /)", None, _neighbours("iv", 1), orders=("v",))


def _macdonald_order(xp: Any, v: Any, z: Any, name: str) -> Any:
    """Return the slope of exp(z) K_v(z) in v: the integral of t sinh(v t) exp(-2 z sinh(t / 2)**2) over t > 0 (10.32.9).

    The trapezoidal rule serves, since the integrand is even and falls double exponentially. It is largest at ``top``, where v t - z cosh(t)
    is. It falls by 40 in the exponent or more over ``right``, and over ``left`` where the interval is as long.
    """
    require_real(xp, z, name)
    positive = z > 0
    v, z = v + 0 * z, xp.where(positive, z, 1.0) + 0 * v
    size, whole = xp.abs(v), xp.sqrt(z * z + v * v)
    top, ratio = xp.log((size + whole) / z), 40 / whole
    right, left = 2 * xp.asinh(xp.sqrt(ratio / 2)), (ratio + xp.sqrt(ratio * ratio + 8 * ratio)) / 2
    stop, start = round_up(xp, top + right), xp.floor(16 * xp.maximum(top - left, 0.0)) / 16
    step = (stop - start) / 128
    v, z, start, width = [xp.expand_dims(value, axis=-1) for value in (v, z, start, step)]
    t = start + width * xp.arange(1, 129, **like(z))
    fall = 2 * z * xp.sinh(t / 2) ** 2
    total = step * xp.sum(t * (xp.exp(v * t - fall) - xp.exp(-v * t - fall)) / 2, axis=-1)
    return xp.where(positive, total, math.nan)


kv = special_function(
    "kv(v, z, /)",
    lambda xp, v, z: xp.exp(-z) * _macdonald_order(xp, v, z, "kv"),
    _minus(_neighbours("kv", 1)),
    orders=("v",),
)
jn = composite("special.jn(v, z, /)", lambda xp, v, z: xp.special.jv(v, z))
yn = special_function(
    "yn(n, x, /)", None, lambda xp, n, x: 0.5 * (xp.special.yn(n - 1, x) - xp.special.yn(n + 1, x)), orders=("n",)
)
kn = special_function(
    "kn(n, x, /)", None, lambda xp, n, x: -0.5 * (xp.special.kn(n - 1, x) + xp.special.kn(n + 1, x)), orders=("n",)
)
jve = special_function("jve(v, z, /)", None, _neighbours("jve", -1, _no_scale), orders=("v",))
yve = special_function("yve(v, z, /)", None, _neighbours("yve", -1, _no_scale), orders=("v",))
ive = special_function("ive(v, z, /)", None, _neighbours("ive", 1, _minus_sign), orders=("v",))
kve = special_function(
    "kve(v, z, /)",
    lambda xp, v, z: _macdonald_order(xp, v, z, "kve"),
    lambda xp, v, z, out: out - 0.5 * (xp.special.kve(v - 1, z) + xp.special.kve(v + 1, z)),
    orders=("v",),
)  # fmt: skip
hankel1 = complex_valued("hankel1(v, z, /)", _neighbours("hankel1", -1))
hankel2 = complex_valued("hankel2(v, z, /)", _neighbours("hankel2", -1))
hankel1e = complex_valued("hankel1e(v, z, /)", _neighbours("hankel1e", -1, lambda xp, z, name: -1j))
hankel2e = complex_valued("hankel2e(v, z, /)", _neighbours("hankel2e", -1, lambda xp, z, name: 1j))


def _spherical(name: str, sign_below: int, sign_above: int) -> Any:
    """Return the slope (n f_{n-1} and (n+1) f_{n+1}, with their signs) / (2n + 1) (10.51.1, 10.51.4)."""

    def partial(xp: Any, n: Any, z: Any) -> Any:
        function = getattr(xp.special, name)
        factor = as_like(xp, n, z)
        above = sign_above * (factor + 1) * function(n + 1, z)
        if type(n) is int and n == 0:
            return above
        lower = sign_below * factor * function(decrement(xp, n), z)
        return (lower + above) / (2 * factor + 1)

    return partial


spherical_jn = special_function("spherical_jn(n, z, /)", None, _spherical("spherical_jn", 1, -1), orders=("n",))
spherical_yn = special_function("spherical_yn(n, z, /)", None, _spherical("spherical_yn", 1, -1), orders=("n",))
spherical_in = special_function("spherical_in(n, z, /)", None, _spherical("spherical_in", 1, 1), orders=("n",))
spherical_kn = special_function("spherical_kn(n, z, /)", None, _spherical("spherical_kn", -1, -1), orders=("n",))
airy = several_outputs(
    "airy(z, /)", "ai aip bi bip", lambda xp, z, ai, aip, bi, bip: (aip, z * ai, bip, z * bi)  # 9.2.1
)  # fmt: skip
itj0y0 = several_outputs("itj0y0(x, /)", "ij0 iy0", lambda xp, x: (xp.special.j0(x), xp.special.y0(x)))
iti0k0 = several_outputs("iti0k0(x, /)", "ii0 ik0", lambda xp, x: (xp.special.i0(x), xp.special.k0(x)))


def _itairy(xp: Any, x: Any) -> tuple[Any, ...]:
    ai, _, bi, _ = xp.special.airy(x)
    ai_mirrored, _, bi_mirrored, _ = xp.special.airy(-x)
    return ai, bi, ai_mirrored, bi_mirrored


itairy = several_outputs("itairy(x, /)", "apt bpt ant bnt", _itairy)
itstruve0 = special_function("itstruve0", lambda xp, x: xp.special.struve(0, x))
itmodstruve0 = special_function("itmodstruve0", lambda xp, x: xp.special.modstruve(0, x))


def _struve_slope(name: str, sign: int) -> Any:
    """Return half of H_{v-1} - H_{v+1} + (x/2)^v / (sqrt(pi) Gamma(v + 3/2)) (11.4.23, 11.4.24).

    The modified function has the sum (11.4.25, 11.4.26).
    """

    def partial(xp: Any, v: Any, x: Any) -> Any:
        function = getattr(xp.special, name)
        order = as_like(xp, v, x)
        if hasattr(order, "dtype"):
            rest = (x / 2) ** order * xp.special.rgamma(order + 1.5) / SQRT_PI
        else:
            rest = (x / 2) ** order / (SQRT_PI * math.gamma(order + 1.5))
        return 0.5 * (function(v - 1, x) + sign * function(v + 1, x) + rest)

    return partial


struve = special_function("struve(v, x, /)", None, _struve_slope("struve", -1), orders=("v",))
modstruve = special_function("modstruve(v, x, /)", None, _struve_slope("modstruve", 1), orders=("v",))
# Kelvin's functions: w'' + w'/x = i w for both ber + i bei and ker + i kei (10.61.3)
ber = special_function("ber", lambda xp, x: xp.special.berp(x))
bei = special_function("bei", lambda xp, x: xp.special.beip(x))
ker = special_function("ker", lambda xp, x: xp.special.kerp(x))
kei = special_function("kei", lambda xp, x: xp.special.keip(x))
berp = special_function("berp", lambda xp, x, out: -xp.special.bei(x) - out / x)
beip = special_function("beip", lambda xp, x, out: xp.special.ber(x) - out / x)
kerp = special_function("kerp", lambda xp, x, out: -xp.special.kei(x) - out / x)
keip = special_function("keip", lambda xp, x, out: xp.special.ker(x) - out / x)

# -- hypergeometric and parabolic cylinder functions (DLMF 12, 13, 15) --------------------------------------------------
hyp0f1 = special_function("hyp0f1(v, z, /)", None, lambda xp, v, z: xp.special.hyp0f1(v + 1, z) / v)  # 16.3.1
hyp1f1 = special_function(
    "hyp1f1(a, b, x, /)", None, None, lambda xp, a, b, x: a / b * xp.special.hyp1f1(a + 1, b + 1, x)
)  # 13.3.15
hyp2f1 = special_function(
    "hyp2f1(a, b, c, z, /)",
    None,
    None,
    None,
    lambda xp, a, b, c, z: a * b / c * xp.special.hyp2f1(a + 1, b + 1, c + 1, z),
)  # 15.5.1
hyperu = special_function(
    "hyperu(a, b, x, /)", None, None, lambda xp, a, b, x: -a * xp.special.hyperu(a + 1, b + 1, x)
)  # 13.3.22
wright_bessel = special_function(  # by differentiating the series 10.46.1
    "wright_bessel(a, b, x, /)", None, None, lambda xp, a, b, x: xp.special.wright_bessel(a, a + b, x)
)
pbdv = several_outputs("pbdv(v, x, /)", "d dp", None, lambda xp, v, x, d, dp: (dp, (x * x / 4 - v - 0.5) * d))  # 12.2.2
pbvv = several_outputs("pbvv(v, x, /)", "v0 vp", None, lambda xp, v, x, v0, vp: (vp, (x * x / 4 - v - 0.5) * v0))
pbwa = several_outputs("pbwa(a, x, /)", "w wp", None, lambda xp, a, x, w, wp: (wp, (a - x * x / 4) * w))  # 12.14.2


# -- orthogonal polynomials (DLMF 18.9), by the argument ----------------------------------------------------------------
def _polynomials(text: str, slope: Any) -> Op:
    *orders, _ = argument_names(text)
    return special_function(text, *[None] * len(orders), slope, orders=tuple(orders), promote=False)


eval_chebyt = _polynomials(
    "eval_chebyt(n, x, /)", lambda xp, n, x: as_like(xp, n, x) * xp.special.eval_chebyu(n - 1, x)
)  # 18.9.21
eval_chebyu = _polynomials("eval_chebyu(n, x, /)", lambda xp, n, x: 2 * xp.special.eval_gegenbauer(n - 1, 2.0, x))
eval_chebyc = _polynomials(
    "eval_chebyc(n, x, /)", lambda xp, n, x: as_like(xp, n, x) * xp.special.eval_chebyu(n - 1, x / 2)
)
eval_chebys = _polynomials("eval_chebys(n, x, /)", lambda xp, n, x: xp.special.eval_gegenbauer(n - 1, 2.0, x / 2))
eval_sh_chebyt = _polynomials(
    "eval_sh_chebyt(n, x, /)", lambda xp, n, x: 2 * as_like(xp, n, x) * xp.special.eval_sh_chebyu(n - 1, x)
)
eval_sh_chebyu = _polynomials(
    "eval_sh_chebyu(n, x, /)", lambda xp, n, x: 4 * xp.special.eval_gegenbauer(n - 1, 2.0, 2 * x - 1)
)
eval_gegenbauer = _polynomials(  # 18.9.19
    "eval_gegenbauer(n, alpha, x, /)",
    lambda xp, n, alpha, x: 2 * as_like(xp, alpha, x) * xp.special.eval_gegenbauer(n - 1, alpha + 1, x),
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
        0.5 * as_like(xp, n + alpha + beta + 1, x) * xp.special.eval_jacobi(n - 1, alpha + 1, beta + 1, x)
    ),
)
eval_hermite = _polynomials(  # 18.9.25
    "eval_hermite(n, x, /)", lambda xp, n, x: 2 * as_like(xp, n, x) * xp.special.eval_hermite(decrement(xp, n), x)
)
eval_hermitenorm = _polynomials(  # 18.9.27
    "eval_hermitenorm(n, x, /)", lambda xp, n, x: as_like(xp, n, x) * xp.special.eval_hermitenorm(decrement(xp, n), x)
)
