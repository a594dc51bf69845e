"""Functions of CuPy's that differ from NumPy's."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import array_api_compat.cupy as xp
import cupy as cp
import numpy as np

from polygrad.rules.helpers import broadcast_shapes


def on_device(device: Any) -> contextlib.AbstractContextManager[Any]:
    """Return a context in which a device is the current one, if one is given."""
    return device if device is not None else contextlib.nullcontext()


def created(name: str) -> Callable[..., Any]:
    """Return a creation function that heeds ``device``, and without it uses the device of the array it is given.

    Not all functions of array-api-compat 1.16 do (its issue 337), and CuPy's own use the current device.
    """
    function: Any = functools.reduce(getattr, name.split("."), xp)

    def create(*args: Any, device: Any = None, **params: Any) -> Any:
        if device is None and isinstance(args[0], cp.ndarray):
            device = args[0].device
        with on_device(device):
            return function(*args, **params)

    return create


_asarray = created("asarray")


def asarray(obj: Any, /, **params: Any) -> Any:
    """Return an array. CuPy fills a 0-d array with the number, and makes 0 of -0."""
    if isinstance(obj, (float, complex, np.generic, np.ndarray)) and np.ndim(obj) == 0:
        return _asarray(np.reshape(obj, 1), **params).reshape(())
    return _asarray(obj, **params)


def with_nan(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is nan where an argument is.

    Some of CuPy's functions forget that: they test for the other cases first, and then have an else.
    """

    def run(*args: Any) -> Any:
        out = function(*args)
        for arg in args:
            if isinstance(arg, cp.ndarray) and arg.dtype.kind in "fc":
                out = cp.where(cp.isnan(arg), cp.nan, out)
        return out

    return run


def solve(x1: Any, x2: Any, /) -> Any:
    """Solve with broadcasting, which CuPy's function lacks."""
    if x2.ndim > 1 and x1.shape[:-2] != x2.shape[:-2]:
        batch = broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
        x1, x2 = (cp.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (x1, x2))
    return cp.linalg.solve(x1, x2)


def to_device(x: Any, device: Any) -> Any:
    """Return the array on a device. CUDA copies it if it is on another one."""
    with device:
        return cp.asarray(x)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{
        name: created(name) for name in (
            "arange", "empty", "empty_like", "eye", "fft.fftfreq", "fft.rfftfreq", "full", "full_like", "linspace", "ones",
            "ones_like", "zeros", "zeros_like",
        )
    },
    "angle": with_nan(cp.angle),
    "asarray": asarray,
    "linalg.solve": solve,
    "sinc": with_nan(cp.sinc),
    "to_device": to_device,
}  # fmt: skip
