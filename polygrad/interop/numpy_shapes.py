"""NumPy's functions that rearrange, join, cut and look up, with all of their options."""

from __future__ import annotations

import itertools
import math
import operator
from typing import Any

import numpy as np

from ..core.tensor import Tensor
from ..errors import ArgumentError, ShapeError, describe
from .numpy_functions import axis_of, check_casting, is_index, numpy_dtype, register

_KINDS = (None, "quicksort", "mergesort", "heapsort", "stable")


# -- memory order -------------------------------------------------------------------------------------------------------
def _layout(a: Any, order: Any, name: str) -> tuple[int, ...] | None:
    """Return the axes in the order in which elements are read, the slowest first; None: as they stand."""
    order = "C" if order is None else order.upper() if isinstance(order, str) else order
    if order == "C":
        return None
    if order == "F":
        return tuple(reversed(range(a.ndim)))
    if order not in ("A", "K"):
        raise ArgumentError(f"numpy.{name}: order has to be 'C', 'F', 'A' or 'K', got {order!r}")
    array = a.array
    if not isinstance(array, np.ndarray) or any(stride < 0 for stride in array.strides):
        raise ArgumentError(
            f"numpy.{name}: order={order!r} asks for the memory layout of {describe(a)}, which is not known; use 'C' or 'F'"
        )
    if order == "A":
        fortran = array.flags.f_contiguous and not array.flags.c_contiguous
        return tuple(reversed(range(a.ndim))) if fortran else None
    return tuple(sorted(range(a.ndim), key=lambda axis: -array.strides[axis] if array.shape[axis] != 1 else -math.inf))


@register
def reshape(xp: Any, a: Any, shape: Any, order: str = "C", *, copy: bool | None = None) -> Any:
    if order == "K":
        raise ArgumentError("numpy.reshape: order 'K' is not permitted; use 'C', 'F' or 'A'")
    shape = (shape,) if is_index(shape) else tuple(shape)
    axes = _layout(a, order, "reshape")
    if axes is None:
        return xp.reshape(a, shape, copy=copy)
    if copy is False:
        raise ArgumentError("numpy.reshape: in Fortran order it takes a copy, and copy=False forbids one")
    turned = xp.reshape(xp.permute_dims(a, axes), tuple(reversed(shape)))
    return xp.permute_dims(turned, tuple(reversed(range(len(shape)))))


@register
def ravel(xp: Any, a: Any, order: str = "C") -> Any:
    axes = _layout(a, order, "ravel")
    return xp.reshape(a if axes is None else xp.permute_dims(a, axes), (-1,))


# -- joining ------------------------------------------------------------------------------------------------------------
def _parts(xp: Any, arrays: Any, dtype: Any, casting: str, name: str) -> list[Any]:
    if isinstance(arrays, Tensor):
        arrays = xp.unstack(arrays)
    parts = [xp.asarray(part) for part in arrays]
    held = [numpy_dtype(part.dtype) for part in parts]
    target = np.result_type(*held) if dtype is None else numpy_dtype(parts[0]._frame.backend.dtype(dtype))
    check_casting(name, parts, target, casting)
    return parts if dtype is None else [part.to(dtype=dtype) for part in parts]


