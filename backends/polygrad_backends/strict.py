"""array-api-strict: the standard and nothing else. A program that runs on it uses only the standard."""

from __future__ import annotations

from typing import Any

import array_api_strict as xp
import numpy as np

from polygrad.backend import Backend

_CPU = xp.Device("CPU_DEVICE")


def isin(x1: Any, x2: Any, /, *, invert: bool = False) -> Any:
    """Return whether each element of ``x1`` is among ``x2``. array-api-strict 2.6 overlooks ``invert``."""
    found = xp.isin(x1, x2)
    return xp.logical_not(found) if invert else found


class StrictBackend(Backend):
    """Arrays of array-api-strict."""

    name = "array_api_strict"
    xp = xp
    overrides = {"isin": isin}  # noqa: RUF012

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

    def own(self, array: Any, alias: bool) -> Any:
        # Nothing tells views apart here, so every gradient gets memory of its own.
        return xp.asarray(array, copy=True)

    def numpy(self, array: Any) -> Any:
        return np.from_dlpack(array.to_device(_CPU))

    def to_host(self, array: Any) -> Any:
        return self.numpy(array).tolist()


BACKEND = StrictBackend()
