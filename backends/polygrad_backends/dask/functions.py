"""Functions that dask has in another form, or not for every shape."""

from __future__ import annotations

import functools
from collections.abc import Callable
from math import prod
from typing import Any

import array_api_compat.dask.array as xp
import dask.array as da
import numpy as np

from polygrad.backend import get_backend
from polygrad.rules.helpers import front_axes

from .blocks import unless_empty


def repeat(x: Any, repeats: Any, /, *, axis: int | None = None) -> Any:
    """Repeat each element."""
    if not isinstance(repeats, int):
        raise get_backend("dask").refusal("repeat(array)")
    return da.repeat(x.reshape(-1) if axis is None else x, repeats, axis=axis or 0)


def concat(arrays: Any, /, *, axis: int | None = 0) -> Any:
    """Join arrays. dask 2026.8 confuses the chunks of several empty ones."""
    out = xp.concat(arrays, axis=axis)
    return da.zeros(out.shape, dtype=out.dtype) if out.size == 0 else out


def broadcast_to(x: Any, /, shape: tuple[int, ...]) -> Any:
    """Broadcast an array, in chunks of the usual size along the new axes, where dask makes one chunk."""
    if not prod(shape) > 0:  # dask has no usual chunk size for no elements, nor for an unknown number of them
        return da.broadcast_to(x, shape)
    own = ["auto"] * (len(shape) - x.ndim)
    own += ["auto" if n == 1 else part for n, part in zip(x.shape, x.chunks, strict=True)]
    return da.broadcast_to(x, shape, chunks=da.core.normalize_chunks(tuple(own), shape, dtype=x.dtype))


def tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    """Return the sum of products. dask 2026.8 takes other axes where they are counted from the end."""
    if not isinstance(axes, int):
        both = [(part,) if isinstance(part, int) else part for part in axes]
        axes = tuple([tuple([axis % x.ndim for axis in part]) for x, part in zip((x1, x2), both, strict=True)])
    return da.tensordot(x1, x2, axes=axes)


def permute_dims(x: Any, /, axes: tuple[int, ...]) -> Any:
    """Reorder the axes. dask's error does not name an axis that comes twice."""
    return da.transpose(x, front_axes(axes, x.shape))


def _diagonals(rows: int, columns: int) -> Any:
    """Return the number of the diagonal of each element of a matrix: 0 for the main one, 1 for the one above."""
    return da.arange(columns) - da.arange(rows)[:, None]


def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None) -> Any:
    """Return ones on a diagonal. dask's own gives an oblong matrix the wrong chunks."""
    on = _diagonals(n_rows, n_rows if n_cols is None else n_cols) == k
    return on.astype(np.float64 if dtype is None else dtype)


def tril(x: Any, /, *, k: int = 0) -> Any:
    """Return the triangle on a diagonal and below. dask's own warns of complex numbers."""
    return da.where(_diagonals(*x.shape[-2:]) <= k, x, np.zeros((), x.dtype))


def triu(x: Any, /, *, k: int = 0) -> Any:
    """Return the triangle on a diagonal and above."""
    return da.where(_diagonals(*x.shape[-2:]) >= k, x, np.zeros((), x.dtype))


def isclose(x1: Any, x2: Any, /, *, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """Return whether elements are close. dask's own takes no arrays as tolerances."""
    return da.core.elemwise(functools.partial(_isclose, equal_nan=equal_nan), x1, x2, rtol, atol)


def _isclose(x1: Any, x2: Any, rtol: Any, atol: Any, equal_nan: bool) -> Any:
    return np.isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{
        name: unless_empty(name, getattr(xp, name))
        for name in ("argmax", "argmin", "cumulative_prod", "cumulative_sum", "max", "min", "reshape")
    },
    "broadcast_to": broadcast_to,
    "concat": concat,
    "eye": eye,
    "isclose": isclose,
    "permute_dims": permute_dims,
    "repeat": repeat,
    "tensordot": tensordot,
    "to_device": lambda x, device: x,
    "tril": tril,
    "triu": triu,
}
