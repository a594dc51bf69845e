"""Special functions, which the standard does not have. A backend's own is used where its library has one."""

from __future__ import annotations

import math
from typing import Any

from .declare import elementwise

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
    size = xp.minimum(xp.abs(x), 6.0)  # beyond that it is 1 to rounding, and nothing overflows
    small = size < 1
    near = xp.where(small, size * size, 0.0)
    far = xp.where(small, 1.0, size)
    tail = xp.exp(-far * far) * _polynomial((12 * (far - 3) / (far + 3) + 1) / 5, _ERF_LARGE)
    return xp.where(small, x * _polynomial(near, _ERF_SMALL), xp.sign(x) * (1 - tail))


erf = elementwise("special.erf", lambda xp, x: (2 / math.sqrt(math.pi)) * xp.exp(-x * x), default=_erf)
"""The error function: twice the integral of the Gaussian ``exp(-t**2)`` from 0 to x, over the square root of pi."""
