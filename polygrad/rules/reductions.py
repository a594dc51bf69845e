"""The statistical functions of the standard: sums, products, extremes, and running sums and products.

Where the maximum is reached more than once, the elements share its gradient equally, as in ``torch.amax``. Products are differentiated
without dividing by their factors, so zeros among them are no special case, in any order of derivative.
"""

from __future__ import annotations

from operator import index
from typing import Any

from .declare import constant, linear, rule
from .helpers import cast, conj, match_shape, real, slice_axis
from .vmap import forms


# -- shapes ----------------------------------------------------------------------------------------------------------
def reduced_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return the axes that a reduction reduces, as non-negative numbers in ascending order."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    return tuple(sorted([index(a) % ndim for a in axes])) if ndim else ()


def count_reduced(shape: tuple[int, ...], axis: Any) -> int:
    """Return the number of elements that a reduction takes to one."""
    count = 1
    for a in reduced_axes(axis, len(shape)):
        count *= shape[a]
    return count


def broadcast_back(xp: Any, g: Any, shape: tuple[int, ...], axis: Any, keepdims: bool) -> Any:
    """Broadcast the cotangent (or the output) of a reduction back over the reduced axes, without a copy."""
    if axis is not None and not keepdims and len(shape) > 1:
        reduced = reduced_axes(axis, len(shape))
        if reduced != tuple(range(len(reduced))):  # leading axes come back by broadcasting alone
            g = xp.reshape(g, tuple([1 if i in reduced else n for i, n in enumerate(shape)]))
    return xp.broadcast_to(g, shape)


def _choose_name(whole: str, chosen: str) -> Any:
    """Return a function that chooses torch's name: a reduction over everything has another one than over chosen axes."""
    return lambda payloads, params: whole if params["axis"] is None and not params["keepdims"] else chosen


# -- sum, mean -------------------------------------------------------------------------------------------------------
sum = linear(
    "sum(x, /, *, axis=None, dtype=None, keepdims=False)",
    transpose=lambda xp, g, *, x_shape, x_dtype, axis, keepdims: broadcast_back(
        xp, cast(xp, g, x_dtype), x_shape, axis, keepdims
    ),
    node=_choose_name("SumBackward0", "SumBackward1"),
    batch=forms.reduction,
    methods="sum",
    by_position=("axis", "keepdims"),
)
mean = linear(
    "mean(x, /, *, axis=None, keepdims=False)",
    # The mean of nothing has no gradient to pass on, but must not divide by zero.
    transpose=lambda xp, g, *, x_shape, axis, keepdims: broadcast_back(
        xp, g / (count_reduced(x_shape, axis) or 1), x_shape, axis, keepdims
    ),
    node=_choose_name("MeanBackward0", "MeanBackward1"),
    batch=forms.reduction,
    methods="mean",
    by_position=("axis", "keepdims"),
)


# -- prod ------------------------------------------------------------------------------------------------------------
def _other_factors(xp: Any, x: Any, axis: Any) -> Any:
    """Return for each element the product of all others reduced with it: those before it times those after it."""
    reduced = reduced_axes(axis, x.ndim)
    if count_reduced(x.shape, axis) == 0:
        return x
    if len(reduced) == 0:
        return xp.ones_like(x)
    order = (*[a for a in range(x.ndim) if a not in reduced], *reduced)
    moved = xp.permute_dims(x, order)
    flat = xp.reshape(moved, (*moved.shape[: x.ndim - len(reduced)], count_reduced(x.shape, axis)))
    before = xp.cumulative_prod(flat[..., :-1], axis=-1, include_initial=True)
    after = xp.flip(xp.cumulative_prod(xp.flip(flat[..., 1:], axis=-1), axis=-1, include_initial=True), axis=-1)
    return xp.permute_dims(xp.reshape(before * after, moved.shape), tuple([order.index(a) for a in range(x.ndim)]))


def _prod_vjp(xp: Any, g: Any, x: Any, *, out_dtype: Any, axis: Any, keepdims: bool) -> Any:
    others = _other_factors(xp, cast(xp, x, out_dtype), axis)
    return cast(xp, broadcast_back(xp, g, x.shape, axis, keepdims) * conj(xp, others), x.dtype)


def _prod_jvp(xp: Any, t: Any, x: Any, *, out_dtype: Any, axis: Any, keepdims: bool) -> Any:
    others = _other_factors(xp, cast(xp, x, out_dtype), axis)
    return xp.sum(cast(xp, t, out_dtype) * others, axis=axis, keepdims=keepdims)


