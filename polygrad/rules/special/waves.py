"""Special functions: solutions of wave equations, by their argument.

A solution of an equation of the second order has its second derivative from the equation. Such are the functions of Kelvin and Mathieu and
the spheroidal wave functions. The characteristic values of the latter two are here as well.
"""

from __future__ import annotations

import math
from typing import Any

from .forms import PI, SQRT_PI, F, decrement, like, near_zero, require_real, several_outputs, special_function
from .incomplete import legendre

# -- functions of Bessel's and Legendre's kind ------------------------------------------------------------------------------


def _kelvin(xp: Any, x: Any, be: Any, ke: Any, bep: Any, kep: Any) -> tuple[Any, ...]:
    """Return the slopes from w'' + w'/x = i w (10.61.3). At 0 the first solution has w'' = i / 2."""
    zero = x == 0
    safe = xp.where(zero, 1.0, x)
    ke_inside, kep_inside = [xp.where(zero, 0.0, value) for value in (ke, kep)]
    second = 1j * be - xp.where(zero, 0.5j, bep / safe)
    return bep, kep, second, xp.where(zero, math.inf, 1j * ke_inside - kep_inside / safe)


kelvin = several_outputs("kelvin(x, /)", "be ke bep kep", _kelvin)


def _airye(xp: Any, z: Any, eai: Any, eaip: Any, ebi: Any, ebip: Any) -> tuple[Any, ...]:
    """Return the slopes of Ai exp(2/3 z sqrt(z)) and Bi exp(-abs(re(2/3 z sqrt(z)))) and of their derivatives (9.2.1).

    To the left of 0 the second factor is 1.
    """
    require_real(xp, z, "airye")
    root = xp.where(z > 0, xp.sqrt(xp.where(z > 0, z, 1.0)), 0.0)
    return eaip + root * eai, z * eai + root * eaip, ebip - root * ebi, z * ebi - root * ebip


airye = several_outputs("airye(z, /)", "eai eaip ebi ebip", _airye)
_J0_RATIO = [(-1) ** k / (4 ** (k + 1) * F[k + 1] ** 2) for k in range(14)]
_I0_RATIO = [abs(c) for c in _J0_RATIO]
_STRUVE_RATIO = [2 / PI * (-1) ** k / math.prod(range(1, 2 * k + 2, 2)) ** 2 for k in range(14)]
it2j0y0 = several_outputs(
    "it2j0y0(x, /)",  # the integrals of (1 - J_0(t)) / t and Y_0(t) / t, the latter from x on
    "ij0 iy0",
    lambda xp, x: (
        x * near_zero(xp, x, 1.0, _J0_RATIO, lambda s: (1 - xp.special.j0(s)) / (s * s), square=True),
        -xp.special.y0(x) / x,
    ),
)
it2i0k0 = several_outputs(
    "it2i0k0(x, /)",
    "ii0 ik0",
    lambda xp, x: (
        x * near_zero(xp, x, 1.0, _I0_RATIO, lambda s: (xp.special.i0(s) - 1) / (s * s), square=True),
        -xp.special.k0(x) / x,
    ),
)
it2struve0 = special_function(
    "it2struve0",  # the integral of H_0(t) / t from x on
    lambda xp, x: -near_zero(xp, x, 1.0, _STRUVE_RATIO, lambda s: xp.special.struve(0, s) / s, square=True),
)
besselpoly = special_function(
    "besselpoly(a, lmb, nu, /)",  # the integral of x**lmb J_nu(2 a x) from 0 to 1, and 10.6.1
    lambda xp, a, lmb, nu: xp.special.besselpoly(a, lmb + 1, nu - 1) - xp.special.besselpoly(a, lmb + 1, nu + 1),
    None,
    None,
)
log_wright_bessel = special_function(
    "log_wright_bessel(a, b, x, /)",
    None,
    None,
    lambda xp, a, b, x, out: xp.exp(xp.special.log_wright_bessel(a, a + b, x) - out),
)


def _modified_fresnel(sign: int) -> Any:
    """Return the slopes of F and K (7.7.16).

    F is the integral of exp(sign i t**2) from x on, and K = exp(-sign i (x**2 + pi / 4)) F / sqrt(pi).
    """

    def slopes(xp: Any, x: Any, k: Any) -> tuple[Any, Any]:
        turn = complex(math.cos(PI / 4), -sign * math.sin(PI / 4)) / SQRT_PI
        return -xp.exp(sign * 1j * x * x), -2j * sign * x * k - turn

    return slopes


modfresnelp = several_outputs("modfresnelp(x, /)", "f k", _modified_fresnel(1))
modfresnelm = several_outputs("modfresnelm(x, /)", "f k", _modified_fresnel(-1))


