"""Order statistics, quantiles, functions that ignore nan, covariances and histograms: torch's, with the standard's keywords.

An element that is selected along an axis comes with its index, and takes all of the gradient; a median over everything shares it among
equals. NaN counts as the largest number. All of that is as in torch.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ..errors import ArgumentError, ShapeError, describe
from .declare import composite, rule
from .helpers import conj, device_of, is_complex, real, slice_axis
from .reductions import broadcast_back
from .running import Selected, number_positions, scan, scatter_along, select_only
from .vmap import forms
from .vmap.alignment import Run, flatten_examples


class MinMax(NamedTuple):
    """The extremes of an array."""

    min: Any
    max: Any


class Median(NamedTuple):
    """A median along an axis, and its position."""

    values: Any
    indices: Any


class Histogram(NamedTuple):
    """The number of elements between each two edges, and the edges."""

    hist: Any
    bin_edges: Any


def _isnan(xp: Any, x: Any) -> Any:
    """Return where the elements are nan: nowhere in an array of integers."""
    return xp.isnan(x) if xp.isdtype(x.dtype, ("real floating", "complex floating")) else xp.not_equal(x, x)


def _to_integers(xp: Any, x: Any) -> Any:
    return xp.astype(x, xp.int64)


# -- selection along an axis -------------------------------------------------------------------------------------------
def _selected_vjp(xp: Any, g: Any, indices: Any, *, x_shape: tuple[int, ...], axis: int, keepdims: bool) -> Any:
    if not x_shape:
        return g[0]
    g, indices = (value if keepdims else xp.expand_dims(value, axis=axis) for value in (g[0], indices))
    return scatter_along(xp, g, indices, x_shape, axis)


def _selected_jvp(xp: Any, t: Any, indices: Any, *, axis: int, keepdims: bool) -> Any:
    if t.ndim == 0:
        return t, None
    out = xp.take_along_axis(t, indices if keepdims else xp.expand_dims(indices, axis=axis), axis=axis)
    return out if keepdims else xp.squeeze(out, axis=axis), None


def _selection(name: str, find: Any, extra: str = "", **options: Any) -> Any:
    """Declare an operation that selects one element along an axis.

    ``find(xp, x, axis, ...)`` returns the index of the element, with that axis kept.
    """

    def run(xp: Any, x: Any, *, axis: int, keepdims: bool, **params: Any) -> Selected:
        if x.ndim == 0:
            return select_only(xp, x)
        if x.shape[axis] == 0:
            raise ShapeError(f"{name}: axis {axis} of {describe(x)} has no element to select")
        indices = _to_integers(xp, find(xp, x, axis % x.ndim, **params))
        values = xp.take_along_axis(x, indices, axis=axis)
        return Selected(*((v if keepdims else xp.squeeze(v, axis=axis)) for v in (values, indices)))

    return rule(
        f"{name}(x{extra}, axis=-1, keepdims=False)",
        vjp=_selected_vjp,
        jvp=_selected_jvp,
        arrays=("x",),
        outputs=("values", "indices"),
        default=run,
        batch=forms.along,
        **options,
    )


def _find_kth(xp: Any, x: Any, axis: int, *, k: int) -> Any:
    if not 0 < k <= x.shape[axis]:
        raise ArgumentError(f"kthvalue: k={k} is out of range for axis {axis} of {describe(x)}")
    return slice_axis(xp.argsort(x, axis=axis), axis, k - 1, k)


def _find_mode(xp: Any, x: Any, axis: int) -> Any:
    """Return the last of the longest run of equals in the sorted order; of several longest runs the first counts."""
    order = xp.argsort(x, axis=axis)
    ordered = xp.take_along_axis(x, order, axis=axis)
    numbers = number_positions(xp, x, axis)
    starts = slice_axis(ordered, axis, 1, None) != slice_axis(ordered, axis, None, -1)
    starts = scan(xp, xp.where(starts, slice_axis(numbers, axis, 1, None), 0), axis, xp.maximum)
    lengths = numbers - xp.concat([slice_axis(numbers, axis, 0, 1) * 0, starts], axis=axis)
    return xp.take_along_axis(order, xp.argmax(lengths, axis=axis, keepdims=True), axis=axis)


def _find_middle(xp: Any, x: Any, axis: int, ignore_nan: bool) -> Any:
    """Return the position of the median in the sorted order: the lower one of two, or the first nan where there is any."""
    missing = xp.sum(_to_integers(xp, _isnan(xp, x)), axis=axis, keepdims=True, dtype=xp.int64)
    n = x.shape[axis]
    numbers = n - missing
    if ignore_nan:
        return xp.where(numbers > 0, (numbers - 1) // 2, 0)
    return xp.where(missing > 0, numbers, xp.zeros_like(numbers) + (n - 1) // 2)


def _find_median(xp: Any, x: Any, axis: int, *, ignore_nan: bool) -> Any:
    return xp.take_along_axis(xp.argsort(x, axis=axis), _find_middle(xp, x, axis, ignore_nan), axis=axis)


kthvalue = _selection("kthvalue", _find_kth, ", k", methods="kthvalue")
mode = _selection("mode", _find_mode, methods="mode")
median_along = _selection(
    "median_along",
    _find_median,
    ", ignore_nan",
    node=lambda payloads, params: "NanmedianBackward1" if params["ignore_nan"] else "MedianBackward1",
)


# -- the median of everything ------------------------------------------------------------------------------------------
def _median_value(xp: Any, x: Any, *, ignore_nan: bool) -> Any:
    flat = xp.reshape(x, (-1,))
    if flat.shape[0] == 0:
        return xp.sum(flat) + math.nan
    return xp.sum(xp.take(xp.sort(flat), _find_middle(xp, flat, 0, ignore_nan), axis=0))


def _share_median(xp: Any, x: Any, out: Any) -> Any:
    """Return 1 over the number of elements equal to the median, at those elements."""
    chosen = xp.equal(x, out) | (xp.isnan(x) & xp.isnan(out))
    chosen = xp.astype(chosen, x.dtype)
    return chosen / xp.sum(chosen) if 0 not in x.shape else chosen


def _batch_median_value(run: Run, arrays: Any, mapped: Any, params: Any) -> Any:
    (x,) = arrays
    return run.xp.median_along(flatten_examples(run, x), params["ignore_nan"], 1, False)[0]


median_value = rule(
    "median_value(x, /, *, ignore_nan)",
    vjp=lambda xp, g, x, out: g * _share_median(xp, x, out),
    jvp=lambda xp, t, x, out: xp.sum(t * _share_median(xp, x, out)),
    default=_median_value,
    node=lambda payloads, params: "NanmedianBackward0" if params["ignore_nan"] else "MedianBackward0",
    batch=_batch_median_value,
)


def _median(ignore_nan: bool) -> Any:
    def body(xp: Any, x: Any, *, axis: int | None, keepdims: bool) -> Any:
        if axis is None:
            out = xp.median_value(x, ignore_nan=ignore_nan)
            return xp.reshape(out, (1,) * x.ndim) if keepdims else out
        return Median(*xp.median_along(x, ignore_nan, axis, keepdims))

    return body


median = composite(
    "median(x, axis=None, keepdims=False)",
    _median(False),
    arrays=("x",),
    methods="median",
    doc="The median, which is the lower of two middle elements; along an axis, a tuple of values and indices.",
)
nanmedian = composite(
    "nanmedian(x, axis=None, keepdims=False)",
    _median(True),
    arrays=("x",),
    methods="nanmedian",
    doc="The median of the elements that are not nan.",
)


# -- the largest -------------------------------------------------------------------------------------------------------
def _topk(xp: Any, x: Any, k: int, axis: int = -1, largest: bool = True, sorted: bool = True) -> Selected:
    if x.ndim == 0:
        return select_only(xp, x)
    if not 0 <= k <= x.shape[axis]:
        raise ArgumentError(f"topk: k={k} is out of range for axis {axis} of {describe(x)}")
    indices = _to_integers(xp, slice_axis(xp.argsort(x, axis=axis, descending=largest), axis % x.ndim, None, k))
    return Selected(xp.take_along_axis(x, indices, axis=axis), indices)


topk = rule(
    "topk(x, k, axis=-1, largest=True, sorted=True)",
    vjp=lambda xp, g, indices, *, x_shape, axis: (
        g[0] if not x_shape else scatter_along(xp, g[0], indices, x_shape, axis)
    ),
    jvp=lambda xp, t, indices, *, axis: (xp.take_along_axis(t, indices, axis=axis) if t.ndim else t, None),
    arrays=("x",),
    outputs=("values", "indices"),
    default=_topk,
    batch=forms.along,
    methods="topk",
)
aminmax = composite(
    "aminmax(x, /, *, axis=None, keepdims=False)",
    lambda xp, x, *, axis, keepdims: MinMax(
        xp.min(x, axis=axis, keepdims=keepdims), xp.max(x, axis=axis, keepdims=keepdims)
    ),
    methods="aminmax",
)


# -- quantiles ---------------------------------------------------------------------------------------------------------
_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(name: str, ignore_nan: bool) -> Any:
    """Return the body of a quantile: sort, then interpolate between the two elements around ``q (n - 1)``."""

    def body(xp: Any, x: Any, q: Any, *, axis: int | None, keepdims: bool, interpolation: str) -> Any:
        if interpolation not in _INTERPOLATIONS:
            raise ArgumentError(f"{name}: interpolation has to be one of {_INTERPOLATIONS}, not {interpolation!r}")
        shape = tuple(x.shape)
        if axis is None or x.ndim == 0:
            rows = xp.reshape(x, (-1,))
            kept = (1,) * x.ndim
        else:
            rows = xp.moveaxis(x, axis, -1)
            kept = tuple([1 if i == axis % x.ndim else n for i, n in enumerate(shape)])
        if rows.shape[-1] == 0:
            raise ShapeError(f"{name}: {describe(x)} has no elements along axis {axis}")
        rows = xp.sort(rows, axis=-1)
        if isinstance(q, (int, float)) and not ignore_nan:
            out = _interpolate(xp, rows, _check_quantile(name, q) * (rows.shape[-1] - 1), interpolation)
            q_shape: tuple[int, ...] = ()
        else:
            if not hasattr(q, "dtype"):
                q = [_check_quantile(name, v) for v in q] if isinstance(q, (list, tuple)) else _check_quantile(name, q)
                q = xp.asarray(q, dtype=x.dtype, device=device_of(x))
            if q.ndim > 1:
                raise ShapeError(f"{name}: q has to be a number or one-dimensional, got {describe(q)}")
            q_shape = tuple(q.shape)
            q = xp.reshape(q, (-1,))
            last = xp.sum(_to_integers(xp, xp.logical_not(xp.isnan(rows))), axis=-1, keepdims=True, dtype=xp.int64) - 1
            last = xp.where(last < 0, 0, last) if ignore_nan else xp.zeros_like(last) + (rows.shape[-1] - 1)
            out = _interpolate_all(xp, rows, q * xp.astype(last, q.dtype), interpolation)
            out = xp.moveaxis(out, -1, 0)
        if not ignore_nan:  # a nan is the last of its row, and the quantile of its row
            out = xp.where(xp.isnan(rows[..., -1]), rows[..., -1], out)
        return xp.reshape(
            out, (*q_shape, *(kept if keepdims else tuple(out.shape[1:]) if q_shape else rows.shape[:-1]))
        )

    return body


def _check_quantile(name: str, q: float) -> float:
    if not 0 <= q <= 1:
        raise ArgumentError(f"{name}: q has to be between 0 and 1, not {q!r}")
    return q


def _interpolate(xp: Any, rows: Any, rank: float, interpolation: str) -> Any:
    """Interpolate the rows at one rank, a number."""
    low, high = math.floor(rank), math.ceil(rank)
    if interpolation in ("lower", "higher", "nearest") or low == high:
        at = {"lower": low, "higher": high, "nearest": round(rank)}.get(interpolation, low)
        return rows[..., at]
    return xp.lerp(rows[..., low], rows[..., high], 0.5 if interpolation == "midpoint" else rank - low)


def _interpolate_all(xp: Any, rows: Any, ranks: Any, interpolation: str) -> Any:
    """Interpolate each row at its own ranks (..., number of q). The ranks have a gradient where there is interpolation."""

    def at(which: Any) -> Any:
        return xp.take_along_axis(rows, _to_integers(xp, which), axis=-1)

    ranks = xp.broadcast_to(ranks, (*rows.shape[:-1], ranks.shape[-1]))
    if interpolation == "nearest":
        return at(xp.round(ranks))
    low, high = xp.floor(ranks), xp.ceil(ranks)
    if interpolation in ("lower", "higher"):
        return at(low if interpolation == "lower" else high)
    if interpolation == "midpoint":
        return xp.lerp(at(low), at(high), xp.where(low == high, 0.0, xp.zeros_like(ranks) + 0.5))
    return xp.lerp(at(low), at(high), ranks - low)


quantile = composite(
    "quantile(x, q, axis=None, keepdims=False, *, interpolation='linear')",
    _quantile("quantile", False),
    arrays=("x", "q"),
    methods="quantile",
    doc="The q-th quantiles; several q give a new first axis.",
)
nanquantile = composite(
    "nanquantile(x, q, axis=None, keepdims=False, *, interpolation='linear')",
    _quantile("nanquantile", True),
    arrays=("x", "q"),
    methods="nanquantile",
    doc="The quantiles of the elements that are not nan.",
)


# -- sums and means without nan ----------------------------------------------------------------------------------------
def _mark_numbers(xp: Any, x: Any) -> Any:
    """Return 1 where there is a number, 0 where there is nan."""
    return xp.astype(xp.logical_not(xp.isnan(x)), x.dtype)


def _nansum(xp: Any, x: Any, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    return xp.sum(xp.where(_isnan(xp, x), xp.zeros_like(x), x), axis=axis, dtype=dtype, keepdims=keepdims)


nansum = rule(
    "nansum(x, axis=None, keepdims=False, *, dtype=None)",
    vjp=lambda xp, g, x, *, axis, keepdims: (
        _mark_numbers(xp, x)
        * broadcast_back(xp, g if g.dtype == x.dtype else xp.astype(g, x.dtype), x.shape, axis, keepdims)
    ),
    jvp=lambda xp, t, x, *, out_dtype, axis, keepdims: xp.sum(
        _mark_numbers(xp, x) * t, axis=axis, keepdims=keepdims, dtype=out_dtype
    ),
    arrays=("x",),
    default=_nansum,
    batch=forms.reduction,
    methods="nansum",
)


def _nanmean(xp: Any, x: Any, *, axis: Any, keepdims: bool, dtype: Any) -> Any:
    total = xp.nansum(x, axis=axis, keepdims=keepdims, dtype=dtype)
    counts = xp.sum(xp.astype(xp.logical_not(_isnan(xp, x)), total.dtype), axis=axis, keepdims=keepdims)
    return total / xp.where(counts == 0, math.nan, counts)  # of nothing: nan, without a warning


nanmean = composite("nanmean(x, axis=None, keepdims=False, *, dtype=None)", _nanmean, arrays=("x",), methods="nanmean")


# -- variances ---------------------------------------------------------------------------------------------------------
def _with_mean(name: str) -> Any:
    def body(xp: Any, x: Any, *, axis: Any, correction: float, keepdims: bool) -> Any:
        spread_ = getattr(xp, name)(x, axis=axis, correction=correction, keepdims=keepdims)
        return spread_, xp.mean(x, axis=axis, keepdims=keepdims)

    return body


var_mean = composite("var_mean(x, axis=None, *, correction=1, keepdims=False)", _with_mean("var"), arrays=("x",))
std_mean = composite("std_mean(x, axis=None, *, correction=1, keepdims=False)", _with_mean("std"), arrays=("x",))


def _cov(xp: Any, x: Any, *, correction: float, fweights: Any, aweights: Any) -> Any:
    if x.ndim > 2:
        raise ShapeError(f"cov: expected at most two axes, got {describe(x)}")
    single = x.ndim < 2
    x = xp.reshape(x, (1, -1)) if single else x
    weights = None
    for given in (fweights, aweights):
        if given is not None:
            given = xp.astype(given, real(xp, x).dtype)
            weights = given if weights is None else weights * given
    conjugated = conj(xp, x)
    if weights is None:
        n = x.shape[1]
        mean = xp.mean(x, axis=1, keepdims=True)
        freedom: Any = n - correction
        left, right = x - mean, conjugated - conj(xp, mean)
    else:
        total = xp.sum(weights)
        cast = weights if weights.dtype == x.dtype else xp.astype(weights, x.dtype)
        mean = xp.sum(x * cast, axis=1, keepdims=True) / (
            total if total.dtype == x.dtype else xp.astype(total, x.dtype)
        )
        freedom = total - correction
        if aweights is not None:
            freedom = total - xp.sum(weights * xp.astype(aweights, weights.dtype)) / total * correction
        freedom = xp.where(freedom < 0, 0.0, freedom)
        freedom = freedom if freedom.dtype == x.dtype else xp.astype(freedom, x.dtype)
        left, right = x - mean, (conjugated - conj(xp, mean)) * cast
    out = xp.matmul(left, xp.matrix_transpose(right))
    # With no freedom left the result is infinite, or 0 / 0 for one column.
    spent = weights is None and freedom <= 0
    out = out * (math.nan if x.shape[1] < 2 else math.inf) if spent else out / freedom
    return xp.reshape(out, ()) if single else out


cov = composite(
    "cov(x, /, *, correction=1, fweights=None, aweights=None)",
    _cov,
    methods="cov",
    doc="The covariances of the rows, over the columns. ``fweights`` counts the columns, ``aweights`` weighs them.",
)


def _corrcoef(xp: Any, x: Any) -> Any:
    c = xp.cov(x)
    if c.ndim == 0:
        return c / c
    complex_ = is_complex(xp, c)
    variances = xp.linalg.diagonal(c)
    deviations = xp.sqrt(real(xp, variances))
    deviations = xp.astype(deviations, c.dtype) if complex_ else deviations
    c = c / xp.expand_dims(deviations, axis=1) / xp.expand_dims(deviations, axis=0)
    if not complex_:
        return xp.clip(c, -1.0, 1.0)
    return xp.astype(xp.clip(xp.real(c), -1.0, 1.0), c.dtype) + xp.astype(xp.clip(xp.imag(c), -1.0, 1.0), c.dtype) * 1j


corrcoef = composite("corrcoef(x, /)", _corrcoef, methods="corrcoef", doc="The correlation coefficients of the rows.")


# -- histograms --------------------------------------------------------------------------------------------------------
def _detach(x: Any) -> Any:
    return x.detach() if hasattr(x, "detach") else x


def _find_edges(xp: Any, x: Any, bins: int, low: Any, high: Any, widen: float) -> tuple[Any, Any]:
    """Return the outermost edges: those given, or the extremes, a little apart where they would coincide."""
    if low == high and x.size:
        low, high = xp.min(x), xp.max(x)
    low, high = (xp.asarray(v, dtype=x.dtype, device=device_of(x)) for v in (low, high))
    same = low == high
    return xp.where(same, low - widen, low), xp.where(same, high + widen, high)


def _count_between(xp: Any, x: Any, edges: Any, weight: Any) -> Any:
    """Return the weight between each two edges; the last bin has both of its edges."""
    bins = edges.shape[0] - 1
    flat = xp.reshape(x, (-1,))
    inside = (flat >= edges[0]) & (flat <= edges[-1])
    which = _to_integers(xp, xp.searchsorted(edges, xp.where(inside, flat, edges[0]), side="right")) - 1
    which = xp.where(which >= bins, bins - 1, which)
    weight = xp.ones_like(flat) if weight is None else xp.reshape(weight, (-1,))
    return xp.getitem_adjoint(xp.where(inside, weight, 0.0), key=which, shape=(bins,))


def _even_edges(xp: Any, low: Any, high: Any, bins: int) -> Any:
    """Return evenly spaced edges, counted from the nearer end so that both ends are exact."""
    steps = xp.astype(xp.arange(bins + 1, device=device_of(low)), low.dtype)
    width = (high - low) / bins
    return xp.where(steps * 2 <= bins, low + width * steps, high - width * (bins - steps))


def _histc(xp: Any, x: Any, *, bins: int, min: float, max: float) -> Any:
    x = _detach(x)
    return _count_between(xp, x, _even_edges(xp, *_find_edges(xp, x, bins, min, max, 1.0), bins), None)


histc = composite(
    "histc(x, bins=100, min=0, max=0)",
    _histc,
    arrays=("x",),
    methods="histc",
    doc="The number of elements in each of ``bins`` intervals between ``min`` and ``max``, or between the extremes if both are 0. It has "
    "no derivative.",
)


def _histogram(xp: Any, x: Any, bins: Any, *, range: Any, weight: Any, density: bool) -> Histogram:
    x = _detach(x)
    if isinstance(bins, int):
        low, high = range if range is not None else (0, 0)
        edges = _even_edges(xp, *_find_edges(xp, x, bins, low, high, 0.5), bins)
    else:
        edges = bins
    hist = _count_between(xp, x, edges, weight)
    if density:
        hist = hist / xp.sum(hist) / (edges[1:] - edges[:-1])
    return Histogram(hist, edges)


histogram = composite(
    "histogram(x, bins, *, range=None, weight=None, density=False)",
    _histogram,
    arrays=("x", "bins"),
    methods="histogram",
    doc="The number of elements, or their weight, between each two edges. The derivative is with respect to the weight.",
)
