"""dask arrays: building a graph and its gradient computes nothing."""

from __future__ import annotations

import functools
from typing import Any

import array_api_compat.dask.array as xp
import dask.array as da
import numpy as np

from polygrad.backend import Backend, scipy_special
from polygrad.errors import BackendError


def _on_blocks(function: Any) -> Any:
    """An operation that NumPy does on the whole array, as one task."""

    def run(*arrays: Any, shape: tuple[int, ...], dtype: Any) -> Any:
        import dask

        return da.from_delayed(dask.delayed(function)(*arrays), shape=shape, dtype=dtype)

    return run


def getitem_adjoint(x: Any, *, key: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with ``x`` added at ``key``, every duplicate counted."""

    def add(value: Any, key: Any) -> Any:
        out = np.zeros(shape, dtype=value.dtype)
        np.add.at(out, key, value)
        return out

    return _on_blocks(add)(x, key, shape=shape, dtype=x.dtype)


def set_at(x: Any, value: Any, /, *, key: Any) -> Any:
    """``x`` with ``value`` at ``key``."""
    out = x.copy()
    keys = key if isinstance(key, tuple) else (key,)
    if any(
        part is None for part in keys
    ):  # which dask does not take on this side: write the same elements without the new axes
        value = da.broadcast_to(da.asarray(value), x[key].shape)
        key = tuple([part for part in keys if part is not None])
        value = value.reshape(x[key].shape)
    out[key] = value
    return out


def take_along_axis(x: Any, indices: Any, /, *, axis: int = -1) -> Any:
    """The elements at ``indices`` along an axis; dask itself selects with one array of indices only."""
    sizes = [1 if i == axis % x.ndim else n for i, n in enumerate(x.shape)]
    shape = np.broadcast_shapes(indices.shape, tuple(sizes))
    return _on_blocks(lambda values, at: np.take_along_axis(values, at, axis))(x, indices, shape=shape, dtype=x.dtype)


def solve_triangular(a: Any, b: Any, /, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    """The solution of ``a x = b`` or ``x a = b``; dask itself has the first, without the rest of the parameters."""
    a = da.triu(a) if upper else da.tril(a)
    if unitriangular:
        a = da.where(da.eye(a.shape[-1], chunks=a.chunks[-1][0] if a.chunks[-1] else "auto", dtype=bool), 1, a)
    if left:
        return da.linalg.solve_triangular(a, b, lower=not upper)
    return da.linalg.solve_triangular(a.T, b.T, lower=upper).T


def _transform(name: str) -> Any:
    """A Fourier transform, for which dask wants each axis that is transformed in one chunk."""
    function = getattr(xp.fft, name)  # type: ignore[attr-defined]

    def run(x: Any, /, **params: Any) -> Any:
        axes = params["axis"] if "axis" in params else params.get("axes")
        axes = range(x.ndim) if axes is None else (axes,) if isinstance(axes, int) else axes
        return function(x.rechunk({axis % x.ndim: -1 for axis in axes}), **params)

    return run


class DaskBackend(Backend):
    """dask.array collections of NumPy blocks."""

    name = "dask"
    install = "pip install 'dask[array]'"
    xp = xp
    lazy = True
    overrides = {  # noqa: RUF012
        **{
            f"fft.{name}": _transform(name)
            for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fftn", "ifftn", "rfftn", "irfftn")
        },
        "getitem_adjoint": getitem_adjoint,
        # array-api-compat 1.16 takes dask's factor for the lower one, but dask's default is the upper
        "linalg.cholesky": lambda x, *, upper=False: da.linalg.cholesky(x, lower=not upper),
        "linalg.solve_triangular": solve_triangular,
        "set_at": set_at,
        "take_along_axis": take_along_axis,
        "to_device": lambda x, device: x,
    }

    def owns(self, kind: type) -> bool:
        return issubclass(kind, da.Array)

    def canonical(self, dtype: Any) -> Any:
        return np.dtype(dtype)

    def device(self, spec: Any) -> Any:
        if spec != "cpu":
            raise BackendError(f"dask has only the device 'cpu', not {spec!r}")
        return spec

    def device_of(self, array: Any) -> Any:
        return "cpu"

    def devices(self) -> tuple[str, ...]:
        return ("cpu",)

    def add_at(self, buffer: Any, key: Any, value: Any) -> Any:
        return buffer + getitem_adjoint(value, key=key, shape=buffer.shape)

    def own(self, array: Any, alias: bool) -> Any:
        return array

    def special(self, name: str) -> Any:
        function = (
            scipy_special(name) if name != "multigammaln" else None
        )  # which raises for some values, dask's trial ones among them
        return None if function is None else self.on_host(function)

    def on_host(self, function: Any) -> Any:
        """Block by block, with broadcasting."""
        number = getattr(function, "nout", 1)
        if number == 1:
            return lambda *args, **params: da.core.elemwise(functools.partial(function, **params), *args)
        return lambda *args: tuple(
            [da.core.elemwise(lambda *values, i=i: function(*values)[i], *args) for i in range(number)]
        )

    def to_host(self, array: Any) -> Any:
        return array.compute().tolist()

    def numpy(self, array: Any) -> Any:
        return array.compute()

    def random(self, kind: str, shape: tuple[int, ...], dtype: Any, device: Any, **params: Any) -> Any:
        from polygrad.interop.host import draw

        return da.from_array(np.asarray(draw(kind, shape, **params), dtype=dtype))


BACKEND = DaskBackend()
