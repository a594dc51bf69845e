"""NumPy's functions that polygrad has not, or has with torch's meaning, written with the operations of a namespace.

Each takes the namespace first and then NumPy's parameters under NumPy's names; NumPy documents them. ``protocols`` calls them for
``np.f(x)``; some are on every namespace, where consumers of the Array API look for them with NumPy's meaning.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy

from ..backend.dtypes import dtype_name
from ..errors import ArgumentError, ShapeError, describe
from ..rules.declare import OPS

FUNCTIONS: dict[str, Any] = {}
"""The functions of this module by NumPy's name."""


def register(function: Any, name: str | None = None) -> Any:
    """Enter a function under its name, or another."""
    FUNCTIONS[name or function.__name__.rstrip("_")] = function
    return function


def is_index(value: Any) -> bool:
    """Return whether a value is one integer, and no array."""
    return hasattr(value, "__index__") and not getattr(value, "ndim", 0)


def axis_of(name: str, axis: Any, x: Any) -> int:
    """Return an axis counted from the front."""
    axis = operator.index(axis)
    if not -x.ndim <= axis < x.ndim:
        raise ShapeError(f"numpy.{name}: axis {axis} is out of bounds for {describe(x)}")
    return axis % x.ndim  # type: ignore[no-any-return]


def axes_of(axis: Any, x: Any) -> tuple[Any, ...]:
    """Return one axis or several as a tuple; None is all of them."""
    return tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)


def check_order(name: str, order: Any) -> None:
    """Raise unless a memory order is one of NumPy's; which one it is, is the library's affair where an array is made."""
    if order not in (None, "C", "F", "A", "K"):
        raise ArgumentError(f"numpy.{name}: order has to be 'C', 'F', 'A' or 'K', got {order!r}")


def check_casting(name: str, arrays: Any, target: Any, casting: str) -> None:
    """Raise unless NumPy's rule of casting allows to take the arrays to a dtype."""
    if casting not in ("no", "equiv", "safe", "same_kind", "unsafe"):
        raise ArgumentError(f"numpy.{name}: casting has to be one of NumPy's rules, got {casting!r}")
    for array in arrays:
        if not numpy.can_cast(numpy_dtype(array.dtype), target, casting):  # type: ignore[arg-type]
            raise ArgumentError(f"numpy.{name}: {describe(array)} cannot be cast to {target} by the rule {casting!r}")


def numpy_dtype(dtype: Any) -> numpy.dtype[Any]:
    """Return NumPy's dtype of the same name as any library's."""
    return numpy.dtype(dtype_name(dtype))


# -- looking at an array ------------------------------------------------------------------------------------------------
@register
def ndim(xp: Any, a: Any) -> int:
    return xp.asarray(a).ndim  # type: ignore[no-any-return]


@register
def shape(xp: Any, a: Any) -> tuple[int, ...]:
    return tuple(xp.asarray(a).shape)


@register
def size(xp: Any, a: Any, axis: Any = None) -> int:
    a = xp.asarray(a)
    return math.prod(a.shape[i] for i in axes_of(axis, a))


def is_complex(xp: Any, x: Any) -> bool:
    return bool(xp.isdtype(x.dtype, "complex floating"))


@register
def iscomplexobj(xp: Any, x: Any) -> bool:
    return is_complex(xp, x)


@register
def isrealobj(xp: Any, x: Any) -> bool:
    return not is_complex(xp, x)


@register
def isreal(xp: Any, x: Any) -> Any:
    return xp.imag(x) == 0 if is_complex(xp, x) else xp.full_like(x, True, dtype=xp.bool)


@register
def iscomplex(xp: Any, x: Any) -> Any:
    return xp.logical_not(isreal(xp, x))


@register
def isposinf(xp: Any, x: Any) -> Any:
    return x == math.inf


@register
def isneginf(xp: Any, x: Any) -> Any:
    return x == -math.inf


@register
def result_type(xp: Any, *arrays_and_dtypes: Any) -> Any:
    return xp.result_type(*arrays_and_dtypes)


@register
def can_cast(xp: Any, from_: Any, to: Any, casting: str = "safe") -> bool:
    home = xp.asarray(0)._frame.backend
    held = from_.dtype if hasattr(from_, "dtype") else home.dtype(from_)
    return numpy.can_cast(numpy_dtype(held), numpy_dtype(home.dtype(to)), casting)  # type: ignore[arg-type]


@register
def may_share_memory(xp: Any, a: Any, b: Any, max_work: Any = None) -> bool:
    """Return True if one is the other. The payload of a Tensor is never written to, so that nobody needs to know more."""
    return a is b