prod = rule(
    "prod(x, /, *, axis=None, dtype=None, keepdims=False)",
    vjp=_prod_vjp,
    jvp=_prod_jvp,
    node=_choose_name("ProdBackward0", "ProdBackward1"),
    batch=forms.reduction,
    methods="prod",
    by_position=("axis", "keepdims"),
)


# -- max, min --------------------------------------------------------------------------------------------------------
def _find_reached(xp: Any, x: Any, out: Any, axis: Any, keepdims: bool) -> tuple[Any, Any]:
    """Return where the extreme value is reached, as zeros and ones, and how often, in the shape of the output.

    A NaN equals nothing. Nevertheless a maximum over everything gives its gradient to the NaN, as in torch; over chosen axes the gradient
    is NaN.
    """
    mask = xp.equal(x, broadcast_back(xp, out, x.shape, axis, keepdims))
    if axis is None and not keepdims:
        mask = xp.logical_or(mask, xp.isnan(x))
    mask = xp.astype(mask, x.dtype)
    return mask, xp.sum(mask, axis=axis, keepdims=keepdims)


def _extreme_vjp(xp: Any, g: Any, x: Any, out: Any, *, axis: Any, keepdims: bool) -> Any:
    mask, times = _find_reached(xp, x, out, axis, keepdims)
    return mask * broadcast_back(xp, g / times, x.shape, axis, keepdims)


def _extreme_jvp(xp: Any, t: Any, x: Any, out: Any, *, axis: Any, keepdims: bool) -> Any:
    mask, times = _find_reached(xp, x, out, axis, keepdims)
    return xp.sum(mask * t, axis=axis, keepdims=keepdims) / times


max = rule(
    "max(x, /, *, axis=None, keepdims=False)",
    vjp=_extreme_vjp,
    jvp=_extreme_jvp,
    node=_choose_name("MaxBackward1", "AmaxBackward0"),
    batch=forms.reduction,
    methods="max amax",
    by_position=("axis", "keepdims"),
)
min = rule(
    "min(x, /, *, axis=None, keepdims=False)",
    vjp=_extreme_vjp,
    jvp=_extreme_jvp,
    node=_choose_name("MinBackward1", "AminBackward0"),
    batch=forms.reduction,
    methods="min amin",
    by_position=("axis", "keepdims"),
)


# -- var, std --------------------------------------------------------------------------------------------------------
# With S = sum |x - mean|² over n elements: var = S / (n - correction) and dS = 2 sum Re(conj(x - mean) dx), since the
# deviations sum to zero; std = sqrt(var). The variance of complex numbers is real.
def _deviation(xp: Any, x: Any, axis: Any, correction: float, whole: bool) -> Any:
    """Return ``2 (x - mean) / (n - correction)``, or torch's value where no degree of freedom is left."""
    deviation = x - xp.mean(x, axis=axis, keepdims=True)
    freedom = count_reduced(x.shape, axis) - correction
    if freedom > 0 or count_reduced(x.shape, axis) == 0:
        return deviation * (2.0 / freedom if freedom else 0.0)
    if whole:  # torch takes the limit here, which is infinite wherever there is a deviation
        return xp.where(xp.equal(deviation, 0), xp.full_like(x, float("nan")), xp.full_like(x, float("inf")))
    return deviation * (2.0 / freedom if freedom else float("inf"))


def _var_vjp(xp: Any, g: Any, x: Any, *, axis: Any, correction: float, keepdims: bool) -> Any:
    g = broadcast_back(xp, cast(xp, g, x.dtype), x.shape, axis, keepdims)
    return g * _deviation(xp, x, axis, correction, axis is None)


def _var_jvp(xp: Any, t: Any, x: Any, *, axis: Any, correction: float, keepdims: bool) -> Any:
    terms = conj(xp, _deviation(xp, x, axis, correction, axis is None)) * t
    return xp.sum(real(xp, terms), axis=axis, keepdims=keepdims)


def _half_inverse(xp: Any, g: Any, out: Any) -> Any:
    """Return ``g / (2 out)``, and 0 where the deviation is 0, as in torch."""
    zero = xp.equal(out, 0)
    return xp.where(zero, xp.zeros_like(out), g / xp.where(zero, xp.ones_like(out), 2 * out))


