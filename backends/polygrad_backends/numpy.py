"""NumPy."""

from __future__ import annotations

from typing import Any

import array_api_compat.numpy as xp
import numpy as np

from polygrad.backend import Backend, basic


def scatter_add(value: Any, key: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with ``value`` added at ``key``."""
    out = np.zeros(shape, dtype=value.dtype)
    return add_at(out, key, value)


def add_at(out: Any, key: Any, value: Any) -> Any:
    """Add into ``out``, every duplicate counted."""
    if basic(key):
        out[key] += value
    else:
        np.add.at(out, key, value)
    return out


def set_at(x: Any, value: Any, *, key: Any) -> Any:
    """A copy of ``x`` with ``value`` at ``key``."""
    out = np.array(x)
    out[key] = value
    return out


class NumPyBackend(Backend):
    """NumPy arrays; NumPy's scalars, which its operations return in the place of 0-d arrays, are taken as such."""

    name = "numpy"
    xp = xp
    overrides = {"scatter_add": scatter_add, "set_at": set_at}  # noqa: RUF012

    def owns(self, kind: type) -> bool:
        return issubclass(kind, (np.ndarray, np.generic))

    def canonical(self, dtype: Any) -> Any:
        return np.dtype(dtype)

    def add_at(self, buffer: Any, key: Any, value: Any) -> Any:
        return add_at(buffer, key, value)

    def own(self, array: Any, alias: bool) -> Any:
        if type(array) is np.ndarray:
            return array.copy() if alias or array.base is not None else array
        return np.array(array)

    def present(self, array: Any) -> Any:
        return array if isinstance(array, np.ndarray) else np.asarray(array)

    def device_of(self, array: Any) -> Any:
        return "cpu"

    def to_host(self, array: Any) -> Any:
        return array.tolist()

    def numpy(self, array: Any) -> Any:
        return np.asarray(array)


BACKEND = NumPyBackend()
