"""Functions that NumPy lacks, has for fewer dtypes, or wraps in Python that takes longer than the work on small arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from polygrad.backend import get_backend


def _running(ufunc: Any) -> Any:
    """Return a function that computes a running extreme and where it was last reached; every nan counts as reaching it."""

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
    """Return the running ``logaddexp``, which NumPy has for real numbers only."""
    if x.ndim == 0 or x.dtype.kind == "c":
        return get_backend("numpy").default("logcumsumexp")(x, axis=axis)
    return np.logaddexp.accumulate(x, axis=axis)


# NumPy's own do the same through several Python functions, which take longer than the work on small arrays.
_add: Any = np.add.reduce


def broadcast_to(x: Any, /, shape: Any) -> Any:
    """Return a read-only view of that shape."""
    if x.ndim or type(shape) is not tuple:
        return np.broadcast_to(x, shape)
    out: Any = np.ndarray(shape, x.dtype, np.asarray(x), 0, (0,) * len(shape))
    out.flags.writeable = False
    return out


def total(x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """Return the sum."""
    return _add(x, axis, dtype, None, keepdims)


def mean(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the mean of real numbers. NumPy's function serves for other dtypes and for arrays of no or one element."""
    if x.dtype.char not in "fd" or not x.size or not x.ndim:
        return np.mean(x, axis=axis, keepdims=keepdims)
    out = _add(x, axis, None, None, keepdims)
    return out / (x.size // (out.size or 1))


def moveaxis(x: Any, source: Any, destination: Any, /) -> Any:
    """Move one axis; several are moved by NumPy's own function."""
    ndim = x.ndim
    if not (type(source) is type(destination) is int and -ndim <= source < ndim and -ndim <= destination < ndim):
        return np.moveaxis(x, source, destination)
    order = list(range(ndim))
    order.insert(destination % ndim, order.pop(source))
    return x.transpose(order)


def eig(x: Any, /) -> Any:
    """Return complex eigenvalues and eigenvectors. NumPy's are real where that is possible, which depends on the values."""
    values, vectors = np.linalg.eig(x)
    dtype = np.result_type(x.dtype, np.complex64)
    return values.astype(dtype), vectors.astype(dtype)


FUNCTIONS = {
    "broadcast_to": broadcast_to,
    "cummax": _running(np.maximum),
    "cummin": _running(np.minimum),
    "linalg.eig": eig,
    "linalg.eigvals": lambda x: np.linalg.eigvals(x).astype(np.result_type(x.dtype, np.complex64)),
    "logcumsumexp": logcumsumexp,
    # array-api-compat's wrappers add only time to these
    "matmul": np.matmul,
    "matrix_transpose": lambda x: x.mT,
    "mean": mean,
    "moveaxis": moveaxis,
    "permute_dims": np.permute_dims,
    "sum": total,
    "to_device": lambda x, device: x,
}
