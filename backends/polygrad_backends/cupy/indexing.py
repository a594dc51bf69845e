"""Selection by a key, its transpose and assignment, on the device of the array: CuPy computes on its current device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cupy as cp
import numpy as np

from polygrad.rules.keys import is_basic

ATOMIC = frozenset(map(np.dtype, ("int32", "int64", "uint32", "uint64", "float16", "float32", "float64")))
"""The dtypes that ``cupy.add.at`` takes, because CUDA, or CuPy on top of it, adds them atomically."""


def scatter_add(out: Any, key: Any, value: Any) -> None:
    """Add ``value`` into ``out`` at ``key``, every duplicate counted, in atomic additions on the device; in any dtype."""
    value = cp.asarray(value, dtype=out.dtype)
    if out.dtype in ATOMIC:
        cp.add.at(out, key, value)
    elif out.dtype.kind == "c":
        scatter_add(out.real, key, value.real)
        scatter_add(out.imag, key, value.imag)
    else:
        wide = out.astype(np.int32)
        cp.add.at(wide, key, value.astype(np.int32))
        out[...] = wide.astype(out.dtype)


def add_at(out: Any, key: Any, value: Any) -> Any:
    """Return ``out``, with ``value`` added into it at ``key``."""
    with out.device:
        if is_basic(key):
            out[key] += value
        else:
            scatter_add(out, key, value)
    return out


def getitem_adjoint(x: Any, *, key: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros of ``shape`` with ``x`` added at ``key``."""
    with x.device:
        return add_at(cp.zeros(shape, dtype=x.dtype), key, x)


def set_at(x: Any, value: Any, /, *, key: Any) -> Any:
    """Return a copy of ``x`` with ``value`` at ``key``."""
    with x.device:
        out = cp.array(x)
        out[key] = value
    return out


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "getitem": lambda x, *, key: x[key],
    "getitem_adjoint": getitem_adjoint,
    "set_at": set_at,
}
