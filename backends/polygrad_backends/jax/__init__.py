"""JAX. Its arrays cannot be written, so assignment and accumulation are functional; float64 needs JAX's own x64 flag."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as xp
import numpy as np

from polygrad.backend import DTYPE_NAMES
from polygrad.errors import DtypeError

from . import functions, indexing, pytrees, random, special

_PLAIN = frozenset(map(np.dtype, DTYPE_NAMES))
"""The dtypes of NumPy arrays that JAX takes over as they are."""


class JaxBackend(random.Random):
    """JAX arrays and, under ``jax.jit`` and its kin, tracers."""

    name = "jax"
    install = "pip install jax"
    mutable = False
    xp = xp
    overrides = {**functions.FUNCTIONS, **indexing.FUNCTIONS}  # noqa: RUF012
    others = frozenset({"trapezoid"})  # JAX's function demands at least one point
    native_special = special.NATIVE
    complex_special = special.COMPLEX

    def owns(self, kind: type) -> bool:
        return issubclass(kind, jax.Array) or issubclass(kind, jax.core.Tracer)

    def canonical(self, dtype: Any) -> Any:
        return np.dtype(dtype)

    def dtype(self, spec: Any) -> Any:
        dtype = super().dtype(spec)
        if dtype in (np.float64, np.complex128) and not jax.config.jax_enable_x64:
            raise DtypeError(
                f"jax has no {dtype} while its x64 mode is off; switch it on before the first array is made: "
                f"jax.config.update('jax_enable_x64', True), or set JAX_ENABLE_X64=1"
            )
        return dtype

    def default_dtype(self, kind: str, device: Any = None) -> Any:
        wide = {"bool": "bool", "integral": "int64", "real floating": "float64", "complex floating": "complex128"}
        return np.dtype(jax.dtypes.canonicalize_dtype(wide[kind]))

    def devices(self) -> tuple[str, ...]:
        return tuple(str(device) for device in jax.devices())

    def device(self, spec: Any) -> Any:
        if not isinstance(spec, str):
            return spec
        platform, _, index = spec.partition(":")
        try:
            return jax.devices(platform)[int(index or 0)]
        except (RuntimeError, IndexError, ValueError) as error:
            raise self.no_device(spec) from error

    def device_of(self, array: Any) -> Any:
        try:
            return array.device
        except Exception:  # a tracer is on no device yet
            return None

    def add_at(self, buffer: Any, key: Any, value: Any) -> Any:
        return indexing.add_at(buffer, key, value)

    def own(self, array: Any, alias: bool) -> Any:
        return array

    def from_host(self, data: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
        if dtype is None and getattr(data, "dtype", None) in (np.float64, np.complex128):
            dtype = self.dtype(data.dtype)  # this raises where JAX would make it float32
        plain = isinstance(data, np.ndarray) and data.dtype in _PLAIN and dtype in (None, data.dtype)
        if (
            plain
            and copy is not False
            and jax.dtypes.canonicalize_dtype(data.dtype) == data.dtype
            and self.scope() is None
        ):
            # asarray would compile a function that copies, for each shape. JAX may keep the memory that it gets.
            return jax.device_put(np.array(data, order="C"), device)
        return super().from_host(data, dtype=dtype, device=device, copy=copy)

    def to_host(self, array: Any) -> Any:
        return array.tolist()

    def numpy(self, array: Any) -> Any:
        return np.asarray(array)

    def synchronize(self, *arrays: Any) -> None:
        jax.block_until_ready(arrays if arrays else xp.zeros(()))


BACKEND = JaxBackend()
pytrees.register(BACKEND)
