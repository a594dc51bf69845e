"""CuPy: NumPy's interface on NVIDIA GPUs.

Work goes to CuPy's current device and current stream, as always in CuPy. Both belong to the thread, and a backward pass runs in the thread
that asks for it. So arrays of another device than the first need ``with cupy.cuda.Device(1):`` around forward and backward, and a stream
``with stream:`` around both. Without the former CuPy warns, reads across devices, and leaves the results on the current one. Functions that
create arrays with ``device=``, or like another array, switch by themselves.

A GPU does some things otherwise. An integer array out of range raises no error as an index (CuPy wraps it around). Of several values that
are assigned to one place any may stay. Matrices that are singular or not positive definite give nan or infinities, unless
``cupyx.seterr(linalg="raise")`` asks for errors.
"""

from __future__ import annotations

from typing import Any

import array_api_compat.cupy as xp
import cupy as cp
import numpy as np

from polygrad.backend import Backend
from polygrad.errors import BackendError

from . import functions, indexing, special


class CuPyBackend(Backend):
    """CuPy arrays on the devices that CUDA shows."""

    name = "cupy"
    install = "pip install 'cupy-cuda12x[ctk]' (or 'cupy-cuda13x[ctk]', where the driver is of CUDA 13)"
    xp = xp
    overrides = {**functions.FUNCTIONS, **indexing.FUNCTIONS}  # noqa: RUF012
    native_special = special.NATIVE
    complex_special = special.COMPLEX

    def owns(self, kind: type) -> bool:
        return issubclass(kind, cp.ndarray)

    def missing(self) -> str | None:
        runtime = cp.cuda.runtime
        try:
            count = runtime.getDeviceCount()
        except runtime.CUDARuntimeError as error:
            # without a driver CUDA reports one that is too old
            why = str(error) if runtime.driverGetVersion() else "there is no driver"
            return f"cupy is installed but finds no GPU: {why}"
        if not count:
            return "cupy is installed but finds no GPU"
        try:
            cp.cuda.nvrtc.getVersion()  # it compiles all kernels, and CuPy looks for it at the first one
        except Exception as error:
            return f"cupy finds a GPU, but not the libraries of CUDA: {self.install} ({error})"
        return None

    def canonical(self, dtype: Any) -> Any:
        return np.dtype(dtype)

    def devices(self) -> tuple[str, ...]:
        return tuple(f"cuda:{i}" for i in range(cp.cuda.runtime.getDeviceCount()))

    def device(self, spec: Any) -> Any:
        if not isinstance(spec, str):
            return cp.cuda.Device(spec) if isinstance(spec, int) else spec
        if spec == "cuda":
            return cp.cuda.Device()
        if spec == "cpu":
            raise BackendError(
                "cupy has no device 'cpu', since its arrays are on GPUs; x.to_backend('numpy') and x.numpy() take the values to the host"
            )
        if spec not in self.devices():
            raise self.no_device(spec)
        return cp.cuda.Device(int(spec.partition(":")[2]))

    def add_at(self, buffer: Any, key: Any, value: Any) -> Any:
        return indexing.add_at(buffer, key, value)

    def own(self, array: Any, alias: bool) -> Any:
        if not alias and array.base is None:
            return array
        with array.device:
            return array.copy()

    def from_host(self, data: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
        return self.raw.asarray(data, dtype=dtype, device=device)

    def to_host(self, array: Any) -> Any:
        return array.tolist()

    def numpy(self, array: Any) -> Any:
        return cp.asnumpy(array)

    def random(self, kind: str, shape: tuple[int, ...], dtype: Any, device: Any, **params: Any) -> Any:
        with functions.on_device(device):
            if kind == "integers":
                return cp.random.randint(params["low"], params["high"], size=shape).astype(dtype)
            draw = cp.random.standard_normal if kind == "normal" else cp.random.random_sample
            # in its own precision, since rounding may bring numbers below 1 up to it
            return draw(shape, np.float32 if dtype.itemsize < 8 else np.float64).astype(dtype, copy=False)

    def manual_seed(self, seed: int) -> None:
        for number in range(cp.cuda.runtime.getDeviceCount()):  # each device has a generator of its own
            with cp.cuda.Device(number):
                cp.random.seed(seed)

    def random_state(self) -> Any:
        # CuPy's generator does not show its state, so it is seeded anew, with a number that it has drawn itself.
        seed = int(cp.random.randint(2**31))
        self.manual_seed(seed)
        return seed

    def set_random_state(self, state: Any) -> None:
        self.manual_seed(state)

    def synchronize(self, *arrays: Any) -> None:
        for number in range(cp.cuda.runtime.getDeviceCount()):
            cp.cuda.Device(number).synchronize()


BACKEND = CuPyBackend()