FUNCTIONS["shares_memory"] = may_share_memory


@register
def array_repr(xp: Any, arr: Any, *layout: Any, **options: Any) -> str:
    return repr(arr)


@register
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
        check_order(f"{name}_like", order)
        if shape is None:
            return getattr(xp, f"{name}_like")(a, dtype=dtype, device=device)
        return getattr(xp, name)(
            shape, dtype=a.dtype if dtype is None else dtype, device=a.device if device is None else device
        )

    FUNCTIONS[f"{name}_like"] = make


for _name in ("zeros", "ones", "empty"):
    _register_like(_name)


@register
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


@register
def copy(xp: Any, a: Any, order: str = "K", subok: bool = False) -> Any:
    check_order("copy", order)
    return xp.clone(a)


# -- joining and cutting ------------------------------------------------------------------------------------------------
@register
def append(xp: Any, arr: Any, values: Any, axis: int | None = None) -> Any:
    arr, values = xp.asarray(arr), xp.asarray(values)
    if axis is None:
        arr, values = xp.reshape(arr, (-1,)), xp.reshape(values, (-1,))
    return xp.concat([arr, values], axis=axis or 0)


@register
def array_split(xp: Any, ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    n = ary.shape[axis]
    if is_index(indices_or_sections):
        indices_or_sections = operator.index(indices_or_sections)
        whole, extra = divmod(n, indices_or_sections)
        sizes = [whole + 1] * extra + [whole] * (indices_or_sections - extra)
        stops = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    else:
        stops = [*map(operator.index, indices_or_sections), n]
    before = (slice(None),) * (axis % ary.ndim)
    return [ary[(*before, slice(start, stop))] for start, stop in zip([0, *stops], stops, strict=False)]


@register
def split(xp: Any, ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    if is_index(indices_or_sections) and ary.shape[axis] % indices_or_sections:
        raise ShapeError(
            f"numpy.split: an axis of length {ary.shape[axis]} does not divide into {indices_or_sections} equal parts; "
            f"numpy.array_split makes unequal ones"
        )
    return array_split(xp, ary, indices_or_sections, axis)


for _name, _axis in (("hsplit", 1), ("vsplit", 0), ("dsplit", 2)):
    FUNCTIONS[_name] = lambda xp, ary, indices_or_sections, axis=_axis: split(
        xp, ary, indices_or_sections, axis if ary.ndim > 1 else 0
    )


@register
def unstack(xp: Any, x: Any, *, axis: Any = 0) -> Any:
    return tuple(xp.unstack(xp.moveaxis(x, axis, 0), axis=0))


@register
def broadcast_arrays(xp: Any, *args: Any, subok: bool = False) -> Any:
    return tuple(xp.broadcast_arrays(*map(xp.asarray, args)))


@register
def isin(
    xp: Any, element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, kind: Any = None
) -> Any:
    if kind not in (None, "sort", "table"):
        raise ArgumentError(f"numpy.isin: kind has to be None, 'sort' or 'table', got {kind!r}")
    return xp.isin(xp.asarray(element), xp.asarray(test_elements), invert=invert)


@register
def delete(xp: Any, arr: Any, obj: Any, axis: int | None = None) -> Any:
    if axis is None:
        arr, axis = xp.reshape(arr, (-1,)), 0
    n = arr.shape[axis]
    places = obj if isinstance(obj, slice) else obj.numpy() if hasattr(obj, "numpy") else obj
    kept = numpy.delete(numpy.arange(n), places)  # a mask, indices or a slice
    return xp.take(arr, xp.asarray(kept, dtype=xp.int64), axis=axis)


@register
def diagonal(xp: Any, a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return xp.linalg.diagonal(xp.moveaxis(a, (axis1, axis2), (-2, -1)), offset=offset)


@register
def diag(xp: Any, v: Any, k: int = 0) -> Any:
    return xp.diag(v, k)


@register
def diagflat(xp: Any, v: Any, k: int = 0) -> Any:
    return xp.diagflat(v, k)


@register
def trace(xp: Any, a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    return xp.linalg.trace(xp.moveaxis(a, (axis1, axis2), (-2, -1)), offset=offset, dtype=dtype)


@register
def sliding_window_view(
    xp: Any, x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    sizes = (window_shape,) if isinstance(window_shape, int) else tuple(window_shape)
    axes = axes_of(axis, x)
    for size, place in zip(sizes, [place % x.ndim for place in axes], strict=True):
        x = xp.unfold(x, place, size, 1)
    return x


@register
def fliplr(xp: Any, m: Any) -> Any:
    return xp.flip(m, axis=1)


@register
def flipud(xp: Any, m: Any) -> Any:
    return xp.flip(m, axis=0)


@register
def rollaxis(xp: Any, a: Any, axis: int, start: int = 0) -> Any:
    axis, start = axis % a.ndim, start + a.ndim if start < 0 else start
    return xp.moveaxis(a, axis, start - 1 if axis < start else start)


@register
def transpose(xp: Any, a: Any, axes: Any = None) -> Any:
    return xp.permute_dims(a, tuple(reversed(range(a.ndim))) if axes is None else tuple(axes))


@register
def swapaxes(xp: Any, a: Any, axis1: int, axis2: int) -> Any:
    return xp.swapaxes(a, axis1, axis2)


@register
def squeeze(xp: Any, a: Any, axis: Any = None) -> Any:
    return xp.squeeze(a, tuple(i for i, n in enumerate(a.shape) if n == 1) if axis is None else axis)


@register
def tile(xp: Any, A: Any, reps: Any) -> Any:
    return xp.tile(A, (reps,) if isinstance(reps, int) else tuple(reps))


@register
def broadcast_to(xp: Any, array: Any, shape: Any, subok: bool = False) -> Any:
    return xp.broadcast_to(array, (shape,) if isinstance(shape, int) else tuple(shape))


@register
def flatnonzero(xp: Any, a: Any) -> Any:
    return xp.nonzero(xp.reshape(a, (-1,)))[0]


@register
def extract(xp: Any, condition: Any, arr: Any) -> Any:
    chosen = xp.nonzero(xp.reshape(xp.asarray(condition), (-1,)))[0]
    return xp.take(xp.reshape(xp.asarray(arr), (-1,)), chosen, axis=0)


@register
def compress(xp: Any, condition: Any, a: Any, axis: int | None = None) -> Any:
    if axis is None:
        a, axis = xp.reshape(a, (-1,)), 0
    return xp.take(a, xp.nonzero(xp.asarray(condition))[0], axis=axis)


@register
def unique(
    xp: Any,
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """Return the different values. Those that are nan count as one, unless ``equal_nan`` is False."""
    ar = xp.asarray(ar)
    values, indices, inverse, counts = xp.unique_all(ar.detach())
    nan = xp.isnan(values)
    several = int(xp.sum(xp.astype(nan, xp.int64))) if equal_nan and ar.dtype in xp.floating_dtypes else 0
    if several > 1:  # they come last
        n = values.shape[0] - several
        first = xp.min(indices[n:], keepdims=True)
        values, indices = values[: n + 1], xp.concat([indices[:n], first])
        inverse = xp.minimum(inverse, n)
        counts = xp.concat([counts[:n], xp.sum(counts[n:], keepdims=True)])
    asked = ((return_index, indices), (return_inverse, inverse), (return_counts, counts))
    parts = [part for wanted, part in asked if wanted]
    values = xp.take(xp.reshape(ar, (-1,)), indices, axis=0)
    return (values, *parts) if parts else values


@register
def select(xp: Any, condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    out = default
    for condition, choice in zip(reversed(list(condlist)), reversed(list(choicelist)), strict=True):
        condition = xp.asarray(condition)
        if condition.dtype != xp.bool:
            raise ArgumentError(f"numpy.select: a condition has to be of booleans, got {describe(condition)}")
        out = xp.where(condition, xp.asarray(choice), out)
    return out


# -- in place -----------------------------------------------------------------------------------------------------------
@register
def copyto(xp: Any, dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    check_casting("copyto", [src] if hasattr(src, "dtype") else [], numpy_dtype(dst.dtype), casting)
    dst[...] = src if where is True else xp.where(where, src, dst)


@register
def putmask(xp: Any, a: Any, mask: Any, values: Any) -> None:
    copyto(xp, a, values, where=mask)


@register
def fill_diagonal(xp: Any, a: Any, val: Any, wrap: bool = False) -> None:
    along = xp.arange(min(a.shape), device=a.device)
    a[(along,) * a.ndim] = val


@register
def put_along_axis(xp: Any, arr: Any, indices: Any, values: Any, axis: int) -> None:
    values = xp.broadcast_to(xp.astype(xp.asarray(values), arr.dtype), indices.shape)
    arr[...] = xp.scatter(arr, axis, indices, values)


# -- arithmetic ---------------------------------------------------------------------------------------------------------
@register
def clip(xp: Any, a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    if (a_min is not None and min is not None) or (a_max is not None and max is not None):
        raise ArgumentError("numpy.clip: a_min and min, a_max and max are two names of one bound; give one of them")
    return xp.clip(xp.asarray(a), a_min if min is None else min, a_max if max is None else max)


@register
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


@register
def ptp(xp: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return xp.max(a, axis=axis, keepdims=keepdims) - xp.min(a, axis=axis, keepdims=keepdims)


@register
def vdot(xp: Any, a: Any, b: Any, /) -> Any:
    return xp.vecdot(xp.reshape(a, (-1,)), xp.reshape(b, (-1,)))


@register
def dot(xp: Any, a: Any, b: Any) -> Any:
    a, b = xp.asarray(a), xp.asarray(b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return xp.tensordot(a, b, axes=((-1,), (-2 if b.ndim > 1 else -1,)))


@register
def cross(xp: Any, a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = operator.index(axis)
    a, b = xp.moveaxis(a, axisa, -1), xp.moveaxis(b, axisb, -1)
    return xp.moveaxis(xp.linalg.cross(a, b, axis=-1), -1, axisc)


@register
def fix(xp: Any, x: Any) -> Any:
    return xp.trunc(x)


@register
def round_(xp: Any, a: Any, decimals: int = 0) -> Any:
    return xp.round(a) if decimals == 0 else xp.round(a * 10.0**decimals) / 10.0**decimals


FUNCTIONS["around"] = round_


@register
def ediff1d(xp: Any, ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    ends = [to_begin, xp.diff(xp.reshape(ary, (-1,))), to_end]
    return xp.concat([xp.reshape(xp.asarray(part), (-1,)) for part in ends if part is not None])


@register
def unwrap(xp: Any, p: Any, discont: float | None = None, axis: int = -1, *, period: float = 2 * math.pi) -> Any:
    """Take out jumps, which are whole periods, so that the derivative is that of ``p``."""
    jump = xp.diff(p, axis=axis)
    small = xp.remainder(jump + period / 2, period) - period / 2
    small = xp.where((small == -period / 2) & (jump > 0), period / 2, small)
    turns = xp.where(xp.abs(jump) < (period / 2 if discont is None else discont), 0.0, small - jump)
    return p + xp.cumulative_sum(turns, axis=axis, include_initial=True)


@register
def polyval(xp: Any, p: Any, x: Any) -> Any:
    out: Any = 0.0
    for coefficient in p:
        out = out * x + coefficient
    return out


@register
def interp(xp: Any, x: Any, points: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """Interpolate linearly between the points, constant outside; differentiable in all three arrays."""
    if period is not None:
        raise ArgumentError("numpy.interp: period is not supported for Tensors; reduce x and xp by it beforehand")
    x, points, fp = xp.asarray(x), xp.asarray(points), xp.asarray(fp)
    n = points.shape[0]
    before = xp.clip(xp.searchsorted(points, x, side="right") - 1, 0, max(n - 2, 0))
    x0, x1, f0, f1 = (
        xp.reshape(xp.take(of, xp.reshape(i, (-1,))), x.shape)
        for of in (points, fp)
        for i in (before, xp.clip(before + 1, 0, n - 1))
    )
    jump = x1 == x0  # the last two points are one: what stands on the right is the value
    inside = f0 + (f1 - f0) * ((x - x0) / xp.where(jump, 1, x1 - x0))
    low = xp.where(x < points[0], fp[0] if left is None else left, xp.where(jump, f1, inside))
    return xp.where(x > points[-1], fp[-1] if right is None else right, low)


@register
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
    axes = tuple(axis_of("quantile", i, x) for i in axes_of(axis, x))
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


@register
def percentile(xp: Any, a: Any, q: Any, axis: Any = None, **options: Any) -> Any:
    return FUNCTIONS["quantile"](xp, a, xp.asarray(q) / 100, axis, **options)


@register
def nanpercentile(xp: Any, a: Any, q: Any, axis: Any = None, **options: Any) -> Any:
    return FUNCTIONS["nanquantile"](xp, a, xp.asarray(q) / 100, axis, **options)


@register
def median(xp: Any, a: Any, axis: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """Return the middle value, or the mean of the two middle ones; torch and ``polygrad.median`` take the lower one."""
    return FUNCTIONS["quantile"](xp, a, 0.5, axis, keepdims=keepdims)


@register
def nanmedian(xp: Any, a: Any, axis: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """Return the median of what is not nan."""
    return FUNCTIONS["nanquantile"](xp, a, 0.5, axis, keepdims=keepdims)


@register
def histogram(
    xp: Any, a: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[Any, Any]:
    if isinstance(bins, str):
        raise ArgumentError(f"numpy.histogram: the number of bins or their edges are wanted for Tensors, got {bins!r}")
    a = xp.asarray(a)
    if not is_index(bins):
        bins = xp.asarray(bins)
        bins = bins if a.dtype not in xp.floating_dtypes else xp.astype(bins, a.dtype)
    counts, edges = xp.histogram(a, bins, range=range, weight=weights, density=bool(density))
    if range is None and is_index(bins) and a.size and bool(xp.min(a) < xp.max(a)):
        # the edges go with the least and the greatest element
        edges = FUNCTIONS["linspace"](xp, xp.min(a), xp.max(a), operator.index(bins) + 1)
        if density:
            total = counts * xp.diff(edges.detach())
            counts = total / xp.diff(edges)
    return (counts if density or weights is not None else xp.astype(counts, xp.int64)), edges


def _register_nan_reduction(name: str, filler: float) -> None:
    def reduce(xp: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Any:
        a = xp.asarray(a)
        return getattr(xp, name)(xp.where(xp.isnan(a), filler, a), axis=axis, keepdims=keepdims)

    FUNCTIONS[f"nan{name}"] = reduce


for _name, _filler in (
    ("argmax", -math.inf),
    ("argmin", math.inf),
):
    _register_nan_reduction(_name, _filler)


def _register_running(name: str, short: str, unit: float) -> None:
    def accumulate(xp: Any, a: Any, axis: int | None = None, dtype: Any = None) -> Any:
        return getattr(xp, name)(xp.reshape(a, (-1,)) if axis is None else a, axis=axis or 0, dtype=dtype)

    def skipping(xp: Any, a: Any, axis: int | None = None, dtype: Any = None) -> Any:
        return accumulate(xp, xp.where(xp.isnan(a), unit, a), axis, dtype)

    FUNCTIONS[short] = accumulate
    FUNCTIONS[f"nan{short}"] = skipping


_register_running("cumulative_sum", "cumsum", 0.0)
_register_running("cumulative_prod", "cumprod", 1.0)


@register
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
    m = _in_floating("cov", xp, m, dtype)
    if ddof is not None and ddof != int(ddof):
        raise ArgumentError(f"numpy.cov: ddof has to be an integer, got {ddof!r}")
    correction = ddof if ddof is not None else 0 if bias else 1
    return xp.squeeze(xp.cov(m, correction=correction, fweights=fweights, aweights=aweights), _ones(xp, m))


@register
def corrcoef(xp: Any, x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    x = _as_rows(xp, x, y, rowvar)
    x = _in_floating("corrcoef", xp, x, dtype)
    return xp.squeeze(xp.corrcoef(x), _ones(xp, x))


def _in_floating(name: str, xp: Any, x: Any, dtype: Any) -> Any:
    out = x if dtype is None else x.to(dtype=dtype)
    if dtype is not None and out.dtype not in xp.floating_dtypes:
        raise ArgumentError(f"numpy.{name}: dtype has to be a floating or complex one, got {dtype!r}")
    return out


def _ones(xp: Any, rows: Any) -> tuple[int, ...]:
    """Return the axes of the covariance that NumPy leaves away, which are those of a single variable."""
    return (0, 1) if rows.ndim == 2 and rows.shape[0] == 1 else ()


def _as_rows(xp: Any, x: Any, y: Any, rowvar: bool) -> Any:
    """Return the variables as rows, those of ``y`` below."""
    x = xp.asarray(x)
    x = xp.matrix_transpose(x) if x.ndim == 2 and not rowvar else x
    if y is None:
        return x
    y = xp.asarray(y)
    y = xp.matrix_transpose(y) if y.ndim == 2 and not rowvar and y.shape[0] != 1 else y
    return xp.concat([xp.reshape(part, (-1, part.shape[-1])) for part in (x, y)], axis=0)


@register
def gradient(xp: Any, f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Return the gradient by differences, along every axis or the ones named: a list where there are several, as in NumPy."""
    axes = axes_of(axis, f)
    spacing = [xp.asarray(step) if hasattr(step, "__len__") else step for step in varargs or (1.0,)]
    spacing = spacing * len(axes) if len(spacing) == 1 else spacing
    parts = OPS["gradient"].call(f, spacing=spacing, axis=axes, edge_order=edge_order)
    return parts[0] if len(parts) == 1 else list(parts)
