"""NumPy, the embedded default."""

from __future__ import annotations

import importlib.util
from math import prod
from typing import Any

import array_api_compat.numpy as xp
import numpy as np

from polygrad.backend import Backend, scipy_special
from polygrad.rules.declare import OPS
from polygrad.rules.indexing import basic


def add_at(out: Any, key: Any, value: Any) -> Any:
    """Add ``value`` into ``out`` at ``key``, every duplicate counted."""
    if basic(key):
        out[key] += value
        return out
    axis = _only_array(key, out.ndim)
    if axis is None:
        np.add.at(out, key, value)
    elif out.ndim == 1:
        np.add.at(out, key[0] if isinstance(key, tuple) else key, value)  # fast in one dimension, slow in several
    else:
        out += _along_axis(value, key, axis, out.shape)
    return out


def _along_axis(value: Any, key: Any, axis: int, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with ``value`` added at the integer array of ``key``, which selects along one of several axes."""
    index = np.asarray(key[axis] if isinstance(key, tuple) else key)
    length = shape[axis]
    flat = index.ravel()
    if flat.size and (flat.min() < 0 or flat.max() >= length):
        flat = np.where(flat < 0, flat + length, flat)
        if flat.min() < 0 or flat.max() >= length:
            raise IndexError(f"index out of bounds for axis {axis} with size {length}")
    before, after = shape[:axis], shape[axis + 1 :]
    rows = np.broadcast_to(value, (*before, *index.shape, *after)).reshape(*before, flat.size, *after)
    rows = np.moveaxis(rows, axis, 0)
    sums = _sums(flat, rows.reshape(flat.size, prod(before + after)), length)
    return np.moveaxis(sums.reshape(length, *before, *after), 0, axis)


def _only_array(key: Any, ndim: int) -> int | None:
    """The axis of the one integer array of a key that takes everything of the other axes; None for other keys."""
    parts = key if isinstance(key, tuple) else (key,)
    if parts and parts[-1] is Ellipsis:
        parts = parts[:-1]
    if len(parts) > ndim:
        return None
    arrays = [i for i, part in enumerate(parts) if not isinstance(part, slice)]
    if len(arrays) != 1 or any(part != slice(None) for part in parts if isinstance(part, slice)):
        return None
    return arrays[0] if np.asarray(parts[arrays[0]]).dtype.kind in "iu" else None


def _sums(index: Any, rows: Any, length: int) -> Any:
    """The sum of the rows that fall on each index: by a sparse product where SciPy is installed, five times faster than add.at."""
    if importlib.util.find_spec("scipy") is not None:
        from scipy.sparse import csc_array

        ones = np.ones(len(index), dtype=rows.dtype)
        return csc_array((ones, index, np.arange(len(index) + 1)), shape=(length, len(index))) @ rows
    width = rows.shape[1]
    cells = (index[:, None] * width + np.arange(width)).ravel()

    def count(part: Any) -> Any:
        return np.bincount(cells, weights=part.ravel(), minlength=length * width).reshape(length, width)

    total = count(rows.real) + 1j * count(rows.imag) if np.iscomplexobj(rows) else count(rows)
    return total.astype(rows.dtype, copy=False)


def getitem_adjoint(x: Any, *, key: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with ``x`` added at ``key``."""
    axis = _only_array(key, len(shape)) if len(shape) > 1 and not basic(key) else None
    return add_at(np.zeros(shape, dtype=x.dtype), key, x) if axis is None else _along_axis(x, key, axis, shape)


def set_at(x: Any, value: Any, /, *, key: Any) -> Any:
    """A copy of ``x`` with ``value`` at ``key``."""
    out = np.array(x)
    out[key] = value
    return out


def _running(ufunc: Any) -> Any:
    """The running extreme and where it was last reached; every nan counts as reaching it."""

    def run(x: Any, *, axis: int) -> Any:
        if x.ndim == 0:
            return np.array(x), np.zeros((), dtype=np.int64)
        values = ufunc.accumulate(x, axis=axis)
        shape = [1] * x.ndim
        shape[axis] = -1
        reached = np.where((x == values) | (x != x), np.arange(x.shape[axis]).reshape(shape), 0)  # noqa: PLR0124
        return values, np.maximum.accumulate(reached, axis=axis)

    return run


def logcumsumexp(x: Any, *, axis: int) -> Any:
    """The running ``logaddexp``, which NumPy has for real numbers only."""
    if x.ndim == 0 or x.dtype.kind == "c":
        return OPS["logcumsumexp"].default(BACKEND.raw, x, axis=axis)  # type: ignore[misc]
    return np.logaddexp.accumulate(x, axis=axis)


# NumPy's own do the same by way of several Python functions, which on small arrays take longer than the work.
_add: Any = np.add.reduce


def broadcast_to(x: Any, /, shape: Any) -> Any:
    """A read-only view of the shape."""
    if x.ndim or type(shape) is not tuple:
        return np.broadcast_to(x, shape)
    out: Any = np.ndarray(shape, x.dtype, np.asarray(x), 0, (0,) * len(shape))
    out.flags.writeable = False
    return out


def total(x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """The sum."""
    return _add(x, axis, dtype, None, keepdims)


def mean(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean of real numbers; NumPy's does more for other dtypes, for none and for one."""
    if x.dtype.char not in "fd" or not x.size or not x.ndim:
        return np.mean(x, axis=axis, keepdims=keepdims)
    out = _add(x, axis, None, None, keepdims)
    return out / (x.size // (out.size or 1))


def _is_single(value: Any) -> bool:
    return getattr(value, "dtype", None) in (np.float32, np.complex64)


def eig(x: Any, /) -> Any:
    """Eigenvalues and eigenvectors, complex whatever they are: NumPy's are real where that is possible, which depends on values."""
    values, vectors = np.linalg.eig(x)
    dtype = np.result_type(x.dtype, np.complex64)
    return values.astype(dtype), vectors.astype(dtype)


class NumPyBackend(Backend):
    """NumPy arrays, and NumPy's scalars, which its operations return in the place of 0-d arrays."""

    name = "numpy"
    xp = xp
    overrides = {  # noqa: RUF012
        "broadcast_to": broadcast_to,
        "cummax": _running(np.maximum),
        "cummin": _running(np.minimum),
        "getitem": lambda x, *, key: x[key],
        "getitem_adjoint": getitem_adjoint,
        "linalg.eig": eig,
        "linalg.eigvals": lambda x: np.linalg.eigvals(x).astype(np.result_type(x.dtype, np.complex64)),
        "logcumsumexp": logcumsumexp,
        # array-api-compat's wrappers add nothing to these but time
        "matmul": np.matmul,
        "matrix_transpose": lambda x: x.mT,
        "mean": mean,
        "permute_dims": np.permute_dims,
        "set_at": set_at,
        "sum": total,
        "to_device": lambda x, device: x,
    }

    def owns(self, kind: type) -> bool:
        return issubclass(kind, (np.ndarray, np.generic))

    def canonical(self, dtype: Any) -> Any:
        return np.dtype(dtype)

    def add_at(self, buffer: Any, key: Any, value: Any) -> Any:
        return add_at(buffer, key, value)

    def own(self, array: Any, alias: bool) -> Any:
        if type(array) is np.ndarray:
            # A view may be of something that somebody else writes to, or a broadcast that nobody can write to.
            return array.copy() if alias or array.base is not None else array
        return np.array(array)

    def present(self, array: Any) -> Any:
        return array if isinstance(array, np.ndarray) else np.asarray(array)

    def export(self, array: Any) -> Any:
        array = self.present(array)
        # torch aborts the process on negative strides (PyTorch 2.13)
        return array if all(stride >= 0 for stride in array.strides) else array.copy()

    def device(self, spec: Any) -> Any:
        if spec != "cpu":
            raise self.no_device(spec)
        return spec

    def device_of(self, array: Any) -> Any:
        return "cpu"

    def special(self, name: str) -> Any:
        function = scipy_special(name)
        if function is None or (isinstance(function, np.ufunc) and function.nin == 1):
            return function
        # Single precision is widened by what is no ufunc (polygamma, multigammaln), and by a ufunc beside an integer or a Python number.
        narrowed = self.on_host(function)
        return lambda *args, **params: (narrowed if any(map(_is_single, args)) else function)(*args, **params)

    def to_host(self, array: Any) -> Any:
        return array.tolist()

    def numpy(self, array: Any) -> Any:
        return np.asarray(array)


BACKEND = NumPyBackend()