def _std_vjp(xp: Any, g: Any, x: Any, out: Any, *, axis: Any, correction: float, keepdims: bool) -> Any:
    return _var_vjp(xp, _half_inverse(xp, g, out), x, axis=axis, correction=correction, keepdims=keepdims)


def _std_jvp(xp: Any, t: Any, x: Any, out: Any, *, axis: Any, correction: float, keepdims: bool) -> Any:
    return _half_inverse(xp, _var_jvp(xp, t, x, axis=axis, correction=correction, keepdims=keepdims), out)


var = rule(
    "var(x, /, *, axis=None, correction=0.0, keepdims=False)",
    vjp=_var_vjp,
    jvp=_var_jvp,
    batch=forms.reduction,
    methods="var",
    by_position=("axis", "keepdims"),
)
std = rule(
    "std(x, /, *, axis=None, correction=0.0, keepdims=False)",
    vjp=_std_vjp,
    jvp=_std_jvp,
    batch=forms.reduction,
    methods="std",
    by_position=("axis", "keepdims"),
)


# -- logsumexp -------------------------------------------------------------------------------------------------------
def _logsumexp(xp: Any, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the logarithm of the sum of exponentials, shifted by the maximum so that nothing overflows."""
    if count_reduced(x.shape, axis) == 0:
        return xp.sum(x, axis=axis, keepdims=keepdims) - float("inf")
    top = xp.max(real(xp, x), axis=axis, keepdims=True)
    finite = xp.isfinite(top)
    shift = xp.where(finite, top, xp.zeros_like(top))
    total = xp.sum(xp.exp(x - shift), axis=axis, keepdims=True)
    # An infinite maximum is the result. The sum, which may be 0 then, is replaced by 1.
    out = xp.log(xp.where(finite, total, xp.ones_like(total))) + top
    return (
        out
        if keepdims
        else xp.reshape(out, tuple([n for i, n in enumerate(x.shape) if i not in reduced_axes(axis, x.ndim)]))
    )


def _softmax(xp: Any, x: Any, out: Any, axis: Any, keepdims: bool) -> Any:
    return xp.exp(x - broadcast_back(xp, out, x.shape, axis, keepdims))


logsumexp = rule(
    "logsumexp(x, /, *, axis=None, keepdims=False)",
    vjp=lambda xp, g, x, out, *, axis, keepdims: (
        broadcast_back(xp, g, x.shape, axis, keepdims) * conj(xp, _softmax(xp, x, out, axis, keepdims))
    ),
    jvp=lambda xp, t, x, out, *, axis, keepdims: xp.sum(
        _softmax(xp, x, out, axis, keepdims) * t, axis=axis, keepdims=keepdims
    ),
    default=_logsumexp,
    batch=forms.reduction,
    methods="logsumexp",
    by_position=("axis", "keepdims"),
)

# -- without a derivative --------------------------------------------------------------------------------------------
any = constant(
    "any(x, /, *, axis=None, keepdims=False)", batch=forms.reduction, methods="any", by_position=("axis", "keepdims")
)
all = constant(
    "all(x, /, *, axis=None, keepdims=False)", batch=forms.reduction, methods="all", by_position=("axis", "keepdims")
)
argmax = constant(
    "argmax(x, /, *, axis=None, keepdims=False)",
    batch=forms.position,
    methods="argmax",
    by_position=("axis", "keepdims"),
)
argmin = constant(
    "argmin(x, /, *, axis=None, keepdims=False)",
    batch=forms.position,
    methods="argmin",
    by_position=("axis", "keepdims"),
)
count_nonzero = constant(
    "count_nonzero(x, /, *, axis=None, keepdims=False)",
    default=lambda xp, x, *, axis=None, keepdims=False: xp.sum(
        xp.astype(xp.not_equal(x, xp.zeros_like(x)), xp.int64), axis=axis, keepdims=keepdims
    ),
    batch=forms.reduction,
    methods="count_nonzero",
    by_position=("axis", "keepdims"),
)


# -- running sums and products ---------------------------------------------------------------------------------------


def _cumulative_sum_transpose(
    xp: Any, g: Any, *, x_shape: tuple[int, ...], x_dtype: Any, axis: int | None, include_initial: bool
) -> Any:
    axis = axis or 0
    if include_initial:
        g = slice_axis(g, axis, 1, None)
    if g.ndim:
        g = xp.flip(xp.cumulative_sum(xp.flip(g, axis=axis), axis=axis), axis=axis)
    return cast(xp, match_shape(xp, g, x_shape), x_dtype)


cumulative_sum = linear(
    "cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False)",
    transpose=_cumulative_sum_transpose,
    node="CumsumBackward0",
    batch=forms.cumulative,
    methods="cumulative_sum cumsum",
    by_position=("axis",),
)


def solve_recurrence(xp: Any, a: Any, b: Any) -> Any:
    """Return the solution of ``s[k] = a[k] s[k - 1] + b[k]`` along the last axis, with ``s[-1] = 0``.

    Two steps make one, ``s[k] = (a[k] a[k - 1]) s[k - 2] + (a[k] b[k - 1] + b[k])``, so every other element comes from a recurrence of half
    the length: the work is linear, the depth logarithmic (Blelloch, "Prefix sums and their applications", 1990).
    """
    n = b.shape[-1]
    if n < 2:
        return b
    if n % 2:
        s = solve_recurrence(xp, a[..., :-1], b[..., :-1])
        return xp.concat([s, a[..., -1:] * s[..., -1:] + b[..., -1:]], axis=-1)
    a0, a1, b0, b1 = a[..., ::2], a[..., 1::2], b[..., ::2], b[..., 1::2]
    odd = solve_recurrence(xp, a1 * a0, a1 * b0 + b1)
    even = xp.concat([b0[..., :1], a0[..., 1:] * odd[..., :-1] + b0[..., 1:]], axis=-1)
    return xp.reshape(xp.stack([even, odd], axis=-1), b.shape)


def _move_last(xp: Any, x: Any, axis: int | None) -> Any:
    return xp.moveaxis(x, axis or 0, -1) if x.ndim > 1 else xp.reshape(x, (1,)) if x.ndim == 0 else x


def _move_back(xp: Any, x: Any, axis: int | None, shape: tuple[int, ...]) -> Any:
    return xp.moveaxis(x, -1, axis or 0) if x.ndim > 1 else match_shape(xp, x, shape)


# With y[k] = x[0] ... x[k]:  dy[k] = x[k] dy[k - 1] + y[k - 1] dx[k],  a recurrence that runs up. Its transpose runs
# down: the cotangent of x[k] is  y[k - 1] s[k]  where  s[k] = g[k] + x[k + 1] s[k + 1].
def _cumulative_prod_vjp(xp: Any, g: Any, x: Any, out: Any, *, axis: int | None, include_initial: bool) -> Any:
    dtype = out.dtype
    factors, y, g = (_move_last(xp, value, axis) for value in (cast(xp, x, dtype), out, g))
    if include_initial:
        y, g = y[..., 1:], g[..., 1:]
    if factors.shape[-1] == 0:
        return xp.zeros_like(x)
    factors, y = conj(xp, factors), conj(xp, y)
    # The factor that starts the recurrence is multiplied by s[-1] = 0, so it may be any number.
    a = xp.concat([factors[..., :1], xp.flip(factors[..., 1:], axis=-1)], axis=-1)
    s = xp.flip(solve_recurrence(xp, a, xp.flip(g, axis=-1)), axis=-1)
    s = xp.concat([s[..., :1], y[..., :-1] * s[..., 1:]], axis=-1)
    return cast(xp, _move_back(xp, s, axis, x.shape), x.dtype)


def _cumulative_prod_jvp(xp: Any, t: Any, x: Any, out: Any, *, axis: int | None, include_initial: bool) -> Any:
    dtype = out.dtype
    factors, y, t = (_move_last(xp, value, axis) for value in (cast(xp, x, dtype), out, cast(xp, t, dtype)))
    if factors.shape[-1] == 0:
        return xp.zeros_like(out)
    if include_initial:
        y = y[..., 1:]
    b = xp.concat([t[..., :1], y[..., :-1] * t[..., 1:]], axis=-1)
    s = solve_recurrence(xp, factors, b)
    if include_initial:
        s = xp.concat([xp.zeros_like(s[..., :1]), s], axis=-1)
    return _move_back(xp, s, axis, out.shape)


cumulative_prod = rule(
    "cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False)",
    vjp=_cumulative_prod_vjp,
    jvp=_cumulative_prod_jvp,
    node="CumprodBackward0",
    batch=forms.cumulative,
    methods="cumulative_prod cumprod",
    by_position=("axis",),
)
