"""CuPy: NumPy's interface on NVIDIA GPUs.

Work goes to CuPy's current device and current stream, as everything in CuPy does; both belong to the thread, and a backward pass runs in
the thread that asks for it. So arrays of another device than the first want ``with cupy.cuda.Device(1):`` around forward and backward,
and a stream ``with stream:`` around both. Creation functions with ``device=`` switch by themselves.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import array_api_compat.cupy as xp
import cupy as cp
import cupyx
import cupyx.scipy.special
import numpy as np

from polygrad.backend import Backend, scipy_special
from polygrad.rules.indexing import basic

ATOMIC = frozenset(map(np.dtype, ("int32", "uint32", "uint64", "float16", "float32", "float64")))
"""The dtypes that ``cupyx.scatter_add`` takes: those which CUDA adds atomically."""


def scatter_add(out: Any, key: Any, value: Any) -> None:
    """Add ``value`` into ``out`` at ``key``, every duplicate counted, in atomic additions on the device; in any dtype."""
    value = cp.asarray(value, dtype=out.dtype)
    if out.dtype in ATOMIC:
        cupyx.scatter_add(out, key, value)
    elif out.dtype.kind == "c":
        scatter_add(out.real, key, value.real)
        scatter_add(out.imag, key, value.imag)
    elif out.dtype == np.int64:  # the same sums of bits, whatever they stand for
        cupyx.scatter_add(out.view(np.uint64), key, value.view(np.uint64))
    else:
        wide = out.astype(np.int32)
        cupyx.scatter_add(wide, key, value.astype(np.int32))
        out[...] = wide.astype(out.dtype)


def add_at(out: Any, key: Any, value: Any) -> Any:
    """``out``, with ``value`` added into it at ``key``."""
    with out.device:
        if basic(key):
            out[key] += value
        else:
            scatter_add(out, key, value)
    return out


def getitem_adjoint(x: Any, *, key: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with ``x`` added at ``key``."""
    with x.device:
        return add_at(cp.zeros(shape, dtype=x.dtype), key, x)


def set_at(x: Any, value: Any, /, *, key: Any) -> Any:
    """A copy of ``x`` with ``value`` at ``key``."""
    with x.device:
        out = cp.array(x)
        out[key] = value
    return out


def to_device(x: Any, device: Any) -> Any:
    """The array on a device, where it is copied by CUDA if it is on another."""
    with device:
        return cp.asarray(x)


def _created(name: str) -> Callable[..., Any]:
    """A creation function that heeds ``device``, which those of array-api-compat 1.16 do not all (its issue 337)."""
    function = getattr(xp, name)

    def create(*args: Any, device: Any = None, **params: Any) -> Any:
        with device if device is not None else contextlib.nullcontext():
            return function(*args, **params)

    return create


COMPLEX = frozenset({"loggamma", "expit", "log_softmax", "softmax", "logsumexp"})
"""Functions of ``cupyx.scipy.special`` that take complex numbers."""


class CuPyBackend(Backend):
    """CuPy arrays on the devices that CUDA shows."""

    name = "cupy"
    install = "pip install cupy-cuda12x"
    xp = xp
    overrides = {  # noqa: RUF012
        **{
            name: _created(name) for name in (
                "arange", "asarray", "empty", "empty_like", "eye", "full", "full_like", "linspace", "ones", "ones_like", "zeros",
                "zeros_like",
            )
        },
        "getitem": lambda x, *, key: x[key],
        "getitem_adjoint": getitem_adjoint,
        "set_at": set_at,
        "to_device": to_device,
    }  # fmt: skip
    unsupported = {  # noqa: RUF012
        name: f"CuPy {cp.__version__} has no eigenvalues of general matrices"
        for name in ("linalg.eig", "linalg.eigvals")
        if not hasattr(cp.linalg, name.removeprefix("linalg."))
    }

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
            return cp.cuda.Device(spec) if isinstance(spec, int) else spec
        if spec == "cuda":
            return cp.cuda.Device()
        if spec not in self.devices():
            raise self.no_device(spec)
        return cp.cuda.Device(int(spec.partition(":")[2]))

    def add_at(self, buffer: Any, key: Any, value: Any) -> Any:
        return add_at(buffer, key, value)

    def own(self, array: Any, alias: bool) -> Any:
        return array.copy() if alias or array.base is not None else array

    def special(self, name: str) -> Any:
        native = getattr(cupyx.scipy.special, name, None)
        function = scipy_special(name)
        if native is None or name in COMPLEX or function is None:
            return native
        host = self.on_host(function)
        return lambda *args, **params: (
            host if any(getattr(getattr(arg, "dtype", None), "kind", "") == "c" for arg in args) else native
        )(*args, **params)

    def from_host(self, data: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
        return self.raw.asarray(data, dtype=dtype, device=device)

    def to_host(self, array: Any) -> Any:
        return array.tolist()

    def numpy(self, array: Any) -> Any:
        return cp.asnumpy(array)

    def random(self, kind: str, shape: tuple[int, ...], dtype: Any, device: Any, **params: Any) -> Any:
        with device if device is not None else contextlib.nullcontext():
            if kind == "integers":
                return cp.random.randint(params["low"], params["high"], size=shape).astype(dtype)
            return (cp.random.standard_normal if kind == "normal" else cp.random.random_sample)(shape).astype(dtype)

    def manual_seed(self, seed: int) -> None:
        for number in range(cp.cuda.runtime.getDeviceCount()):  # each has a generator of its own
            with cp.cuda.Device(number):
                cp.random.seed(seed)

    def random_state(self) -> Any:
        # CuPy's generator does not show its state: it is started anew, from a number that it has drawn itself.
        seed = int(cp.random.randint(2**31))
        self.manual_seed(seed)
        return seed

    def set_random_state(self, state: Any) -> None:
        self.manual_seed(state)

    def synchronize(self, *arrays: Any) -> None:
        for number in range(cp.cuda.runtime.getDeviceCount()):
            cp.cuda.Device(number).synchronize()


BACKEND = CuPyBackend()
