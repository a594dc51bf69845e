"""torch's running extremes and running sums of exponentials, and the scan along an axis of which they are made."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from .declare import rule
from .helpers import device_of, is_complex, slice_axis
from .keys import gather_key
from .reductions import solve_recurrence
from .vmap import forms


# -- running extremes --------------------------------------------------------------------------------------------------
class Selected(NamedTuple):
    """Elements selected along an axis, and their positions."""

    values: Any
    indices: Any


def select_only(xp: Any, x: Any) -> Selected:
    """Select the only element of a 0-d array, which torch counts as an axis of one."""
    return Selected(xp.asarray(x, copy=True), xp.zeros(x.shape, dtype=xp.int64, device=device_of(x)))


def scan(xp: Any, x: Any, axis: int, combine: Any) -> Any:
    """Return the running ``combine``, which is associative, along an axis, in log n steps (Hillis and Steele, 1986)."""
    step = 1
    while step < x.shape[axis]:
        later = combine(slice_axis(x, axis, None, -step), slice_axis(x, axis, step, None))
        x = xp.concat([slice_axis(x, axis, None, step), later], axis=axis)
        step *= 2
    return x


def number_positions(xp: Any, x: Any, axis: int) -> Any:
    """Return the number of each element along an axis, broadcast to the shape of ``x``."""
    axis %= x.ndim
    numbers = xp.arange(x.shape[axis], dtype=xp.int64, device=device_of(x))
    return xp.broadcast_to(xp.reshape(numbers, (*[1] * axis, -1, *[1] * (x.ndim - 1 - axis))), x.shape)


def scatter_along(xp: Any, g: Any, indices: Any, shape: tuple[int, ...], axis: int) -> Any:
    """Transpose ``take_along_axis``."""
    key = gather_key(xp, indices, shape, axis, device_of(g))
    return xp.getitem_adjoint(g, key=key, shape=shape)


def _scan_extreme(largest: bool) -> Any:
    """Return a function that computes running extremes in torch's order.

    The last one of equals has the index, and every nan counts as a new extreme.
    """

    def run(xp: Any, x: Any, axis: int) -> Selected:
        if x.ndim == 0:
            return select_only(xp, x)
        axis %= x.ndim
        values = scan(xp, x, axis, xp.maximum if largest else xp.minimum)
        new = xp.equal(x, values)
        if xp.isdtype(x.dtype, "real floating"):
            new = new | xp.isnan(x)
        indices = scan(xp, xp.where(new, number_positions(xp, x, axis), 0), axis, xp.maximum)
        return Selected(values, indices)

    return run


def _running_vjp(xp: Any, g: Any, indices: Any, *, x_shape: tuple[int, ...], axis: int) -> Any:
    return g[0] if not x_shape else scatter_along(xp, g[0], indices, x_shape, axis)


def _running_jvp(xp: Any, t: Any, indices: Any, *, axis: int) -> Any:
    return (xp.take_along_axis(t, indices, axis=axis) if t.ndim else t), None


cummax = rule(
    "cummax(x, axis)",
    vjp=_running_vjp,
    jvp=_running_jvp,
    arrays=("x",),
    outputs=("values", "indices"),
    default=_scan_extreme(True),
    batch=forms.along,
    methods="cummax",
)
cummin = rule(
    "cummin(x, axis)",
    vjp=_running_vjp,
    jvp=_running_jvp,
    arrays=("x",),
    outputs=("values", "indices"),
    default=_scan_extreme(False),
    batch=forms.along,
    methods="cummin",
)


# -- logcumsumexp ------------------------------------------------------------------------------------------------------
def _logaddexp(xp: Any, a: Any, b: Any) -> Any:
    if not is_complex(xp, a):
        return xp.logaddexp(a, b)
    top = xp.maximum(xp.real(a), xp.real(b))
    top = xp.astype(xp.where(xp.isfinite(top), top, 0.0), a.dtype)
    return xp.log(xp.exp(a - top) + xp.exp(b - top)) + top


def _logcumsumexp(xp: Any, x: Any, axis: int) -> Any:
    return scan(xp, x, axis % x.ndim, lambda a, b: _logaddexp(xp, a, b)) if x.ndim else xp.asarray(x, copy=True)


def _weight(xp: Any, a: Any, b: Any) -> Any:
    """Return ``exp(a - b)``; for two equal infinities nan, as in torch, but without a warning."""
    infinite = xp.isinf(b)
    return xp.exp(xp.where(infinite & xp.equal(a, b), math.nan, a - xp.where(infinite, 0.0, b)))


# With w[i, k] = exp(x[i] - out[k]) for i <= k the cotangent is the sum of g[k] conj(w[i, k]) over k: a product of two factors, one
# of which sums up by a recurrence whose coefficients exp(out[i] - out[i + 1]) are at most 1, so that nothing overflows.
def _logcumsumexp_vjp(xp: Any, g: Any, x: Any, out: Any, *, axis: int) -> Any:
    if x.ndim == 0 or x.shape[axis] == 0:
        return g
    x, out, g = (xp.flip(xp.moveaxis(value, axis, -1), axis=-1) for value in (x, out, g))
    ratios = xp.concat([xp.zeros_like(out[..., :1]), _weight(xp, out[..., 1:], out[..., :-1])], axis=-1)
    weights = _weight(xp, x, out)
    if is_complex(xp, x):
        ratios, weights = xp.conj(ratios), xp.conj(weights)
    return xp.moveaxis(xp.flip(weights * solve_recurrence(xp, ratios, g), axis=-1), -1, axis)


def _logcumsumexp_jvp(xp: Any, t: Any, x: Any, out: Any, *, axis: int) -> Any:
    if x.ndim == 0 or x.shape[axis] == 0:
        return t
    x, out, t = (xp.moveaxis(value, axis, -1) for value in (x, out, t))
    ratios = xp.concat([xp.zeros_like(out[..., :1]), _weight(xp, out[..., :-1], out[..., 1:])], axis=-1)
    return xp.moveaxis(solve_recurrence(xp, ratios, _weight(xp, x, out) * t), -1, axis)


logcumsumexp = rule(
    "logcumsumexp(x, axis)",
    vjp=_logcumsumexp_vjp,
    jvp=_logcumsumexp_jvp,
    arrays=("x",),
    default=_logcumsumexp,
    batch=forms.along,
    methods="logcumsumexp",
)
