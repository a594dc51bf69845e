"""Selection and assignment: chunk by chunk with basic keys, and with one array of integers.

With other arrays in a key the selection is one task.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import dask
import dask.array as da
import numpy as np

from polygrad.backend import get_backend
from polygrad.rules.keys import is_basic, is_mask, turn_forward

from .blocks import numpys


def _whole(out: tuple[int, ...], dtype: Any, name: str, *args: Any, **params: Any) -> Any:
    """Run NumPy's function on whole arrays, as one task that returns an array of the shape ``out``."""
    return da.from_delayed(dask.delayed(numpys(name))(*args, **params), shape=out, dtype=dtype)


def _tuple(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def _keys(key: Any) -> tuple[Any, ...]:
    """Return the parts of a key, lists as arrays. A part that selects an unknown number of elements is refused."""
    keys = tuple([np.asarray(part) if isinstance(part, list) else part for part in _tuple(key)])
    if any(is_mask(part) or np.isnan(getattr(part, "shape", ())).any() for part in keys):
        raise get_backend("dask").refusal("getitem(mask)")
    return keys


def _selected(shape: tuple[int, ...], keys: tuple[Any, ...]) -> tuple[int, ...]:
    """Return the shape that integers, slices and arrays of integers select."""
    like = [np.zeros(part.shape, np.int64) if hasattr(part, "dtype") else part for part in keys]
    return tuple(np.broadcast_to(np.empty((), bool), shape)[tuple(like)].shape)


def _one_array(keys: tuple[Any, ...], ndim: int) -> tuple[tuple[Any, ...], int, Any] | None:
    """Split a key with one array beside slices into a basic key, an axis of its selection, and the array along that axis.

    None is returned for other keys.
    """
    arrays = [i for i, part in enumerate(keys) if hasattr(part, "dtype")]
    if len(arrays) != 1 or keys[arrays[0]].ndim == 0 or any(type(part) is int for part in keys):
        return None
    at = arrays[0]
    axis = at
    if Ellipsis in keys[:at]:
        axis += ndim - sum(part is not None and part is not Ellipsis for part in keys) - 1
    return (*keys[:at], slice(None), *keys[at + 1 :]), axis, keys[at]


def _pick(x: Any, index: Any, axis: int) -> Any:
    """Return the slices of ``x`` along an axis at the positions in a row of integers."""
    key = (*(slice(None),) * axis, index)
    if isinstance(index, np.ndarray):
        return x[key]
    if np.iscomplexobj(x):  # dask 2026.8 adds up the elements that it finds in each chunk, and drops the imaginary part
        return _pick(x.real, index, axis) + 1j * _pick(x.imag, index, axis)
    # The sum gives the index a name of its own. dask 2026.8 mistakes an index that equals its array of offsets for that array.
    return x[(*key[:-1], index + 0)]


def getitem(x: Any, *, key: Any) -> Any:
    """Return ``x[key]``."""
    if is_basic(key):
        # dask 2026.8 selects too much with a negative step that begins before the first element
        first, flips, then = turn_forward(key, x.shape)
        return da.flip(x[first], flips)[then] if flips else x[key]
    keys = _keys(key)
    found = _one_array(keys, x.ndim)
    if found is None:
        return _whole(_selected(x.shape, keys), x.dtype, "getitem", x, key=keys)
    basic_key, axis, index = found
    x = getitem(x, key=basic_key)
    return _pick(x, index.reshape(-1), axis).reshape((*x.shape[:axis], *index.shape, *x.shape[axis + 1 :]))


def getitem_adjoint(x: Any, *, key: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros of ``shape`` with ``x`` added at ``key``, every duplicate counted."""
    if is_basic(key):
        return _write(da.zeros(shape, dtype=x.dtype), x, key)
    keys = _keys(key)
    found = _one_array(keys, len(shape))
    if found is None:
        return _whole(shape, x.dtype, "getitem_adjoint", x, key=keys, shape=shape)
    basic_key, axis, index = found
    inner = _selected(shape, basic_key)
    x = da.broadcast_to(x, (*inner[:axis], *index.shape, *inner[axis + 1 :]))
    x = x.reshape((*inner[:axis], index.size, *inner[axis + 1 :]))
    sums = _partial_sums(x, da.asarray(index).reshape(-1), axis, inner[axis])
    return sums if all(part == slice(None) for part in basic_key) else getitem_adjoint(sums, key=basic_key, shape=shape)


def _partial_sums(x: Any, index: Any, axis: int, length: int) -> Any:
    """Return zeros with slice i of ``x`` along an axis added at ``index[i]``: the sum over the sums of each chunk."""
    if index.size == 0:
        return da.zeros((*x.shape[:axis], length, *x.shape[axis + 1 :]), dtype=x.dtype)
    letters = tuple(range(x.ndim))
    parts = da.blockwise(
        _add_block, (*letters[: axis + 1], x.ndim, *letters[axis + 1 :]), x, letters, index, (axis,), axis=axis, length=length,
        new_axes={x.ndim: length}, adjust_chunks={axis: lambda n: 1}, dtype=x.dtype, align_arrays=True, meta=np.empty(0, x.dtype),
    )  # fmt: skip
    return da.sum(parts, axis=axis, dtype=x.dtype)


def _add_block(block: Any, index: Any, *, axis: int, length: int) -> Any:
    """Return the sum of one chunk, as a slice along a new axis for the chunks."""
    shape = (*block.shape[:axis], length, *block.shape[axis + 1 :])
    return np.expand_dims(numpys("getitem_adjoint")(block, key=(*(slice(None),) * axis, index), shape=shape), axis)


def _write(x: Any, value: Any, key: Any) -> Any:
    """Return ``x`` with ``value`` at a basic key, chunk by chunk."""
    first, flips, then = turn_forward(key, x.shape)
    if flips:  # dask 2026.8 fails for such a slice beside an integer
        value, key = da.flip(_write(da.flip(x[first], flips), value, then), flips), first
    kept = tuple([part for part in _tuple(key) if part is not None])
    shape = _selected(x.shape, kept)
    if prod(shape) == 0:
        return x
    if getattr(value, "ndim", 0):
        value = da.broadcast_to(value, _selected(x.shape, _tuple(key))).reshape(shape)
    out = x.copy()
    out[kept] = value
    return out


def set_at(x: Any, value: Any, /, *, key: Any) -> Any:
    """Return ``x`` with ``value`` at ``key``."""
    if is_basic(key):
        return _write(x, value, key)
    if is_mask(key) and getattr(value, "ndim", 0) == 0:
        mask = key.reshape(key.shape + (1,) * (x.ndim - key.ndim))
        return da.where(mask, da.asarray(value).astype(x.dtype), x)
    return _whole(x.shape, x.dtype, "set_at", x, value, key=key)


def take(x: Any, indices: Any, /, *, axis: int | None = None) -> Any:
    """Return the elements at ``indices`` along an axis."""
    return getitem(x, key=(*(slice(None),) * ((axis or 0) % x.ndim), indices))


def searchsorted(x1: Any, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Any:
    """Return the positions at which the elements of ``x2`` belong in the sorted ``x1``."""
    return da.searchsorted(x1 if sorter is None else getitem(x1, key=(sorter,)), x2, side=side)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "getitem": getitem,
    "getitem_adjoint": getitem_adjoint,
    "searchsorted": searchsorted,
    "set_at": set_at,
    "take": take,
}
