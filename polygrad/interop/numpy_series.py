"""NumPy's functions that compute along an axis or with polynomials: evenly spaced values, differences, products, fits.

Each takes the namespace first, as in ``numpy_functions``.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ..errors import ArgumentError
from .numpy_functions import FUNCTIONS, axis_of, register


# -- evenly spaced values and differences -------------------------------------------------------------------------------
@register
def linspace(
    xp: Any, start: Any, stop: Any, num: Any = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0,
    *, device: Any = None,
) -> Any:  # fmt: skip
    start, stop, num = xp.asarray(start), xp.asarray(stop), operator.index(num)
    start, stop = (x if x.dtype in xp.floating_dtypes else xp.astype(x, xp.float64) for x in (start, stop))
    start, stop = xp.broadcast_arrays(start, stop)
    along = np.linspace(0.0, 1.0, num, endpoint=endpoint).reshape((num,) + (1,) * start.ndim)
    t = xp.astype(xp.asarray(along), xp.real(start).dtype)
    out = xp.moveaxis(start * (1 - t) + stop * t, 0, axis)
    out = out if dtype is None else out.to(dtype=dtype)
    out = out if device is None else out.to(device=device)
    gaps = num - 1 if endpoint else num
    return (out, (stop - start) / gaps if gaps > 0 else xp.asarray(math.nan)) if retstep else out


@register
def logspace(
    xp: Any,
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    start, stop, base = xp.broadcast_arrays(*[xp.asarray(x, dtype=None) * 1.0 for x in (start, stop, base)])
    out = xp.pow(xp.expand_dims(base, axis=axis), linspace(xp, start, stop, num, endpoint, axis=axis))
    return out if dtype is None else out.to(dtype=dtype)


@register
def geomspace(
    xp: Any, start: Any, stop: Any, num: Any = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    start, stop = (xp.asarray(x) * 1.0 for x in (start, stop))
    if bool(xp.any(start * stop <= 0)):
        raise ArgumentError("numpy.geomspace: start and stop have to be of one sign for Tensors, and not 0")
    sign = xp.expand_dims(xp.sign(xp.broadcast_arrays(start, stop)[0]), axis=axis)
    out = sign * xp.exp(linspace(xp, xp.log(xp.abs(start)), xp.log(xp.abs(stop)), num, endpoint, axis=axis))
    return out if dtype is None else out.to(dtype=dtype)


@register
def diff(xp: Any, a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    a = xp.asarray(a)
    axis = axis_of("diff", axis, a)

    def end(part: Any) -> list[Any]:
        if part is None:
            return []
        part = xp.asarray(part)
        one = (*a.shape[:axis], 1, *a.shape[axis + 1 :])
        return [xp.broadcast_to(part, one) if part.ndim == 0 else part]

    ends = [*end(prepend), a, *end(append)]
    return xp.diff(xp.concat(ends, axis=axis) if len(ends) > 1 and n else a, n=n, axis=axis)


@register
def trapezoid(xp: Any, y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y = xp.asarray(y)
    if x is not None:
        return xp.trapezoid(y, xp.asarray(x), axis=axis)
    if isinstance(dx, (int, float)):
        return xp.trapezoid(y, dx=dx, axis=axis)
    before = (slice(None),) * (axis % y.ndim)
    return xp.sum(xp.asarray(dx) * (y[(*before, slice(1, None))] + y[(*before, slice(None, -1))]) / 2.0, axis=axis)


# -- products -----------------------------------------------------------------------------------------------------------
@register
def outer(xp: Any, a: Any, b: Any) -> Any:
    return xp.linalg.outer(xp.reshape(xp.asarray(a), (-1,)), xp.reshape(xp.asarray(b), (-1,)))


@register
def inner(xp: Any, a: Any, b: Any) -> Any:
    a, b = xp.asarray(a), xp.asarray(b)
    return a * b if a.ndim == 0 or b.ndim == 0 else xp.tensordot(a, b, axes=((-1,), (-1,)))


@register
def correlate(xp: Any, a: Any, v: Any, mode: str = "valid") -> Any:
    a, v = xp.asarray(a), xp.asarray(v)
    full = FUNCTIONS["convolve"](xp, a, xp.flip(xp.conj(v) if v.is_complex() else v), "full")
    n, m = a.shape[0], v.shape[0]
    if mode == "full":
        return full
    short, long = min(n, m), max(n, m)
    if mode == "valid":
        return full[short - 1 : long]
    if mode != "same":
        raise ArgumentError(f"numpy.correlate: mode has to be 'valid', 'same' or 'full', got {mode!r}")
    start = short - 1 - short // 2 if n >= m else short // 2
    return full[start : start + long]


@register
def angle(xp: Any, z: Any, deg: bool = False) -> Any:
    out = xp.angle(xp.asarray(z))
    return out * (180 / math.pi) if deg else out


# -- polynomials --------------------------------------------------------------------------------------------------------
@register
def polymul(xp: Any, a1: Any, a2: Any) -> Any:
    return FUNCTIONS["convolve"](xp, xp.reshape(xp.asarray(a1), (-1,)), xp.reshape(xp.asarray(a2), (-1,)))


def _register_poly_sum(name: str, combine: str) -> None:
    def function(xp: Any, a1: Any, a2: Any) -> Any:
        a1, a2 = (xp.reshape(x, (-1,)) for x in (xp.asarray(a1), xp.asarray(a2)))
        n = max(a1.shape[0], a2.shape[0])
        return getattr(xp, combine)(*[xp.pad(x, (n - x.shape[0], 0)) for x in (a1, a2)])

    register(function, name)


_register_poly_sum("polyadd", "add")
_register_poly_sum("polysub", "subtract")


@register
def polyder(xp: Any, p: Any, m: int = 1) -> Any:
    p = xp.asarray(p)
    for _ in range(m):
        p = p[:-1] * xp.astype(xp.arange(p.shape[0] - 1, 0, -1), p.dtype)
    return p


@register
def polyfit(
    xp: Any, x: Any, y: Any, deg: Any, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False
) -> Any:
    if full or cov is not False:
        raise ArgumentError("numpy.polyfit: full=True and cov= are not supported for Tensors")
    x, y = xp.asarray(x), xp.asarray(y)
    x, y = (part if part.dtype in xp.floating_dtypes else xp.astype(part, xp.float64) for part in (x, y))
    matrix = xp.vander(x, operator.index(deg) + 1)
    if w is not None:
        w = xp.asarray(w)
        matrix = matrix * w[:, None]
        y = y * (w if y.ndim == 1 else w[:, None])
    scale = xp.sqrt(xp.sum(matrix * matrix, axis=0))
    cut = x.shape[0] * xp.finfo(x.dtype).eps if rcond is None else rcond
    found = xp.linalg.lstsq(matrix / scale, y, rcond=cut)[0]
    return found / (scale if y.ndim == 1 else scale[:, None])
