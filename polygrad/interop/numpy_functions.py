"""NumPy's functions that polygrad has not, or has with torch's meaning, written with the operations of a namespace.

Each takes the namespace first and then NumPy's parameters under NumPy's names; NumPy documents them. ``protocols`` calls them for
``np.f(x)``; some are on every namespace, where consumers of the Array API look for them with NumPy's meaning. No array library is
imported.
"""

from __future__ import annotations

import math
import operator
from typing import Any

from ..errors import ArgumentError, ShapeError
from ..rules.declare import OPS

FUNCTIONS: dict[str, Any] = {}
"""The functions of this module by NumPy's name."""


def _register(function: Any) -> Any:
    FUNCTIONS[function.__name__.rstrip("_")] = function
    return function


# -- looking at an array ------------------------------------------------------------------------------------------------
@_register
def ndim(xp: Any, a: Any) -> int:
    return xp.asarray(a).ndim  # type: ignore[no-any-return]


@_register
def shape(xp: Any, a: Any) -> tuple[int, ...]:
    return tuple(xp.asarray(a).shape)


@_register
def size(xp: Any, a: Any, axis: Any = None) -> int:
    a = xp.asarray(a)
    axes = range(a.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return math.prod(a.shape[i] for i in axes)


def _is_complex(xp: Any, x: Any) -> bool:
    return bool(xp.isdtype(x.dtype, "complex floating"))


@_register
def iscomplexobj(xp: Any, x: Any) -> bool:
    return _is_complex(xp, x)


@_register
def isrealobj(xp: Any, x: Any) -> bool:
    return not _is_complex(xp, x)


@_register
def isreal(xp: Any, x: Any) -> Any:
    return xp.imag(x) == 0 if _is_complex(xp, x) else xp.full_like(x, True, dtype=xp.bool)


@_register
def iscomplex(xp: Any, x: Any) -> Any:
    return xp.logical_not(isreal(xp, x))


@_register
def isposinf(xp: Any, x: Any) -> Any:
    return x == math.inf


@_register
def isneginf(xp: Any, x: Any) -> Any:
    return x == -math.inf


@_register
def result_type(xp: Any, *arrays_and_dtypes: Any) -> Any:
    return xp.result_type(*arrays_and_dtypes)


@_register
def can_cast(xp: Any, from_: Any, to: Any, casting: str = "safe") -> bool:
    return xp.can_cast(from_, to)  # type: ignore[no-any-return]


@_register
def may_share_memory(xp: Any, a: Any, b: Any, max_work: Any = None) -> bool:
    """Return True if one is the other. The payload of a Tensor is never written to, so that nobody needs to know more."""
    return a is b


FUNCTIONS["shares_memory"] = may_share_memory


@_register
def array_repr(xp: Any, arr: Any, *layout: Any, **options: Any) -> str:
    return repr(arr)


@_register
def array_str(xp: Any, a: Any, *layout: Any, **options: Any) -> str:
    return str(a)


FUNCTIONS["array2string"] = array_str


# -- making one like it -------------------------------------------------------------------------------------------------
def _register_like(name: str) -> None:
    def make(
        xp: Any,
        a: Any,
        dtype: Any = None,
        order: str = "K",
        subok: bool = True,
        shape: Any = None,
        *,
        device: Any = None,
    ) -> Any:
        if shape is None:
            return getattr(xp, f"{name}_like")(a, dtype=dtype, device=device)
        return getattr(xp, name)(
            shape, dtype=a.dtype if dtype is None else dtype, device=a.device if device is None else device
        )

    FUNCTIONS[f"{name}_like"] = make


for _name in ("zeros", "ones", "empty"):
    _register_like(_name)


@_register
def full_like(
    xp: Any,
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Any:
    made = FUNCTIONS["zeros_like"](xp, a, dtype, order, subok, shape, device=device)
    return xp.broadcast_to(xp.astype(xp.asarray(fill_value), made.dtype), made.shape)


@_register
def copy(xp: Any, a: Any, order: str = "K", subok: bool = False) -> Any:
    return xp.clone(a)


# -- joining and cutting ------------------------------------------------------------------------------------------------
@_register
def append(xp: Any, arr: Any, values: Any, axis: int | None = None) -> Any:
    arr, values = xp.asarray(arr), xp.asarray(values)
    if axis is None:
        arr, values = xp.reshape(arr, (-1,)), xp.reshape(values, (-1,))
    return xp.concat([arr, values], axis=axis or 0)


@_register
def array_split(xp: Any, ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    n = ary.shape[axis]
    if isinstance(indices_or_sections, int):
        whole, extra = divmod(n, indices_or_sections)
        sizes = [whole + 1] * extra + [whole] * (indices_or_sections - extra)
        stops = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    else:
        stops = [*map(operator.index, indices_or_sections), n]
    before = (slice(None),) * (axis % ary.ndim)
    return [ary[(*before, slice(start, stop))] for start, stop in zip([0, *stops], stops, strict=False)]


@_register
def split(xp: Any, ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    if isinstance(indices_or_sections, int) and ary.shape[axis] % indices_or_sections:
        raise ShapeError(
            f"numpy.split: an axis of length {ary.shape[axis]} does not divide into {indices_or_sections} equal parts; "
            f"numpy.array_split makes unequal ones"
        )
    return array_split(xp, ary, indices_or_sections, axis)


for _name, _axis in (("hsplit", 1), ("vsplit", 0), ("dsplit", 2)):
    FUNCTIONS[_name] = lambda xp, ary, indices_or_sections, axis=_axis: split(
        xp, ary, indices_or_sections, axis if ary.ndim > 1 else 0
    )


@_register
def delete(xp: Any, arr: Any, obj: Any, axis: int | None = None) -> Any:
    if axis is None:
        arr, axis = xp.reshape(arr, (-1,)), 0
    n = arr.shape[axis]
    listed = range(n)[obj] if isinstance(obj, slice) else obj if hasattr(obj, "__len__") else [obj]
    gone = {range(n)[operator.index(i)] for i in listed}
    return xp.take(arr, xp.asarray([i for i in range(n) if i not in gone], dtype=xp.int64), axis=axis)


@_register
def diagonal(xp: Any, a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return xp.linalg.diagonal(xp.moveaxis(a, (axis1, axis2), (-2, -1)), offset=offset)


@_register
def diag(xp: Any, v: Any, k: int = 0) -> Any:
    return xp.diag(v, k)


@_register
def diagflat(xp: Any, v: Any, k: int = 0) -> Any:
    return xp.diagflat(v, k)


@_register
def trace(xp: Any, a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    return xp.linalg.trace(xp.moveaxis(a, (axis1, axis2), (-2, -1)), offset=offset, dtype=dtype)


@_register
def sliding_window_view(
    xp: Any, x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    sizes = (window_shape,) if isinstance(window_shape, int) else tuple(window_shape)
    axes = tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    for size, place in zip(sizes, [place % x.ndim for place in axes], strict=True):
        x = xp.unfold(x, place, size, 1)
    return x


@_register
def fliplr(xp: Any, m: Any) -> Any:
    return xp.flip(m, axis=1)


@_register
def flipud(xp: Any, m: Any) -> Any:
    return xp.flip(m, axis=0)


@_register
def rollaxis(xp: Any, a: Any, axis: int, start: int = 0) -> Any:
    axis, start = axis % a.ndim, start + a.ndim if start < 0 else start
    return xp.moveaxis(a, axis, start - 1 if axis < start else start)


@_register
def transpose(xp: Any, a: Any, axes: Any = None) -> Any:
    return xp.permute_dims(a, tuple(reversed(range(a.ndim))) if axes is None else tuple(axes))


@_register
def swapaxes(xp: Any, a: Any, axis1: int, axis2: int) -> Any:
    return xp.swapaxes(a, axis1, axis2)


@_register
def squeeze(xp: Any, a: Any, axis: Any = None) -> Any:
    return xp.squeeze(a, tuple(i for i, n in enumerate(a.shape) if n == 1) if axis is None else axis)


@_register
def tile(xp: Any, A: Any, reps: Any) -> Any:
    return xp.tile(A, (reps,) if isinstance(reps, int) else tuple(reps))


@_register
def broadcast_to(xp: Any, array: Any, shape: Any, subok: bool = False) -> Any:
    return xp.broadcast_to(array, (shape,) if isinstance(shape, int) else tuple(shape))


@_register
def flatnonzero(xp: Any, a: Any) -> Any:
    return xp.nonzero(xp.reshape(a, (-1,)))[0]


@_register
def extract(xp: Any, condition: Any, arr: Any) -> Any:
    return xp.reshape(arr, (-1,))[xp.reshape(condition, (-1,))]


@_register
def compress(xp: Any, condition: Any, a: Any, axis: int | None = None) -> Any:
    if axis is None:
        a, axis = xp.reshape(a, (-1,)), 0
    return xp.take(a, xp.nonzero(xp.asarray(condition))[0], axis=axis)


@_register
def unique(
    xp: Any, ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False
) -> Any:
    if not (return_index or return_inverse or return_counts):
        return xp.unique_values(ar)
    found = xp.unique_all(ar)
    asked = ((return_index, found.indices), (return_inverse, found.inverse_indices), (return_counts, found.counts))
    return (found.values, *[part for wanted, part in asked if wanted])


@_register
def select(xp: Any, condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    out = default
    for condition, choice in zip(reversed(list(condlist)), reversed(list(choicelist)), strict=True):
        out = xp.where(condition, choice, out)
    return out


# -- in place -----------------------------------------------------------------------------------------------------------
@_register
def copyto(xp: Any, dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    dst[...] = src if where is True else xp.where(where, src, dst)


@_register
def putmask(xp: Any, a: Any, mask: Any, values: Any) -> None:
    copyto(xp, a, values, where=mask)


@_register
def fill_diagonal(xp: Any, a: Any, val: Any, wrap: bool = False) -> None:
    along = xp.arange(min(a.shape), device=a.device)
    a[(along,) * a.ndim] = val


@_register
def put_along_axis(xp: Any, arr: Any, indices: Any, values: Any, axis: int) -> None:
    values = xp.broadcast_to(xp.astype(xp.asarray(values), arr.dtype), indices.shape)
    arr[...] = xp.scatter(arr, axis, indices, values)


# -- arithmetic ---------------------------------------------------------------------------------------------------------
@_register
def average(
    xp: Any, a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False
) -> Any:
    if weights is None:
        mean = xp.mean(a, axis=axis, keepdims=keepdims)
        total: Any = size(xp, a, axis)
    else:
        weights = xp.asarray(weights)
        if weights.shape != a.shape:
            if not isinstance(axis, int):
                raise ShapeError("numpy.average: weights of another shape than the array need an axis (one integer)")
            if weights.shape != (a.shape[axis],):
                raise ShapeError(
                    f"numpy.average: weights of shape {tuple(weights.shape)} do not fit axis {axis} of {tuple(a.shape)}"
                )
            weights = xp.reshape(weights, tuple(n if i == axis % a.ndim else 1 for i, n in enumerate(a.shape)))
        weights = xp.broadcast_to(weights, a.shape)
        total = xp.sum(weights, axis=axis, keepdims=keepdims)
        mean = xp.sum(a * weights, axis=axis, keepdims=keepdims) / total
    return (mean, xp.broadcast_to(xp.asarray(total, dtype=mean.dtype), mean.shape)) if returned else mean


@_register
def ptp(xp: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return xp.max(a, axis=axis, keepdims=keepdims) - xp.min(a, axis=axis, keepdims=keepdims)


@_register
def vdot(xp: Any, a: Any, b: Any, /) -> Any:
    return xp.vecdot(xp.reshape(a, (-1,)), xp.reshape(b, (-1,)))


@_register
def dot(xp: Any, a: Any, b: Any) -> Any:
    a, b = xp.asarray(a), xp.asarray(b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return xp.tensordot(a, b, axes=((-1,), (-2 if b.ndim > 1 else -1,)))


@_register
def cross(xp: Any, a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = xp.moveaxis(a, axisa, -1), xp.moveaxis(b, axisb, -1)
    return xp.moveaxis(xp.linalg.cross(a, b, axis=-1), -1, axisc)


@_register
def fix(xp: Any, x: Any) -> Any:
    return xp.trunc(x)


@_register
def round_(xp: Any, a: Any, decimals: int = 0) -> Any:
    return xp.round(a) if decimals == 0 else xp.round(a * 10.0**decimals) / 10.0**decimals


FUNCTIONS["around"] = round_


@_register
def ediff1d(xp: Any, ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    ends = [to_begin, xp.diff(xp.reshape(ary, (-1,))), to_end]
    return xp.concat([xp.reshape(xp.asarray(part), (-1,)) for part in ends if part is not None])


@_register
def unwrap(xp: Any, p: Any, discont: float | None = None, axis: int = -1, *, period: float = 2 * math.pi) -> Any:
    """Take out jumps, which are whole periods, so that the derivative is that of ``p``."""
    jump = xp.diff(p, axis=axis)
    small = xp.remainder(jump + period / 2, period) - period / 2
    small = xp.where((small == -period / 2) & (jump > 0), period / 2, small)
    turns = xp.where(xp.abs(jump) < (period / 2 if discont is None else discont), 0.0, small - jump)
    return p + xp.cumulative_sum(turns, axis=axis, include_initial=True)


@_register
def polyval(xp: Any, p: Any, x: Any) -> Any:
    out: Any = 0.0
    for coefficient in p:
        out = out * x + coefficient
    return out


@_register
def interp(xp: Any, x: Any, points: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """Interpolate linearly between the points, constant outside; differentiable in all three arrays."""
    if period is not None:
        raise ArgumentError("numpy.interp: period is not supported for Tensors; reduce x and xp by it beforehand")
    x, points, fp = xp.asarray(x), xp.asarray(points), xp.asarray(fp)
    after = xp.clip(xp.searchsorted(points, x), 1, points.shape[0] - 1)
    x0, x1, f0, f1 = (
        xp.reshape(xp.take(of, xp.reshape(i, (-1,))), x.shape) for of in (points, fp) for i in (after - 1, after)
    )
    inside = f0 + (f1 - f0) * ((x - x0) / (x1 - x0))
    low = xp.where(x < points[0], fp[0] if left is None else left, inside)
    return xp.where(x > points[-1], fp[-1] if right is None else right, low)


@_register
def convolve(xp: Any, a: Any, v: Any, mode: str = "full") -> Any:
    a, v = xp.asarray(a), xp.asarray(v)
    if v.shape[0] > a.shape[0]:
        a, v = v, a
    n, m = a.shape[0], v.shape[0]
    lead, count = {"full": (m - 1, n + m - 1), "same": (m // 2, n), "valid": (0, n - m + 1)}[mode]
    padded = xp.pad(a, (lead, count + m - 1 - n - lead))
    windows = xp.expand_dims(xp.arange(count), axis=1) + xp.arange(m)
    return xp.matmul(padded[windows], xp.flip(v))


# -- statistics ---------------------------------------------------------------------------------------------------------
def _axes_last(xp: Any, x: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """Return ``x`` with the axes of a reduction merged into one, which comes last, and the shape with ones in their place."""
    axes = tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    axes = tuple(i % x.ndim for i in axes)
    rest = [i for i in range(x.ndim) if i not in axes]
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    merged = xp.permute_dims(x, (*rest, *axes))
    return xp.reshape(merged, (*[x.shape[i] for i in rest], math.prod(x.shape[i] for i in axes))), kept


def _make_quantile(name: str) -> Any:
    def quantile(
        xp: Any, a: Any, q: Any, axis: Any = None, overwrite_input: bool = False, method: str = "linear", keepdims: bool = False,
        *, interpolation: str | None = None,
    ) -> Any:  # fmt: skip
        x, kept = _axes_last(xp, xp.asarray(a), axis)
        q = xp.asarray(q, dtype=x.dtype if xp.isdtype(x.dtype, "real floating") else None)
        out = OPS[name].call(x, q, axis=-1, interpolation=interpolation or method)
        return xp.reshape(out, (*q.shape, *kept)) if keepdims else out

    return quantile


for _name in ("quantile", "nanquantile"):
    FUNCTIONS[_name] = _make_quantile(_name)


@_register
def percentile(xp: Any, a: Any, q: Any, axis: Any = None, **options: Any) -> Any:
    return FUNCTIONS["quantile"](xp, a, xp.asarray(q) / 100, axis, **options)


@_register
def nanpercentile(xp: Any, a: Any, q: Any, axis: Any = None, **options: Any) -> Any:
    return FUNCTIONS["nanquantile"](xp, a, xp.asarray(q) / 100, axis, **options)


@_register
def median(xp: Any, a: Any, axis: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """Return the middle value, or the mean of the two middle ones; torch and ``polygrad.median`` take the lower one."""
    return FUNCTIONS["quantile"](xp, a, 0.5, axis, keepdims=keepdims)


@_register
def nanmedian(xp: Any, a: Any, axis: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """Return the median of what is not nan."""
    return FUNCTIONS["nanquantile"](xp, a, 0.5, axis, keepdims=keepdims)


@_register
def histogram(
    xp: Any, a: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[Any, Any]:
    counts, edges = xp.histogram(a, bins, range=range, weight=weights, density=bool(density))
    return (counts if density or weights is not None else xp.astype(counts, xp.int64)), edges


def _register_nan_reduction(name: str, filler: float) -> None:
    def reduce(xp: Any, a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
        a = xp.asarray(a)
        nan = xp.isnan(a)
        a = a if dtype is None else xp.astype(a, dtype)
        out = getattr(xp, name)(xp.where(nan, filler, a), axis=axis, keepdims=keepdims)
        if name in ("max", "min"):  # nan where all elements are nan
            out = xp.where(xp.all(nan, axis=axis, keepdims=keepdims), math.nan, out)
        return out

    FUNCTIONS[f"nan{name}"] = reduce


for _name, _filler in (
    ("max", -math.inf),
    ("min", math.inf),
    ("prod", 1.0),
    ("argmax", -math.inf),
    ("argmin", math.inf),
):
    _register_nan_reduction(_name, _filler)


def _running(name: str, filler: float) -> None:
    def accumulate(xp: Any, a: Any, axis: int | None = None, dtype: Any = None) -> Any:
        a = xp.reshape(a, (-1,)) if axis is None else a
        if filler is not None:
            a = xp.where(xp.isnan(a), filler, a)
        return getattr(xp, name)(a, axis=axis or 0, dtype=dtype)

    FUNCTIONS[f"nan{name.replace('ulative_', '')}"] = accumulate


_running("cumulative_sum", 0.0)
_running("cumulative_prod", 1.0)


@_register
def cumsum(xp: Any, a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    return xp.cumulative_sum(xp.reshape(a, (-1,)) if axis is None else a, axis=axis or 0, dtype=dtype)


@_register
def cumprod(xp: Any, a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    return xp.cumulative_prod(xp.reshape(a, (-1,)) if axis is None else a, axis=axis or 0, dtype=dtype)


@_register
def nanvar(xp: Any, a: Any, axis: Any = None, dtype: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    a = a if dtype is None else xp.astype(a, dtype)
    there = xp.logical_not(xp.isnan(a))
    gap = xp.where(there, a - xp.nanmean(a, axis=axis, keepdims=True), 0.0)
    count = xp.astype(xp.count_nonzero(there, axis=axis, keepdims=keepdims), gap.dtype)
    return xp.sum(xp.real(gap * xp.conj(gap)) if _is_complex(xp, gap) else gap * gap, axis=axis, keepdims=keepdims) / (
        count - ddof
    )


@_register
def nanstd(xp: Any, a: Any, axis: Any = None, dtype: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    return xp.sqrt(nanvar(xp, a, axis, dtype, ddof, keepdims))


@_register
def cov(
    xp: Any,
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    m = _as_rows(xp, m, y, rowvar)
    m = m if dtype is None else xp.astype(m, dtype)
    correction = ddof if ddof is not None else 0 if bias else 1
    return xp.cov(m, correction=correction, fweights=fweights, aweights=aweights)


@_register
def corrcoef(xp: Any, x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    x = _as_rows(xp, x, y, rowvar)
    return xp.corrcoef(x if dtype is None else xp.astype(x, dtype))


def _as_rows(xp: Any, x: Any, y: Any, rowvar: bool) -> Any:
    """Return the variables as rows, those of ``y`` below."""

    def rows(part: Any) -> Any:
        part = xp.asarray(part)
        return part if part.ndim < 2 else part if rowvar or part.shape[0] == 1 else xp.matrix_transpose(part)

    if y is None:
        return rows(x)
    return xp.concat([xp.reshape(part, (-1, part.shape[-1])) for part in (rows(x), rows(y))], axis=0)


@_register
def gradient(xp: Any, f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Return the gradient by differences, along every axis or the ones named: a list where there are several, as in NumPy."""
    axes = tuple(range(f.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    spacing = [xp.asarray(step) if hasattr(step, "__len__") else step for step in varargs or (1.0,)]
    spacing = spacing * len(axes) if len(spacing) == 1 else spacing
    parts = OPS["gradient"].call(f, spacing=spacing, axis=axes, edge_order=edge_order)
    return parts[0] if len(parts) == 1 else list(parts)
