"""What CuPy's functions do otherwise than NumPy's."""

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
    """What makes a device the current one, if one is given."""
    return device if device is not None else contextlib.nullcontext()


def created(name: str) -> Callable[..., Any]:
    """A creation function that heeds ``device``, and without one that of the array it is given.

    Those of array-api-compat 1.16 do not all (its issue 337), and CuPy's own take the current device.
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
    """CuPy fills what has no axes with its number, and makes 0 of -0 thereby."""
    if isinstance(obj, (float, complex, np.generic, np.ndarray)) and np.ndim(obj) == 0:
        return _asarray(np.reshape(obj, 1), **params).reshape(())
    return _asarray(obj, **params)


def with_nan(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is nan where an argument is, which some of CuPy's forget: they ask for the others first, and have an else."""

    def run(*args: Any) -> Any:
        out = function(*args)
        for arg in args:
            if isinstance(arg, cp.ndarray) and arg.dtype.kind in "fc":
                out = cp.where(cp.isnan(arg), cp.nan, out)
        return out

    return run


def solve(x1: Any, x2: Any, /) -> Any:
    """CuPy's does not broadcast."""
    if x2.ndim > 1 and x1.shape[:-2] != x2.shape[:-2]:
        batch = broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
        x1, x2 = (cp.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (x1, x2))
    return cp.linalg.solve(x1, x2)


def to_device(x: Any, device: Any) -> Any:
    """The array on a device, where it is copied by CUDA if it is on another."""
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
