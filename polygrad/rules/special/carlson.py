"""Special functions: Carlson's symmetric elliptic integrals (DLMF 19.16).

The derivatives of R_F and R_G are integrals of the same family. So are those of R_D and R_J, but their formulas divide by differences of
the arguments. Therefore they are computed as integrals. In u = log(t) the integrand is analytic beside the real line and falls
exponentially to both sides. So the trapezoidal rule converges geometrically (DLMF 3.5.i), whether arguments coincide or not.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

from .forms import like, require_real, special_function, with_parameters
from .incomplete import round_up

NODES = 160


def _powers(xp: Any, values: Sequence[Any], exponents: Sequence[float]) -> Any:
    """Return the integral over t > 0 of the product of (t + value)**exponent; at most one of the values is 0.

    The exponents sum to -7/2, so the integrand falls as exp(-5u/2) to the right. To the left it falls as exp(u), or as exp(u / 2) beside a
    value of 0.
    """
    values = [xp.expand_dims(value, axis=-1) for value in values]
    zero = functools.reduce(lambda a, b: a | b, [value == 0 for value in values])
    lowest = functools.reduce(xp.minimum, [xp.where(value == 0, math.inf, value) for value in values])
    start = xp.log(round_up(xp, lowest)) - (40 + 38 * xp.astype(zero, lowest.dtype))
    stop = xp.log(round_up(xp, functools.reduce(xp.maximum, values))) + 16
    step = (stop - start) / (NODES - 1)
    t = xp.exp(start + step * xp.arange(NODES, **like(start)))
    product = functools.reduce(
        lambda a, b: a * b, [(t + value) ** power for value, power in zip(values, exponents, strict=True)]
    )
    return xp.sum(step * t * product, axis=-1)


def _slopes(name: str, exponents: dict[str, float], number: int) -> list[Any]:
    """Return the slopes of 3/2 times the integral of the powers in its first ``number`` arguments, one of which may be 0.

    They are nan outside of the integral's domain, where SciPy has a principal value.
    """

    def slope(i: int) -> Any:
        powers = list(exponents.values())
        raised = [power - (k == i) for k, power in enumerate(powers)]

        def partial(xp: Any, *values: Any) -> Any:
            require_real(xp, values[0], name)
            values = tuple([value + 0 * sum(values) for value in values])
            zeros = sum([xp.astype(value == 0, value.dtype) for value in values])
            inside = functools.reduce(lambda a, b: a & b, [(value >= 0) & (value < math.inf) for value in values])
            inside = inside & (zeros <= 1) & functools.reduce(lambda a, b: a & b, [v > 0 for v in values[number:]])
            safe = [xp.where(inside & ((value > 0) | (k != i)), value, 1.0) for k, value in enumerate(values)]
            total = 1.5 * powers[i] * _powers(xp, safe, raised)
            return xp.where(inside, xp.where(values[i] == 0, -math.inf, total), math.nan)

        return with_parameters(partial, *exponents)

    return [slope(i) for i in range(len(exponents))]


elliprf = special_function(
    "elliprf(x, y, z, /)",  # 19.18.1
    lambda xp, x, y, z: xp.special.elliprd(y, z, x) / -6,
    lambda xp, x, y, z: xp.special.elliprd(x, z, y) / -6,
    lambda xp, x, y, z: xp.special.elliprd(x, y, z) / -6,
)
elliprc = special_function(  # R_F of x and twice y
    "elliprc(x, y, /)",
    lambda xp, x, y: xp.special.elliprd(y, y, x) / -6,
    lambda xp, x, y: xp.special.elliprd(x, y, y) / -3,
)
elliprd = special_function("elliprd(x, y, z, /)", *_slopes("elliprd", {"x": -0.5, "y": -0.5, "z": -1.5}, 2))
elliprj = special_function(
    "elliprj(x, y, z, p, /)", *_slopes("elliprj", {"x": -0.5, "y": -0.5, "z": -0.5, "p": -1.0}, 3)
)


def _g_slope(xp: Any, x: Any, y: Any, z: Any) -> Any:
    """Return the slope of R_G in z: 19.16.3, differentiated under the integral."""
    zero = z == 0  # then z R_D is 0, and R_D is infinite
    safe = xp.where(zero, 1.0, z)
    moment = xp.where(zero, 0.0, safe * xp.special.elliprd(x, y, safe))
    return xp.special.elliprf(x, y, z) / 4 - moment / 12


elliprg = special_function(
    "elliprg(x, y, z, /)",
    lambda xp, x, y, z: _g_slope(xp, y, z, x),
    lambda xp, x, y, z: _g_slope(xp, x, z, y),
    _g_slope,
)
