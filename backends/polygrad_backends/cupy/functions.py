"""What CuPy's functions do otherwise than NumPy's."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import array_api_compat.cupy as xp
import cupy as cp

from polygrad.rules.declare import broadcast_shapes


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


def angle(x: Any, /) -> Any:
    """CuPy's is pi for nan."""
    out = cp.angle(x)
    return cp.where(cp.isnan(x), x, out) if x.dtype.kind == "f" else out


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
            "arange", "asarray", "empty", "empty_like", "eye", "fft.fftfreq", "fft.rfftfreq", "full", "full_like", "linspace", "ones",
            "ones_like", "zeros", "zeros_like",
        )
    },
    "angle": angle,
    "linalg.solve": solve,
    "to_device": to_device,
}  # fmt: skip
