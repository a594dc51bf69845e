"""CuPy: NumPy's interface on NVIDIA GPUs."""

from __future__ import annotations

from typing import Any

import array_api_compat.cupy as xp
import cupy as cp
import cupyx
import numpy as np

from polygrad.backend import Backend
from polygrad.rules.indexing import basic


def add_at(out: Any, key: Any, value: Any) -> Any:
    """Add ``value`` into ``out`` at ``key``, every duplicate counted (atomically, on the device)."""
    if basic(key):
        out[key] += value
    else:
        cupyx.scatter_add(out, key, value)
    return out


def getitem_adjoint(x: Any, *, key: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with ``x`` added at ``key``."""
    return add_at(cp.zeros(shape, dtype=x.dtype), key, x)


def set_at(x: Any, value: Any, /, *, key: Any) -> Any:
    """A copy of ``x`` with ``value`` at ``key``."""
    out = cp.array(x)
    out[key] = value
    return out


class CuPyBackend(Backend):
    """CuPy arrays on the devices that CUDA shows."""

    name = "cupy"
    install = "pip install cupy-cuda12x"
    xp = xp
    overrides = {"getitem": lambda x, *, key: x[key], "getitem_adjoint": getitem_adjoint, "set_at": set_at}  # noqa: RUF012

    def owns(self, kind: type) -> bool:
        return issubclass(kind, cp.ndarray)

    def missing(self) -> str | None:
        try:
            count = cp.cuda.runtime.getDeviceCount()
        except cp.cuda.runtime.CUDARuntimeError as error:
            return f"cupy is installed but finds no GPU: {error}"
        return None if count else "cupy is installed but finds no GPU"

    def canonical(self, dtype: Any) -> Any:
        return np.dtype(dtype)

    def devices(self) -> tuple[str, ...]:
        return tuple(f"cuda:{i}" for i in range(cp.cuda.runtime.getDeviceCount()))

    def device(self, spec: Any) -> Any:
        if not isinstance(spec, str):
            return spec
        return cp.cuda.Device(int(spec.partition(":")[2] or 0))

    def add_at(self, buffer: Any, key: Any, value: Any) -> Any:
        return add_at(buffer, key, value)

    def own(self, array: Any, alias: bool) -> Any:
        return array.copy() if alias or array.base is not None else array

    def special(self, name: str) -> Any:
        import cupyx.scipy.special

        return getattr(cupyx.scipy.special, name, None)

    def from_host(self, data: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
        return cp.asarray(data, dtype=dtype)

    def to_host(self, array: Any) -> Any:
        return array.tolist()

    def numpy(self, array: Any) -> Any:
        return cp.asnumpy(array)

    def random(self, kind: str, shape: tuple[int, ...], dtype: Any, device: Any, **params: Any) -> Any:
        if kind == "integers":
            return cp.random.randint(params["low"], params["high"], size=shape).astype(dtype)
        return (cp.random.standard_normal if kind == "normal" else cp.random.random_sample)(shape).astype(dtype)

    def manual_seed(self, seed: int) -> None:
        cp.random.seed(seed)

    def random_state(self) -> Any:
        # CuPy's generator does not show its state: it is started anew, from a number that it has drawn itself.
        seed = int(cp.random.randint(2**31))
        cp.random.seed(seed)
        return seed

    def set_random_state(self, state: Any) -> None:
        cp.random.seed(state)

    def synchronize(self, *arrays: Any) -> None:
        cp.cuda.Device().synchronize()


BACKEND = CuPyBackend()