@register
def concatenate(xp: Any, arrays: Any, axis: Any = 0, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    parts = _parts(xp, arrays, dtype, casting, "concatenate")
    if axis is None:
        return xp.concat([xp.reshape(part, (-1,)) for part in parts], axis=0)
    return xp.concat(parts, axis=axis)


register(concatenate, "concat")


@register
def stack(xp: Any, arrays: Any, axis: int = 0, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    return xp.stack(_parts(xp, arrays, dtype, casting, "stack"), axis=axis)


@register
def hstack(xp: Any, tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    parts = [xp.reshape(part, (1,)) if part.ndim == 0 else part for part in _parts(xp, tup, dtype, casting, "hstack")]
    return xp.concat(parts, axis=0 if parts[0].ndim == 1 else 1)


@register
def vstack(xp: Any, tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    parts = _parts(xp, tup, dtype, casting, "vstack")
    return xp.concat([xp.reshape(part, (1, -1)) if part.ndim < 2 else part for part in parts], axis=0)


@register
def column_stack(xp: Any, tup: Any) -> Any:
    parts = _parts(xp, tup, None, "same_kind", "column_stack")
    return xp.concat([xp.reshape(part, (-1, 1)) if part.ndim < 2 else part for part in parts], axis=1)


@register
def dstack(xp: Any, tup: Any) -> Any:
    return xp.dstack(_parts(xp, tup, None, "same_kind", "dstack"))


@register
def block(xp: Any, arrays: Any) -> Any:
    def depth(part: Any) -> int:
        return 1 + max(map(depth, part)) if isinstance(part, list) else 0

    levels = depth(arrays)

    def ndims(part: Any) -> int:
        return max(map(ndims, part)) if isinstance(part, list) else int(xp.asarray(part).ndim)

    axes = max(ndims(arrays), levels)

    def join(part: Any, level: int) -> Any:
        if isinstance(part, list):
            return xp.concat([join(each, level - 1) for each in part], axis=axes - level)
        part = xp.asarray(part)
        return xp.reshape(part, (*[1] * (axes - part.ndim), *part.shape))

    return join(arrays, levels)


@register
def insert(xp: Any, arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """Insert by looking up in the array with the values behind it: NumPy says on the indices where each goes."""
    arr, values = xp.asarray(arr), xp.asarray(values)
    if axis is None:
        arr, axis = xp.reshape(arr, (-1,)), 0
    axis = axis_of("insert", axis, arr)
    n = arr.shape[axis]
    where = obj.numpy() if isinstance(obj, Tensor) else obj
    places = range(n)[where] if isinstance(where, slice) else np.asarray(where)
    count = len(places) if isinstance(places, range) or places.ndim else 1
    if not isinstance(places, range) and places.dtype == bool:
        count = int(np.count_nonzero(places))
    lead = (*arr.shape[:axis], count, *arr.shape[axis + 1 :])
    single = not isinstance(places, range) and places.ndim == 0
    if single:  # the values are one slice, or several
        values = (
            xp.reshape(values, (*[1] * (arr.ndim - values.ndim), *values.shape)) if values.ndim < arr.ndim else values
        )
        if values.ndim == arr.ndim and arr.ndim > 1 and xp.asarray(values).shape:
            values = xp.moveaxis(values, 0, axis)
        count = values.shape[axis]
        lead = (*arr.shape[:axis], count, *arr.shape[axis + 1 :])
        order = np.insert(np.arange(n), np.asarray(places), np.arange(n, n + count))
    else:
        order = np.insert(np.arange(n), list(places) if isinstance(places, range) else places, np.arange(n, n + count))
    both = xp.concat([arr, xp.broadcast_to(xp.astype(values, arr.dtype), lead)], axis=axis)
    return xp.take(both, xp.asarray(order), axis=axis)


# -- sorting and looking up ---------------------------------------------------------------------------------------------
def _register_sort(name: str) -> None:
    def function(
        xp: Any, a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: bool | None = None
    ) -> Any:
        if kind not in _KINDS or order is not None:
            raise ArgumentError(
                f"numpy.{name}: kind has to be one of {_KINDS} and order None, got {kind!r} and {order!r}"
            )
        a = xp.asarray(a)
        return getattr(xp, name)(xp.reshape(a, (-1,)), axis=0) if axis is None else getattr(xp, name)(a, axis=axis)

    register(function, name)


_register_sort("sort")
_register_sort("argsort")


def _register_partition(name: str, sort: str) -> None:
    def function(xp: Any, a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None) -> Any:
        """Sort, which is a partition for every ``kth``."""
        if kind != "introselect" or order is not None:
            raise ArgumentError(
                f"numpy.{name}: kind has to be 'introselect' and order None, got {kind!r} and {order!r}"
            )
        a = xp.reshape(a, (-1,)) if axis is None else a
        n = a.shape[-1 if axis is None else axis]
        if any(not -n <= operator.index(k) < n for k in (kth if hasattr(kth, "__len__") else [kth])):
            raise ArgumentError(f"numpy.{name}: kth(={kth}) is out of bounds for {n} elements")
        return getattr(xp, sort)(a, axis=-1 if axis is None else axis)

    register(function, name)


_register_partition("partition", "sort")
_register_partition("argpartition", "argsort")


@register
def take(xp: Any, a: Any, indices: Any, axis: Any = None, mode: str = "raise") -> Any:
    a, indices = xp.asarray(a), xp.asarray(indices)
    if axis is None:
        a, axis = xp.reshape(a, (-1,)), 0
    axis = axis_of("take", axis, a)
    n = a.shape[axis]
    if mode == "wrap":
        indices = xp.remainder(indices, n)
    elif mode == "clip":
        indices = xp.clip(indices, 0, n - 1)
    elif mode != "raise":
        raise ArgumentError(f"numpy.take: mode has to be 'raise', 'wrap' or 'clip', got {mode!r}")
    if indices.ndim == 1:
        return xp.take(a, indices, axis=axis)
    found = xp.take(a, xp.reshape(indices, (-1,)), axis=axis)
    return xp.reshape(found, (*a.shape[:axis], *indices.shape, *a.shape[axis + 1 :]))


@register
def take_along_axis(xp: Any, arr: Any, indices: Any, axis: Any = -1) -> Any:
    arr, indices = xp.asarray(arr), xp.asarray(indices)
    if axis is None:
        if indices.ndim != 1:
            raise ShapeError("numpy.take_along_axis: with axis=None the indices have to have one axis")
        arr, axis = xp.reshape(arr, (-1,)), 0
    return xp.take_along_axis(arr, indices, axis=axis)


@register
def where(xp: Any, condition: Any, x: Any = None, y: Any = None) -> Any:
    if x is None and y is None:
        return tuple(xp.nonzero(condition))
    if x is None or y is None:
        raise ArgumentError("numpy.where: either both or neither of x and y should be given")
    lists = [xp.asarray(part) if isinstance(part, (list, tuple)) else part for part in (condition, x, y)]
    return xp.where(*lists)


@register
def choose(xp: Any, a: Any, choices: Any, mode: str = "raise") -> Any:
    a = xp.asarray(a)
    parts = xp.broadcast_arrays(a, *[xp.asarray(part) for part in choices])
    n = len(parts) - 1
    a = parts[0]
    if mode == "wrap":
        a = xp.remainder(a, n)
    elif mode == "clip":
        a = xp.clip(a, 0, n - 1)
    elif mode != "raise" or bool(xp.any((a < 0) | (a >= n))):
        raise ArgumentError(f"numpy.choose: invalid entry in choice array, or mode {mode!r}")
    out = parts[-1]
    for k in range(n - 1):
        out = xp.where(a == k, parts[k + 1], out)
    return out


@register
def piecewise(xp: Any, x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    x = xp.asarray(x)
    single = isinstance(condlist, Tensor | np.ndarray) and condlist.ndim == x.ndim
    single = (
        single
        or not isinstance(condlist, (list, tuple, Tensor, np.ndarray))
        or isinstance(condlist[0], (bool, np.bool_))
    )
    conditions = [xp.astype(xp.asarray(each), xp.bool) for each in ([condlist] if single else list(condlist))]
    if len(funclist) == len(conditions) + 1:
        rest = conditions[0]
        for each in conditions[1:]:
            rest = rest | each
        conditions.append(xp.logical_not(rest))
    if len(funclist) != len(conditions):
        raise ArgumentError(
            f"numpy.piecewise: with {len(conditions)} conditions, as many functions or one more are expected, got {len(funclist)}"
        )
    out = xp.zeros_like(x)
    for condition, function in zip(conditions, funclist, strict=True):
        if callable(function):
            picked = x[condition]
            if picked.size == 0:
                continue
            values = xp.asarray(function(picked, *args, **kw))
            out = xp.where(condition, xp.set_at(xp.zeros_like(x), xp.astype(values, x.dtype), key=condition), out)
        else:
            out = xp.where(condition, xp.astype(xp.asarray(function), x.dtype), out)
    return out


@register
def apply_along_axis(xp: Any, func1d: Any, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    arr = xp.asarray(arr)
    axis = axis_of("apply_along_axis", axis, arr)
    turned = xp.moveaxis(arr, axis, -1)
    lead = turned.shape[:-1]
    parts = [xp.asarray(func1d(turned[i], *args, **kwargs)) for i in itertools.product(*map(range, lead))]
    if not parts:
        raise ShapeError("numpy.apply_along_axis: cannot work with an axis of length 0")
    made = xp.reshape(xp.stack(parts), (*lead, *parts[0].shape))
    inner = tuple(range(len(lead), made.ndim))
    return xp.moveaxis(made, inner, tuple(range(axis, axis + len(inner)))) if inner else made


@register
def put(xp: Any, a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    ind = xp.reshape(xp.asarray(ind), (-1,))
    if mode == "wrap":
        ind = xp.remainder(ind, a.size)
    elif mode == "clip":
        ind = xp.clip(ind, 0, a.size - 1)
    elif mode != "raise":
        raise ArgumentError(f"numpy.put: mode has to be 'raise', 'wrap' or 'clip', got {mode!r}")
    values = xp.reshape(xp.asarray(v), (-1,))
    values = xp.take(values, xp.remainder(xp.arange(ind.shape[0]), values.shape[0]), axis=0)
    a[...] = xp.reshape(xp.set_at(xp.reshape(a, (-1,)), xp.astype(values, a.dtype), key=ind), a.shape)


@register
def place(xp: Any, arr: Any, mask: Any, vals: Any) -> None:
    put(xp, arr, xp.nonzero(xp.reshape(xp.asarray(mask), (-1,)))[0], vals)


# -- grids and padding --------------------------------------------------------------------------------------------------
@register
def meshgrid(xp: Any, *xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    parts = [xp.asarray(part) for part in xi]
    if not sparse:
        return tuple(xp.meshgrid(*parts, indexing=indexing))
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"numpy.meshgrid: indexing has to be 'xy' or 'ij', got {indexing!r}")
    n = len(parts)
    places = list(range(n))
    if indexing == "xy" and n > 1:
        places[:2] = [1, 0]
    return tuple(
        xp.reshape(part, tuple(-1 if i == place else 1 for i in range(n)))
        for part, place in zip(parts, places, strict=True)
    )


@register
def pad(xp: Any, array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    """Pad by the operation. What it has not is linear along an axis, so that NumPy says the matrix."""
    if mode == "constant" and not set(kwargs) - {"constant_values"} and np.ndim(kwargs.get("constant_values", 0)) == 0:
        return xp.pad(array, _widths(pad_width, array.ndim), mode=mode, **kwargs)
    if mode in ("edge", "reflect", "symmetric", "wrap") and kwargs.get("reflect_type", "even") == "even":
        return _pad_by_index(xp, array, pad_width, mode, kwargs)
    if mode not in ("constant", "linear_ramp", "mean", "reflect", "symmetric"):
        raise ArgumentError(f"numpy.pad: mode {mode!r} is not supported for Tensors")
    out = xp.asarray(array)
    if out.dtype not in xp.floating_dtypes:
        raise ArgumentError(f"numpy.pad: mode {mode!r} with these options takes floating Tensors, got {describe(out)}")
    per_axis = {
        key: np.broadcast_to(np.asarray(value), (out.ndim, 2)) if key != "reflect_type" and value is not None else value
        for key, value in kwargs.items()
    }
    for axis, (before, after) in enumerate(_widths(pad_width, out.ndim)):
        n = out.shape[axis]
        options = {key: value[axis] if isinstance(value, np.ndarray) else value for key, value in per_axis.items()}
        options = {key: (tuple(value),) if isinstance(value, np.ndarray) else value for key, value in options.items()}
        zero = np.pad(np.zeros(n), [(before, after)], mode=mode, **options)
        matrix = np.stack([np.pad(row, [(before, after)], mode=mode, **options) - zero for row in np.eye(n)], axis=1)
        turned = xp.moveaxis(out, axis, -1)
        linear, constant = (xp.astype(xp.asarray(part), out.dtype) for part in (matrix, zero))
        out = xp.moveaxis(xp.matmul(turned, xp.matrix_transpose(linear)) + constant, -1, axis)
    return out


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    if isinstance(pad_width, dict):
        pairs = np.zeros((ndim, 2), dtype=int)
        for axis, width in pad_width.items():
            pairs[axis] = width
        return [(int(a), int(b)) for a, b in pairs]
    return [(int(a), int(b)) for a, b in np.broadcast_to(np.asarray(pad_width), (ndim, 2))]


def _pad_by_index(xp: Any, array: Any, pad_width: Any, mode: Any, options: dict[str, Any]) -> Any:
    out = xp.asarray(array)
    for axis, width in enumerate(_widths(pad_width, out.ndim)):
        places = np.pad(np.arange(out.shape[axis]), [width], mode=mode, **options)
        out = xp.take(out, xp.asarray(places), axis=axis)
    return out
