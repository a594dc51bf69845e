"""array-api-strict: the standard and nothing else. What passes here uses only the standard."""

from __future__ import annotations

from typing import Any

import array_api_strict as xp
import numpy as np

from polygrad.backend import Backend
from polygrad.rules.indexing import basic

_CPU = xp.Device("CPU_DEVICE")


def _complete(x: Any, key: Any) -> Any:
    """A basic key that names every axis, as the standard asks: the rest is an ellipsis."""
    keys = key if isinstance(key, tuple) else (key,)
    if Ellipsis in keys or sum(part is not None for part in keys) == x.ndim:
        return key
    return (*keys, Ellipsis)


def _has_none(key: Any) -> bool:
    """Whether a key makes new axes, which the standard allows in a selection but not in an assignment."""
    return key is None or (isinstance(key, tuple) and None in key)


def _numbers(x: Any, key: Any) -> Any:
    """The row-major numbers of the elements that a key selects; the standard has only part of NumPy's keys."""
    ids = np.arange(x.size).reshape(x.shape)[_host(key)]
    return xp.asarray(ids.ravel(), device=x.device), ids.shape


def _host(key: Any) -> Any:
    if isinstance(key, tuple):
        return tuple(_host(part) for part in key)
    return np.from_dlpack(key.to_device(_CPU)) if isinstance(key, type(xp.empty(0))) else key


def getitem(x: Any, *, key: Any) -> Any:
    """``x[key]``."""
    if basic(key):
        return x[_complete(x, key)]
    ids, shape = _numbers(x, key)
    return xp.reshape(xp.take(xp.reshape(x, (-1,)), ids, axis=0), shape)


def set_at(x: Any, value: Any, /, *, key: Any) -> Any:
    """A copy of ``x`` with ``value`` at ``key``."""
    out = xp.asarray(x, copy=True)
    if basic(key) and not _has_none(key):
        out[_complete(x, key)] = value
        return out
    ids, shape = _numbers(x, key)
    value = xp.asarray(value, dtype=x.dtype, device=x.device)
    flat, values = xp.reshape(out, (-1,)), xp.reshape(xp.broadcast_to(value, shape), (-1,))
    for i in range(ids.shape[0]):
        flat[int(ids[i])] = values[i]
    return xp.reshape(flat, x.shape)


def isin(x1: Any, x2: Any, /, *, invert: bool = False) -> Any:
    """Whether each element of ``x1`` is among ``x2``; array-api-strict 2.6 overlooks ``invert``."""
    found = xp.isin(x1, x2)
    return xp.logical_not(found) if invert else found


class StrictBackend(Backend):
    """Arrays of array-api-strict."""

    name = "array_api_strict"
    xp = xp
    overrides = {"getitem": getitem, "isin": isin, "set_at": set_at}  # noqa: RUF012

    def devices(self) -> tuple[str, ...]:
        return tuple(str(device).split("'")[1] for device in xp.__array_namespace_info__().devices())

    def device(self, spec: Any) -> Any:
        if not isinstance(spec, str):
            return spec
        if spec == "cpu":
            return _CPU
        if spec not in self.devices():
            raise self.no_device(spec)
        return xp.Device(spec)

    def add_at(self, buffer: Any, key: Any, value: Any) -> Any:
        if basic(key) and not _has_none(key):
            return super().add_at(buffer, _complete(buffer, key), value)
        return buffer + self.raw.getitem_adjoint(value, key=key, shape=buffer.shape)

    def own(self, array: Any, alias: bool) -> Any:
        # Views cannot be told apart here, so every gradient gets memory of its own.
        return xp.asarray(array, copy=True)

    def numpy(self, array: Any) -> Any:
        return np.from_dlpack(array.to_device(_CPU))

    def to_host(self, array: Any) -> Any:
        return self.numpy(array).tolist()


BACKEND = StrictBackend()
