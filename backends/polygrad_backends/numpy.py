"""NumPy, the embedded default."""

from __future__ import annotations

from typing import Any

import array_api_compat.numpy as xp
import numpy as np

from polygrad.backend import Backend, scipy_special
from polygrad.errors import BackendError
from polygrad.rules.indexing import basic


def add_at(out: Any, key: Any, value: Any) -> Any:
    """Add ``value`` into ``out`` at ``key``, every duplicate counted."""
    if basic(key):
        out[key] += value
    else:
        np.add.at(out, key, value)
    return out


def getitem_adjoint(x: Any, *, key: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with ``x`` added at ``key``."""
    return add_at(np.zeros(shape, dtype=x.dtype), key, x)


def set_at(x: Any, value: Any, /, *, key: Any) -> Any:
    """A copy of ``x`` with ``value`` at ``key``."""
    out = np.array(x)
    out[key] = value
    return out


class NumPyBackend(Backend):
    """NumPy arrays, and NumPy's scalars, which its operations return in the place of 0-d arrays."""

    name = "numpy"
    xp = xp
    overrides = {  # noqa: RUF012
        "getitem_adjoint": getitem_adjoint,
        "set_at": set_at,
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

    def device(self, spec: Any) -> Any:
        if spec != "cpu":
            raise BackendError(f"numpy has only the device 'cpu', not {spec!r}")
        return spec

    def device_of(self, array: Any) -> Any:
        return "cpu"

    def special(self, name: str) -> Any:
        return scipy_special(name)

    def to_host(self, array: Any) -> Any:
        return array.tolist()

    def numpy(self, array: Any) -> Any:
        return np.asarray(array)


BACKEND = NumPyBackend()