def _legendre_slope(xp: Any, m: Any, v: Any, x: Any, out: Any) -> Any:
    """Return the slope by 14.10.5, and nan at the ends of the interval, where it is 0/0."""
    end = xp.abs(x) == 1
    slope = (v * x * out - (v + m) * xp.special.lpmv(m, v - 1, x)) / xp.where(end, 1.0, x * x - 1)
    return xp.where(end, math.nan, slope)


lpmv = special_function("lpmv(m, v, x, /)", None, None, _legendre_slope)
eval_sh_jacobi = special_function(
    "eval_sh_jacobi(n, p, q, x, /)",  # 18.9.15; these have the leading coefficient 1
    None,
    None,
    None,
    lambda xp, n, p, q, x: n * xp.special.eval_sh_jacobi(decrement(xp, n), p + 2, q + 1, x),
)


# -- Mathieu's functions (DLMF 28): w'' + (a - 2 q cos(2x)) w = 0, and with cosh the modified ones with the other sign ------
def _declare_mathieu(name: str, value: str, modified: bool) -> None:
    def slopes(xp: Any, m: Any, q: Any, x: Any, y: Any, yp: Any) -> tuple[Any, Any]:
        a = getattr(xp.special, value)(m, q)
        if modified:
            return yp, (a - 2 * q * xp.cosh(2 * x)) * y
        degree = PI / 180  # the argument is in degrees, the derivative by radians
        return degree * yp, -degree * (a - 2 * q * xp.cos(2 * degree * x)) * y

    several_outputs(f"{name}(m, q, x, /)", "y yp", None, None, slopes)


for _kind in ("c", "s"):
    _value = "mathieu_a" if _kind == "c" else "mathieu_b"
    _declare_mathieu(f"mathieu_{_kind}em", _value, False)
    for _number in (1, 2):
        _declare_mathieu(f"mathieu_mod{_kind}em{_number}", _value, True)


def _mathieu_value(name: str) -> Any:
    """Return the slope of a characteristic value: the mean of 4 cos(2x) y**2 over the circle, to first order in q.

    The trapezoidal rule is exact for orders up to 60 or so.
    """

    def slope(xp: Any, m: Any, q: Any) -> Any:
        m, q = [xp.expand_dims(value, axis=-1) for value in (m, q)]
        degrees = xp.arange(256, **like(q)) * (360 / 256)
        y = getattr(xp.special, name)(m, q, degrees)[0]
        return 4 * xp.mean(xp.cos(PI / 90 * degrees) * y * y, axis=-1)

    return slope


mathieu_a = special_function("mathieu_a(m, q, /)", None, _mathieu_value("mathieu_cem"))
mathieu_b = special_function("mathieu_b(m, q, /)", None, _mathieu_value("mathieu_sem"))


# -- spheroidal wave functions (DLMF 30): ((1 - x**2) w')' + (cv - c**2 x**2 - m**2 / (1 - x**2)) w = 0 ----------------------
def _declare_spheroidal(name: str, kind: str) -> None:
    """Declare spheroidal functions. The oblate ones have i c for c, and their radial ones i x for x too."""
    oblate = kind == "obl"
    sign = -1 if oblate else 1
    turned = -1 if oblate and "rad" in name else 1

    def slopes(xp: Any, m: Any, c: Any, cv: Any, x: Any, s: Any, sp: Any) -> tuple[Any, Any]:
        rest = 1 - turned * x * x
        wave = cv - sign * turned * c * c * x * x - m * m / rest
        return sp, (2 * turned * x * sp - turned * wave * s) / rest

    def found(xp: Any, m: Any, n: Any, c: Any, x: Any, s: Any, sp: Any) -> tuple[Any, Any]:
        return slopes(xp, m, c, getattr(xp.special, f"{kind}_cv")(m, n, c), x, s, sp)

    several_outputs(f"{kind}_{name}(m, n, c, x, /)", "s sp", None, None, None, found)
    several_outputs(f"{kind}_{name}_cv(m, n, c, cv, x, /)", "s sp", None, None, None, None, slopes)


def _spheroidal_value(kind: str) -> Any:
    """Return the slope of a characteristic value, to first order.

    It is the mean of x**2 by the square of the angular function, times the change of the equation with c**2.
    """

    def slope(xp: Any, m: Any, n: Any, c: Any) -> Any:
        nodes, weights = [xp.asarray(each, **like(c)) for each in legendre()]
        m, n, parameter = [xp.expand_dims(value, axis=-1) for value in (m, n, c)]
        s = getattr(xp.special, f"{kind}_ang1")(m, n, parameter, nodes)[
            0
        ]  # even or odd, so that half the interval is enough
        square = weights * s * s
        mean = xp.sum(square * nodes * nodes, axis=-1) / xp.sum(square, axis=-1)
        return (-2 if kind == "obl" else 2) * c * mean

    return slope


for _kind in ("pro", "obl"):
    for _name in ("ang1", "rad1", "rad2"):
        _declare_spheroidal(_name, _kind)
    special_function(f"{_kind}_cv(m, n, c, /)", None, None, _spheroidal_value(_kind))
